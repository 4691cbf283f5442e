//! Reports that real tools wrote, and exactly what is read from each.
//!
//! Beside each `NAME.xml` lies `NAME.expected.json`. `UPDATE_FIXTURES=1 cargo test -p manometer-formats`
//! writes these files anew; read the difference before keeping it.

use std::fs;
use std::path::{Path, PathBuf};

use manometer_formats::detect;
use manometer_formats::junit;
use manometer_model::{Limits, Timestamp};
use serde_json::{Value, json};

fn reports() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/junit");
    let mut reports = Vec::new();
    for tool in fs::read_dir(folder).unwrap() {
        for file in fs::read_dir(tool.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.extension().is_some_and(|extension| extension == "xml") && name != "pom.xml" {
                reports.push(path);
            }
        }
    }
    reports.sort();
    reports
}

/// What is read from a report, without the columns that a report does not know.
fn read_as_json(report: &[u8]) -> Value {
    let mut input = report;
    let (tests, summary) = junit::read_to_vec(&mut input, &Limits::default()).unwrap();
    let tests: Vec<Value> = tests
        .iter()
        .map(|test| {
            let mut value = serde_json::to_value(test).unwrap();
            let columns = value.as_object_mut().unwrap();
            for column in ["provider", "project", "run_id", "run_attempt"] {
                columns.remove(column);
            }
            if test.at == Timestamp::default() {
                columns.remove("at");
            }
            value
        })
        .collect();
    json!({
        "suites": summary.suites,
        "tests": summary.tests,
        "passed": summary.passed,
        "failed": summary.failed,
        "errors": summary.errors,
        "skipped": summary.skipped,
        "suite_properties": summary.suite_properties,
        "duration_seconds": summary.duration_seconds,
        "started_at": summary.started_at,
        "truncated": summary.truncated,
        "problems": summary.problems.first.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rows": tests,
    })
}

#[test]
fn every_genuine_report_gives_exactly_the_expected_rows() {
    let reports = reports();
    assert!(reports.len() >= 15, "fixtures are missing: {reports:?}");
    for path in reports {
        let report = fs::read(&path).unwrap();
        assert_eq!(detect(&report).unwrap().name(), "junit", "{}", path.display());
        let found = read_as_json(&report);
        let expected_path = path.with_extension("expected.json");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&expected_path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        }
        let expected: Value = serde_json::from_slice(&fs::read(&expected_path).unwrap()).unwrap();
        similar(&found, &expected, &path);
    }
}

/// Says which row differs, because a whole report is too long to compare by eye.
fn similar(found: &Value, expected: &Value, path: &Path) {
    let rows = |value: &Value| value["rows"].as_array().unwrap().clone();
    for (position, (row, expected_row)) in rows(found).iter().zip(&rows(expected)).enumerate() {
        assert_eq!(row, expected_row, "{} row {position}", path.display());
    }
    assert_eq!(found, expected, "{}", path.display());
}

#[test]
fn the_same_report_is_read_the_same_from_any_size_of_pieces() {
    for path in reports() {
        let report = fs::read(&path).unwrap();
        let mut whole = report.as_slice();
        let expected = junit::read_to_vec(&mut whole, &Limits::default()).unwrap();
        for size in [1, 2, 3, 7, 64, 1000] {
            let mut pieces = std::io::BufReader::with_capacity(size, report.as_slice());
            let found = junit::read_to_vec(&mut pieces, &Limits::default()).unwrap();
            assert_eq!(found, expected, "{} in pieces of {size}", path.display());
        }
    }
}
