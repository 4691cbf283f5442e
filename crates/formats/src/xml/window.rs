//! A bounded window on the input: the only buffer the XML reader has.

use std::io;

use super::encoding::Source;

/// Room for a token before the window has to grow for a longer one.
const USUAL_BYTES: usize = 2 * TEXT_PIECE;

/// Text longer than this is handed on in pieces of this size, whatever pieces the input comes in.
pub(super) const TEXT_PIECE: usize = 32 * 1024;

/// How far the line count may lag behind, so that asking for a line costs little.
const LAG_BYTES: usize = 4 * 1024;

/// What came of asking for more input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// At least one byte more is there.
    More,
    /// The input has ended.
    End,
    /// The window is as large as it may become, and unread bytes fill it; they are more than the largest token.
    Full,
}

/// Bytes `start..end` of `buffer` are read from the source and not yet consumed.
#[derive(Debug)]
pub(super) struct Window<'r> {
    source: Source<'r>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Line number at `counted`, which is never past `start`.
    line: u64,
    counted: usize,
    largest: usize,
}

impl<'r> Window<'r> {
    /// A window that grows until one token of `largest_token` bytes fits.
    pub(super) fn new(source: Source<'r>, largest_token: usize) -> Self {
        let largest = largest_token.max(USUAL_BYTES) + Source::SMALLEST_READ;
        let buffer = vec![0; USUAL_BYTES + Source::SMALLEST_READ];
        Self { source, buffer, start: 0, end: 0, line: 1, counted: 0, largest }
    }

    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where a token stands inside the buffer, so that it can be looked at after it is consumed.
    pub(super) fn at(&self, offset: usize, length: usize) -> std::ops::Range<usize> {
        self.start + offset..self.start + offset + length
    }

    /// The bytes of a token consumed last; valid until the next call of [`Window::fill`].
    pub(super) fn slice(&self, range: std::ops::Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Says that what is unread begins a token: places inside it can be asked for until the next one.
    pub(super) fn begin_token(&mut self) {
        if self.start - self.counted > LAG_BYTES {
            self.count_lines();
        }
    }

    /// Reads more. Grows the window only when one token fills it.
    pub(super) fn fill(&mut self) -> io::Result<Fill> {
        if self.buffer.len() - self.end < Source::SMALLEST_READ {
            self.make_room();
            if self.buffer.len() - self.end < Source::SMALLEST_READ {
                return Ok(Fill::Full);
            }
        }
        let count = self.source.read(&mut self.buffer[self.end..])?;
        self.end += count;
        Ok(if count == 0 { Fill::End } else { Fill::More })
    }

    fn make_room(&mut self) {
        if self.start > self.buffer.len() / 2 {
            self.count_lines();
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.counted = 0;
        } else if self.buffer.len() < self.largest {
            let larger = (self.buffer.len() * 2).min(self.largest);
            self.buffer.resize(larger, 0);
        } else if self.start > 0 {
            self.count_lines();
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.counted = 0;
        }
    }

    fn count_lines(&mut self) {
        self.line += newlines(&self.buffer[self.counted..self.start]);
        self.counted = self.start;
    }

    /// Where `offset` of the buffer is in the input, in lines.
    pub(super) fn place_of(&self, offset: usize) -> Place<'_> {
        Place { line: self.line, between: self.buffer.get(self.counted..offset).unwrap_or_default() }
    }

    /// The line of the next unread byte.
    pub(super) fn line(&self) -> u64 {
        self.place_of(self.start).line()
    }

    /// Did the source meet bytes that its encoding does not know?
    pub(super) fn met_undecodable(&self) -> bool {
        self.source.met_undecodable()
    }
}

/// A place in the input whose line is counted only when somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    line: u64,
    between: &'a [u8],
}

impl Place<'_> {
    /// The line, from 1.
    pub fn line(&self) -> u64 {
        self.line + newlines(self.between)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
