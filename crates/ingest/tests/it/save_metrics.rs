//! The document of `/save_metrics` is read strictly and saved once.

use manometer_ingest::{IngestError, save_metrics};
use manometer_store::Outcome;

use crate::support::{Bench, RECEIVED};

const DOCUMENT: &str = r#"{
    "jobs": [{"name": "e2e", "started_at": "2023-06-13T14:12:33.677+07:00",
              "finished_at": "2023-06-13T14:13:01.293+07:00", "duration": 27, "up": 7, "e2e": 5.5}],
    "builds": [{"build-e2e": 64}],
    "build": 64, "created_at": "2023-06-13T14:11:24.029+07:00", "ref": "master", "duration": 97, "duration_e2e": 27,
    "jobs_failed": [], "has_restarts": false, "project": "test/project", "pipeline_id": 1, "note": "kept"
}"#;

fn save(bench: &Bench, document: &str) -> Result<Outcome, IngestError> {
    let delivery =
        save_metrics::prepare(&bench.store, document.as_bytes(), &bench.admission, &bench.limits, RECEIVED)?;
    Ok(bench.store.submit(delivery)?.wait()?)
}

#[test]
fn every_field_of_the_document_is_kept() {
    let bench = Bench::new();
    assert!(matches!(save(&bench, DOCUMENT), Ok(Outcome::Committed(_))));
    for (table, column, expected) in [
        ("runs", "provider", "save_metrics"),
        ("runs", "project", "test/project"),
        ("runs", "run_id", "1"),
        ("runs", "branch", "master"),
        ("runs", "is_default_branch", "true"),
        ("runs", "status", "completed"),
        ("runs", "conclusion", "success"),
        ("runs", "started_at", "2023-06-13T07:11:24.029000Z"),
        ("runs", "duration_seconds", "97.0"),
        (
            "runs",
            "labels",
            r#"{"build":"64","duration_e2e":"27","has_restarts":"false","jobs_failed":"[]","note":"kept"}"#,
        ),
        ("jobs", "job_id", "0:e2e"),
        ("jobs", "name", "e2e"),
        ("jobs", "started_at", "2023-06-13T07:12:33.677000Z"),
        ("jobs", "finished_at", "2023-06-13T07:13:01.293000Z"),
        ("jobs", "duration_seconds", "27.0"),
        ("jobs", "labels", r#"{"e2e":"5.5","up":"7"}"#),
        ("builds", "name", "build-e2e"),
        ("builds", "duration_seconds", "64.0"),
        ("builds", "at", "2023-06-13T07:11:24.029000Z"),
    ] {
        assert_eq!(bench.only(table, column), expected, "{table}.{column}");
    }
}

#[test]
fn a_pipeline_is_saved_once_whatever_its_second_body_says() {
    let bench = Bench::new();
    save(&bench, DOCUMENT).unwrap();
    assert!(matches!(save(&bench, DOCUMENT), Ok(Outcome::Known(_))));
    let changed = DOCUMENT.replace("\"duration\": 97", "\"duration\": 98");
    assert!(matches!(save(&bench, &changed), Ok(Outcome::Conflict(_))));
    assert_eq!(bench.only("runs", "duration_seconds"), "97.0");
    let other_project = DOCUMENT.replace("test/project", "test/other");
    assert!(matches!(save(&bench, &other_project), Ok(Outcome::Committed(_))));
}

#[test]
fn failed_jobs_make_a_failed_run_and_a_feature_branch_is_not_the_default_one() {
    let bench = Bench::new();
    let document =
        DOCUMENT.replace(r#""jobs_failed": []"#, r#""jobs_failed": ["e2e"]"#).replace("master", "feature/x");
    save(&bench, &document).unwrap();
    assert_eq!(bench.only("runs", "conclusion"), "failure");
    assert_eq!(bench.only("runs", "is_default_branch"), "false");
}

#[test]
fn a_wrong_document_is_refused_with_the_field_to_blame() {
    let bench = Bench::new();
    for (from, to, field) in [
        (r#""project": "test/project""#, r#""projects": "x""#, "project: is missing"),
        (r#""pipeline_id": 1"#, r#""pipeline_id": "one""#, "pipeline_id: found"),
        (r#""pipeline_id": 1"#, r#""pipeline_id": 1.5"#, "pipeline_id: found"),
        (r#""ref": "master""#, r#""ref": "  ""#, "ref: is empty"),
        ("2023-06-13T14:11:24.029+07:00", "2023-06-13T14:11:24.029", "created_at: found"),
        ("2023-06-13T14:12:33.677+07:00", "yesterday", "jobs[0].started_at: found"),
        (r#""duration": 97"#, r#""duration": -1"#, "duration: found"),
        (r#""duration": 27"#, r#""duration": "27""#, "jobs[0].duration: found"),
        (r#""up": 7"#, r#""up": "seven""#, "jobs[0].up: found"),
        (r#""name": "e2e", "#, "", "jobs[0].name: is missing"),
        (r#"{"build-e2e": 64}"#, r#"{"build-e2e": 64, "other": 1}"#, "builds[0]: found"),
        (r#"{"build-e2e": 64}"#, r#"{"build-e2e": null}"#, "builds[0].build-e2e: found"),
        (r#""jobs_failed": []"#, r#""jobs_failed": 3"#, "jobs_failed: found"),
        (r#""has_restarts": false"#, r#""has_restarts": "no""#, "has_restarts: found"),
        (r#""duration_e2e": 27"#, r#""duration_e2e": "27""#, "duration_e2e: found"),
        ("{\n", "[{\n", "not JSON"),
    ] {
        let document = DOCUMENT.replacen(from, to, 1);
        assert_ne!(document, DOCUMENT, "{from}");
        let told = save(&bench, &document).unwrap_err().to_string();
        assert!(told.contains(field), "{to}: {told}");
    }
    assert!(save(&bench, "[]").unwrap_err().to_string().contains("the body: found"));
    assert!(bench.column("runs", "run_id").is_empty());
}
