//! A server with the Postgres wire on a free port, filled through its own doors, and connections to it.

use std::net::SocketAddr;

use manometer_model::{Clock as _, SystemClock};
use manometer_query::{Engine, EngineOptions};
use manometer_server::access::{AccessDatabase, NewToken, Scope};
use manometer_server::{PostgresOptions, Server, ServerOptions};
use manometer_store::{Store, StoreOptions};
use serde_json::{Value, json};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// Tables and views that clients are shown.
pub(crate) const TABLES: usize = 28;
pub(crate) const VIEWS: usize = 5;

/// A running server and its folder.
pub(crate) struct Harness {
    pub(crate) server: Server,
    folder: tempfile::TempDir,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with changed options.
    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store_options = StoreOptions::new(folder.path());
        store_options.flush.background = false;
        let store = Store::open(store_options).unwrap();
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let engine = Engine::new(EngineOptions { threads: 2, ..EngineOptions::default() }).unwrap();
        let mut options = ServerOptions::new(free, folder.path(), store, engine);
        options.postgres = Some(PostgresOptions { listen: free, tls: None });
        change(&mut options);
        let server = Server::start(options).await.unwrap();
        Self { server, folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.postgres_address().unwrap()
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host(self.address().ip().to_string())
            .port(self.address().port())
            .user("anyone")
            .dbname("manometer");
        config
    }

    /// A connection of one who may do what an open door allows.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.config()).await.unwrap()
    }

    /// A token made the way the command line makes one; answers id and secret.
    pub(crate) fn token(&self, scopes: &[Scope], projects: Option<&[&str]>) -> (String, String) {
        let new = NewToken {
            name: "test".to_owned(),
            scopes: scopes.iter().copied().collect(),
            projects: projects.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            expires_at: None,
        };
        let (info, secret) = self.tokens().create(new, SystemClock.now()).unwrap();
        (info.id, secret.reveal().to_owned())
    }

    pub(crate) fn tokens(&self) -> AccessDatabase {
        AccessDatabase::open(self.folder.path()).unwrap()
    }

    /// Sends a body to a path of the HTTP door.
    pub(crate) async fn post(&self, path: &str, body: String) {
        let answer = http_client()
            .post(format!("http://{}{path}", self.server.address()))
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
    }

    /// The rows of a query asked over HTTP.
    pub(crate) async fn http_rows(&self, sql: &str) -> Vec<Value> {
        let url = format!("http://{}/api/v1/sql", self.server.address());
        let answer = http_client().post(url).body(json!({ "sql": sql }).to_string()).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        body["rows"].as_array().unwrap_or_else(|| panic!("{sql}: {text}")).clone()
    }

    /// Some runs and tests of two projects, as NDJSON records: times of November 2026, durations that count up.
    pub(crate) async fn fill(&self) {
        for project in ["github.com/acme/shop", "github.com/acme/secret"] {
            let mut lines = String::new();
            for number in 1..=20 {
                let minute = number % 60;
                let run = json!({
                    "type": "run", "provider": "github", "project": project, "service": "payments", "pipeline": "ci",
                    "run_id": number.to_string(), "attempt": 1, "number": number, "branch": "main",
                    "is_default_branch": true, "status": "completed", "conclusion": "success",
                    "queued_at": "2026-11-20T10:00:00Z", "started_at": format!("2026-11-20T10:{minute:02}:00Z"),
                    "duration_seconds": f64::from(number) + 0.5,
                });
                let test = json!({
                    "type": "test", "provider": "github", "project": project, "service": "payments",
                    "run_id": number.to_string(), "run_attempt": 1, "name": format!("test {}", number % 4),
                    "status": "passed", "duration_seconds": f64::from(number) / 10.0,
                    "at": format!("2026-11-20T10:{minute:02}:30Z"),
                });
                lines.push_str(&format!("{run}\n{test}\n"));
            }
            self.post(&format!("/api/v1/records?project={project}"), lines).await;
        }
    }
}

fn http_client() -> reqwest::Client {
    // The one cryptography provider of the process; where it is set already, that is the same one.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Connects without encryption.
pub(crate) async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The rows of a text of the simple protocol, each joined with commas; null is `-`.
pub(crate) async fn simple(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or("-")).collect::<Vec<_>>().join(","))
        }
        _ => None,
    });
    rows.collect()
}

/// The SQLSTATE a text of the simple protocol ends with.
pub(crate) async fn sql_state(client: &Client, sql: &str) -> String {
    match client.simple_query(sql).await {
        Ok(rows) => panic!("{sql}: {rows:?}"),
        Err(error) => error.code().unwrap_or_else(|| panic!("{sql}: {error}")).code().to_owned(),
    }
}
