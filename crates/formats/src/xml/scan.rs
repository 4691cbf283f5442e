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
    let content = bytes.get(1..).unwrap_or_default();
    // What follows a point of the tag says where it is: one number less to carry through every loop.
    let position = |rest: &[u8]| content.len() - rest.len();
    let mut rest = after_name(content);
    let name_length = position(rest);
    loop {
        let name = after_space(rest);
        let is_apart = name.len() < rest.len();
        match name {
            [] | [b'/'] => return Scan::NeedsMore,
            [b'>', ..] => {
                return Scan::Tag(Scanned { length: position(name) + 2, name_length, is_empty: false });
            }
            [b'/', b'>', ..] => {
                return Scan::Tag(Scanned { length: position(name) + 3, name_length, is_empty: true });
            }
            [first, ..] if is_apart && is_of(*first, NAME) && attributes.len() < MOST_ATTRIBUTES => {}
            _ => return Scan::Unusual,
        }
        let behind_name = after_name(name);
        let value = match after_space(behind_name) {
            [] => return Scan::NeedsMore,
            [b'=', value @ ..] => after_space(value),
            _ => return Scan::Unusual,
        };
        let (quote, value) = match value {
            [] => return Scan::NeedsMore,
            [quote @ (b'"' | b'\''), value @ ..] => (*quote, value),
            _ => return Scan::Unusual,
        };
        let Some(length) = memchr::memchr(quote, value) else { return Scan::NeedsMore };
        attributes.push(AttributeAt {
            name: (position(name), position(behind_name)),
            value: (position(value), position(value) + length),
        });
        rest = value.get(length + 1..).unwrap_or_default();
    }
}

/// What comes after the name that `bytes` begin with.
fn after_name(bytes: &[u8]) -> &[u8] {
    bytes.get(run_length(bytes, NAME)..).unwrap_or_default()
}

/// What comes after the white space that `bytes` begin with, mostly none or a single space.
fn after_space(bytes: &[u8]) -> &[u8] {
    match bytes {
        [first, rest @ ..] if is_of(*first, SPACE) => rest.get(run_length(rest, SPACE)..).unwrap_or_default(),
        _ => bytes,
    }
}

/// How many bytes of a class `bytes` begin with. Not made part of its callers: their many positions would all be
/// counted along in its loop.
#[inline(never)]
fn run_length(bytes: &[u8], class: u8) -> usize {
    bytes.iter().position(|byte| !is_of(*byte, class)).unwrap_or(bytes.len())
}

const fn is_of(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// What each byte may be part of: one look instead of a comparison for each range.
static CLASSES: [u8; 256] = classes();
const NAME: u8 = 1;
const SPACE: u8 = 2;

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < classes.len() {
        classes[byte] = match byte as u8 {
            b' ' | b'\n' | b'\t' | b'\r' => SPACE,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' | b':' | b'.' | 0x80.. => NAME,
            _ => 0,
        };
        byte += 1;
    }
    classes
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
