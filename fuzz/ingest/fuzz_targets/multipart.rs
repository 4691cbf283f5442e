//! Any bytes are split as a form: never a panic, and every part is a piece of the body.
#![no_main]

#[expect(dead_code, reason = "the header's reading is not under test here")]
#[path = "../../../crates/server/src/door/multipart.rs"]
mod multipart;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

const MOST_PARTS: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let body = Bytes::copy_from_slice(bytes);
    let whole = body.as_ptr_range();
    let Ok(fields) = multipart::split(&body, "b", MOST_PARTS) else { return };
    assert!(fields.len() <= MOST_PARTS);
    for field in fields {
        let part = field.content.as_ptr_range();
        assert!(field.content.is_empty() || (whole.start <= part.start && part.end <= whole.end));
    }
});
