//! Any bytes are read as the document of `/save_metrics`: never a panic, and every refusal says what is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_ingest::save_metrics::Document;
use manometer_model::Limits;

fuzz_target!(|bytes: &[u8]| {
    match Document::parse(bytes, &Limits::default()) {
        Ok(document) => {
            assert!(document.duration_seconds >= 0.0 && document.duration_seconds.is_finite());
            assert!(document.pipeline_id.parse::<i128>().is_ok());
        }
        Err(error) => assert!(error.to_string().contains(": "), "{error}"),
    }
});
