//! What the targets of all formats check: never a panic, the same from one piece as from many, and no row that says
//! what cannot be.

use std::collections::HashSet;
use std::io::BufReader;

use manometer_formats::measured::{FORMATS, read_to_vec};
use manometer_formats::test_report;
use manometer_model::{Limits, Record};

/// Reads any bytes as the format of that name.
///
/// # Panics
/// When the reader is wrong.
pub fn read_measured(name: &str, bytes: &[u8]) {
    let limits = Limits { tag_bytes: 4096, nesting: 8, name_bytes: 64, record_bytes: 256, ..Limits::default() };
    let format = FORMATS.iter().find(|format| format.name == name).expect("a format of that name");
    let whole = read_to_vec(format.read, &mut &*bytes, &limits);
    let pieces = read_to_vec(format.read, &mut BufReader::with_capacity(5, bytes), &limits);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole, pieces);
            assert!(whole.0.iter().all(is_possible), "{whole:?}");
        }
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{whole:?} but in pieces {pieces:?}"),
    }
}

fn is_possible(row: &Record) -> bool {
    match row {
        Record::Coverage(row) => {
            row.lines_covered.is_none_or(|lines| lines >= 0) && row.lines_valid.is_none_or(|lines| lines >= 0)
        }
        Record::Build(row) => row.duration_seconds.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0),
        Record::Artifact(row) => row.size_bytes >= 0,
        _ => false,
    }
}

/// Reads any bytes with a reader of test reports.
///
/// # Panics
/// When the reader is wrong.
pub fn read_tests(reader: test_report::Reader, bytes: &[u8]) {
    let limits = Limits {
        tag_bytes: 4096,
        nesting: 8,
        details_bytes: 64,
        message_bytes: 64,
        name_bytes: 64,
        record_bytes: 4096,
        ..Limits::default()
    };
    let whole = test_report::read_to_vec(reader, &mut &*bytes, &limits);
    let pieces = test_report::read_to_vec(reader, &mut BufReader::with_capacity(5, bytes), &limits);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole, pieces);
            let ids: HashSet<_> = whole.0.iter().map(|test| (test.test_id, test.attempt)).collect();
            assert_eq!(ids.len(), whole.0.len(), "each row has its own identity");
        }
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{whole:?} but in pieces {pieces:?}"),
    }
}
