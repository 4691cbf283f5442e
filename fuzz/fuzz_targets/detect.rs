//! Any bytes are looked at: never a panic, and what is taken for a format can be read as it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::{Kind, ReadError, detect, test_report};
use manometer_model::Limits;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Kind::Tests(format)) = detect(bytes) {
        let read = test_report::read_to_vec(format.read, &mut &*bytes, &Limits::default());
        match read {
            Err(ReadError::Empty) => panic!("not empty"),
            // The first tag may be there and never end.
            Err(ReadError::UnknownFormat { found, .. }) => assert_eq!(found, "no whole XML element found"),
            _ => {}
        }
    }
});
