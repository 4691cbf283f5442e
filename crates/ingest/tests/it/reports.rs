//! Report files become tests and one run, exactly once.

use manometer_ingest::{ContextFields, IngestError, Name, reports};
use manometer_store::Outcome;

use crate::support::{Bench, RECEIVED, junit, part};

const FAILED: &str = r#"<testsuite name="unit" timestamp="2023-11-14T20:00:00Z" time="3">
    <testcase name="good"/><testcase name="bad"><failure message="no"/></testcase></testsuite>"#;

#[test]
fn the_same_delivery_twice_has_one_effect_and_one_receipt() {
    let bench = Bench::new();
    let first = bench.upload(&[], vec![part("a.xml", junit(&["a"]))]).unwrap();
    let again = bench.upload(&[], vec![part("renamed.xml", junit(&["a"]))]).unwrap();
    assert!(matches!(first.outcome, Outcome::Committed(_)));
    assert_eq!(again.outcome, Outcome::Known(first.outcome.receipt().clone()));
    assert_eq!(bench.column("tests", "name"), ["a"]);
    let other_run = bench.upload(&[("run_id", "2")], vec![part("a.xml", junit(&["a"]))]).unwrap();
    assert!(matches!(other_run.outcome, Outcome::Committed(_)));
}

#[test]
fn a_large_repetition_is_known_before_it_is_read() {
    let bench = Bench::new();
    let names: Vec<String> = (0..5_000).map(|number| format!("test_{number}")).collect();
    let report = junit(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(report.len() > 64 * 1024);
    let first = bench.upload(&[], vec![part("a.xml", report.clone())]).unwrap();
    let prepared = bench.prepare(&[], vec![part("a.xml", report)]).unwrap();
    assert!(
        matches!(prepared, manometer_ingest::Prepared::Known(receipt) if receipt == *first.outcome.receipt())
    );
}

#[test]
fn one_key_for_two_contents_is_a_conflict_and_senders_do_not_share_keys() {
    let mut bench = Bench::new();
    bench.admission.idempotency_key = Some(Name::parse("build-7", 255).unwrap());
    let first = bench.upload(&[], vec![part("a.xml", junit(&["a"]))]).unwrap();
    let other = bench.upload(&[], vec![part("a.xml", junit(&["b"]))]).unwrap();
    assert_eq!(other.outcome, Outcome::Conflict(first.outcome.receipt().clone()));
    bench.admission.sender = "tok_1".to_owned();
    let stranger = bench.upload(&[], vec![part("a.xml", junit(&["b"]))]).unwrap();
    assert!(matches!(stranger.outcome, Outcome::Committed(_)));
    assert_eq!(bench.column("tests", "name"), ["a", "b"]);
}

#[test]
fn a_local_run_is_made_from_its_reports() {
    let bench = Bench::new();
    let taken = bench.upload(&[("branch", "main")], vec![part("a.xml", FAILED)]).unwrap();
    let rows = &taken.outcome.receipt().rows;
    assert_eq!((rows["tests"], rows["runs"]), (2, 1));
    let run_id = bench.only("runs", "run_id");
    assert!(run_id.strip_prefix("upload-").is_some_and(|digits| digits.len() == 12), "{run_id}");
    assert_eq!(bench.column("tests", "run_id"), [run_id.clone(), run_id]);
    for (column, expected) in [
        ("provider", "local"),
        ("service", "shop"),
        ("branch", "main"),
        ("status", "completed"),
        ("conclusion", "failure"),
        ("started_at", "2023-11-14T20:00:00.000000Z"),
        ("duration_seconds", "3.0"),
    ] {
        assert_eq!(bench.only("runs", column), expected, "{column}");
    }
}

#[test]
fn reports_of_a_run_a_ci_system_tells_of_do_not_say_how_it_ended() {
    let bench = Bench::new();
    let running = r#"{"type":"run","provider":"github","project":"github.com/acme/shop","run_id":"7","status":"running"}"#;
    let run = [("provider", "github"), ("run_id", "7"), ("branch", "main")];
    bench.upload(&run, vec![part("a.xml", FAILED), part("run.ndjson", running)]).unwrap();
    for (column, expected) in [
        ("status", "running"),
        ("conclusion", ""),
        ("finished_at", ""),
        ("duration_seconds", ""),
        ("branch", "main"),
        ("started_at", "2023-11-14T20:00:00.000000Z"),
    ] {
        assert_eq!(bench.only("runs", column), expected, "{column}");
    }
}

#[test]
fn of_two_shards_the_failed_one_decides_in_either_order() {
    for failed_first in [true, false] {
        let bench = Bench::new();
        let run = [("run_id", "7")];
        let mut shards = vec![FAILED.as_bytes().to_vec(), junit(&["fine"])];
        if !failed_first {
            shards.reverse();
        }
        for shard in shards {
            bench.upload(&run, vec![part("shard.xml", shard)]).unwrap();
        }
        assert_eq!(bench.only("runs", "conclusion"), "failure", "failed first: {failed_first}");
    }
}

#[test]
fn a_test_that_passed_on_its_second_try_does_not_fail_the_run() {
    let bench = Bench::new();
    let flaky = r#"<testsuite><testcase name="a"><flakyFailure message="once"/></testcase></testsuite>"#;
    bench.upload(&[], vec![part("a.xml", flaky)]).unwrap();
    assert_eq!(bench.column("tests", "status"), ["failed", "passed"]);
    assert_eq!(bench.only("runs", "conclusion"), "success");
}

#[test]
fn a_test_without_a_time_gets_that_of_its_run_and_else_that_of_receipt() {
    let timeless = r#"<testsuite><testcase name="a"/></testsuite>"#;
    let bench = Bench::new();
    bench.upload(&[("started_at", "2023-01-02T03:04:05Z")], vec![part("a.xml", timeless)]).unwrap();
    assert_eq!(bench.only("tests", "at"), "2023-01-02T03:04:05.000000Z");
    let bench = Bench::new();
    bench.upload(&[], vec![part("a.xml", timeless)]).unwrap();
    assert_eq!(bench.only("tests", "at"), "2023-11-14T22:13:20.000000Z");
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_of_that_file_alone() {
    let bench = Bench::new();
    let parts = vec![
        part("picture.png", b"\x89PNG\r\n\x1a\n\0\0".to_vec()),
        part("good.xml", junit(&["a"])),
        part(
            "records.ndjson",
            r#"{"type":"build","provider":"ci","project":"p","run_id":"1","name":"docker"}"#,
        ),
        part("page.html", "<!doctype html><html></html>"),
    ];
    let taken = bench.upload(&[], parts).unwrap();
    let files: Vec<(&str, bool)> = taken.files.iter().map(|file| (file.kind.as_str(), file.taken)).collect();
    assert_eq!(files, [("unknown", false), ("junit", true), ("records", true), ("unknown", false)]);
    assert_eq!(taken.problems.total, 2);
    assert_eq!(bench.column("builds", "name"), ["docker"]);
    assert_eq!(taken.outcome.receipt().problems, 2);
}

#[test]
fn an_upload_of_which_nothing_can_be_read_is_refused_with_every_file() {
    let bench = Bench::new();
    let refused = bench.upload(&[], vec![part("a.txt", "hello"), part("b.txt", "world")]).unwrap_err();
    let IngestError::NothingReadable { files, problems } = refused else { panic!("{refused:?}") };
    assert_eq!((files.len(), problems.total), (2, 2));
    assert_eq!(problems.first[0].file.as_deref(), Some("a.txt"));
}

#[test]
fn a_sender_limited_to_projects_writes_to_no_other() {
    let mut bench = Bench::new();
    bench.admission.projects = Some(["github.com/acme/other".to_owned()].into());
    let refused = bench.upload(&[], vec![part("a.xml", junit(&["a"]))]);
    assert!(matches!(refused, Err(IngestError::ForbiddenProject { .. })), "{refused:?}");
    bench.admission.projects = Some(["github.com/acme/shop".to_owned()].into());
    bench.upload(&[], vec![part("a.xml", junit(&["a"]))]).unwrap();
    let hidden =
        r#"{"type":"build","provider":"ci","project":"github.com/acme/other","run_id":"1","name":"x"}"#;
    let refused = bench.upload(&[], vec![part("b.xml", junit(&["b"])), part("hidden.ndjson", hidden)]);
    assert!(matches!(refused, Err(IngestError::ForbiddenProject { .. })), "{refused:?}");
    assert_eq!(bench.column("tests", "name"), ["a"]);
}

#[test]
fn an_upload_without_a_project_is_told_so() {
    let bench = Bench::new();
    let parts = vec![part("a.xml", junit(&["a"]))];
    let refused = reports::prepare(
        &bench.store,
        &ContextFields::new(),
        parts,
        &bench.admission,
        &bench.limits,
        RECEIVED,
    );
    let told = refused.unwrap_err().to_string();
    assert!(told.starts_with("project: is missing"), "{told}");
}

#[test]
fn broken_utf_8_costs_letters_and_not_the_file() {
    let bench = Bench::new();
    let broken =
        [&b"<testsuite><testcase name=\"a\xff\xfe\"/><testcase name=\"b\"/></testsuite>"[..]].concat();
    bench.upload(&[], vec![part("a.xml", broken)]).unwrap();
    assert_eq!(bench.column("tests", "name").len(), 2);
}
