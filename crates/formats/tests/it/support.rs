//! Small helpers of these tests.

use std::io::{self, BufRead, Read};

use manometer_formats::ReadError;
use manometer_formats::junit::{self, Summary};
use manometer_model::Limits;
use manometer_model::records::Test;

/// Reads a report from bytes in memory.
pub(crate) fn read(report: impl AsRef<[u8]>) -> Result<(Vec<Test>, Summary), ReadError> {
    junit::read_to_vec(&mut report.as_ref(), &Limits::default())
}

/// Names of the tests of a report that is read, and its problems.
pub(crate) fn names_and_problems(report: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let (tests, summary) = read(report).unwrap();
    (tests.into_iter().map(|test| test.name).collect(), problems(&summary))
}

pub(crate) fn problems(summary: &Summary) -> Vec<String> {
    summary.problems.first.iter().map(ToString::to_string).collect()
}

/// Input made while it is read: `before`, then `piece` repeated, then `after`. Remembers nothing.
pub(crate) struct Generated {
    parts: Vec<(Vec<u8>, u64)>,
    part: usize,
    at: usize,
}

impl Generated {
    pub(crate) fn new(before: &str, piece: &str, times: u64, after: &str) -> Self {
        let parts = vec![(before.into(), 1), (piece.into(), times), (after.into(), 1)];
        Self { parts, part: 0, at: 0 }
    }
}

impl Read for Generated {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Generated {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while let Some((bytes, times)) = self.parts.get(self.part) {
            if *times > 0 && !bytes.is_empty() {
                break;
            }
            self.part += 1;
        }
        Ok(self.parts.get(self.part).map_or(&[], |(bytes, _)| &bytes[self.at..]))
    }

    fn consume(&mut self, count: usize) {
        let Some((bytes, times)) = self.parts.get_mut(self.part) else { return };
        self.at += count;
        if self.at == bytes.len() {
            self.at = 0;
            *times -= 1;
        }
    }
}
