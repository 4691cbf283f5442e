//! What the readers of test reports make of odd, broken and hostile input, and of one run told twice.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;

use manometer_formats::measured::BuildRow;
use manometer_formats::test_report::{self, Format, Summary, TestCase, TestSink};
use manometer_formats::{ReadError, detect};
use manometer_model::records::Test;
use manometer_model::{Limits, TestStatus};

use crate::fixtures::reports;
use crate::support::{Generated, problems};

fn format(name: &str) -> &'static Format {
    test_report::FORMATS.iter().find(|format| format.name == name).unwrap()
}

fn try_read(name: &str, report: impl AsRef<[u8]>) -> Result<(Vec<Test>, Summary), ReadError> {
    test_report::read_to_vec(format(name).read, &mut report.as_ref(), &Limits::default())
}

fn read(name: &str, report: impl AsRef<[u8]>) -> (Vec<Test>, Summary) {
    try_read(name, report).unwrap()
}

/// `status name` of each execution.
fn told(tests: &[Test]) -> Vec<String> {
    tests.iter().map(|test| format!("{} {}", test.status.as_str(), test.name)).collect()
}

fn fixture(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)).unwrap()
}

// One run, told by two writers.

fn ids(tests: &[Test]) -> BTreeSet<String> {
    tests.iter().map(|test| format!("{} {} {}", test.test_id, test.attempt, test.status.as_str())).collect()
}

#[test]
fn pytest_tells_the_same_in_its_log_and_in_its_junit_xml() {
    let (log, _) = read("pytest-reportlog", fixture("pytest-reportlog/pytest/report.jsonl"));
    let (junit, _) = read("junit", fixture("pytest-reportlog/pytest/same-run.junit.xml"));
    let of = |tests: &[Test]| tests.iter().map(|test| test.test_id.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(of(&log), of(&junit));
    let finals = |tests: &[Test]| -> BTreeSet<String> {
        // JUnit's XML has an entry for the test and one for its teardown that broke.
        let teardown = |test: &&Test| test.name != "test_teardown" && test.is_final;
        let kept = tests.iter().filter(teardown);
        kept.map(|test| format!("{} {} {}", test.test_id, test.attempt, test.status.as_str())).collect()
    };
    assert_eq!(finals(&log), finals(&junit));
}

#[test]
fn jest_tells_the_same_in_its_json_and_in_its_junit_xml() {
    let (json, _) = read("jest", fixture("jest/jest/report.json"));
    let (junit, _) = read("junit", fixture("jest/jest/same-run.junit.xml"));
    let final_json: Vec<Test> =
        json.into_iter().filter(|test| test.is_final && test.name != "(file)").collect();
    let of = |tests: &[Test]| tests.iter().map(|test| test.test_id.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(of(&final_json), of(&junit));
    for test in &junit {
        // jest-junit tells of a test to be written (`test.todo`) as one that passed.
        let other = final_json.iter().find(|other| other.test_id == test.test_id).unwrap();
        assert!(other.status == test.status || test.name == "much later", "{}", test.name);
    }
}

#[test]
fn cucumber_tells_the_same_in_its_json_and_in_its_messages() {
    let (json, _) = read("cucumber", fixture("cucumber/cucumber-js/report.json"));
    let (messages, _) = read("cucumber-messages", fixture("cucumber-messages/cucumber-js/report.ndjson"));
    let finals: Vec<Test> =
        messages.into_iter().filter(|test| test.is_final).map(|test| Test { attempt: 1, ..test }).collect();
    assert_eq!(ids(&json), ids(&finals));
}

#[test]
fn executions_of_cucumber_without_an_end_are_given_in_one_order_every_time() {
    let mut messages = String::from("{\"meta\":{\"protocolVersion\":\"32.2.0\"}}\n");
    for id in 1..=9 {
        let failed = format!("{{\"status\":\"FAILED\",\"message\":\"failure {id}\"}}");
        messages.push_str(&format!(
            "{{\"testCaseStarted\":{{\"id\":\"{id}\",\"testCaseId\":\"cart\"}}}}\n\
             {{\"testStepFinished\":{{\"testCaseStartedId\":\"{id}\",\"testStepResult\":{failed}}}}}\n"
        ));
    }
    let (tests, summary) = read("cucumber-messages", messages.into_bytes());
    let told: Vec<_> = tests.iter().filter_map(|test| test.failure_message.clone()).collect();
    assert_eq!(told, (1..=9).map(|id| format!("failure {id}")).collect::<Vec<_>>());
    assert!(summary.truncated);
}

#[test]
fn ctest_tells_the_same_in_both_its_formats() {
    let (xml, _) = read("ctest", fixture("ctest/ctest/report.xml"));
    let (junit, _) = read("junit", fixture("junit/ctest/report.xml"));
    let of = |tests: &[Test]| -> Vec<_> {
        tests.iter().map(|test| (test.classname.clone(), test.name.clone(), test.status)).collect()
    };
    assert_eq!(of(&xml), of(&junit));
}

// Every format alike.

/// A small generator of repeatable random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below.max(1) as u64) as usize
    }
}

