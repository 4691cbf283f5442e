//! The same commands with `--server`: against recorded answers, and with the SQL really executed by PostgreSQL.

use std::process::Command;

use manometer_agent::local::RunRecord;
use manometer_model::records::Sample;
use serde_json::{Value, json};

use crate::project::{Project, build, steady_builds};
use crate::sql_server::SqlServer;

const PLACE: &str = "github.com/acme/shop";

fn samples(records: &[RunRecord]) -> Vec<Sample> {
    let place = Sample {
        provider: "github".to_owned(),
        project: PLACE.to_owned(),
        pipeline: Some("ci".to_owned()),
        run_id: Some("42".to_owned()),
        branch: Some("main".to_owned()),
        ..Sample::default()
    };
    records.iter().flat_map(|record| record.to_samples(&place)).collect()
}

/// An answer as docs/API.md describes it, with the rows of these samples.
fn answer(samples: &[Sample], is_truncated: bool) -> String {
    let rows: Vec<Value> = samples
        .iter()
        .map(|sample| {
            json!([
                sample.tags["record"],
                sample.at,
                sample.name,
                sample.value,
                serde_json::to_string(&sample.tags).unwrap(),
                sample.commit_sha,
                sample.branch,
                sample.provider,
                sample.project,
                sample.pipeline,
                sample.run_id,
            ])
        })
        .collect();
    let columns = json!([{"name": "record", "type": "text"}, {"name": "at", "type": "timestamp"}]);
    json!({"columns": columns, "rows": rows, "row_count": rows.len(), "truncated": is_truncated, "elapsed_ms": 3.1})
        .to_string()
}

#[test]
fn a_run_on_a_server_is_shown_as_one_here() {
    let recorded = answer(&samples(&[build(1, 0, 61.5)]), false);
    let server = SqlServer::start(move |_| (200, recorded.clone()));
    let project = Project::new();
    let shown = project.read(&[
        "show",
        "0000",
        "--server",
        &server.address,
        "--token",
        "mano_secret",
        "--project",
        PLACE,
    ]);
    for line in [
        "Run ID: 00000001-e29b-41d4-a716-446655440000",
        "Timestamp: 2026-11-20 09:00:00",
        "Git Commit: abc123def4567890",
        "  container.build_seconds: 61.5s",
        "  operation: wheel",
        "  duration: 61.5",
        "  success: true",
        "  branch: main",
        "  ci_run_id: 42",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line} missing in\n{shown}");
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].path.as_str(), asked[0].authorization.as_deref()),
        ("/api/v1/sql", Some("Bearer mano_secret"))
    );
    let sql = asked[0].body["sql"].as_str().unwrap();
    assert!(sql.contains("project = 'github.com/acme/shop'") && sql.contains("'0000'"), "{sql}");
}

#[test]
fn a_server_that_refuses_or_is_away_or_cuts_its_answer_is_told_apart() {
    let project = Project::new();
    let refused =
        json!({"error": {"code": "missing_scope", "message": "this token may not query", "request_id": "1"}});
    for (status, body, code, message) in [
        (403, refused.to_string(), 3, "this token may not query"),
        (400, json!({"error": {"message": "no such column"}}).to_string(), 2, "no such column"),
        (200, "<html>".to_owned(), 3, "not what this version understands"),
        (200, answer(&samples(&[build(1, 0, 1.0)]), true), 2, "query_rows"),
    ] {
        let server = SqlServer::start(move |_| (status, body.clone()));
        let (found, _, err) = project.run(&["ls", "--server", &server.address]);
        assert_eq!(found, code, "{status} {err}");
        assert!(err.contains(message), "{err}");
    }
    let (code, _, err) = project.run(&["ls", "--server", "http://127.0.0.1:9"]);
    assert!(code == 3 && err.contains("failed to reach"), "{err}");
}

#[test]
fn the_store_of_this_machine_is_read_on_demand_also_where_a_server_is_set() {
    let project = Project::new();
    project.append(&[build(1, 0, 1.0)]);
    let mut command = project.command(&["ls", "--local"]);
    let output = command.env("MANOMETER_URL", "http://127.0.0.1:9").output().unwrap();
    assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains("00000001-"));
}

/// PostgreSQL with the table `samples` as the server has it, and the function `label`.
struct Postgres {
    connection: String,
    schema: String,
}

