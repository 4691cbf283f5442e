//! Lines of the protocol: a line end inside a text in quotes does not end one.

use std::io::{self, BufRead};

/// A line without its end and the white space around it; empty for a comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LogicalLine<'a> {
    Whole(&'a [u8]),
    /// Longer than allowed; read past without keeping it.
    TooLong,
}

pub(super) struct LogicalLines<'r> {
    input: &'r mut dyn BufRead,
    longest: usize,
    buffer: Vec<u8>,
    /// Line ends seen so far.
    ends: u64,
}

/// Where in a line one is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Comment,
    /// Measurement and tags, up to the first space that is not escaped.
    Series,
    /// Fields and time.
    Fields,
    /// A text in quotes.
    Text,
}

impl<'r> LogicalLines<'r> {
    pub(super) fn new(input: &'r mut dyn BufRead, longest: usize) -> Self {
        Self { input, longest, buffer: Vec::new(), ends: 0 }
    }

    /// The next line and the number of its first physical line, from 1; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, LogicalLine<'_>)>> {
        self.buffer.clear();
        let number = self.ends + 1;
        let mut scan = Scan { place: Place::Start, is_escaped: false, previous: 0 };
        let mut is_too_long = false;
        let mut has_begun = false;
        let mut has_ended = false;
        while !has_ended {
            let bytes = match self.input.fill_buf() {
                Ok([]) if !has_begun => return Ok(None),
                Ok([]) => break,
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            has_begun = true;
            let mut taken = 0;
            for byte in bytes {
                taken += 1;
                self.ends += u64::from(*byte == b'\n');
                // Past the limit nothing is known about quotes any more: the next line end ends it.
                has_ended = scan.ends_with(*byte) || (is_too_long && *byte == b'\n');
                is_too_long |= self.buffer.len() + taken > self.longest;
                if has_ended {
                    break;
                }
            }
            if !is_too_long {
                self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            }
            self.input.consume(taken);
        }
        let line = match (is_too_long, scan.place) {
            (_, Place::Comment | Place::Start) => LogicalLine::Whole(&[]),
            (true, _) => LogicalLine::TooLong,
            (false, _) => LogicalLine::Whole(self.buffer.trim_ascii()),
        };
        Ok(Some((number, line)))
    }
}

struct Scan {
    place: Place,
    is_escaped: bool,
    previous: u8,
}

impl Scan {
    /// Steps over a byte; does it end the line?
    fn ends_with(&mut self, byte: u8) -> bool {
        if byte == b'\n' && self.place != Place::Text {
            return true;
        }
        let was_escaped = std::mem::replace(&mut self.is_escaped, false);
        self.place = match (self.place, byte) {
            (Place::Start, b'#') => Place::Comment,
            (Place::Start, byte) if byte.is_ascii_whitespace() => Place::Start,
            (Place::Start, _) => {
                self.is_escaped = byte == b'\\';
                Place::Series
            }
            (Place::Series | Place::Text, _) if was_escaped => self.place,
            (Place::Series | Place::Text, b'\\') => {
                self.is_escaped = true;
                self.place
            }
            (Place::Series, b' ') => Place::Fields,
            (Place::Fields, b'"') if self.previous == b'=' => Place::Text,
            (Place::Text, b'"') => Place::Fields,
            (place, _) => place,
        };
        self.previous = byte;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, longest: usize) -> Vec<(u64, Option<String>)> {
        let mut input = text.as_bytes();
        // A reader that gives one byte at a time is the hardest.
        let mut slow = io::BufReader::with_capacity(1, &mut input);
        let mut lines = LogicalLines::new(&mut slow, longest);
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            found.push((
                number,
                match line {
                    LogicalLine::Whole(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
                    LogicalLine::TooLong => None,
                },
            ));
        }
        found
    }

    #[test]
    fn a_line_end_in_quotes_belongs_to_the_line() {
        let text = "# say \"hi\nm,t=a\\ b f=\"one\ntwo \\\" three\",g=1 7\r\n\nn\" f=1\n";
        assert_eq!(
            lines(text, 1_000),
            [
                (1, Some(String::new())),
                (2, Some("m,t=a\\ b f=\"one\ntwo \\\" three\",g=1 7".to_owned())),
                (4, Some(String::new())),
                (5, Some("n\" f=1".to_owned())),
            ]
        );
    }

    #[test]
    fn a_line_that_is_too_long_costs_itself_alone() {
        let long = format!("m f=\"{}\nrest\"\nm f=1\n", "x".repeat(100));
        assert_eq!(
            lines(&long, 50),
            [(1, None), (2, Some("rest\"".to_owned())), (3, Some("m f=1".to_owned()))]
        );
    }
}