const TOKENS: &[&[u8]] = &[
    b"<",
    b">",
    b"\"",
    b"&",
    b"]]>",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-1e999",
    b"\\u12",
    b"\xff",
    b"\0",
    b"\n",
    b"    ",
    b"not ok 3 - x\n",
    b"1..9\n",
    b"  ---\n",
    b"\xef\xbb\xbf",
    b"[[[[[[[[[",
    b"\"x\":",
    b"true",
    b"\r\n",
];

fn damage(report: &[u8], random: &mut Random) -> Vec<u8> {
    let mut damaged = report.to_vec();
    for _ in 0..=random.next(4) {
        let at = random.next(damaged.len());
        match random.next(5) {
            0 => damaged.truncate(at),
            1 => drop(damaged.drain(at..(at + random.next(200)).min(damaged.len()))),
            2 => drop(damaged.splice(at..at, TOKENS[random.next(TOKENS.len())].iter().copied())),
            3 => {
                // A piece again: repeated lines, elements and keys.
                let piece = damaged[at..(at + random.next(500)).min(damaged.len())].to_vec();
                drop(damaged.splice(at..at, piece));
            }
            _ => {
                if let Some(byte) = damaged.get_mut(at) {
                    *byte = random.next(256) as u8;
                }
            }
        }
    }
    damaged
}

#[test]
fn damaged_reports_are_read_without_harm_and_the_same_in_pieces() {
    let mut random = Random(20_261_121);
    for (format, path) in reports() {
        if format.name == "junit" {
            continue;
        }
        let report = fs::read(&path).unwrap();
        for _ in 0..25 {
            let damaged = damage(&report, &mut random);
            let limits = Limits { details_bytes: 300, name_bytes: 100, ..Limits::default() };
            let whole = test_report::read_to_vec(format.read, &mut damaged.as_slice(), &limits);
            let mut pieces = BufReader::with_capacity(13, damaged.as_slice());
            let pieces = test_report::read_to_vec(format.read, &mut pieces, &limits);
            if let Ok((tests, summary)) = &whole {
                assert_eq!(tests.len() as u64, summary.tests);
                let ids: BTreeSet<_> = tests.iter().map(|test| (test.test_id, test.attempt)).collect();
                assert_eq!(ids.len(), tests.len(), "{}: each row has its own identity", path.display());
                assert!(tests.iter().all(|test| test.name.len() <= 100 && !test.name.is_empty()));
            }
            let message = |error: ReadError| error.to_string();
            assert_eq!(whole.map_err(message), pieces.map_err(message), "{}", path.display());
        }
    }
}

#[test]
fn every_report_cut_off_anywhere_keeps_what_was_whole() {
    for (format, path) in reports() {
        let report = fs::read(&path).unwrap();
        let whole = read(format.name, &report).0.len();
        for tenth in 1..10 {
            let cut = &report[..report.len() * tenth / 10];
            if let Ok((tests, summary)) = try_read(format.name, cut) {
                assert!(tests.len() <= whole + 2, "{} at {tenth}", path.display());
                let is_noticed = summary.truncated || !summary.problems.is_empty();
                assert!(is_noticed || tests.len() >= whole, "{} at {tenth}: the cut is told", path.display());
            }
        }
    }
}

#[test]
fn every_encoding_is_read_and_told_from_its_content() {
    for (format, path) in reports() {
        let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
        let expected = read(format.name, &text);
        let marked = format!("\u{feff}{text}");
        assert_eq!(read(format.name, &marked).0, expected.0, "{}", path.display());
        let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(detect(&utf16).unwrap().name(), format.name, "{}", path.display());
        assert_eq!(read(format.name, &utf16).0, expected.0, "{}", path.display());
    }
}

