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
    /// How often a request was told to come again later.
    pub(crate) refused: u64,
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

/// Runs a load to its end. A request that is told to come again later is sent again then, and its waiting counts; any
/// other refusal ends the load with an error.
pub(crate) fn run(address: SocketAddr, plan: LoadPlan, make: Arc<MakeRequest>) -> anyhow::Result<LoadResult> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let next = Arc::new(AtomicU64::new(0));
        let refused = Arc::new(AtomicU64::new(0));
        let mut streams = Vec::new();
        for _ in 0..plan.connections {
            let stream = TcpStream::connect(address).await.context("failed to connect")?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let started = Instant::now();
        let mut clients = JoinSet::new();
        for stream in streams {
            clients.spawn(client(
                stream,
                started + plan.longest,
                Arc::clone(&next),
                Arc::clone(&make),
                Arc::clone(&refused),
            ));
        }
        let mut latencies = Vec::new();
        while let Some(client) = clients.join_next().await {
            latencies.extend(client??);
        }
        let elapsed = started.elapsed();
        latencies.sort();
        let refused = refused.load(Ordering::Relaxed);
        Ok(LoadResult { acknowledged: latencies.len() as u64, refused, elapsed, latencies })
    })
}

async fn client(
    mut stream: TcpStream,
    deadline: Instant,
    next: Arc<AtomicU64>,
    make: Arc<MakeRequest>,
    refused: Arc<AtomicU64>,
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
        loop {
            stream.write_all(&request).await.context("failed to send")?;
            let head = read_answer(&mut stream, &mut answer).await?;
            match (head.status, head.retry_after) {
                (200 | 201, _) => break,
                (503, Some(pause)) => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(pause).await;
                }
                (status, _) => bail!("the server answered {status}: {}", String::from_utf8_lossy(&answer)),
            }
        }
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

/// What matters of the head of an answer.
#[derive(Debug, Clone, Copy)]
struct AnswerHead {
    status: u16,
    retry_after: Option<Duration>,
}

/// Reads one answer of declared length.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<AnswerHead> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await.context("failed to receive")? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head_end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(answer.get(..head_end).unwrap_or_default()).to_ascii_lowercase();
        let number =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        let length = usize::try_from(number("content-length:").context("an answer without content-length")?)?;
        let retry_after = number("retry-after:").map(Duration::from_secs);
        while answer.len() < head_end + 4 + length {
            if stream.read_buf(answer).await.context("failed to receive")? == 0 {
                bail!("the server closed the connection");
            }
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        return Ok(AnswerHead { status: status.context("an answer without status")?, retry_after });
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
