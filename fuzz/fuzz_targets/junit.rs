//! Any bytes are read as JUnit: never a panic, and the same from one piece as from many.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use manometer_formats::junit::read_to_vec;
use manometer_model::Limits;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { tag_bytes: 4096, nesting: 8, details_bytes: 64, name_bytes: 64, ..Limits::default() };
    let whole = read_to_vec(&mut &*bytes, &limits);
    let pieces = read_to_vec(&mut BufReader::with_capacity(5, bytes), &limits);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces),
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{whole:?} but in pieces {pieces:?}"),
    }
});