#[test]
fn nothing_and_something_else_are_refused_by_every_reader() {
    for format in test_report::FORMATS {
        for blank in ["", " \n\n"] {
            let refused = try_read(format.name, blank).unwrap_err();
            assert!(matches!(refused, ReadError::Empty), "{}: {refused}", format.name);
        }
        for other in
            ["<html><body>502</body></html>", "{\"a\": [1]}", "[[[[[[", "hello\nworld", "\0\x01\u{1}"]
        {
            assert!(try_read(format.name, other).is_err(), "{}: {other:?}", format.name);
        }
    }
}

/// Counts, and ends the reading after some tests.
struct Few {
    left: u64,
}

impl TestSink for Few {
    fn test(&mut self, _: &TestCase<'_>) -> ControlFlow<()> {
        self.left -= 1;
        if self.left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// A head, a piece that is repeated, and nothing after.
const ENDLESS: &[(&str, &str, &str)] = &[
    ("xunit", "<assemblies><assembly><collection>", "<test name='a' type='b' result='Pass'/>"),
    ("nunit", "<test-run>", "<test-case name='a' result='Passed'/>"),
    ("testng", "<testng-results><suite><test><class name='c'>", "<test-method name='a' status='PASS'/>"),
    ("ctest", "<Site><Testing>", "<Test Status='passed'><Name>a</Name></Test>"),
    ("go-test", "", "{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"T\"}\n"),
    ("libtest", "", "{\"type\":\"test\",\"event\":\"ok\",\"name\":\"a\"}\n"),
    (
        "pytest-reportlog",
        "",
        "{\"$report_type\":\"TestReport\",\"nodeid\":\"a.py::b\",\"when\":\"teardown\",\"outcome\":\"passed\"}\n",
    ),
    ("pytest-json", "{\"created\":1,\"tests\":[{}", ",{\"nodeid\":\"a.py::b\",\"outcome\":\"passed\"}"),
    (
        "jest",
        "{\"testResults\":[{}",
        ",{\"name\":\"/a.js\",\"assertionResults\":[{\"title\":\"a\",\"status\":\"passed\"}]}",
    ),
    ("mocha", "{\"tests\":[{}", ",{\"title\":\"a\",\"duration\":1}"),
    ("cucumber", "[{}", ",{\"name\":\"f\",\"elements\":[{\"name\":\"s\",\"steps\":[]}]}"),
    ("tap", "", "ok 1 - a\n"),
];

#[test]
fn a_sink_that_has_enough_and_a_limit_end_the_reading_of_endless_files() {
    for (name, head, piece) in ENDLESS {
        let mut input = Generated::new(head, piece, u64::MAX, "");
        let mut sink = Few { left: 10 };
        let summary = (format(name).read)(&mut input, &Limits::default(), &mut sink).unwrap();
        assert_eq!(summary.tests, 10, "{name}");

        let limits = Limits { tests_per_file: 100, ..Limits::default() };
        let mut input = Generated::new(head, piece, u64::MAX, "");
        let (tests, summary) = test_report::read_to_vec(format(name).read, &mut input, &limits).unwrap();
        assert_eq!((tests.len(), summary.truncated), (100, true), "{name}");
        assert!(problems(&summary).iter().any(|problem| problem.contains("tests_per_file")), "{name}");
    }
}

/// Much of what waits for something that never comes, and must not be held without bound.
const HOARDERS: &[(&str, &str, &str)] = &[
    ("trx", "<TestRun><Results>", "<UnitTestResult testId='1' testName='a' outcome='Passed'/>"),
    (
        "testng",
        "<testng-results><suite><test><class name='c'>",
        "<test-method name='a' status='SKIP' retried='true'/>",
    ),
    ("jest", "{\"testResults\":[{\"assertionResults\":[{}", ",{\"title\":\"a\",\"status\":\"passed\"}"),
    ("cucumber", "[{\"elements\":[{}", ",{\"name\":\"s\"}"),
    (
        "xcresult",
        "{\"testNodes\":[{\"children\":[{}",
        ",{\"nodeType\":\"Test Case\",\"name\":\"a\",\"result\":\"Passed\"}",
    ),
    ("bazel", "", "{\"id\":{\"testResult\":{\"label\":\"//a:b\"}},\"testResult\":{\"status\":\"PASSED\"}}\n"),
];

#[test]
#[cfg(target_os = "linux")]
fn what_waits_has_an_end() {
    let resident = || -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    let before = resident();
    for (name, head, piece) in HOARDERS {
        let mut given = 0_u64;
        let mut sink = |_: &TestCase<'_>| {
            given += 1;
            ControlFlow::Continue(())
        };
        let mut input = Generated::new(head, piece, 200_000, "");
        let summary = (format(name).read)(&mut input, &Limits::default(), &mut sink).unwrap();
        assert!(!summary.problems.is_empty(), "{name}: what is cut off or left out is told");
        // Of attempts of one test, no more than 65 are kept.
        let least = if matches!(*name, "testng" | "bazel") { 65 } else { 200_000 };
        assert!(given >= least, "{name}: {given}");
    }
    // Held is at most 64 MiB, and the moment it grows twice that; other tests run beside this one.
    assert!(resident() - before < 500, "{} MB", resident() - before);
}

#[test]
fn depth_costs_no_stack() {
    let on_a_small_stack = std::thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
        let deep = "{\"children\":[".repeat(100_000);
        let tree = format!("{{\"testNodes\":[{deep}");
        assert!(try_read("xcresult", tree).is_err());
        let nested = format!(
            "{{\"tests\":[{{\"title\":\"a\",\"duration\":1,\"x\":{}{}}}]}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(told(&read("mocha", nested).0), ["passed a"]);
        let line = format!(
            "{{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"T\",\"x\":{}}}\n",
            "[".repeat(100_000)
        );
        assert!(try_read("go-test", line).is_err());
        let suites =
            format!("<test-run>{}<test-case name='a' result='Passed'/>", "<test-suite>".repeat(100_000));
        assert!(read("nunit", suites).1.truncated);
        let indented: String = (0..5_000).map(|depth| format!("{}ok 1 - a\n", " ".repeat(depth))).collect();
        assert!(read("tap", indented).1.tests > 0);
    });
    on_a_small_stack.unwrap().join().unwrap();
}

