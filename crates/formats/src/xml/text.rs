//! From raw XML text to the text it stands for: references, line ends, control characters, and the cut at a limit.

use quick_xml::escape::resolve_predefined_entity;

/// Longest reference looked for: `&#x0010FFFF;` and then some.
pub(super) const LONGEST_REFERENCE: usize = 16;

/// What was wrong with a text that was kept all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "a flaw is a problem to report"]
pub struct Flaws {
    /// It was longer than allowed; the rest is cut off.
    pub clipped: bool,
    /// It had control characters that XML forbids; each stands as U+FFFD.
    pub control_characters: bool,
    /// It had references that are not predefined; they stand as written.
    pub unknown_references: bool,
    /// It had bytes that are not UTF-8; each was read as windows-1252.
    pub not_utf8: bool,
}

impl Flaws {
    /// Is there something to report?
    pub fn any(self) -> bool {
        self.clipped || self.control_characters || self.unknown_references || self.not_utf8
    }

    /// Adds what was wrong with another piece of the same text.
    pub fn merge(&mut self, other: Flaws) {
        self.clipped |= other.clipped;
        self.control_characters |= other.control_characters;
        self.unknown_references |= other.unknown_references;
        self.not_utf8 |= other.not_utf8;
    }

    /// The flaws in words, with the limit that cut.
    pub fn describe(self, limit: usize) -> String {
        let mut parts = Vec::new();
        if self.clipped {
            parts.push(format!("longer than {limit} bytes, the rest was cut off"));
        }
        if self.control_characters {
            parts.push("control characters that XML forbids, each replaced by U+FFFD".to_owned());
        }
        if self.unknown_references {
            parts.push("references to entities that are not predefined, left as written".to_owned());
        }
        if self.not_utf8 {
            parts.push("bytes that are not UTF-8, read as windows-1252".to_owned());
        }
        parts.join("; ")
    }
}

/// Appends `raw` to `out`, which may grow to `limit` bytes. `references` is false inside CDATA.
pub(super) fn append_decoded(raw: &str, references: bool, limit: usize, out: &mut String) -> Flaws {
    if is_plain(raw.as_bytes()) && raw.len() <= limit.saturating_sub(out.len()) {
        out.push_str(raw);
        return Flaws::default();
    }
    append_slowly(raw, references, limit, out)
}

/// Does it stand for itself, without references and control characters?
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    // Whole blocks without an early exit, so that the compiler makes vector instructions of it; the last block
    // overlaps the one before instead of leaving a rest to be looked at byte by byte.
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    match bytes.last_chunk::<BLOCK_BYTES>() {
        Some(last) => blocks.iter().all(|block| all_plain(block)) && all_plain(last),
        None => all_plain(rest),
    }
}

const BLOCK_BYTES: usize = 32;

#[inline]
fn all_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & is_usual(*byte) & (*byte != b'&'))
}

/// Not a control character that needs a second look. Tab and line feed are usual.
const fn is_usual(byte: u8) -> bool {
    ((byte >= b' ') & (byte != 0x7f)) | (byte == b'\n') | (byte == b'\t')
}

fn append_slowly(raw: &str, references: bool, limit: usize, out: &mut String) -> Flaws {
    let mut flaws = Flaws::default();
    let mut rest = raw;
    while !rest.is_empty() {
        let special = rest.bytes().position(|byte| !is_usual(byte) || (byte == b'&' && references));
        let (plain, tail) = rest.split_at_checked(special.unwrap_or(rest.len())).unwrap_or((rest, ""));
        push_clipped(plain, limit, out, &mut flaws);
        rest = tail;
        match rest.as_bytes().first() {
            None => {}
            Some(b'&') => {
                let (character, after) = reference(rest);
                match character {
                    Some(Ok(character)) => push_character(character, limit, out, &mut flaws),
                    Some(Err(text)) => push_clipped(text, limit, out, &mut flaws),
                    None => {
                        flaws.unknown_references = true;
                        push_clipped("&", limit, out, &mut flaws);
                    }
                }
                rest = after;
            }
            Some(b'\r') => {
                push_clipped("\n", limit, out, &mut flaws);
                rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\r')).unwrap_or_default();
            }
            Some(_) => {
                let mut characters = rest.chars();
                if let Some(character) = characters.next() {
                    push_character(character, limit, out, &mut flaws);
                }
                rest = characters.as_str();
            }
        }
        if flaws.clipped {
            break;
        }
    }
    flaws
}

/// What the reference at the start of `text` stands for (`None`: left as it is) and what follows it.
fn reference(text: &str) -> (Option<Result<char, &'static str>>, &str) {
    let after_ampersand = text.strip_prefix('&').unwrap_or(text);
    let window = after_ampersand.as_bytes();
    let window = window.get(..LONGEST_REFERENCE).unwrap_or(window);
    let Some(end) = memchr::memchr(b';', window) else { return (None, after_ampersand) };
    let Some((name, after)) = after_ampersand.split_at_checked(end) else { return (None, after_ampersand) };
    let after = after.strip_prefix(';').unwrap_or(after);
    let Some(number) = name.strip_prefix('#') else {
        return match resolve_predefined_entity(name) {
            Some(text) => (Some(Err(text)), after),
            None => (None, after_ampersand),
        };
    };
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return (None, after_ampersand);
    }
    match u32::from_str_radix(digits, radix) {
        // A number that is no character (a half of a UTF-16 pair, too large) stands as U+FFFD.
        Ok(code) => (Some(Ok(char::from_u32(code).unwrap_or('\0'))), after),
        Err(_) => (None, after_ampersand),
    }
}