impl Postgres {
    fn with(samples: &[Sample]) -> Option<Self> {
        let Ok(connection) = std::env::var("MANOMETER_TEST_POSTGRES") else {
            println!("skipped: MANOMETER_TEST_POSTGRES names no PostgreSQL to execute the SQL with");
            return None;
        };
        let postgres = Self { connection, schema: format!("measured_runs_{}", std::process::id()) };
        let mut script = format!(
            "CREATE SCHEMA {0}; SET search_path = {0};
             CREATE FUNCTION label(labels text, key text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT labels::json ->> key';
             CREATE TABLE samples (provider text, project text, pipeline text, run_id text, branch text, commit_sha text,
                                   name text, value float8, tags text, at timestamp);",
            postgres.schema
        );
        for sample in samples {
            let texts: Vec<String> = [
                Some(&sample.provider),
                Some(&sample.project),
                sample.pipeline.as_ref(),
                sample.run_id.as_ref(),
                sample.branch.as_ref(),
                sample.commit_sha.as_ref(),
                Some(&sample.name),
            ]
            .map(|text| text.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'")))
            .to_vec();
            let tags = serde_json::to_string(&sample.tags).unwrap();
            script += &format!(
                "INSERT INTO samples VALUES ({}, {}, '{tags}', '{}');",
                texts.join(", "),
                sample.value,
                sample.at.to_string().trim_end_matches('Z')
            );
        }
        postgres.psql(&script);
        Some(postgres)
    }

    fn psql(&self, script: &str) -> String {
        // Through a file: an argument may be no longer than 128 KiB.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("SET search_path = {};{script}", self.schema)).unwrap();
        let output = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.connection, "-f"])
            .arg(file.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The answer of `/api/v1/sql` to a question.
    fn answer(&self, sql: &str) -> String {
        let rows = self.psql(&format!(
            "SELECT json_build_array(record, to_char(at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), name, value, tags, \
             commit_sha, branch, provider, project, pipeline, run_id) FROM ({sql}) AS asked;"
        ));
        let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        json!({"columns": [], "rows": rows, "row_count": rows.len(), "truncated": false, "elapsed_ms": 1.0})
            .to_string()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.psql(&format!("DROP SCHEMA {} CASCADE;", self.schema));
    }
}

#[test]
fn the_questions_bring_the_same_runs_from_a_database_as_from_here() {
    let mut records = steady_builds();
    // More than a page, many of one moment, so that the places between pages matter.
    records.extend((0..700).map(|number| build(0x1000 + number, 40 + i64::from(number) / 300, 61.0)));
    let mut tests = build(0x9000, 50, 8.0);
    tests.kind = "tests".to_owned();
    records.push(tests);
    records.push(build(0xffff, 60, 95.0));
    let mut all = samples(&records);
    all.push(Sample { project: PLACE.to_owned(), name: "of no record".to_owned(), ..all[0].clone() });
    all.last_mut().unwrap().tags.clear();
    all.push(Sample { project: "github.com/acme/other".to_owned(), ..all[1].clone() });
    let Some(postgres) = Postgres::with(&all) else { return };
    let server = SqlServer::start(move |sql| (200, postgres.answer(sql)));

    let project = Project::new();
    project.append(&records);
    for question in [
        &["export"][..],
        &["ls"],
        &["ls", "--type", "tests"],
        &["ls", "--operation", "wheel", "--limit", "60"],
        &["ls", "--since", "2026-11-20T12:00:00Z", "--until", "2026-11-20T15:00:00Z"],
        &["compare", "latest~5", "latest"],
        &["regression-check", "--baseline-branch", "main"],
        &["regression-check", "00001000", "--last", "5", "--format", "json"],
        &["show", "000010"],
    ] {
        let remote = [question, &["--server", &server.address, "--project", PLACE]].concat();
        let (here, there) = (project.run(question), project.run(&remote));
        assert_eq!(here.0, there.0, "{question:?} {}", there.2);
        let mut lines = here.1.lines().zip(there.1.lines());
        let difference = lines.find(|(here, there)| *here != without_place(there));
        assert_eq!(difference, None, "{question:?}");
        assert_eq!(here.1.lines().count(), there.1.lines().count(), "{question:?}");
    }
    assert!(server.asked().len() > 8);
}

/// A line without what only a server knows of a run.
fn without_place(line: &str) -> String {
    let facts = [
        r#","ci_run_id":"42""#,
        r#","pipeline":"ci""#,
        r#","project":"github.com/acme/shop""#,
        r#","provider":"github""#,
    ];
    facts.iter().fold(line.to_owned(), |line, fact| line.replace(fact, ""))
}
