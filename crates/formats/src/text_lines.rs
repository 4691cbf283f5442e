//! Text in lines, whatever encoding and line ends it comes in.

use std::io::{self, BufRead, Read};

use manometer_model::{Limits, Problem, Problems};

use crate::lines::{Line, Lines};
use crate::xml::{Source, decode_leniently};

/// An input as UTF-8: UTF-16 with a byte order mark is what a shell of Windows makes of every output.
#[derive(Debug)]
pub(crate) struct Utf8Input<'r> {
    source: Source<'r>,
    buffer: Vec<u8>,
    given: usize,
    filled: usize,
}

const BUFFER_BYTES: usize = 64 * 1024;

impl<'r> Utf8Input<'r> {
    /// Looks at the first bytes to find the encoding.
    pub(crate) fn new(input: &'r mut dyn BufRead) -> io::Result<Self> {
        let (source, _) = Source::new(input)?;
        Ok(Self { source, buffer: vec![0; BUFFER_BYTES], given: 0, filled: 0 })
    }
}

impl BufRead for Utf8Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given == self.filled {
            self.filled = self.source.read(&mut self.buffer)?;
            self.given = 0;
        }
        Ok(self.buffer.get(self.given..self.filled).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.given = (self.given + count).min(self.filled);
    }
}

impl Read for Utf8Input<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// Lines of text, each without its end and the white space around it.
pub(crate) struct TextLines<'r> {
    lines: Lines<Utf8Input<'r>>,
    longest: usize,
    decoded: String,
    told_not_utf8: bool,
}

impl<'r> TextLines<'r> {
    /// Lines of at most [`Limits::record_bytes`]; a longer one is left out.
    pub(crate) fn open(input: &'r mut dyn BufRead, limits: &Limits) -> io::Result<Self> {
        let longest = limits.record_bytes;
        let lines = Lines::new(Utf8Input::new(input)?, longest);
        Ok(Self { lines, longest, decoded: String::new(), told_not_utf8: false })
    }

    /// The next line that is not blank, with its number; `None` at the end.
    pub(crate) fn next(&mut self, problems: &mut Problems) -> io::Result<Option<(u64, &str)>> {
        loop {
            let Some((number, line)) = self.lines.next()? else { return Ok(None) };
            let bytes = match line {
                Line::Whole(bytes) => bytes.trim_ascii(),
                Line::TooLong => {
                    let limit = self.longest;
                    problems.push_with(|| {
                        let message = format!(
                            "longer than {limit} bytes (limit `record_bytes`), the line was left out"
                        );
                        Problem::new(message).at_line(number)
                    });
                    continue;
                }
            };
            if bytes.is_empty() {
                continue;
            }
            self.decoded.clear();
            if let Ok(text) = std::str::from_utf8(bytes) {
                self.decoded.push_str(text);
            } else {
                if !self.told_not_utf8 {
                    self.told_not_utf8 = true;
                    let message = "bytes that are not UTF-8 (and perhaps more later), read as windows-1252";
                    problems.push(Problem::new(message).at_line(number).in_field("encoding"));
                }
                decode_leniently(bytes, &mut self.decoded);
            }
            return Ok(Some((number, &self.decoded)));
        }
    }
}

/// Enough of a line to recognise it in a message.
pub(crate) fn shown(line: &str) -> &str {
    line.get(..line.floor_char_boundary(96)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> (Vec<(u64, String)>, Vec<String>) {
        let mut problems = Problems::new();
        let mut input = bytes;
        let limits = Limits { record_bytes: 20, ..Limits::default() };
        let mut lines = TextLines::open(&mut input, &limits).unwrap();
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next(&mut problems).unwrap() {
            found.push((number, line.to_owned()));
        }
        (found, problems.first.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_encoding_and_line_end_is_read() {
        let expected = vec![(1, "SF:grün.c".to_owned()), (3, "DA:1,1".to_owned())];
        let text = "SF:grün.c\r\n\r\n DA:1,1";
        assert_eq!(lines(text.as_bytes()), (expected.clone(), vec![]));
        assert_eq!(lines(format!("\u{feff}{text}").as_bytes()), (expected.clone(), vec![]));
        let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&utf16), (expected.clone(), vec![]));
        let (read, problems) = lines(b"SF:gr\xfcn.c\r\n\r\n DA:1,1");
        assert_eq!(read, expected);
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn a_line_that_is_too_long_costs_itself_alone() {
        let (read, problems) = lines(b"a\n01234567890123456789 \nb");
        assert_eq!(read, [(1, "a".to_owned()), (3, "b".to_owned())]);
        assert!(problems[0].starts_with("line 2: longer than 20 bytes"), "{problems:?}");
    }
}
