//! Any bytes are read as the tarball of a container image: never a panic, and no row that says what cannot be.
#![no_main]

use std::io::Cursor;
use std::ops::ControlFlow;

use manometer_formats::measured::Measured;
use manometer_formats::sizes::image;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut artifacts = 0;
    let mut sink = |row: &Measured<'_>| {
        assert!(matches!(row, Measured::Artifact(_)));
        artifacts += 1;
        ControlFlow::Continue(())
    };
    let read = image::read(&mut Cursor::new(bytes), "image", &mut sink).expect("memory can be read");
    if let Some(summary) = read {
        assert_eq!(summary.artifacts, artifacts);
    }
});
