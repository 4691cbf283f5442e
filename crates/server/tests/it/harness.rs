//! A server on a free port, and callers of it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use manometer_model::{Clock as _, SystemClock};
use manometer_query::{Engine, EngineOptions};
use manometer_server::access::{AccessDatabase, NewToken, Scope};
use manometer_server::{Server, ServerOptions};
use manometer_store::{Store, StoreOptions};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where reports go.
pub(crate) const REPORTS: &str = "/api/v1/reports?project=github.com/acme/shop";

/// A running server and its folder.
pub(crate) struct Harness {
    pub(crate) server: Server,
    pub(crate) client: Client,
    folder: tempfile::TempDir,
}

/// What a caller got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of a refusal; its message and request id are there too.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let error = &body["error"];
        assert!(!error["message"].as_str().unwrap().is_empty(), "{body}");
        assert_eq!(error["request_id"].as_str().unwrap(), self.header("x-request-id"), "{body}");
        error["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with changed options.
    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path(), change);
        let server = Server::start(options).await.unwrap();
        // The one cryptography provider of the process; where it is set already, that is the same one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(120))
            .build()
            .unwrap();
        Self { server, client, folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(self.url(path)).body(body)
    }

    /// A token made the way the command line makes one: through a file handle of its own.
    pub(crate) fn token(&self, scopes: &[Scope], projects: Option<&[&str]>) -> String {
        self.token_until(scopes, projects, None).1
    }

    /// The same, with an end; answers id and secret.
    pub(crate) fn token_until(
        &self,
        scopes: &[Scope],
        projects: Option<&[&str]>,
        seconds: Option<f64>,
    ) -> (String, String) {
        let now = SystemClock.now();
        let new = NewToken {
            name: "test".to_owned(),
            scopes: scopes.iter().copied().collect(),
            projects: projects.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            expires_at: seconds.map(|seconds| now.plus_seconds(seconds)),
        };
        let (info, secret) = self.tokens().create(new, now).unwrap();
        (info.id, secret.reveal().to_owned())
    }

    pub(crate) fn tokens(&self) -> AccessDatabase {
        AccessDatabase::open(self.folder.path()).unwrap()
    }

    /// The rows of a query, as JSON arrays.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Value> {
        self.rows_as(None, sql).await
    }

    /// The same with a token.
    pub(crate) async fn rows_as(&self, token: Option<&str>, sql: &str) -> Vec<Value> {
        let mut request = self.post("/api/v1/sql", json!({ "sql": sql }).to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = send(request).await;
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text);
        answer.json()["rows"].as_array().unwrap().clone()
    }

    /// One number a query gives.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.rows(sql).await[0][0].as_i64().unwrap()
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }
}

/// The options of a test's server.
pub(crate) fn options(folder: &std::path::Path, change: impl FnOnce(&mut ServerOptions)) -> ServerOptions {
    let mut store_options = StoreOptions::new(folder);
    store_options.flush.background = false;
    let store = Store::open(store_options).unwrap();
    let engine = Engine::new(EngineOptions { threads: 1, ..EngineOptions::default() }).unwrap();
    let mut options = ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)), folder, store, engine);
    change(&mut options);
    options
}

/// Sends a request to its end.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// Sends bytes as they are and reads until the server closes the connection.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    read_to_end(stream).await
}

/// Reads until the server closes the connection; a reset is an end too.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 4096];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(answer).unwrap()
}

/// A JUnit file with one passed test of each name.
pub(crate) fn junit(names: &[&str]) -> String {
    let cases: String = names
        .iter()
        .map(|name| format!(r#"<testcase classname="cart" name="{name}" time="0.5"/>"#))
        .collect();
    format!(r#"<testsuite name="unit" timestamp="2026-11-14T20:00:00Z">{cases}</testsuite>"#)
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Is it a status that says that the caller may do this?
pub(crate) fn is_let_in(status: u16) -> bool {
    status != StatusCode::UNAUTHORIZED.as_u16() && status != StatusCode::FORBIDDEN.as_u16()
}