fn push_character(character: char, limit: usize, out: &mut String, flaws: &mut Flaws) {
    let is_forbidden = character < ' ' && !matches!(character, '\t' | '\n' | '\r')
        || matches!(character, '\u{fffe}' | '\u{ffff}');
    flaws.control_characters |= is_forbidden;
    let kept = if is_forbidden { char::REPLACEMENT_CHARACTER } else { character };
    push_clipped(kept.encode_utf8(&mut [0; 4]), limit, out, flaws);
}

fn push_clipped(text: &str, limit: usize, out: &mut String, flaws: &mut Flaws) {
    let room = limit.saturating_sub(out.len());
    if text.len() <= room {
        out.push_str(text);
        return;
    }
    flaws.clipped = true;
    out.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
}

/// Reads bytes as UTF-8, and each byte that is no part of valid UTF-8 as windows-1252, which is what
/// reports with a wrong declaration are nearly always written in.
pub(crate) fn decode_leniently(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(std::slice::from_ref(byte));
            out.push_str(&text);
        }
    }
}

/// How many bytes at the end of a piece of text belong to something that continues in the next piece:
/// a character, a reference, a line end.
pub(super) fn unfinished_bytes(piece: &[u8], references: bool) -> usize {
    let tail = piece.get(piece.len().saturating_sub(LONGEST_REFERENCE)..).unwrap_or(piece);
    if references
        && let Some(ampersand) = memchr::memrchr(b'&', tail)
        && memchr::memchr(b';', &tail[ampersand..]).is_none()
    {
        return tail.len() - ampersand;
    }
    if tail.last() == Some(&b'\r') {
        return 1;
    }
    let lead = tail.iter().rev().take(3).position(|byte| *byte >= 0xc0);
    match lead {
        Some(back) if length_of_character(tail[tail.len() - 1 - back]) > back + 1 => back + 1,
        _ => 0,
    }
}

const fn length_of_character(lead: u8) -> usize {
    match lead {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str, limit: usize) -> (String, Flaws) {
        let mut out = String::new();
        let flaws = append_decoded(raw, true, limit, &mut out);
        (out, flaws)
    }

    #[test]
    fn predefined_and_numeric_references_are_resolved() {
        let (text, flaws) = decoded("a &lt;&gt;&amp;&apos;&quot; &#228;&#x1F600;&#10;b\r\nc\rd", 1000);
        assert_eq!(text, "a <>&'\" ä😀\nb\nc\nd");
        assert!(!flaws.any());
    }

    #[test]
    fn what_needs_a_second_look_is_seen_wherever_it_stands() {
        for length in 1..100 {
            assert!(is_plain(&vec![b'a'; length]), "{length}");
            for position in 0..length {
                for special in [b'&', b'\r', 0, 0x1b, 0x7f] {
                    let mut bytes = vec![b'a'; length];
                    bytes[position] = special;
                    assert!(!is_plain(&bytes), "{special} at {position} of {length}");
                }
            }
        }
    }

    #[test]
    fn other_references_stand_as_written() {
        for raw in
            ["&lol9;", "a && b", "&", "&#xzz;", "&#;", "&toolongtobeareferenceatall;", "&#99999999999;"]
        {
            let (text, flaws) = decoded(raw, 1000);
            assert_eq!(text, raw);
            assert!(flaws.unknown_references, "{raw}");
        }
    }

    #[test]
    fn forbidden_characters_become_visible_marks() {
        let (text, flaws) = decoded("a\u{1b}[31m&#0;&#x1b;&#xD800;b\u{7f}", 1000);
        assert_eq!(text, "a\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}b\u{7f}");
        assert!(flaws.control_characters);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let (text, flaws) = decoded("äöü", 3);
        assert_eq!(text, "ä");
        assert!(flaws.clipped);
        assert_eq!(decoded("&lt;&lt;&lt;", 2).0, "<<");
        assert!(!decoded("äöü", 6).1.any());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_read_as_windows_1252() {
        let mut out = String::new();
        decode_leniently(b"gr\xfcn \x80 gr\xc3\xbcn \xf0\x9f", &mut out);
        assert_eq!(out, "grün € grün ðŸ");
    }

    #[test]
    fn what_continues_in_the_next_piece_is_held_back() {
        assert_eq!(unfinished_bytes(b"abc", true), 0);
        assert_eq!(unfinished_bytes(b"abc &am", true), 3);
        assert_eq!(unfinished_bytes(b"abc &am", false), 0);
        assert_eq!(unfinished_bytes(b"abc &amp;", true), 0);
        assert_eq!(unfinished_bytes(b"abc\r", true), 1);
        assert_eq!(unfinished_bytes("ä".as_bytes(), true), 0);
        assert_eq!(unfinished_bytes(b"x\xf0\x9f\x98", true), 3);
        assert_eq!(unfinished_bytes(b"x\xc3", false), 1);
    }
}
