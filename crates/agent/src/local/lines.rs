//! Lines of a file, one at a time, each with a bounded length.

use std::io::{self, BufRead};

/// Where a line lies and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinePlace {
    /// Bytes before it.
    pub(super) offset: u64,
    /// From 1.
    pub(super) number: u32,
    /// Longer than allowed: its content was thrown away.
    pub(super) is_too_long: bool,
    /// Does a newline follow?
    pub(super) is_ended: bool,
}

/// Reads lines into one buffer that never grows past `longest`.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    longest: usize,
    offset: u64,
    number: u32,
    content: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, longest: usize) -> Self {
        Self { input, longest, offset: 0, number: 0, content: Vec::new() }
    }

    /// The next line without its newline; `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<(LinePlace, &[u8])>> {
        self.content.clear();
        let offset = self.offset;
        let mut is_too_long = false;
        let mut is_ended = false;
        while !is_ended {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            let (part, used) = match chunk.iter().position(|byte| *byte == b'\n') {
                Some(end) => (chunk.get(..end).unwrap_or_default(), end + 1),
                None => (chunk, chunk.len()),
            };
            is_ended = used > part.len();
            if self.content.len() + part.len() > self.longest {
                is_too_long = true;
                self.content.clear();
            }
            if !is_too_long {
                self.content.extend_from_slice(part);
            }
            self.input.consume(used);
            self.offset += used as u64;
        }
        if self.offset == offset {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let place = LinePlace { offset, number: self.number, is_too_long, is_ended };
        Ok(Some((place, &self.content)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all(text: &str, longest: usize) -> Vec<(u64, u32, bool, bool, String)> {
        // A tiny buffer, so that every line lies across several fillings.
        let mut lines = Lines::new(BufReader::with_capacity(3, text.as_bytes()), longest);
        let mut found = Vec::new();
        while let Some((place, content)) = lines.next_line().unwrap() {
            let content = String::from_utf8(content.to_vec()).unwrap();
            found.push((place.offset, place.number, place.is_too_long, place.is_ended, content));
        }
        found
    }

    #[test]
    fn a_line_too_long_is_skipped_and_the_next_one_read() {
        assert_eq!(
            all("abcdef\n\nabcdefg\nxy", 6),
            [
                (0, 1, false, true, "abcdef".to_owned()),
                (7, 2, false, true, String::new()),
                (8, 3, true, true, String::new()),
                (16, 4, false, false, "xy".to_owned()),
            ]
        );
        assert!(all("", 6).is_empty());
    }
}
