//! A small blocking HTTP/1.1 client. One call is one attempt on the wire: nothing is ever sent twice behind the
//! caller's back, because tests count what they sent.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long connecting, one write or one silence of the server may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with one connection, kept open between requests and opened again when it broke.
#[derive(Debug)]
pub struct HttpClient {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    /// The body, its transfer encoding undone.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON; the message holds its beginning.
    pub fn json(&self) -> io::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let beginning: String = self.text().chars().take(400).collect();
            invalid(format!("answer {} is not JSON ({error}): {beginning}", self.status))
        })
    }
}

impl HttpClient {
    /// A client of a server. Connects at the first request.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// `GET path`
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn get(&mut self, path: &str) -> io::Result<Response> {
        self.request("GET", path, &[], b"")
    }

    /// `POST path` with a body.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Response> {
        self.request("POST", path, headers, body)
    }

    /// Any request with a body of known length.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        let head = head(method, path, self.address, headers, &format!("content-length: {}", body.len()));
        self.exchange(|stream| {
            if body.len() <= 16 * 1024 {
                let mut whole = head.clone().into_bytes();
                whole.extend_from_slice(body);
                return stream.write_all(&whole);
            }
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)
        })
    }

    /// `POST path` with a body that is written while it is made, in chunks.
    ///
    /// # Errors
    /// When there is no whole answer, or `write_body` fails before the server answered.
    pub fn post_streamed(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        write_body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<Response> {
        let head = head("POST", path, self.address, headers, "transfer-encoding: chunked");
        self.exchange(|stream| {
            stream.write_all(head.as_bytes())?;
            let mut chunks = io::BufWriter::with_capacity(64 * 1024, ChunkWriter { stream });
            write_body(&mut chunks)?;
            chunks.flush()?;
            drop(chunks);
            stream.write_all(b"0\r\n\r\n")
        })
    }

    /// Sends through `send` and reads the answer. A server may refuse before it has read everything: when sending
    /// breaks, its answer is still looked for.
    fn exchange(&mut self, send: impl FnOnce(&mut TcpStream) -> io::Result<()>) -> io::Result<Response> {
        let mut connection = match self.connection.take() {
            Some(open) => open,
            None => connect(self.address)?,
        };
        let sent = send(connection.get_mut());
        match (read_response(&mut connection), sent) {
            (Ok((response, keep_open)), sent) => {
                if keep_open && sent.is_ok() {
                    self.connection = Some(connection);
                }
                Ok(response)
            }
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn head(method: &str, path: &str, address: SocketAddr, headers: &[(&str, &str)], framing: &str) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n{framing}\r\n");
    for (name, value) in headers {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head
}

struct ChunkWriter<'a> {
    stream: &'a mut TcpStream,
}

impl Write for ChunkWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        write!(self.stream, "{:x}\r\n", bytes.len())?;
        self.stream.write_all(bytes)?;
        self.stream.write_all(b"\r\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The answer, and whether the connection stays open behind it. Interim answers (1xx) are passed over.
fn read_response(reader: &mut BufReader<TcpStream>) -> io::Result<(Response, bool)> {
    loop {
        let status = read_status(reader)?;
        let headers = read_headers(reader)?;
        if (100..200).contains(&status) {
            continue;
        }
        let mut response = Response { status, headers, body: Vec::new() };
        let is_chunked =
            response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let mut keep_open =
            !response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if is_chunked {
            response.body = read_chunks(reader)?;
        } else if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().map_err(|_| invalid(format!("content-length: {length}")))?;
            response.body = vec![0; length];
            reader.read_exact(&mut response.body)?;
        } else if status != 204 && status != 304 {
            keep_open = false;
            reader.read_to_end(&mut response.body)?;
        }
        return Ok((response, keep_open));
    }
}

fn read_status(reader: &mut impl BufRead) -> io::Result<u16> {
    let line = read_line(reader)?;
    line.strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .ok_or_else(|| invalid(format!("not a status line: {line}")))
}

fn read_headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| invalid(format!("not a header line: {line}")))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?;
        let length = usize::from_str_radix(&line, 16).map_err(|_| invalid(format!("not a chunk: {line}")))?;
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(body.get_mut(start..).unwrap_or_default())?;
        if !read_line(reader)?.is_empty() {
            return Err(invalid("a chunk is longer than it said".to_owned()));
        }
        if length == 0 {
            return Ok(body);
        }
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// Serves one connection: for each answer, reads a head and `body_bytes`, then writes the answer.
    fn serve(answers: Vec<(usize, &'static str)>) -> (SocketAddr, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut requests = Vec::new();
            for (body_bytes, answer) in answers {
                let mut request = String::new();
                while !request.ends_with("\r\n\r\n") {
                    reader.read_line(&mut request).unwrap();
                }
                let mut body = vec![0; body_bytes];
                reader.read_exact(&mut body).unwrap();
                request.push_str(std::str::from_utf8(&body).unwrap());
                requests.push(request);
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
            requests
        });
        (address, server)
    }

    #[test]
    fn one_connection_carries_requests_of_every_framing() {
        let (address, server) = serve(vec![
            (3, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"),
            (
                15,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            ),
        ]);
        let mut client = HttpClient::new(address);
        let first = client.post("/x", &[("idempotency-key", "k")], b"one").unwrap();
        assert_eq!((first.status, first.header("x-a"), first.text().as_str()), (201, Some("b"), "ok"));
        let second = client.post_streamed("/y", &[], |body| body.write_all(b"hello")).unwrap();
        assert_eq!((second.status, second.text().as_str()), (200, "abc"));
        let requests = server.join().unwrap();
        assert!(requests[0].contains("\r\nidempotency-key: k\r\n") && requests[0].ends_with("one"));
        assert!(requests[1].ends_with("5\r\nhello\r\n0\r\n\r\n"), "{}", requests[1]);
    }

    #[test]
    fn an_answer_cut_short_is_an_error_and_not_half_an_answer() {
        let (address, server) = serve(vec![(0, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")]);
        let error = HttpClient::new(address).get("/").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        server.join().unwrap();
    }
}
