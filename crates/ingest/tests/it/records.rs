//! Records are rows as they are.

use manometer_ingest::{IngestError, Ingested, records};

use crate::support::{Bench, RECEIVED, gzip, part};

fn send(bench: &Bench, content: impl Into<Vec<u8>>) -> Result<Ingested, IngestError> {
    let prepared =
        records::prepare(&bench.store, part("body", content), &bench.admission, &bench.limits, RECEIVED)?;
    prepared.commit_durable(&bench.store)
}

#[test]
fn every_kind_of_record_is_a_row_of_its_table() {
    let bench = Bench::new();
    let lines = r#"{"type":"run","provider":"ci","project":"p","run_id":"1","status":"running"}
{"type":"job","provider":"ci","project":"p","run_id":"1","job_id":"9","name":"unit"}
{"type":"step","provider":"ci","project":"p","run_id":"1","job_id":"9","number":1,"finished_at":"2023-01-01T00:00:00Z"}
{"type":"test","provider":"ci","project":"p","run_id":"1","name":"adds","status":"passed"}
"#;
    let taken = send(&bench, gzip(lines.as_bytes())).unwrap();
    let rows = &taken.outcome.receipt().rows;
    assert_eq!([rows["runs"], rows["jobs"], rows["steps"], rows["tests"]], [1, 1, 1, 1]);
    assert_eq!(bench.only("steps", "at"), "2023-01-01T00:00:00.000000Z");
    assert_eq!(bench.only("tests", "at"), "2023-11-14T22:13:20.000000Z");
    assert_ne!(bench.only("tests", "test_id"), "0".repeat(32));
}

#[test]
fn a_line_that_cannot_be_used_costs_that_line_and_is_named() {
    let bench = Bench::new();
    let lines = r#"{"type":"run","provider":"ci","project":"p","run_id":"1"}
{"type":"run","provider":"ci","project":"","run_id":"2"}
nonsense
{"type":"rocket"}
"#;
    let taken = send(&bench, lines).unwrap();
    assert_eq!(bench.column("runs", "run_id"), ["1"]);
    assert_eq!(taken.problems.total, 3);
    let told: Vec<String> = taken.problems.first.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|problem| problem.contains("line 2: project")), "{told:?}");
    assert!(told.iter().any(|problem| problem.contains("line 3")), "{told:?}");
}

#[test]
fn a_body_without_one_usable_line_is_refused() {
    let bench = Bench::new();
    for content in ["\n\n", "nonsense\n", "[1,2]", "{\"type\":\"run\"}"] {
        let refused = send(&bench, content);
        assert!(matches!(refused, Err(IngestError::NothingReadable { .. })), "{content:?}: {refused:?}");
    }
}

#[test]
fn deliveries_in_any_order_give_the_same_run() {
    let states = [
        r#"{"type":"run","provider":"ci","project":"p","run_id":"1","status":"queued","queued_at":"2023-01-01T00:00:00Z"}"#,
        r#"{"type":"run","provider":"ci","project":"p","run_id":"1","status":"running","started_at":"2023-01-01T00:01:00Z"}"#,
        r#"{"type":"run","provider":"ci","project":"p","run_id":"1","status":"completed","conclusion":"success","finished_at":"2023-01-01T00:03:00Z"}"#,
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let bench = Bench::new();
        for state in order {
            send(&bench, states[state]).unwrap();
        }
        assert_eq!(bench.only("runs", "status"), "completed", "{order:?}");
        assert_eq!(bench.only("runs", "conclusion"), "success", "{order:?}");
        assert_eq!(bench.only("runs", "queue_seconds"), "60.0", "{order:?}");
        assert_eq!(bench.only("runs", "duration_seconds"), "120.0", "{order:?}");
    }
}

#[test]
fn a_sender_limited_to_projects_sends_no_row_of_another_or_of_none() {
    let mut bench = Bench::new();
    bench.admission.projects = Some(["p".to_owned()].into());
    send(&bench, r#"{"type":"run","provider":"ci","project":"p","run_id":"1"}"#).unwrap();
    for line in [
        r#"{"type":"run","provider":"ci","project":"q","run_id":"1"}"#,
        r#"{"type":"incident","provider":"pager","incident_id":"1"}"#,
    ] {
        let refused = send(&bench, line);
        assert!(matches!(refused, Err(IngestError::ForbiddenProject { .. })), "{line}: {refused:?}");
    }
}
