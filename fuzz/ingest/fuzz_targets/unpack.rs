//! Any bytes are unpacked, under each encoding: never a panic, and never more comes out than is allowed.
#![no_main]

use std::io::BufRead;

use libfuzzer_sys::fuzz_target;
use manometer_ingest::decompress::{Allowance, FileVisitor, visit_files};
use manometer_ingest::{ContentEncoding, Part};
use manometer_model::Limits;

const MOST_BYTES: u64 = 64 * 1024;
const MOST_FILES: usize = 16;

/// Counts what it is given.
#[derive(Default)]
struct Counter {
    bytes: u64,
    files: usize,
}

impl FileVisitor for Counter {
    fn file(&mut self, name: &str, content: &mut dyn BufRead) {
        assert!(!name.is_empty());
        self.files += 1;
        let mut buffer = [0_u8; 1024];
        while let Ok(count @ 1..) = content.read(&mut buffer) {
            self.bytes += count as u64;
        }
    }

    fn unreadable(&mut self, _name: &str, why: String) {
        assert!(!why.is_empty());
        self.files += 1;
    }
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (choice, bytes) = input;
    let encoding = ["identity", "gzip", "zstd"][usize::from(choice) % 3];
    let encoding: ContentEncoding = encoding.parse().expect("an encoding that is known");
    let limits = Limits { unpacked_bytes: MOST_BYTES, files_per_upload: MOST_FILES, ..Limits::default() };
    let allowance = Allowance::new(&limits, bytes.len() as u64);
    let mut counter = Counter::default();
    let mut part = Part::from_memory("part", bytes).encoded(encoding);
    let opened = visit_files(&mut part, &allowance, &mut counter);
    // What is given before a limit shows may pass it by what one read holds.
    assert!(counter.bytes <= MOST_BYTES + 64 * 1024, "{} bytes came out", counter.bytes);
    assert!(counter.files <= MOST_FILES + 1, "{} files came out", counter.files);
    if let Err(error) = opened {
        assert!(error.to_string().contains("part"), "{error}");
    }
});
