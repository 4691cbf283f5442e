//! Reports of tests that real tools wrote, and exactly what is read from each.
//!
//! Below `fixtures/FORMAT` lies a folder for each tool with what it ran, the command, and beside each `report*` its
//! `.expected.json`. `UPDATE_FIXTURES=1 cargo test -p manometer-formats` writes these files anew; read the difference
//! before keeping it.

use std::fs;
use std::path::{Path, PathBuf};

use manometer_formats::detect;
use manometer_formats::test_report::{self, Format};
use manometer_model::{Limits, Timestamp};
use serde_json::{Value, json};

/// Every report of tests among the fixtures, with its format.
pub(crate) fn reports() -> Vec<(&'static Format, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut reports = Vec::new();
    for format in test_report::FORMATS {
        for tool in fs::read_dir(folder.join(format.name)).unwrap() {
            for file in fs::read_dir(tool.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if name.starts_with("report") && !name.ends_with(".expected.json") {
                    reports.push((format, path));
                }
            }
        }
    }
    reports.sort_by(|(_, one), (_, other)| one.cmp(other));
    reports
}

/// What is read from a report, without the columns that a report does not know.
fn read_as_json(format: &Format, report: &[u8]) -> Value {
    let mut input = report;
    let (tests, summary) = test_report::read_to_vec(format.read, &mut input, &Limits::default()).unwrap();
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
    for format in test_report::FORMATS {
        assert!(reports.iter().any(|(of, _)| of.name == format.name), "no fixture of {}", format.name);
    }
    for (format, path) in reports {
        let report = fs::read(&path).unwrap();
        assert_eq!(detect(&report).unwrap().name(), format.name, "{}", path.display());
        let found = read_as_json(format, &report);
        let expected_path = path.with_extension("expected.json");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&expected_path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        }
        // Numbers go the way through text that the expected ones went.
        let found: Value = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
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
    for (format, path) in reports() {
        let report = fs::read(&path).unwrap();
        let mut whole = report.as_slice();
        let expected = test_report::read_to_vec(format.read, &mut whole, &Limits::default()).unwrap();
        for size in [1, 2, 3, 7, 64, 1000] {
            let mut pieces = std::io::BufReader::with_capacity(size, report.as_slice());
            let found = test_report::read_to_vec(format.read, &mut pieces, &Limits::default()).unwrap();
            assert_eq!(found, expected, "{} in pieces of {size}", path.display());
        }
    }
}
