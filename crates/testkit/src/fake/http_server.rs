//! A small HTTP/1.1 server that answers as it is told, and breaks answers off as it is told.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Parameters, decoded.
    pub query: BTreeMap<String, String>,
    /// Headers by their names in small letters.
    pub headers: BTreeMap<String, String>,
}

/// What to answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers besides the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How to answer.
    pub manner: Manner,
}

/// How to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As one should.
    Properly,
    /// Announce the whole body and close after half of it.
    CutOff,
    /// Say nothing until the client hangs up.
    Silence,
}

impl Reply {
    /// 200 with a document.
    pub fn json(value: &serde_json::Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: value.to_string().into_bytes(),
            manner: Manner::Properly,
        }
    }

    /// A page of trouble.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: b"<html>trouble</html>".to_vec(), manner: Manner::Properly }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same, answered in another manner.
    #[must_use]
    pub const fn in_manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }
}

/// What answers.
type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct HttpServer {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (requests, is_over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let handler: Arc<Handler> = Arc::new(handler);
        let (log, over) = (Arc::clone(&requests), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &handler, &log));
            }
        });
        Ok(Self { address, requests, is_over, thread: Some(thread) })
    }

    /// Its address as a URL.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All it was asked, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
        self.thread.take().map(JoinHandle::join);
    }
}

fn serve(mut stream: TcpStream, handler: &Arc<Handler>, log: &Arc<Mutex<Vec<Request>>>) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut reader = BufReader::new(reading);
    while let Some(request) = read_request(&mut reader) {
        log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let reply = handler(&request);
        if reply.manner == Manner::Silence {
            reader.read_to_end(&mut Vec::new()).ok();
            return;
        }
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
        if reply.status == 304 {
            head = "HTTP/1.1 304 X\r\n".to_owned();
        }
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = match reply.manner {
            Manner::CutOff => reply.body.get(..reply.body.len() / 2).unwrap_or_default(),
            _ if reply.status == 304 => &[],
            _ => &reply.body,
        };
        // One write: two would wait for each other's acknowledgement.
        let sent = stream.write_all(&[format!("{head}\r\n").as_bytes(), body].concat());
        if sent.is_err() || reply.manner == Manner::CutOff {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|length| *length > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut Vec::new()).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Some(Request { method, path: path.to_owned(), query, headers })
}
