//! A cheap load client: plain sockets on one thread, so that on two cores the server has the most of both.
//!
//! Every connection is kept open and carries one request at a time, as a CI step's client would. Requests come
//! ready-made or from a function that writes into a reused buffer; answers are read no further than needed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Writes request number `n` into the buffer; `false` when there are no more.
pub(crate) type MakeRequest = dyn Fn(u64, &mut Vec<u8>) -> bool + Send + Sync;

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadPlan {
    /// Connections open at once.
    pub(crate) connections: usize,
    /// No request is begun after this time.
    pub(crate) longest: Duration,
}

/// What a load came to.
#[derive(Debug)]
pub(crate) struct LoadResult {
    /// Requests acknowledged with 200 or 201.
    pub(crate) acknowledged: u64,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// From the first byte sent to the last byte received of each request, sorted.
    pub(crate) latencies: Vec<Duration>,
}

impl LoadResult {
    /// Acknowledged requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.acknowledged as f64 / self.elapsed.as_secs_f64()
    }
}

/// Runs a load to its end. Any answer but 200 and 201 ends it with an error: what is refused is not measured.
pub(crate) fn run(address: SocketAddr, plan: LoadPlan, make: Arc<MakeRequest>) -> anyhow::Result<LoadResult> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let next = Arc::new(AtomicU64::new(0));
        let mut streams = Vec::new();
        for _ in 0..plan.connections {
            let stream = TcpStream::connect(address).await.context("failed to connect")?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let started = Instant::now();
        let mut clients = JoinSet::new();
        for stream in streams {
            clients.spawn(client(stream, started + plan.longest, Arc::clone(&next), Arc::clone(&make)));
        }
        let mut latencies = Vec::new();
        while let Some(client) = clients.join_next().await {
            latencies.extend(client??);
        }
        let elapsed = started.elapsed();
        latencies.sort();
        Ok(LoadResult { acknowledged: latencies.len() as u64, elapsed, latencies })
    })
}

async fn client(
    mut stream: TcpStream,
    deadline: Instant,
    next: Arc<AtomicU64>,
    make: Arc<MakeRequest>,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut request = Vec::new();
    let mut answer = Vec::new();
    while Instant::now() < deadline {
        request.clear();
        if !make(next.fetch_add(1, Ordering::Relaxed), &mut request) {
            break;
        }
        let sent = Instant::now();
        stream.write_all(&request).await.context("failed to send")?;
        let status = read_answer(&mut stream, &mut answer).await?;
        if status != 200 && status != 201 {
            bail!("the server answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

/// Reads one answer of declared length and gives its status.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<u16> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await.context("failed to receive")? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head_end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(answer.get(..head_end).unwrap_or_default()).to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
            .context("an answer without content-length")?;
        while answer.len() < head_end + 4 + length {
            if stream.read_buf(answer).await.context("failed to receive")? == 0 {
                bail!("the server closed the connection");
            }
        }
        return head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .context("an answer without status");
    }
}

/// A whole `POST`, head and body.
pub(crate) fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {}\r\n\r\n", body.len())
            .into_bytes();
    request.extend_from_slice(body);
    request
}
