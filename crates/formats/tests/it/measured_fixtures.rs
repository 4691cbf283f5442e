//! Reports of coverage and builds that real tools wrote, and exactly what is read from each.
//!
//! Beside each report lies `REPORT.expected.json`. `UPDATE_FIXTURES=1 cargo test -p manometer-formats` writes these
//! files anew; read the difference before keeping it.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use manometer_formats::measured::{Format, Share, Summary, read_to_vec};
use manometer_formats::{Kind, detect};
use manometer_model::{Limits, Record};
use serde_json::{Value, json};

/// Every report, and what it is detected as.
const REPORTS: &[(&str, &str)] = &[
    ("coverage/gcc/lcov.info", "lcov"),
    ("coverage/gcc/gcovr.info", "lcov"),
    ("coverage/gcc/gcovr.json", "gcovr"),
    ("coverage/gcc/gcovr5.json", "gcovr"),
    ("coverage/gcc/gcovr-cobertura.xml", "cobertura"),
    ("coverage/gcc/gcovr5-cobertura.xml", "cobertura"),
    ("coverage/gcc/gcovr-clover.xml", "clover"),
    ("coverage/gcc/gcovr-jacoco.xml", "jacoco"),
    ("coverage/python/coverage.xml", "cobertura"),
    ("coverage/python/coverage.json", "coverage.py"),
    ("coverage/python/coverage-branch.xml", "cobertura"),
    ("coverage/python/coverage-branch.json", "coverage.py"),
    ("coverage/python/coverage-branch.info", "lcov"),
    ("coverage/javascript/nyc-clover.xml", "clover"),
    ("coverage/javascript/nyc-cobertura.xml", "cobertura"),
    ("coverage/javascript/nyc-lcov.info", "lcov"),
    ("coverage/javascript/c8-clover.xml", "clover"),
    ("coverage/javascript/c8-cobertura.xml", "cobertura"),
    ("coverage/javascript/c8-lcov.info", "lcov"),
    ("coverage/go/cover.out", "go-cover"),
    ("coverage/go/cover-set.out", "go-cover"),
    ("coverage/jacoco/jacoco.xml", "jacoco"),
    ("coverage/simplecov/resultset.json", "simplecov"),
    ("coverage/simplecov/coverage.json", "simplecov"),
    ("coverage/llvm/llvm-cov.json", "llvm-cov"),
    ("coverage/llvm/llvm-cov-summary.json", "llvm-cov"),
    ("coverage/llvm/llvm-cov.info", "lcov"),
    ("coverage/opencover/coverage.xml", "opencover"),
    ("builds/ninja/fresh-v5.ninja_log", "ninja-log"),
    ("builds/ninja/incremental-v5.ninja_log", "ninja-log"),
    ("builds/ninja/fresh-v7.ninja_log", "ninja-log"),
    ("builds/make/make-times.log", "make-times"),
    ("builds/cargo/cargo-timing.html", "cargo-timings"),
    ("builds/gradle/profile.html", "gradle-profile"),
    ("builds/webpack/stats.json", "webpack-stats"),
    ("builds/rollup-visualizer/visualizer.json", "rollup-visualizer"),
];

fn path_of(report: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(report)
}

fn format_of(report: &str, content: &[u8]) -> &'static Format {
    match detect(content) {
        Ok(Kind::Measured(format)) => format,
        other => panic!("{report}: {other:?}"),
    }
}

fn read(report: &str) -> (Vec<Record>, Summary) {
    let content = fs::read(path_of(report)).unwrap();
    let format = format_of(report, &content);
    read_to_vec(format.read, &mut content.as_slice(), &Limits::default()).unwrap()
}

