//! PostgreSQL, asked the same over the same rows.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::datatypes::DataType;
use manometer_query::{format, relations};

use crate::fixture::{Rows, ask};

/// A PostgreSQL with the same rows.
pub(crate) struct Peer {
    address: String,
    schema: String,
}

impl Peer {
    /// The one that `MANOMETER_TEST_POSTGRES` leads to, with a schema of its own; `None`, said aloud, where there is none.
    pub(crate) fn found(schema: &str) -> Option<Self> {
        let Ok(address) = std::env::var("MANOMETER_TEST_POSTGRES") else {
            println!("skipped: no PostgreSQL (MANOMETER_TEST_POSTGRES holds no connection string)");
            return None;
        };
        let peer = Self { address, schema: format!("manometer_{schema}_{}", std::process::id()) };
        peer.run(&format!("CREATE SCHEMA {}", peer.schema)).unwrap();
        Some(peer)
    }

    /// Makes its tables `runs` and `tests` and fills them.
    pub(crate) async fn fill(&self, rows: &Arc<Rows>) {
        let Self { schema, .. } = self;
        self.run(&format!(
            "CREATE FUNCTION {schema}.label(labels text, name text) RETURNS text LANGUAGE sql AS 'SELECT labels::jsonb ->> name'"
        ))
        .unwrap();
        for relation in relations().iter().filter(|relation| ["runs", "tests"].contains(&relation.name)) {
            let columns: Vec<String> = relation
                .schema
                .fields()
                .iter()
                .map(|field| format!("\"{}\" {}", field.name(), postgres_type(field.data_type())))
                .collect();
            self.run(&format!("CREATE TABLE {schema}.{} ({})", relation.name, columns.join(", "))).unwrap();
            let mut csv = Vec::new();
            let all = ask(rows, &format!("SELECT * FROM {}", relation.name)).await.unwrap();
            format::write(all, format::Format::Csv, &mut csv).await.unwrap();
            self.psql(&format!("\\copy {schema}.{} FROM STDIN CSV HEADER", relation.name), &csv).unwrap();
        }
    }

    pub(crate) fn run(&self, sql: &str) -> Result<String, String> {
        self.psql(sql, &[])
    }

    /// Runs one command of psql with this input.
    pub(crate) fn psql(&self, command: &str, input: &[u8]) -> Result<String, String> {
        let mut child = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--set=ON_ERROR_STOP=1"])
            .args(["--dbname", &self.address, "--command", command])
            .env("PGOPTIONS", format!("-c search_path={},public -c timezone=UTC", self.schema))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("psql: {error}"))?;
        child.stdin.take().unwrap().write_all(input).map_err(|error| error.to_string())?;
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let dropped = self.run(&format!("DROP SCHEMA {} CASCADE", self.schema));
        if let Err(error) = dropped {
            println!("{error}");
        }
    }
}

fn postgres_type(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8View => "text",
        DataType::Timestamp(..) => "timestamptz",
        DataType::Float64 => "double precision",
        DataType::Int64 => "bigint",
        DataType::Boolean => "boolean",
        other => panic!("{other} has no type there"),
    }
}
