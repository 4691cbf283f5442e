//! Test results in PostgreSQL: the table, and scripts that fill it the two ways people do.

use std::fmt::Write as _;
use std::path::PathBuf;

use manometer_formats::junit;
use manometer_model::Limits;
use manometer_model::records::Test;

use crate::postgres::Postgres;
use manometer_bench_readers::{JunitDocument, area};

/// A way of filling the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `COPY`, one transaction an upload, into a table without an index: as quick as PostgreSQL gets, but the same
    /// upload twice is there twice.
    Copy,
    /// `INSERT … ON CONFLICT DO NOTHING`, 1,000 rows a statement, one transaction an upload, with the key that makes
    /// repetitions known: the promise Manometer gives.
    InsertOnce,
}

const COLUMNS: &str = "provider text, project text, service text, pipeline text, run_id text, run_attempt bigint,
    branch text, is_default_branch boolean, commit_sha text, test_id uuid, suite text, classname text, name text,
    parameters text, status text, duration_seconds double precision, attempt bigint, is_final boolean,
    failure_kind text, failure_message text, failure_details text, failure_fingerprint text, at timestamptz";
const ROWS_PER_STATEMENT: usize = 1_000;

/// Makes the table anew.
pub(crate) fn make_table(postgres: &Postgres, way: Way) -> anyhow::Result<()> {
    let key = match way {
        Way::Copy => "",
        Way::InsertOnce => ", PRIMARY KEY (project, run_id, run_attempt, test_id, attempt)",
    };
    postgres.sql(&format!("DROP TABLE IF EXISTS tests; CREATE TABLE tests ({COLUMNS}{key})"))?;
    postgres.sql("CHECKPOINT").map(drop)
}

/// Bytes of the table and its index, by its rows.
pub(crate) fn bytes_per_row(postgres: &Postgres) -> anyhow::Result<f64> {
    let answer = postgres.sql("SELECT pg_total_relation_size('tests')::float8 / count(*) FROM tests")?;
    Ok(answer.parse()?)
}

/// Writes one script for each connection; together they hold every row of the uploads.
pub(crate) fn scripts(
    postgres: &Postgres,
    way: Way,
    uploads: &[JunitDocument],
    connections: usize,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut texts = vec![String::new(); connections];
    for (upload, text) in uploads.iter().zip((0..connections).cycle()) {
        let (tests, _) = junit::read_to_vec(&mut upload.bytes().as_slice(), &Limits::default())?;
        if let Some(script) = texts.get_mut(text) {
            transaction(script, way, upload, &tests)?;
        }
    }
    let mut paths = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let path = postgres.folder().join(format!("connection-{number}.sql"));
        std::fs::write(&path, text)?;
        paths.push(path);
    }
    Ok(paths)
}

fn transaction(script: &mut String, way: Way, upload: &JunitDocument, tests: &[Test]) -> anyhow::Result<()> {
    match way {
        Way::Copy => {
            script.push_str("COPY tests FROM STDIN;\n");
            for test in tests {
                let cells = cells(upload, test);
                let texts: Vec<String> =
                    cells.iter().map(|cell| cell.as_deref().map_or("\\N".to_owned(), copied)).collect();
                writeln!(script, "{}", texts.join("\t"))?;
            }
            script.push_str("\\.\n");
        }
        Way::InsertOnce => {
            script.push_str("BEGIN;\n");
            for rows in tests.chunks(ROWS_PER_STATEMENT) {
                let rows: Vec<String> = rows.iter().map(|test| inserted(&cells(upload, test))).collect();
                writeln!(script, "INSERT INTO tests VALUES {} ON CONFLICT DO NOTHING;", rows.join(","))?;
            }
            script.push_str("COMMIT;\n");
        }
    }
    Ok(())
}

fn cells(upload: &JunitDocument, test: &Test) -> Vec<Option<String>> {
    let area = area(upload.service);
    vec![
        Some("github".to_owned()),
        Some(format!("github.com/acme/{area}")),
        Some(format!("{area}-{}", upload.service)),
        Some("ci".to_owned()),
        Some(upload.run.to_string()),
        Some("1".to_owned()),
        Some("main".to_owned()),
        Some("true".to_owned()),
        Some(format!("{:040x}", upload.run)),
        Some(test.test_id.to_string()),
        test.suite.clone(),
        test.classname.clone(),
        Some(test.name.clone()),
        test.parameters.clone(),
        Some(test.status.to_string()),
        test.duration_seconds.map(|seconds| seconds.to_string()),
        Some(test.attempt.to_string()),
        Some(test.is_final.to_string()),
        test.failure_kind.clone(),
        test.failure_message.clone(),
        test.failure_details.clone(),
        test.failure_fingerprint.clone(),
        Some(test.at.to_string()),
    ]
}

fn copied(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn inserted(cells: &[Option<String>]) -> String {
    let texts: Vec<String> = cells
        .iter()
        .map(|cell| cell.as_ref().map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''"))))
        .collect();
    format!("({})", texts.join(","))
}
