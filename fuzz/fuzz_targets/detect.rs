//! Any bytes are looked at: never a panic, and what is taken for a format can be read as it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::{Kind, ReadError, detect, junit};
use manometer_model::Limits;

fuzz_target!(|bytes: &[u8]| {
    if matches!(detect(bytes), Ok(Kind::JUnit)) {
        let read = junit::read_to_vec(&mut &*bytes, &Limits::default());
        match read {
            Err(ReadError::Empty) => panic!("not empty"),
            // The first tag may be there and never end.
            Err(ReadError::UnknownFormat { found, .. }) => assert_eq!(found, "no whole XML element found"),
            _ => {}
        }
    }
});
