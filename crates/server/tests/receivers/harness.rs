//! A server on free ports, and a look at what it stored.

use std::net::SocketAddr;
use std::time::Duration;

use arrow::util::display::array_value_to_string;
use manometer_model::{Clock as _, SystemClock, Table};
use manometer_query::{Engine, EngineOptions};
use manometer_server::access::{AccessDatabase, NewToken, Scope};
use manometer_server::{Server, ServerOptions, StatsdOptions};
use manometer_store::{Store, StoreOptions};
use reqwest::{Client, RequestBuilder};

pub(crate) struct Harness {
    pub(crate) server: Server,
    pub(crate) client: Client,
    folder: tempfile::TempDir,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store_options = StoreOptions::new(folder.path());
        store_options.flush.background = false;
        let store = Store::open(store_options).unwrap();
        let engine = Engine::new(EngineOptions { threads: 1, ..EngineOptions::default() }).unwrap();
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut options = ServerOptions::new(local, folder.path(), store, engine);
        options.statsd = Some(StatsdOptions { listen: local, project: "metrics".to_owned() });
        change(&mut options);
        let server = Server::start(options).await.unwrap();
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().unwrap();
        Self { server, client, folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(self.url(path)).body(body)
    }

    pub(crate) fn token(&self, scope: Scope, projects: Option<&[&str]>) -> String {
        let new = NewToken {
            name: "test".to_owned(),
            scopes: [scope].into_iter().collect(),
            projects: projects.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            expires_at: None,
        };
        let tokens = AccessDatabase::open(self.folder.path()).unwrap();
        tokens.create(new, SystemClock.now()).unwrap().1.reveal().to_owned()
    }

    /// Columns of a table as texts joined with `|`, sorted.
    pub(crate) fn rows(&self, table: &'static str, columns: &[&str]) -> Vec<String> {
        let table = Table::named(table).unwrap();
        let mut rows = Vec::new();
        for batch in self.server.app().store.snapshot().batches(table).unwrap() {
            for row in 0..batch.num_rows() {
                let cell = |column: &&str| {
                    array_value_to_string(batch.column_by_name(column).unwrap(), row).unwrap()
                };
                rows.push(columns.iter().map(cell).collect::<Vec<_>>().join("|"));
            }
        }
        rows.sort();
        rows
    }

    /// Waits until a table has that many rows.
    pub(crate) async fn wait_for_rows(&self, table: &'static str, count: usize) {
        let patience = tokio::time::Instant::now() + Duration::from_secs(60);
        while self.rows(table, &["name"]).len() < count {
            assert!(tokio::time::Instant::now() < patience, "{:?}", self.rows(table, &["name"]));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Status and body of an answer.
pub(crate) async fn send(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}
