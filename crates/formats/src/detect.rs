//! What an input is, told from its content and never from its name.

use crate::xml::decode_start;
use crate::{ReadError, junit, records, xml};

/// How many bytes from the start of an input [`detect`] wants to see; fewer are fine where there are fewer.
pub const DETECT_BYTES: usize = 8 * 1024;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// JUnit XML: [`crate::junit`].
    JUnit,
    /// Our own NDJSON: [`crate::records`].
    Records,
}

/// What is known of an input after a look at its start.
pub(crate) struct Look<'a> {
    /// Name of the first element, when it is XML.
    pub(crate) xml_root: Option<&'a str>,
    /// The start as text, from the first character that is not white space.
    pub(crate) text: &'a str,
}

/// One format: who it is and how it knows its own.
struct Format {
    kind: Kind,
    claims: fn(&Look<'_>) -> bool,
}

/// Every format that is read, the first to claim an input wins.
static FORMATS: &[Format] = &[
    Format { kind: Kind::JUnit, claims: junit::claims },
    Format { kind: Kind::Records, claims: records::claims },
];

const EXPECTED: &str = "expected JUnit XML or records as NDJSON";

/// Tells the format from the first [`DETECT_BYTES`] of an input.
///
/// # Errors
/// [`ReadError::Empty`], or [`ReadError::UnknownFormat`] that says what the input looks like instead.
pub fn detect(start: &[u8]) -> Result<Kind, ReadError> {
    let start = start.get(..DETECT_BYTES).unwrap_or(start);
    let decoded = decode_start(start);
    let text = decoded.trim_start();
    if text.is_empty() {
        return Err(ReadError::Empty);
    }
    let xml_root = first_element(text);
    let look = Look { xml_root, text };
    if let Some(format) = FORMATS.iter().find(|format| (format.claims)(&look)) {
        return Ok(format.kind);
    }
    let found = describe(start, &look);
    Err(ReadError::UnknownFormat { found, expected: EXPECTED })
}

/// The name of the first element of XML whose end may be cut off.
fn first_element(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix('<')?;
    loop {
        let after = if let Some(comment) = rest.strip_prefix("!--") {
            comment.split_once("-->")?.1
        } else if let Some(data) = rest.strip_prefix("![CDATA[") {
            data.split_once("]]>")?.1
        } else if let Some(instruction) = rest.strip_prefix('?') {
            instruction.split_once("?>")?.1
        } else if let Some(declaration) = rest.strip_prefix('!') {
            declaration.get(xml::end_of_declaration(declaration.as_bytes())?..)?
        } else if rest.starts_with(|first: char| {
            first.is_ascii_alphabetic() || !first.is_ascii() || matches!(first, '_' | ':')
        }) {
            let end = rest.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/'));
            let name = rest.get(..end.unwrap_or(rest.len()))?;
            return Some(name.rsplit_once(':').map_or(name, |(_, local)| local));
        } else {
            rest
        };
        rest = after.split_once('<')?.1;
    }
}

fn describe(start: &[u8], look: &Look<'_>) -> String {
    let lower: String = look.text.chars().take(64).collect::<String>().to_ascii_lowercase();
    if lower.starts_with("<!doctype html")
        || look.xml_root.is_some_and(|root| root.eq_ignore_ascii_case("html"))
    {
        return "looks like an HTML page".to_owned();
    }
    if let Some(root) = look.xml_root {
        return format!("XML with root <{}>: not read yet", shown(root));
    }
    if look.text.starts_with('<') {
        return "looks like XML, but has no element in its first bytes".to_owned();
    }
    match start {
        [0x1f, 0x8b, ..] => return "gzip data inside what was unpacked".to_owned(),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return "zstd data inside what was unpacked".to_owned(),
        [b'P', b'K', 3, 4, ..] => return "a zip archive inside what was unpacked".to_owned(),
        _ => {}
    }
    if look.text.contains('\0') {
        return "looks like binary data".to_owned();
    }
    match look.text.chars().next() {
        Some('{') => "JSON without a `type` in its first line".to_owned(),
        Some('[') => "a JSON array: send one object a line instead".to_owned(),
        _ => format!(
            "looks like plain text beginning with `{}`",
            shown(look.text.lines().next().unwrap_or_default())
        ),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).filter(|character| !character.is_control()).collect()
}
