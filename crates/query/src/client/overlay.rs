//! `pg_catalog` with the tables that tell of the session: its settings, its cursors.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::{DataFusionError, Result};

use super::information_schema::Texts;
use crate::wire::session::ClientSession;

/// The schema as one session sees it.
#[derive(Debug)]
pub(super) struct Overlay {
    below: Arc<dyn SchemaProvider>,
    client: Arc<ClientSession>,
}

impl Overlay {
    pub(super) fn new(below: Arc<dyn SchemaProvider>, client: Arc<ClientSession>) -> Self {
        Self { below, client }
    }

    fn settings(&self) -> Result<Arc<dyn TableProvider>> {
        let mut rows = Texts::new(&[
            "name",
            "setting",
            "unit",
            "category",
            "short_desc",
            "extra_desc",
            "context",
            "vartype",
            "source",
            "min_val",
            "max_val",
            "boot_val",
            "reset_val",
            "sourcefile",
        ]);
        for (name, value) in &self.client.settings {
            let text = Some(value.as_str());
            rows.push(&[
                Some(name),
                text,
                None,
                Some("Manometer"),
                None,
                None,
                Some("user"),
                Some("string"),
                Some("default"),
                None,
                None,
                text,
                text,
                None,
            ]);
        }
        rows.table(&[])
    }
}

#[async_trait]
impl SchemaProvider for Overlay {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.below.table_names();
        names.push("pg_cursors".to_owned());
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        match name {
            "pg_settings" => self.settings().map(Some),
            // Cursors are the wire's and end with their transaction: whoever asks here has none that outlives it.
            "pg_cursors" => Texts::new(&["name", "statement"]).table(&[]).map(Some),
            other => self.below.table(other).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        matches!(name, "pg_settings" | "pg_cursors") || self.below.table_exist(name)
    }
}
