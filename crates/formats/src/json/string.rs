//! Strings of JSON: read clipped, or read past.

use std::io::BufRead as _;

use super::{Json, Stop};
use crate::xml::decode_leniently;

impl Json<'_> {
    /// Reads the string that comes next into `text`. What its escapes stand for that is no character (a half of a
    /// UTF-16 pair) becomes U+FFFD; bytes that are not UTF-8 are read as windows-1252.
    pub(super) fn read_string(&mut self) -> Result<(), Stop> {
        self.input.consume(1);
        self.bytes.clear();
        self.was_clipped = false;
        let mut high_half = None;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(Stop::Ended { line: self.line });
            }
            let plain = memchr::memchr2(b'"', b'\\', buffer);
            let piece = buffer.get(..plain.unwrap_or(buffer.len())).unwrap_or_default();
            self.line += memchr::memchr_iter(b'\n', piece).count() as u64;
            let room = self.longest_text.saturating_sub(self.bytes.len());
            self.was_clipped |= piece.len() > room;
            if !piece.is_empty() && high_half.take().is_some() {
                push(&mut self.bytes, char::REPLACEMENT_CHARACTER);
            }
            self.bytes.extend_from_slice(piece.get(..room).unwrap_or(piece));
            let (consumed, next) = (piece.len(), plain.and_then(|at| buffer.get(at)).copied());
            self.input.consume(consumed + usize::from(next.is_some()));
            match next {
                None => {}
                Some(b'"') => break,
                Some(_) => self.read_escape(&mut high_half)?,
            }
        }
        if high_half.is_some() {
            push(&mut self.bytes, char::REPLACEMENT_CHARACTER);
        }
        self.take_text();
        Ok(())
    }

    /// What stands behind a backslash.
    fn read_escape(&mut self, high_half: &mut Option<u16>) -> Result<(), Stop> {
        let escaped = self.next_byte()?;
        let character = match escaped {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return self.read_code(high_half),
            // A backslash that should have been two, as of a path of Windows, stands for itself.
            other if !matches!(other, b'"' | b'\\' | b'/') => {
                self.push_clipped('\\');
                char::from(other)
            }
            other => char::from(other),
        };
        if high_half.take().is_some() {
            self.push_clipped(char::REPLACEMENT_CHARACTER);
        }
        self.push_clipped(character);
        Ok(())
    }

    fn read_code(&mut self, high_half: &mut Option<u16>) -> Result<(), Stop> {
        let mut code = 0_u16;
        for _ in 0..4 {
            let digit = char::from(self.next_byte()?).to_digit(16);
            let Some(digit) = digit else {
                return Err(Stop::Syntax { line: self.line, expected: "four hexadecimal digits" });
            };
            code = code << 4 | digit as u16;
        }
        let pending = high_half.take();
        if (0xd800..0xdc00).contains(&code) {
            if pending.is_some() {
                self.push_clipped(char::REPLACEMENT_CHARACTER);
            }
            *high_half = Some(code);
            return Ok(());
        }
        let units = [pending.unwrap_or(code), code];
        let units = units.get(usize::from(pending.is_none())..).unwrap_or_default();
        for decoded in char::decode_utf16(units.iter().copied()) {
            self.push_clipped(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(())
    }

    fn next_byte(&mut self) -> Result<u8, Stop> {
        let byte = self.input.fill_buf()?.first().copied().ok_or(Stop::Ended { line: self.line })?;
        self.input.consume(1);
        Ok(byte)
    }

    fn push_clipped(&mut self, character: char) {
        if self.bytes.len() + character.len_utf8() <= self.longest_text {
            push(&mut self.bytes, character);
        } else {
            self.was_clipped = true;
        }
    }

    fn take_text(&mut self) {
        self.text.clear();
        if self.was_clipped {
            // The cut may have gone through a character.
            let whole = self.bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
            if self.bytes.len() - whole < 4 {
                self.bytes.truncate(whole);
            }
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => self.text.push_str(text),
            Err(_) => decode_leniently(&self.bytes, &mut self.text),
        }
    }

    /// Reads past the string that comes next.
    pub(super) fn skip_string(&mut self) -> Result<(), Stop> {
        self.input.consume(1);
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(Stop::Ended { line: self.line });
            }
            let special = memchr::memchr2(b'"', b'\\', buffer);
            let piece = buffer.get(..special.unwrap_or(buffer.len())).unwrap_or_default();
            self.line += memchr::memchr_iter(b'\n', piece).count() as u64;
            let (consumed, next) = (piece.len(), special.and_then(|at| buffer.get(at)).copied());
            self.input.consume(consumed + usize::from(next.is_some()));
            match next {
                None => {}
                Some(b'"') => return Ok(()),
                Some(_) => drop(self.next_byte()?),
            }
        }
    }
}

fn push(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
