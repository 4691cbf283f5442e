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

/// Scans the tag that `bytes` begin with; `None` when it ends later, or is not entirely usual.
pub(super) fn start_tag(bytes: &[u8], attributes: &mut Vec<AttributeAt>) -> Option<Scanned> {
    attributes.clear();
    let name_length =
        bytes.get(1..)?.iter().position(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'))?;
    let mut at = 1 + name_length;
    loop {
        let after_space = skip_space(bytes, at);
        match bytes.get(after_space)? {
            b'>' => return Some(Scanned { length: after_space + 1, name_length, is_empty: false }),
            b'/' if bytes.get(after_space + 1) == Some(&b'>') => {
                return Some(Scanned { length: after_space + 2, name_length, is_empty: true });
            }
            byte if !is_name_byte(*byte) || after_space == at || attributes.len() == MOST_ATTRIBUTES => {
                return None;
            }
            _ => {}
        }
        let name_end =
            after_space + bytes.get(after_space..)?.iter().position(|byte| !is_name_byte(*byte))?;
        let equals = skip_space(bytes, name_end);
        if bytes.get(equals) != Some(&b'=') {
            return None;
        }
        let quote_at = skip_space(bytes, equals + 1);
        let quote = *bytes.get(quote_at)?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let value_end = quote_at + 1 + memchr::memchr(quote, bytes.get(quote_at + 1..)?)?;
        attributes
            .push(AttributeAt { name: (after_space - 1, name_end - 1), value: (quote_at, value_end - 1) });
        at = value_end + 1;
    }
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

    fn scan(tag: &str) -> Option<(usize, bool, Vec<(&str, &str)>)> {
        let mut attributes = Vec::new();
        let scanned = start_tag(tag.as_bytes(), &mut attributes)?;
        let content = &tag[1..];
        let pairs = attributes
            .iter()
            .map(|at| (&content[at.name.0..at.name.1], &content[at.value.0..at.value.1]))
            .collect();
        Some((scanned.length, scanned.is_empty, pairs))
    }

    #[test]
    fn well_formed_tags_are_split() {
        assert_eq!(scan("<a>x"), Some((3, false, vec![])));
        assert_eq!(scan("<a/>x"), Some((4, true, vec![])));
        assert_eq!(scan("<a b='1>' c = \"'\" />"), Some((20, true, vec![("b", "1>"), ("c", "'")])));
        assert_eq!(scan("<a\n\tx:b=\"\"\r\n>"), Some((13, false, vec![("x:b", "")])));
    }

    #[test]
    fn whatever_is_unusual_goes_the_slow_way() {
        for tag in [
            "<a",
            "<a b",
            "<a b=",
            "<a b='",
            "<a b='1'",
            "<a b=1>",
            "<a b>",
            "<a b='1'c='2'>",
            "<a /b>",
            "<a =>",
            "<",
        ] {
            assert_eq!(scan(tag), None, "{tag}");
        }
        let many = format!("<a{}>", " b=''".repeat(65));
        assert_eq!(scan(&many), None);
    }
}
