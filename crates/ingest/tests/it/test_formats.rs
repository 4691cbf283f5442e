//! Every format of test reports comes through the same door.

use crate::support::{Bench, part};

/// A genuine report of `manometer-formats`.
fn fixture(path: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../formats/tests/fixtures/");
    std::fs::read(format!("{folder}{path}")).unwrap()
}

#[test]
fn reports_of_many_tools_are_told_from_content_and_become_rows_of_one_run() {
    let bench = Bench::new();
    let reports = [
        ("trx", "trx/dotnet/report.trx", 5),
        ("nunit", "nunit/nunit3/report.xml", 5),
        ("xunit", "xunit/xunit.net/report.xml", 5),
        ("testng", "testng/testng/report.xml", 9),
        ("ctest", "ctest/ctest/report.xml", 7),
        ("tap", "tap/node/report.tap", 7),
        ("go-test", "go-test/go/report.jsonl", 11),
        ("libtest", "libtest/cargo/report.jsonl", 5),
        ("jest", "jest/jest/report.json", 14),
        ("mocha", "mocha/mocha/report.json", 11),
        ("pytest-json", "pytest-json/pytest/report.json", 12),
        ("pytest-reportlog", "pytest-reportlog/pytest/report.jsonl", 20),
        ("cucumber", "cucumber/cucumber-js/report.json", 7),
        ("cucumber-messages", "cucumber-messages/cucumber-js/report.ndjson", 8),
        ("bazel", "bazel/bazel/report.jsonl", 8),
        ("xcresult", "xcresult/xcode/report.json", 7),
    ];
    let parts = reports.iter().map(|(_, path, _)| part("report", fixture(path))).collect();
    let taken = bench.upload(&[("run_id", "7")], parts).unwrap();
    let told: Vec<(&str, u64)> = taken.files.iter().map(|file| (file.kind.as_str(), file.tests)).collect();
    assert_eq!(told, reports.map(|(kind, _, tests)| (kind, tests)));
    assert!(taken.files.iter().all(|file| file.taken));
    let rows = &taken.outcome.receipt().rows;
    assert_eq!((rows["tests"], rows["runs"]), (reports.iter().map(|(_, _, tests)| tests).sum::<u64>(), 1));
    assert_eq!(bench.only("runs", "conclusion"), "failure");
}

#[test]
fn builds_that_bazel_tells_of_are_rows_of_builds() {
    let bench = Bench::new();
    let parts = vec![part("bep.json", fixture("bazel/bazel/report.jsonl"))];
    let taken = bench.upload(&[("run_id", "7"), ("branch", "main")], parts).unwrap();
    let builds = bench.column("builds", "name");
    assert!(
        builds.contains(&"bazel test".to_owned()) && builds.contains(&"//cart:broken".to_owned()),
        "{builds:?}"
    );
    assert_eq!(taken.files[0].builds, builds.len() as u64);
    assert!(bench.column("builds", "branch").iter().all(|branch| branch == "main"));
    assert!(bench.column("builds", "run_id").iter().all(|run_id| run_id == "7"));
}
