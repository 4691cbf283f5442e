//! Genuine reports of coverage and builds, damaged at random: no harm, and the same in pieces.

use std::io::BufReader;
use std::path::Path;

use manometer_formats::measured::{FORMATS, read_to_vec};
use manometer_model::{Limits, Record};
use proptest::prelude::*;
use proptest::sample::Index;

/// One report of every format.
const REPORTS: &[(&str, &str)] = &[
    ("clover", "coverage/javascript/nyc-clover.xml"),
    ("cobertura", "coverage/gcc/gcovr-cobertura.xml"),
    ("jacoco", "coverage/jacoco/jacoco.xml"),
    ("opencover", "coverage/opencover/coverage.xml"),
    ("lcov", "coverage/gcc/gcovr.info"),
    ("coverage.py", "coverage/python/coverage-branch.json"),
    ("gcovr", "coverage/gcc/gcovr.json"),
    ("llvm-cov", "coverage/llvm/llvm-cov-summary.json"),
    ("simplecov", "coverage/simplecov/resultset.json"),
    ("go-cover", "coverage/go/cover.out"),
    ("ninja-log", "builds/ninja/incremental-v5.ninja_log"),
    ("make-times", "builds/make/make-times.log"),
    ("cargo-timings", "builds/cargo/cargo-timing.html"),
    ("gradle-profile", "builds/gradle/profile.html"),
    ("webpack-stats", "builds/webpack/stats.json"),
    ("rollup-visualizer", "builds/rollup-visualizer/visualizer.json"),
];

const TOKENS: &[&[u8]] = &[
    b"<",
    b">",
    b"\"",
    b"&",
    b"]]>",
    b"<!--",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\u12",
    b"-1",
    b"NaN",
    b"null",
    b"999999999999999999999999",
    b"\t",
    b"\n",
    b"\xff",
    b"\0",
    b"\xef\xbb\xbf",
    b"end_of_record\n",
    b"SF:x\n",
    b"50%",
];

/// One thing done to a report.
#[derive(Debug, Clone)]
enum Damage {
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Index),
    Change(Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), 1..200_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, token)| Damage::Insert(at, token)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
    ]
}

fn apply(report: &mut Vec<u8>, damage: &Damage) {
    if report.is_empty() {
        return;
    }
    match damage {
        Damage::Cut(at) => report.truncate(at.index(report.len())),
        Damage::Remove(at, count) => {
            let start = at.index(report.len());
            let end = (start + count).min(report.len());
            report.drain(start..end);
        }
        Damage::Insert(at, token) => {
            let at = at.index(report.len());
            report.splice(at..at, TOKENS[token.index(TOKENS.len())].iter().copied());
        }
        Damage::Change(at, byte) => {
            let at = at.index(report.len());
            report[at] = *byte;
        }
    }
}

/// What no row may say, whatever it was read from.
fn is_sound(row: &Record) -> bool {
    let sound = |covered: Option<i64>, valid: Option<i64>| match (covered, valid) {
        (Some(covered), Some(valid)) => covered >= 0 && valid >= 0,
        (covered, valid) => covered.is_none() && valid.is_none(),
    };
    match row {
        Record::Coverage(row) => {
            sound(row.lines_covered, row.lines_valid)
                && sound(row.branches_covered, row.branches_valid)
                && sound(row.functions_covered, row.functions_valid)
        }
        Record::Build(row) => {
            row.duration_seconds.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0)
        }
        Record::Artifact(row) => row.size_bytes >= 0 && !row.name.is_empty(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_reports_are_read_without_harm_and_the_same_in_pieces(
        damages in proptest::collection::vec(damage(), 1..5),
    ) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        for (name, report) in REPORTS {
            let mut content = std::fs::read(folder.join(report)).unwrap();
            for damage in &damages {
                apply(&mut content, damage);
            }
            let format = FORMATS.iter().find(|format| format.name == *name).unwrap();
            let whole = read_to_vec(format.read, &mut content.as_slice(), &Limits::default());
            let mut pieces = BufReader::with_capacity(13, content.as_slice());
            let pieces = read_to_vec(format.read, &mut pieces, &Limits::default());
            if let Ok((rows, _)) = &whole {
                for row in rows {
                    prop_assert!(is_sound(row), "{}: {:?}", report, row);
                }
            }
            let whole = whole.map_err(|error| error.to_string());
            prop_assert_eq!(whole, pieces.map_err(|error| error.to_string()), "{}", report);
        }
    }
}

#[test]
fn every_format_is_damaged() {
    for format in FORMATS.iter().filter(|format| format.name != "artifacts") {
        assert!(REPORTS.iter().any(|(name, _)| *name == format.name), "{}", format.name);
    }
}
