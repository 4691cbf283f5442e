//! JSON, streamed: a cursor that a reader leads through the values it knows, past all others.
//!
//! ```text
//! bytes ──► UTF-8 ──► Json: enter_object, next_key, string, number, skip …
//! ```
//!
//! Depth costs nothing: what is entered is as deep as the reader's own format, and what is skipped is skipped by
//! counting brackets. A value of another kind than asked for is skipped and answered with `None`, so that it costs
//! its field alone. What Python and JavaScript write besides JSON (`NaN`, `Infinity`, a comma before the end) is
//! taken. Where the text is no JSON at all, or ends too early, reading stops with [`Stop`].
//!
//! Memory: 64 KiB of input, and one string clipped to a limit.

mod start;
mod string;

use std::io::{self, BufRead};

use manometer_model::Problem;

pub(crate) use start::JsonStart;

use crate::ReadError;
use crate::text_lines::Utf8Input;

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// The input itself failed.
    #[error("failed to read the input: {0}")]
    Io(#[from] io::Error),
    /// The text is no JSON from here on.
    #[error("{expected} expected")]
    Syntax {
        /// Where.
        line: u64,
        /// What would have been right.
        expected: &'static str,
    },
    /// The input ends inside a value.
    #[error("the file ends too early")]
    Ended {
        /// The last line.
        line: u64,
    },
}

impl Stop {
    /// The same as an error, where nothing before it could be used.
    pub(crate) fn into_error(self, expected: &'static str) -> ReadError {
        match self {
            Self::Io(error) => ReadError::Io(error),
            stop => ReadError::UnknownFormat { found: stop.into_problem().to_string(), expected },
        }
    }

    /// The same as a problem of the input.
    pub(crate) fn into_problem(self) -> Problem {
        let problem = Problem::new(format!("{self}; the file was read up to here"));
        match self {
            Self::Io(_) => problem,
            Self::Syntax { line, .. } | Self::Ended { line } => problem.at_line(line),
        }
    }
}

/// The kind of the value that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    /// A number, or `NaN` and the like.
    Number,
    Bool,
    Null,
}

/// A place in JSON text.
#[derive(Debug)]
pub(crate) struct Json<'r> {
    input: Utf8Input<'r>,
    line: u64,
    /// The containers that were entered: has anything been read in them?
    open: Vec<bool>,
    text: String,
    bytes: Vec<u8>,
    longest_text: usize,
    was_clipped: bool,
}

impl<'r> Json<'r> {
    /// At the start of an input; of longer strings `longest_text` bytes are kept.
    pub(crate) fn new(input: Utf8Input<'r>, longest_text: usize) -> Self {
        Self {
            input,
            line: 1,
            open: Vec::new(),
            text: String::new(),
            bytes: Vec::new(),
            longest_text,
            was_clipped: false,
        }
    }

    /// At the start of an input that has to hold a document.
    ///
    /// # Errors
    /// When the input fails, or holds nothing.
    pub(crate) fn open(input: &'r mut dyn BufRead, longest_text: usize) -> Result<Self, ReadError> {
        let mut json = Self::new(Utf8Input::new(input)?, longest_text);
        match json.is_at_end() {
            Ok(false) => Ok(json),
            Ok(true) => Err(ReadError::Empty),
            Err(stop) => Err(stop.into_error("expected JSON")),
        }
    }

    /// The line reading has come to, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Was the key, string or number read last longer than is kept?
    pub(crate) fn was_clipped(&self) -> bool {
        self.was_clipped
    }

    /// Is there nothing more but white space?
    pub(crate) fn is_at_end(&mut self) -> Result<bool, Stop> {
        Ok(self.peek()?.is_none())
    }