/// What is read from a report, without the columns that a report does not know.
fn as_json(rows: &[Record], summary: &Summary) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut value = serde_json::to_value(row).unwrap();
            let columns = value.as_object_mut().unwrap();
            for column in ["provider", "project", "run_id", "run_attempt"] {
                columns.remove(column);
            }
            if columns.get("at").is_some_and(|at| at == "1970-01-01T00:00:00.000000Z") {
                columns.remove("at");
            }
            value
        })
        .collect();
    json!({
        "packages": summary.packages,
        "files": summary.files,
        "line_percent": summary.lines.and_then(Share::percent),
        "builds": summary.builds,
        "artifacts": summary.artifacts,
        "truncated": summary.truncated,
        "problems": summary.problems.first.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rows": rows,
    })
}

#[test]
fn every_genuine_report_gives_exactly_the_expected_rows() {
    for (report, kind) in REPORTS {
        let content = fs::read(path_of(report)).unwrap();
        assert_eq!(format_of(report, &content).name, *kind, "{report}");
        let (rows, summary) = read(report);
        assert!(!rows.is_empty(), "{report}");
        let found = as_json(&rows, &summary);
        let expected_path = path_of(&format!("{report}.expected.json"));
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&expected_path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        }
        let expected: Value = serde_json::from_slice(&fs::read(&expected_path).unwrap()).unwrap();
        assert_eq!(found, expected, "{report}");
    }
}

#[test]
fn genuine_reports_contradict_themselves_only_where_their_tools_do() {
    for (report, _) in REPORTS {
        let (_, summary) = read(report);
        let problems: Vec<String> = summary.problems.first.iter().map(ToString::to_string).collect();
        // A branch on a line without a statement (a default value) is counted and not listed.
        let expected: &[&str] = match *report {
            "coverage/javascript/nyc-cobertura.xml" => &[
                "branches: the report states 6 of 11 for the whole, its files make 6 of 10: the files count",
            ],
            // LLVM sums up the instances of an inline function by the best of them, and lists all.
            "coverage/llvm/llvm-cov.info" => &[
                "line 49: LF: the section states 5 of 6, and lists 6 of 6: what it lists counts",
                "line 49: BRF: the section states 1 of 2, and lists 2 of 4: what it lists counts",
                "line 49: FNF: the section states 1 of 1, and lists 2 of 2: what it lists counts",
            ],
            _ => &[],
        };
        assert_eq!(problems, expected, "{report}");
        assert!(!summary.truncated, "{report}");
    }
}

#[test]
fn the_same_report_is_read_the_same_from_any_size_of_pieces() {
    for (report, _) in REPORTS {
        let content = fs::read(path_of(report)).unwrap();
        let format = format_of(report, &content);
        let whole = read_to_vec(format.read, &mut content.as_slice(), &Limits::default()).unwrap();
        for size in [1, 3, 64, 1000] {
            let mut pieces = BufReader::with_capacity(size, content.as_slice());
            let found = read_to_vec(format.read, &mut pieces, &Limits::default()).unwrap();
            assert_eq!(found, whole, "{report} in pieces of {size}");
        }
    }
}

#[test]
fn utf16_and_line_ends_of_windows_change_nothing() {
    for (report, kind) in REPORTS {
        let text = fs::read_to_string(path_of(report)).unwrap();
        let format = format_of(report, text.as_bytes());
        let (expected, _) = read(report);
        let windows = text.replace("\r\n", "\n").replace('\n', "\r\n");
        // What a shell of Windows makes of redirected output. XML that declares UTF-8 says so against its bytes then.
        let utf16: Vec<u8> = format!("\u{feff}{windows}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [windows.into_bytes(), utf16] {
            assert_eq!(format_of(report, &bytes).name, *kind, "{report}");
            let (found, _) = read_to_vec(format.read, &mut bytes.as_slice(), &Limits::default()).unwrap();
            assert_eq!(found, expected, "{report}");
        }
    }
}

/// `scope name → (lines, branches, functions)` of the total and of files by the last part of their names.
type Counts = (Option<(i64, i64)>, Option<(i64, i64)>, Option<(i64, i64)>);

