//! Which encoding the bytes are in, and the way from it to UTF-8.

use std::fmt;
use std::io::{self, BufRead};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How many bytes at the start decide about the encoding.
const PEEK_BYTES: usize = 512;

/// The input as UTF-8 bytes (or what claims to be), with the few bytes that were looked at put back.
pub(crate) struct Source<'r> {
    peeked: Vec<u8>,
    given: usize,
    input: &'r mut dyn BufRead,
    decoder: Option<Decoder>,
    ended: bool,
    undecodable: bool,
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Source").field("transcoded", &self.decoder.is_some()).finish_non_exhaustive()
    }
}

/// What was found out about the encoding of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What a sender should know: the declaration and the bytes disagree.
    pub(crate) problem: Option<String>,
}

impl<'r> Source<'r> {
    /// Least room [`Source::read`] needs to make progress with any encoding.
    pub(crate) const SMALLEST_READ: usize = 16;

    /// Looks at the first bytes and decides.
    pub(crate) fn new(input: &'r mut dyn BufRead) -> io::Result<(Self, Finding)> {
        let peeked = peek(input)?;
        let (encoding, bom, problem) = decide(&peeked);
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        let source = Self { peeked, given: bom, input, decoder, ended: false, undecodable: false };
        Ok((source, Finding { problem }))
    }

    pub(crate) fn met_undecodable(&self) -> bool {
        self.undecodable
    }

    /// Reads some bytes; 0 means the end. `room` has at least [`Source::SMALLEST_READ`] bytes.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let from_peek = self.given < self.peeked.len();
            let bytes = if from_peek {
                self.peeked.get(self.given..).unwrap_or_default()
            } else {
                fill_buf(self.input)?
            };
            self.ended = bytes.is_empty();
            let (read, written) = match &mut self.decoder {
                None => {
                    let count = bytes.len().min(room.len());
                    room[..count].copy_from_slice(&bytes[..count]);
                    (count, count)
                }
                Some(decoder) => {
                    let (result, read, written, errors) = decoder.decode_to_utf8(bytes, room, self.ended);
                    self.undecodable |= errors;
                    // With a full output the decoder may still hold characters: come again.
                    self.ended &= result == CoderResult::InputEmpty;
                    (read, written)
                }
            };
            if from_peek {
                self.given += read;
            } else {
                self.input.consume(read);
            }
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

/// `fill_buf` that comes again after an interrupting signal.
fn fill_buf(input: &mut dyn BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    input.fill_buf()
}

fn peek(input: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut peeked = Vec::with_capacity(PEEK_BYTES);
    while peeked.len() < PEEK_BYTES {
        let bytes = fill_buf(input)?;
        if bytes.is_empty() {
            break;
        }
        let count = bytes.len().min(PEEK_BYTES - peeked.len());
        peeked.extend_from_slice(&bytes[..count]);
        input.consume(count);
    }
    Ok(peeked)
}

/// The start of an input as text, as far as it can be decoded.
pub(crate) fn decode_start(start: &[u8]) -> String {
    let (encoding, bom, _) = decide(start);
    let bytes = start.get(bom..).unwrap_or_default();
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// The encoding, the length of the byte order mark, and what the declaration got wrong.
fn decide(start: &[u8]) -> (&'static Encoding, usize, Option<String>) {
    if let Some((encoding, bom)) = Encoding::for_bom(start) {
        return (encoding, bom, None);
    }
    match start {
        [b'<', 0, _, 0, ..] => return (UTF_16LE, 0, None),
        [0, b'<', 0, _, ..] => return (UTF_16BE, 0, None),
        _ => {}
    }
    let Some(label) = declared_encoding(start) else { return (UTF_8, 0, None) };
    match Encoding::for_label(label) {
        Some(encoding) if encoding == UTF_8 => (UTF_8, 0, None),
        // A declaration that can be read byte by byte is not UTF-16, whatever it says.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => (
            UTF_8,
            0,
            Some(format!(
                "declared {}, but the bytes are not; read as UTF-8",
                String::from_utf8_lossy(label)
            )),
        ),
        Some(encoding) => (encoding, 0, None),
        None => {
            (UTF_8, 0, Some(format!("unknown encoding `{}`; read as UTF-8", String::from_utf8_lossy(label))))
        }
    }
}

/// What `<?xml … encoding="…"?>` at the very start (after white space, leniently) says.
fn declared_encoding(start: &[u8]) -> Option<&[u8]> {
    let declaration = start.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'>', declaration).unwrap_or(declaration.len());
    let declaration = declaration.get(..end)?;
    let after = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let value = declaration.get(after..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, rest) = value.split_first()?;
    let end = memchr::memchr(*quote, rest)?;
    rest.get(..end).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], room: usize) -> (String, Option<String>, bool) {
        let mut input = bytes;
        let (mut source, finding) = Source::new(&mut input).unwrap();
        let mut text = Vec::new();
        let mut buffer = vec![0; room];
        loop {
            let count = source.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            text.extend_from_slice(&buffer[..count]);
        }
        (String::from_utf8(text).unwrap(), finding.problem, source.met_undecodable())
    }

    fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn utf16_is_known_with_and_without_its_mark_even_into_small_room() {
        let text = format!("<a>{}</a>", "grün😀".repeat(400));
        for bytes_of in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(read_all(&utf16(&text, bytes_of), 16), (text.clone(), None, false));
            let marked = utf16(&format!("\u{feff}{text}"), bytes_of);
            assert_eq!(read_all(&marked, 4096), (text.clone(), None, false));
        }
    }

    #[test]
    fn latin_1_is_read_as_declared() {
        let bytes = b"<?xml version='1.0' encoding = 'ISO-8859-1'?><a>gr\xfcn</a>";
        let (text, problem, _) = read_all(bytes, 64);
        assert!(text.ends_with("<a>grün</a>"), "{text}");
        assert_eq!(problem, None);
    }

    #[test]
    fn a_declaration_that_contradicts_the_bytes_is_a_problem() {
        let (text, problem, _) = read_all("<?xml encoding=\"utf-16\"?><a>grün</a>".as_bytes(), 64);
        assert!(text.ends_with("grün</a>"));
        assert!(problem.unwrap().contains("utf-16"));
        assert!(read_all(b"<?xml encoding='klingon'?>", 64).1.unwrap().contains("klingon"));
    }

    #[test]
    fn half_a_character_at_the_end_is_noticed() {
        let mut bytes = utf16("<a>", u16::to_le_bytes);
        bytes.push(b'x');
        let (text, _, undecodable) = read_all(&bytes, 64);
        assert!(text.starts_with("<a>"));
        assert!(undecodable);
    }
}
