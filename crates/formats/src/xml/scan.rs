//! The quick way through a start tag that is well formed and lies in the window as a whole: its end and its
//! attributes are found in one pass. Whatever is unusual goes the slow way, through quick-xml.

/// Where one attribute stands, counted from the byte after `<`.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttributeAt {
    pub(super) name: (usize, usize),
    pub(super) value: (usize, usize),
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    /// From `<` to `>`, both counted.
    pub(super) length: usize,
    pub(super) name_length: usize,
    pub(super) is_empty: bool,
}

/// More attributes than this go the slow way, which keeps none of them.
const MOST_ATTRIBUTES: usize = 64;

/// What scanning came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    Tag(Scanned),
    /// So far usual, but the tag ends later than the bytes at hand.
    NeedsMore,
    /// To be read the slow way.
    Unusual,
}

/// Scans the tag that `bytes` begin with. However the input comes in pieces, the result is the same.
pub(super) fn start_tag(bytes: &[u8], attributes: &mut Vec<AttributeAt>) -> Scan {
    attributes.clear();
    let name_end = skip_name(bytes, 1);
    let mut at = name_end;
    loop {
        let name_start = skip_space(bytes, at);
        match bytes.get(name_start) {
            None => return Scan::NeedsMore,
            Some(b'>') => return tag(name_start + 1, name_end, false),
            Some(b'/') => match bytes.get(name_start + 1) {
                None => return Scan::NeedsMore,
                Some(b'>') => return tag(name_start + 2, name_end, true),
                Some(_) => return Scan::Unusual,
            },
            Some(byte) if !is_name_byte(*byte) || name_start == at || attributes.len() == MOST_ATTRIBUTES => {
                return Scan::Unusual;
            }
            Some(_) => {}
        }
        let attribute_end = skip_name(bytes, name_start);
        let equals = skip_space(bytes, attribute_end);
        match bytes.get(equals) {
            None => return Scan::NeedsMore,
            Some(b'=') => {}
            Some(_) => return Scan::Unusual,
        }
        let quote_at = skip_space(bytes, equals + 1);
        let quote = match bytes.get(quote_at) {
            None => return Scan::NeedsMore,
            Some(quote @ (b'"' | b'\'')) => *quote,
            Some(_) => return Scan::Unusual,
        };
        let rest = bytes.get(quote_at + 1..).unwrap_or_default();
        let Some(length) = memchr::memchr(quote, rest) else { return Scan::NeedsMore };
        attributes.push(AttributeAt {
            name: (name_start - 1, attribute_end - 1),
            value: (quote_at, quote_at + length),
        });
        at = quote_at + 1 + length + 1;
    }
}

fn tag(length: usize, name_end: usize, is_empty: bool) -> Scan {
    Scan::Tag(Scanned { length, name_length: name_end - 1, is_empty })
}

fn skip_name(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while bytes.get(at).is_some_and(|byte| is_name_byte(*byte)) {
        at += 1;
    }
    at
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while bytes.get(at).is_some_and(|byte| is_space(*byte)) {
        at += 1;
    }
    at
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(tag: &str) -> (Scan, Vec<(&str, &str)>) {
        let mut attributes = Vec::new();
        let scan = start_tag(tag.as_bytes(), &mut attributes);
        let content = tag.get(1..).unwrap();
        let text = |(from, to): (usize, usize)| content.get(from..to).unwrap();
        (scan, attributes.iter().map(|at| (text(at.name), text(at.value))).collect())
    }

    fn whole(length: usize, name_length: usize, is_empty: bool) -> Scan {
        Scan::Tag(Scanned { length, name_length, is_empty })
    }

    #[test]
    fn well_formed_tags_are_split() {
        assert_eq!(scan("<a>x"), (whole(3, 1, false), vec![]));
        assert_eq!(scan("<a/>x"), (whole(4, 1, true), vec![]));
        assert_eq!(scan("<a b='1>' c = \"'\" />"), (whole(20, 1, true), vec![("b", "1>"), ("c", "'")]));
        assert_eq!(scan("<a\n\tx:b=\"\"\r\n>"), (whole(13, 1, false), vec![("x:b", "")]));
    }

    #[test]
    fn a_tag_cut_anywhere_needs_more() {
        let tag = "<a b='1>' c = \"'\" />";
        for cut in 1..tag.len() {
            assert_eq!(scan(tag.get(..cut).unwrap()).0, Scan::NeedsMore, "{cut}");
        }
    }

    #[test]
    fn whatever_is_unusual_goes_the_slow_way() {
        for tag in ["<a b>", "<a b=1>", "<a b='1'c='2'>", "<a /b>", "<a =>", "<a\"b>", "<a='b'>"] {
            assert_eq!(scan(tag).0, Scan::Unusual, "{tag}");
        }
        assert_eq!(scan(&format!("<a{}>", " b=''".repeat(65))).0, Scan::Unusual);
    }
}
