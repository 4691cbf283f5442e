//! Lines of bounded length.

use std::io::{self, BufRead};

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Whole(&'a [u8]),
    /// Longer than allowed; read past without keeping it.
    TooLong,
}

pub(crate) struct Lines<R> {
    input: R,
    longest: usize,
    buffer: Vec<u8>,
    number: u64,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R, longest: usize) -> Self {
        Self { input, longest, buffer: Vec::new(), number: 0 }
    }

    /// The next line and its number, from 1; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.buffer.clear();
        let mut is_too_long = false;
        let mut has_begun = false;
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if bytes.is_empty() {
                if !has_begun {
                    return Ok(None);
                }
                break;
            }
            has_begun = true;
            let end = memchr::memchr(b'\n', bytes);
            let content = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            is_too_long |= self.buffer.len() + content.len() > self.longest;
            if !is_too_long {
                self.buffer.extend_from_slice(content);
            }
            let consumed = content.len() + usize::from(end.is_some());
            self.input.consume(consumed);
            if end.is_some() {
                break;
            }
        }
        self.number += 1;
        if is_too_long {
            return Ok(Some((self.number, Line::TooLong)));
        }
        let line = self.buffer.as_slice();
        let line = if self.number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        Ok(Some((self.number, Line::Whole(line))))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    #[test]
    fn a_line_that_is_too_long_costs_itself_alone_and_no_memory() {
        let long = io::repeat(b'x').take(50_000_000);
        let mut input = BufReader::new((&b"\xef\xbb\xbfa\n\n"[..]).chain(long).chain(&b"\nb"[..]));
        let mut lines = Lines::new(&mut input, 1000);
        assert_eq!(lines.next().unwrap(), Some((1, Line::Whole(b"a"))));
        assert_eq!(lines.next().unwrap(), Some((2, Line::Whole(b""))));
        assert_eq!(lines.next().unwrap(), Some((3, Line::TooLong)));
        assert_eq!(lines.next().unwrap(), Some((4, Line::Whole(b"b"))));
        assert_eq!(lines.next().unwrap(), None);
        assert!(lines.buffer.capacity() < 10_000);
    }
}
