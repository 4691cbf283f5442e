//! The walk through a whole document, for readers whose state is one value for each open element.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};

use super::{Event, Reader, Tag, Text, XmlError};
use crate::ReadError;

/// What a reader makes of the elements of a document.
pub(crate) trait Walk {
    /// What an open element is to the reader.
    type Element: Copy;

    /// An element begins inside of `parent`, or as a root.
    fn start(&mut self, parent: Option<Self::Element>, tag: &Tag<'_>) -> Self::Element;

    /// An element ends.
    fn end(&mut self, element: Self::Element);

    /// A piece of text inside an element.
    fn text(&mut self, _element: Self::Element, _text: &Text<'_>) {}

    /// Where problems go.
    fn problems(&mut self) -> &mut Problems;

    /// Has the reader enough, or no room for more?
    fn is_done(&self) -> bool {
        false
    }
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All was read, or the reader had enough.
    Whole,
    /// The document breaks off, and where.
    Truncated(Problem),
}

/// Walks through a document whose first element `is_root` knows; whatever follows it is walked through as well.
///
/// # Errors
/// When the input fails, is empty, or begins with another element: that names what was `expected`.
pub(crate) fn walk<W: Walk>(
    input: &mut dyn BufRead,
    limits: &Limits,
    is_root: fn(&str) -> bool,
    expected: &'static str,
    walker: &mut W,
) -> Result<Ending, ReadError> {
    let mut xml = Reader::new(input, limits, walker.problems())?;
    let mut open: Vec<W::Element> = Vec::new();
    let mut has_root = false;
    loop {
        let event = match xml.next(walker.problems()) {
            Ok(event) => event,
            Err(XmlError::TagTooLong { line, limit }) if has_root => {
                let message = format!(
                    "a tag is longer than {limit} bytes (limit `tag_bytes`); the file was read up to here"
                );
                return Ok(Ending::Truncated(Problem::new(message).at_line(line)));
            }
            Err(error) => return Err(error.into()),
        };
        match event {
            Event::Start(tag) => {
                if !has_root && !is_root(tag.name()) {
                    let name: String = tag.name().chars().take(64).collect();
                    return Err(ReadError::UnknownFormat {
                        found: format!("XML with root <{name}>"),
                        expected,
                    });
                }
                has_root = true;
                if tag.may_be_malformed() {
                    report_malformed(&tag, walker.problems());
                }
                let element = walker.start(open.last().copied(), &tag);
                match tag.is_empty {
                    true => walker.end(element),
                    false => open.push(element),
                }
            }
            Event::End => {
                if let Some(element) = open.pop() {
                    walker.end(element);
                }
            }
            Event::Text(text) => {
                if let Some(element) = open.last() {
                    walker.text(*element, &text);
                }
            }
            Event::Eof { is_plain_text, .. } if !has_root => {
                return Err(match is_plain_text {
                    true => ReadError::Empty,
                    false => {
                        ReadError::UnknownFormat { found: "no whole XML element found".to_owned(), expected }
                    }
                });
            }
            Event::Eof { is_truncated: false, .. } => return Ok(Ending::Whole),
            Event::Eof { is_truncated: true, .. } => {
                let line = xml.line();
                let message = "the file ends too early: elements are still open";
                return Ok(Ending::Truncated(Problem::new(message).at_line(line)));
            }
        }
        if walker.is_done() {
            return Ok(Ending::Whole);
        }
    }
}

fn report_malformed(tag: &Tag<'_>, problems: &mut Problems) {
    for malformed in tag.attributes().filter_map(Result::err) {
        problems.push_with(|| {
            Problem::new(format!("malformed attribute left out: {malformed}"))
                .at_line(tag.line())
                .in_field(tag.name().chars().take(64).collect::<String>())
        });
    }
}
