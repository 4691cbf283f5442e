//! A small real HTTP server that keeps what it receives and answers as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// How requests are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As a Manometer server: 201, and 208 for a key that is known.
    Works,
    /// Takes the delivery, and breaks off before answering.
    TakesAndDies,
    /// 503 with the server's words.
    Overloaded,
    /// 422 with the server's words.
    Refuses,
    /// 401 with the server's words.
    Locked,
    /// 200 with a page of somebody else's.
    Portal,
    /// Bytes that are no HTTP.
    Garbage,
    /// Accepts, and never says anything.
    Silent,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn key(&self) -> &str {
        &self.headers["idempotency-key"]
    }

    /// The body without its gzip.
    #[allow(clippy::disallowed_methods, reason = "what the program under test has packed itself")]
    pub(crate) fn unpacked(&self) -> Vec<u8> {
        let mut content = Vec::new();
        flate2::read::GzDecoder::new(&self.body[..]).read_to_end(&mut content).unwrap();
        content
    }
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Request>,
    /// What took effect, by key.
    ledger: BTreeMap<String, Vec<u8>>,
}

pub(crate) struct Receiver {
    pub(crate) address: String,
    mood: Arc<Mutex<Mood>>,
    seen: Arc<Mutex<Seen>>,
    is_closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    pub(crate) fn start(mood: Mood) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), mood)
    }

    fn on(listener: TcpListener, mood: Mood) -> Self {
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mood = Arc::new(Mutex::new(mood));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let is_closing = Arc::new(AtomicBool::new(false));
        let (for_mood, for_seen, for_closing) = (mood.clone(), seen.clone(), is_closing.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if for_closing.load(Ordering::SeqCst) {
                    break;
                }
                let (mood, seen) = (for_mood.clone(), for_seen.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &mood, &seen));
            }
        });
        Self { address, mood, seen, is_closing, thread: Some(thread) }
    }

    pub(crate) fn feels(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// The deliveries that took effect, by key: each once, however often it came.
    pub(crate) fn ledger(&self) -> BTreeMap<String, Vec<u8>> {
        self.seen.lock().unwrap().ledger.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address.trim_start_matches("http://")).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn serve(stream: TcpStream, mood: &Mutex<Mood>, seen: &Mutex<Seen>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(request) = read(&mut reader) {
        let mood = *mood.lock().unwrap();
        let (status, headers, body) = {
            let mut seen = seen.lock().unwrap();
            seen.requests.push(request.clone());
            answer(mood, &request, &mut seen)
        };
        match mood {
            Mood::TakesAndDies => return,
            Mood::Garbage => {
                writer.write_all(b"\x00\xffnot http at all\r\n\r\n").ok();
                return;
            }
            Mood::Silent => {
                // Until the other side has had enough.
                reader.read_to_end(&mut Vec::new()).ok();
                return;
            }
            _ => {}
        }
        let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
        if writer.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(mood: Mood, request: &Request, seen: &mut Seen) -> (u16, &'static str, String) {
    let refusal =
        |code: &str, message: &str| format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
    match mood {
        Mood::Works | Mood::TakesAndDies => {
            let Some(key) = request.headers.get("idempotency-key") else {
                return (200, "", "{}".to_owned());
            };
            let known = seen.ledger.get(key);
            if known.is_some_and(|body| *body != request.body) {
                return (409, "", refusal("key_reused", "this key was used for another upload"));
            }
            let status = if known.is_some() { 208 } else { 201 };
            seen.ledger.insert(key.clone(), request.body.clone());
            (
                status,
                "",
                r#"{"status":"committed","id":"01K","received_at":"2026-11-21T06:13:38Z","rows":{}}"#
                    .to_owned(),
            )
        }
        Mood::Overloaded => (503, "retry-after: 0\r\n", refusal("overloaded", "come back later")),
        Mood::Refuses => (422, "", refusal("unreadable", "no line could be used")),
        Mood::Locked => (401, "", refusal("missing_token", "send a valid token")),
        Mood::Portal => (200, "content-type: text/html\r\n", "<html>please log in</html>".to_owned()),
        Mood::Garbage | Mood::Silent => (0, "", String::new()),
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body })
}
