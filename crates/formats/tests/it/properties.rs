//! Whatever is written comes back, and whatever is broken does no harm.

use std::fmt::Write as _;

use manometer_formats::junit;
use manometer_model::records::Test;
use manometer_model::{Limits, TestStatus};
use proptest::collection::vec;
use proptest::prelude::*;

/// A test as a writer knows it.
#[derive(Debug, Clone)]
struct Written {
    classname: String,
    name: String,
    seconds: Option<u32>,
    outcome: Option<(TestStatus, String, String, bool)>,
}

fn text() -> impl Strategy<Value = String> {
    // Everything XML can hold; a line end or space at an edge is layout and would be cut off.
    "[a-zäß€😀<>&'\"=/!-][ -~äß€😀\n]{0,40}[a-z<>&'\"]"
}

fn written() -> impl Strategy<Value = Written> {
    let status = prop::sample::select(vec![TestStatus::Failed, TestStatus::Error, TestStatus::Skipped]);
    let outcome = prop::option::of((status, text(), text(), any::<bool>()));
    (text(), text(), prop::option::of(0..10_000_000_u32), outcome)
        .prop_map(|(classname, name, seconds, outcome)| Written { classname, name, seconds, outcome })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "&#10;")
}

fn write_suite(name: &str, tests: &[Written]) -> String {
    let mut out = format!("<?xml version=\"1.0\"?>\n<testsuites>\n <testsuite name=\"{}\">\n", escaped(name));
    for test in tests {
        write!(
            out,
            "  <testcase name=\"{}\" classname=\"{}\"",
            escaped(&test.name),
            escaped(&test.classname)
        )
        .unwrap();
        if let Some(micros) = test.seconds {
            write!(out, " time=\"{}.{:06}\"", micros / 1_000_000, micros % 1_000_000).unwrap();
        }
        let Some((status, message, details, as_cdata)) = &test.outcome else {
            out.push_str("/>\n");
            continue;
        };
        let element = match status {
            TestStatus::Failed => "failure",
            TestStatus::Error => "error",
            _ => "skipped",
        };
        let details = if *as_cdata {
            format!("<![CDATA[{}]]>", details.replace("]]>", "]]]]><![CDATA[>"))
        } else {
            escaped(details).replace("&#10;", "\n")
        };
        writeln!(
            out,
            ">\n   <{element} message=\"{}\">{details}</{element}>\n  </testcase>",
            escaped(message)
        )
        .unwrap();
    }
    out.push_str(" </testsuite>\n</testsuites>\n");
    out
}

fn whole_name(test: &Test) -> String {
    match &test.parameters {
        Some(parameters) if test.name.starts_with("data set") => format!("{}{parameters}", test.name),
        Some(parameters) => format!("{}[{parameters}]", test.name),
        None => test.name.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_writer_writes_is_read_back(suite in text(), tests in vec(written(), 0..20)) {
        let report = write_suite(&suite, &tests);
        let (read, summary) = junit::read_to_vec(&mut report.as_bytes(), &Limits::default()).unwrap();
        prop_assert!(summary.problems.is_empty(), "{:?}", summary.problems);
        prop_assert_eq!(read.len(), tests.len());
        for (row, test) in read.iter().zip(&tests) {
            prop_assert_eq!(row.suite.as_deref(), Some(suite.as_str()));
            prop_assert_eq!(whole_name(row), test.name.as_str());
            prop_assert_eq!(row.classname.as_deref(), Some(test.classname.as_str()));
            prop_assert_eq!(row.duration_seconds, test.seconds.map(|micros| f64::from(micros) / 1e6));
            let status = test.outcome.as_ref().map_or(TestStatus::Passed, |outcome| outcome.0);
            prop_assert_eq!(row.status, status);
            let message = test.outcome.as_ref().map(|outcome| outcome.1.as_str());
            prop_assert_eq!(row.failure_message.as_deref(), message);
            let details = test.outcome.as_ref().map(|outcome| outcome.2.as_str());
            prop_assert_eq!(row.failure_details.as_deref(), details);
        }
        let ids: std::collections::HashSet<_> = read.iter().map(|row| row.test_id).collect();
        prop_assert_eq!(ids.len(), tests.len(), "every row of a file has its own identity");
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..2_000)) {
        let _ = junit::read_to_vec(&mut bytes.as_slice(), &Limits::default());
        let _ = manometer_formats::detect(&bytes);
    }
}

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
    b"'",
    b"&",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"</testcase>",
    b"<testcase name='x'>",
    b"</testsuite>",
    b"\xff",
    b"\0",
    b"<!DOCTYPE",
    b"?>",
    b"time='1,2,3'",
    b"\xef\xbb\xbf",
    b"<rerunFailure>",
];

#[test]
fn damaged_reports_are_read_without_harm_and_the_same_in_pieces() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/junit");
    let mut random = Random(20_261_121);
    for tool in ["pytest", "nextest", "surefire", "googletest", "vitest"] {
        let name = if tool == "surefire" { "report-CartTest.xml" } else { "report.xml" };
        let report = std::fs::read(folder.join(tool).join(name)).unwrap();
        for _ in 0..200 {
            let mut damaged = report.clone();
            for _ in 0..=random.next(4) {
                let at = random.next(damaged.len());
                match random.next(4) {
                    0 => damaged.truncate(at),
                    1 => drop(damaged.drain(at..(at + random.next(200)).min(damaged.len()))),
                    2 => drop(damaged.splice(at..at, TOKENS[random.next(TOKENS.len())].iter().copied())),
                    _ => {
                        if let Some(byte) = damaged.get_mut(at) {
                            *byte = random.next(256) as u8;
                        }
                    }
                }
            }
            let whole = junit::read_to_vec(&mut damaged.as_slice(), &Limits::default());
            let mut pieces = std::io::BufReader::with_capacity(13, damaged.as_slice());
            let pieces = junit::read_to_vec(&mut pieces, &Limits::default());
            assert_eq!(whole.map_err(|error| error.to_string()), pieces.map_err(|error| error.to_string()));
        }
    }
}
