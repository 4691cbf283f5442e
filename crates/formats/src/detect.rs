//! What an input is, told from its content and never from its name.

use crate::json::JsonStart;
use crate::xml::decode_start;
use crate::{ReadError, measured, records, test_report, xml};

/// How many bytes from the start of an input [`detect`] wants to see; fewer are fine where there are fewer.
pub const DETECT_BYTES: usize = 8 * 1024;

/// The formats that are read.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Tests: [`crate::test_report`].
    Tests(&'static test_report::Format),
    /// Coverage, builds and sizes: [`crate::measured`].
    Measured(&'static measured::Format),
    /// Our own NDJSON: [`crate::records`].
    Records,
}

impl Kind {
    /// What receipts call it: `junit`, `lcov`, `records`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tests(format) => format.name,
            Self::Measured(format) => format.name,
            Self::Records => "records",
        }
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Kind {}

/// What is known of an input after a look at its start.
pub(crate) struct Look<'a> {
    /// The bytes as they came.
    #[allow(dead_code, reason = "formats that are not text are known by their bytes")]
    pub(crate) bytes: &'a [u8],
    /// Name of the first element, when it is XML.
    pub(crate) xml_root: Option<&'a str>,
    /// The first object, when there is JSON.
    pub(crate) json: Option<JsonStart<'a>>,
    /// The start as text, from the first character that is not white space.
    pub(crate) text: &'a str,
}

/// Every format that is read: the first to claim an input wins. A new one is a line in [`test_report::FORMATS`] or in
/// [`measured::FORMATS`]; the most certain marks stand first there.
fn claimed(look: &Look<'_>) -> Option<Kind> {
    let tests = || test_report::FORMATS.iter().find(|format| (format.claims)(look)).map(Kind::Tests);
    let measured = || measured::FORMATS.iter().find(|format| (format.claims)(look)).map(Kind::Measured);
    let records = || records::claims(look).then_some(Kind::Records);
    tests().or_else(measured).or_else(records)
}

const EXPECTED: &str =
    "expected a report of tests, coverage or builds (docs/FORMATS.md lists them), or records as NDJSON";

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
    let look = Look { bytes: start, xml_root: first_element(text), json: JsonStart::of(text), text };
    if let Some(kind) = claimed(&look) {
        return Ok(kind);
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
        Some('{') => format!("JSON of no known kind{}", shown_keys(look.json.as_ref())),
        Some('[') => format!(
            "a JSON array of no known kind{}: records are sent one object a line",
            shown_keys(look.json.as_ref())
        ),
        _ => format!(
            "looks like plain text beginning with `{}`",
            shown(look.text.lines().next().unwrap_or_default())
        ),
    }
}

fn shown_keys(start: Option<&JsonStart<'_>>) -> String {
    let keys: Vec<String> =
        start.iter().flat_map(|start| start.keys()).take(4).map(|key| format!("`{}`", shown(key))).collect();
    if keys.is_empty() { String::new() } else { format!(" (keys {})", keys.join(", ")) }
}

fn shown(text: &str) -> String {
    text.chars().take(40).filter(|character| !character.is_control()).collect()
}