// One format each: what is odd about it.

#[test]
fn output_of_parallel_go_tests_goes_to_the_test_it_is_of() {
    let event = |action: &str, test: &str, output: &str| {
        format!("{{\"Action\":\"{action}\",\"Package\":\"p\",\"Test\":\"{test}\",\"Output\":\"{output}\"}}\n")
    };
    let report = [
        event("run", "TestA", ""),
        event("run", "TestB", ""),
        event("output", "TestA", "    a_test.go:1: of a\\n"),
        event("output", "TestB", "    b_test.go:2: of b\\n"),
        event("output", "TestA", "more of a\\n"),
        event("fail", "TestB", ""),
        event("fail", "TestA", ""),
        // One that never began, and one whose package ended before it.
        event("fail", "TestC", ""),
        event("run", "TestD", ""),
        "{\"Action\":\"fail\",\"Package\":\"p\",\"Elapsed\":1.5}\n".to_owned(),
    ]
    .concat();
    let (tests, summary) = read("go-test", report);
    assert_eq!(told(&tests), ["failed TestB", "failed TestA", "failed TestC", "error TestD"]);
    assert_eq!(tests[1].failure_details.as_deref(), Some("    a_test.go:1: of a\nmore of a"));
    assert_eq!((tests[0].failure_message.as_deref(), tests[0].line), (Some("of b"), Some(2)));
    assert_eq!(summary.duration_seconds, Some(1.5));
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
}