fn counts(report: &str) -> Vec<(String, Counts)> {
    let (rows, _) = read(report);
    let mut counts = Vec::new();
    for row in &rows {
        let Record::Coverage(row) = row else { panic!("{report}: {row:?}") };
        let share = |covered: Option<i64>, valid: Option<i64>| covered.zip(valid);
        let values = (
            share(row.lines_covered, row.lines_valid),
            share(row.branches_covered, row.branches_valid),
            share(row.functions_covered, row.functions_valid),
        );
        let name = row.name.as_deref().unwrap_or_default();
        if row.scope != "package" {
            counts.push((name.rsplit('/').next().unwrap_or_default().to_owned(), values));
        }
    }
    counts.sort();
    counts
}

fn without_functions(counts: &[(String, Counts)]) -> Vec<(String, Counts)> {
    counts.iter().map(|(name, (lines, branches, _))| (name.clone(), (*lines, *branches, None))).collect()
}

/// Reports of one run of one program, in different formats.
fn assert_same(reports: &[&str], with_functions: bool) {
    let first = counts(reports[0]);
    for report in &reports[1..] {
        match with_functions {
            true => assert_eq!(counts(report), first, "{report} and {}", reports[0]),
            false => assert_eq!(
                without_functions(&counts(report)),
                without_functions(&first),
                "{report} and {}",
                reports[0]
            ),
        }
    }
}

#[test]
fn one_run_gives_the_same_counts_in_every_format_that_gcovr_writes() {
    let reports = ["gcovr.json", "gcovr.info", "gcovr-jacoco.xml", "gcovr-cobertura.xml", "gcovr-clover.xml"]
        .map(|name| format!("coverage/gcc/{name}"));
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    assert_same(&reports[..3], true);
    assert_same(&reports[..4], false);
    let lines =
        |report| counts(report).into_iter().map(|(name, counts)| (name, counts.0)).collect::<Vec<_>>();
    assert_eq!(lines(reports[4]), lines(reports[0]), "gcovr writes no branches to Clover's format");
    // What gcovr itself said of this run: lines 14 of 17, functions 3 of 4, branches 6 of 8.
    assert_eq!(counts(reports[0])[0].1, (Some((14, 17)), Some((6, 8)), Some((3, 4))));
}

#[test]
fn one_run_gives_the_same_counts_in_every_format_that_coverage_py_writes() {
    let base = "coverage/python/coverage-branch";
    assert_same(&[&format!("{base}.json"), &format!("{base}.info")], true);
    assert_same(&[&format!("{base}.json"), &format!("{base}.xml")], false);
    assert_same(&["coverage/python/coverage.json", "coverage/python/coverage.xml"], false);
}

#[test]
fn one_run_gives_the_same_counts_in_every_format_that_istanbul_writes() {
    for tool in ["nyc", "c8"] {
        let reports = ["clover.xml", "lcov.info", "cobertura.xml"]
            .map(|name| format!("coverage/javascript/{tool}-{name}"));
        assert_same(&[&reports[0], &reports[1]], true);
        let lines =
            |report| counts(report).into_iter().map(|(name, counts)| (name, counts.0)).collect::<Vec<_>>();
        assert_eq!(lines(&reports[2]), lines(&reports[0]), "{tool}");
    }
}

#[test]
fn llvm_is_read_the_same_with_and_without_details() {
    assert_same(&["coverage/llvm/llvm-cov.json", "coverage/llvm/llvm-cov-summary.json"], true);
    // What `llvm-cov report` said of this run.
    let total = counts("coverage/llvm/llvm-cov.json")[0].1;
    assert_eq!(total, (Some((18, 24)), Some((5, 10)), Some((3, 4))));
}

#[test]
fn go_says_the_same_of_its_own_profile() {
    // `go tool cover -func=cover.out` ends with `total: (statements) 57.1%`: 8 of 14.
    assert_eq!(counts("coverage/go/cover.out")[0].1.0, Some((8, 14)));
}