    /// The kind of the next value.
    pub(crate) fn kind(&mut self) -> Result<Kind, Stop> {
        match self.peek()? {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'N' | b'I') => Ok(Kind::Number),
            Some(_) => Err(self.syntax("a value")),
            None => Err(Stop::Ended { line: self.line }),
        }
    }

    /// Enters the next value if it is an object: then [`Json::next_key`] until it answers `None`. Another value is
    /// skipped, and the answer is `false`.
    pub(crate) fn enter_object(&mut self) -> Result<bool, Stop> {
        self.enter(Kind::Object)
    }

    /// The same with an array, and [`Json::next_element`].
    pub(crate) fn enter_array(&mut self) -> Result<bool, Stop> {
        self.enter(Kind::Array)
    }

    fn enter(&mut self, wanted: Kind) -> Result<bool, Stop> {
        if self.kind()? != wanted {
            self.skip()?;
            return Ok(false);
        }
        self.input.consume(1);
        self.open.push(false);
        Ok(true)
    }

    /// The key of the next member of the object entered last; its value must be read or skipped before the next.
    pub(crate) fn next_key(&mut self) -> Result<Option<&str>, Stop> {
        if !self.another(b'}')? {
            return Ok(None);
        }
        if self.peek()? != Some(b'"') {
            return Err(self.wrong("a key in quotes"));
        }
        self.read_string()?;
        if self.peek()? != Some(b':') {
            return Err(self.wrong("`:`"));
        }
        self.input.consume(1);
        Ok(Some(&self.text))
    }

    /// Does the array entered last have another element? It must be read or skipped before the next.
    pub(crate) fn next_element(&mut self) -> Result<bool, Stop> {
        self.another(b']')
    }

    fn another(&mut self, end: u8) -> Result<bool, Stop> {
        let has_begun = self.open.last().copied().unwrap_or(false);
        let mut next = self.peek()?;
        if has_begun && next == Some(b',') {
            self.input.consume(1);
            next = self.peek()?;
        } else if has_begun && next.is_some_and(|byte| byte != end) {
            return Err(self.syntax("`,` or the end of what is open"));
        }
        if next.is_none() {
            return Err(Stop::Ended { line: self.line });
        }
        if next == Some(end) {
            self.input.consume(1);
            self.open.pop();
            return Ok(false);
        }
        if let Some(has_begun) = self.open.last_mut() {
            *has_begun = true;
        }
        Ok(true)
    }

    /// The next value if it is a string; another is skipped.
    pub(crate) fn string(&mut self) -> Result<Option<&str>, Stop> {
        if self.kind()? != Kind::String {
            self.skip()?;
            return Ok(None);
        }
        self.read_string()?;
        Ok(Some(&self.text))
    }

    /// The next value as it is written, if it is a number, or a string (that may hold one); another is skipped.
    pub(crate) fn number(&mut self) -> Result<Option<&str>, Stop> {
        match self.kind()? {
            Kind::String => self.read_string()?,
            Kind::Number => self.read_word()?,
            Kind::Object | Kind::Array | Kind::Bool | Kind::Null => {
                self.skip()?;
                return Ok(None);
            }
        }
        Ok(Some(&self.text))
    }

    /// The next value if it is `true` or `false`; another is skipped.
    pub(crate) fn boolean(&mut self) -> Result<Option<bool>, Stop> {
        if self.kind()? != Kind::Bool {
            self.skip()?;
            return Ok(None);
        }
        self.read_word()?;
        match self.text.as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(self.syntax("`true` or `false`")),
        }
    }

    /// Reads past the next value, whatever it is and however deep.
    pub(crate) fn skip(&mut self) -> Result<(), Stop> {
        let mut depth = 0_u64;
        loop {
            match self.peek()? {
                None => return Err(Stop::Ended { line: self.line }),
                Some(b'"') => self.skip_string()?,
                Some(b'{' | b'[') => {
                    self.input.consume(1);
                    depth += 1;
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    self.input.consume(1);
                    depth -= 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.input.consume(1);
                    continue;
                }
                Some(_) => self.read_word()?,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Reads a number or a word.
    fn read_word(&mut self) -> Result<(), Stop> {
        self.bytes.clear();
        self.was_clipped = false;
        let mut length = 0_usize;
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer
                .iter()
                .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.' | b'_'));
            let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            let room = self.longest_text.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(piece.get(..room).unwrap_or(piece));
            length += piece.len();
            let (consumed, is_over) = (piece.len(), end.is_some() || buffer.is_empty());
            self.input.consume(consumed);
            if is_over {
                break;
            }
        }
        if length == 0 {
            return Err(self.syntax("a value"));
        }
        self.was_clipped = length > self.bytes.len();
        self.text.clear();
        self.text.push_str(std::str::from_utf8(&self.bytes).unwrap_or_default());
        Ok(())
    }

    /// The next byte that is no white space, not consumed.
    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let space = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let lines = memchr::memchr_iter(b'\n', buffer.get(..space).unwrap_or_default()).count();
            let next = buffer.get(space).copied();
            self.input.consume(space);
            self.line += lines as u64;
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    fn syntax(&self, expected: &'static str) -> Stop {
        Stop::Syntax { line: self.line, expected }
    }

    /// What is wrong where the next byte is not the expected one.
    fn wrong(&mut self, expected: &'static str) -> Stop {
        match self.peek() {
            Ok(Some(_)) => self.syntax(expected),
            Ok(None) => Stop::Ended { line: self.line },
            Err(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