#[test]
fn a_go_build_that_failed_is_a_test_that_could_not_run() {
    let newer = "{\"ImportPath\":\"p [p.test]\",\"Action\":\"build-output\",\"Output\":\"# p\\n\"}
{\"ImportPath\":\"p [p.test]\",\"Action\":\"build-output\",\"Output\":\"p.go:3: no\\n\"}
{\"ImportPath\":\"p [p.test]\",\"Action\":\"build-fail\"}
{\"Action\":\"start\",\"Package\":\"p\"}
{\"Action\":\"output\",\"Package\":\"p\",\"Output\":\"FAIL\\tp [build failed]\\n\"}
{\"Action\":\"fail\",\"Package\":\"p\",\"Elapsed\":0,\"FailedBuild\":\"p [p.test]\"}\n";
    let (tests, _) = read("go-test", newer);
    assert_eq!(told(&tests), ["error (build)"]);
    assert_eq!(tests[0].failure_message.as_deref(), Some("p.go:3: no"));
    let exits = "{\"Action\":\"output\",\"Package\":\"p\",\"Output\":\"panic: in init\\n\"}
{\"Action\":\"fail\",\"Package\":\"p\"}\n";
    let (tests, _) = read("go-test", exits);
    assert_eq!(told(&tests), ["error (package)"]);
    assert_eq!(tests[0].failure_message.as_deref(), Some("panic: in init"));
}

#[test]
fn go_events_that_cannot_be_used_cost_themselves() {
    let report = "{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":7}
{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"T\",\"Elapsed\":\"soon\",\"Time\":\"now\"}
{\"Action\":\"pass\",\"Test\":\"U\"}
{\"Action\":\"explode\",\"Package\":\"p\"}
{\"broken\n{\"Action\":\"pass\",\"Package\":\"p\"}\n";
    let (tests, summary) = read("go-test", report);
    assert_eq!(told(&tests), ["passed T"]);
    let lines: Vec<_> =
        summary.problems.first.iter().map(|problem| (problem.line, problem.field.clone())).collect();
    let field = |name: &str| Some(name.to_owned());
    for expected in [
        (Some(1), field("Test")),
        (Some(2), field("Time")),
        (Some(2), field("Elapsed")),
        (Some(3), field("Package")),
        (Some(4), field("Action")),
        (Some(5), None),
    ] {
        assert!(lines.contains(&expected), "{expected:?} in {lines:?}");
    }
}

#[test]
fn tap_says_what_is_missing() {
    let few = "1..3\nok 1 - a\nnot ok 2 - b # TODO later\n";
    let (tests, summary) = read("tap", few);
    assert_eq!(told(&tests), ["passed a", "skipped b", "error (plan)"]);
    assert_eq!(problems(&summary), ["plan: planned 3 tests, told of 2: the others did not run"]);

    let (tests, summary) = read("tap", "ok 1 - a\n");
    assert_eq!((told(&tests), summary.truncated), (vec!["passed a".to_owned()], true));

    let (tests, summary) = read("tap", "1..2\nok 1 - a\nBail out! no database\n");
    assert_eq!(told(&tests), ["passed a", "error (bail out)"]);
    assert_eq!(problems(&summary), ["line 3: bailed out: no database"]);

    let (tests, _) = read("tap", "TAP version 14\n1..0 # SKIP no database\n");
    assert_eq!(told(&tests), ["skipped (all)"]);
    assert_eq!(tests[0].failure_message.as_deref(), Some("no database"));
}

#[test]
fn tap_subtests_are_suites_and_their_diagnostics_stay_with_their_tests() {
    let report = "TAP version 14
# Subtest: cart
    # Subtest: money
        not ok 1 - rounds # time=12ms
          ---
          message: |-
            3 is not 4
            at all
          location: 'cart.js:7:3'
          ...
        1..1
    not ok 1 - money
    1..1
not ok 1 - cart
ok 2 - alone
# Subtest: empty
    1..0
ok 3 - empty
# Subtest: hook
    ok 1 - fine
    1..1
not ok 4 - hook
  ---
  message: after hook broke
  ...
1..4
";
    let (tests, summary) = read("tap", report);
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
    let places: Vec<_> = tests
        .iter()
        .map(|test| format!("{}: {}", test.suite.as_deref().unwrap_or_default(), test.name))
        .collect();
    assert_eq!(places, ["cart > money: rounds", ": alone", ": empty", "hook: fine", ": hook"]);
    assert_eq!(tests[0].failure_message.as_deref(), Some("3 is not 4\nat all"));
    assert_eq!(
        (tests[0].file.as_deref(), tests[0].line, tests[0].duration_seconds),
        (Some("cart.js"), Some(7), Some(0.012))
    );
    assert_eq!(
        (tests[4].status, tests[4].failure_message.as_deref()),
        (TestStatus::Failed, Some("after hook broke"))
    );
}

#[test]
fn jest_retries_are_attempts() {
    let report = r#"{"testResults":[{"name":"/x/a.test.js","assertionResults":[
        {"title":"a","status":"passed","invocations":3,"retryReasons":["Error: one","Error: two"],"ancestorTitles":[]}]}]}"#;
    let (tests, _) = read("jest", report);
    let rows: Vec<_> = tests
        .iter()
        .map(|test| (test.attempt, test.is_final, test.status.as_str(), test.failure_message.as_deref()))
        .collect();
    assert_eq!(
        rows,
        [
            (1, false, "failed", Some("Error: one")),
            (2, false, "failed", Some("Error: two")),
            (3, true, "passed", None)
        ]
    );
}

#[test]
fn one_bad_value_of_a_json_report_costs_one_field() {
    let report = r#"{"testResults":[{"name":"/x/a.test.js","assertionResults":[
        {"title":"a","status":"passed","duration":"soon","location":7},
        {"title":["b"],"status":"passed","duration":-1},
        {"title":"c","status":"exploded"}, 7]}, 8], "startTime": null}"#;
    let (tests, summary) = read("jest", report);
    assert_eq!(told(&tests), ["passed a", "passed (unnamed)", "error c"]);
    let fields: Vec<_> =
        summary.problems.first.iter().filter_map(|problem| problem.field.as_deref()).collect();
    assert_eq!(
        fields,
        ["duration", "title", "duration", "status", "assertionResults", "name of a test", "testResults"]
    );
}

#[test]
fn testng_parameters_tell_tests_apart_unless_they_are_addresses() {
    let method = |value: &str| {
        format!(
            "<test-method name='a' status='PASS'><params><param index='0'><value><![CDATA[{value}]]></value></param></params></test-method>"
        )
    };
    let report = |values: &[&str]| {
        let methods: String = values.iter().map(|value| method(value)).collect();
        format!(
            "<testng-results><suite name='s'><test name='t'><class name='c'>{methods}</class></test></suite></testng-results>"
        )
    };
    let (one, _) = read("testng", report(&["eur", "shop.Cart@1a2b3c4d"]));
    let (other, _) = read("testng", report(&["eur", "shop.Cart@99999999"]));
    assert_eq!(ids(&one), ids(&other));
    let (third, _) = read("testng", report(&["usd", "shop.Cart@1a2b3c4d"]));
    assert_ne!(one[0].test_id, third[0].test_id);
    assert_eq!(one[1].parameters.as_deref(), Some("shop.Cart@1a2b3c4d"));
}

#[test]
fn compressed_output_of_ctest_is_left_out_and_said_so() {
    let report = r#"<Site BuildName="b"><Testing><Test Status="failed"><Name>a</Name><Results><Measurement>
        <Value encoding="base64" compression="gzip">eJzLSM3JyQcABiwCFQ==</Value></Measurement></Results></Test></Testing></Site>"#;
    let (tests, summary) = read("ctest", report);
    assert_eq!(tests[0].output, None);
    assert!(problems(&summary)[0].contains("--no-compress-output"));
}

#[test]
fn bazel_tells_of_builds_besides_tests() {
    struct Builds(Vec<(String, Option<bool>)>);
    impl TestSink for Builds {
        fn test(&mut self, _: &TestCase<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
        fn build(&mut self, build: &BuildRow<'_>) -> ControlFlow<()> {
            self.0.push((build.name.to_owned(), build.success));
            ControlFlow::Continue(())
        }
    }
    let mut builds = Builds(Vec::new());
    let report = fixture("bazel/bazel/report.jsonl");
    (format("bazel").read)(&mut report.as_slice(), &Limits::default(), &mut builds).unwrap();
    assert!(builds.0.contains(&("//cart:adds".to_owned(), Some(true))), "{:?}", builds.0);
    assert!(builds.0.contains(&("//cart:broken".to_owned(), Some(false))));
    assert!(builds.0.contains(&("bazel test".to_owned(), Some(false))));
}

#[test]
fn a_pytest_log_of_several_workers_is_put_together_by_test() {
    let phase = |node: &str, when: &str, outcome: &str| {
        format!(
            "{{\"$report_type\":\"TestReport\",\"nodeid\":\"t.py::{node}\",\"when\":\"{when}\",\"outcome\":\"{outcome}\",\"duration\":1}}\n"
        )
    };
    let report = [
        phase("a", "setup", "passed"),
        phase("b", "setup", "passed"),
        phase("a", "call", "failed"),
        phase("b", "call", "passed"),
        phase("b", "teardown", "failed"),
        phase("a", "teardown", "passed"),
        phase("c", "setup", "passed"),
    ]
    .concat();
    let (tests, summary) = read("pytest-reportlog", report);
    assert_eq!(told(&tests), ["error b", "failed a", "error c"]);
    assert_eq!(tests[0].duration_seconds, Some(3.0));
    assert!(summary.truncated);
}
