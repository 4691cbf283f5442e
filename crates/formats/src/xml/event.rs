//! What a reader of XML gives, and why it may stop.

use std::io;

use super::tag::Tag;
use super::text::{self, Flaws};
use super::window::Place;

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// The input itself failed.
    #[error("failed to read the input: {0}")]
    Io(#[from] io::Error),
    /// A tag that is longer than a reader may hold.
    #[error("line {line}: a tag is longer than {limit} bytes")]
    TagTooLong {
        /// Line the tag begins on.
        line: u64,
        /// [`manometer_model::Limits::tag_bytes`].
        limit: usize,
    },
}

/// What comes next in the document.
#[derive(Debug)]
pub enum Event<'a> {
    /// An element begins, and ends too when [`Tag::is_empty`].
    Start(Tag<'a>),
    /// The innermost open element ends; also given for elements whose end tag is missing before that of
    /// an outer one.
    End,
    /// A piece of text; long text comes in several.
    Text(Text<'a>),
    /// The input has ended.
    Eof {
        /// Did it end inside a tag, a comment or an open element?
        is_truncated: bool,
        /// Was there no markup at all?
        is_plain_text: bool,
    },
}

/// A piece of text, borrowed from the window.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    pub(super) raw: &'a [u8],
    /// Are references resolved? Not inside CDATA.
    pub(super) references: bool,
    /// Where the piece begins.
    pub place: Place<'a>,
}

impl Text<'_> {
    /// Is it nothing but white space?
    pub fn is_blank(&self) -> bool {
        self.raw.iter().all(u8::is_ascii_whitespace)
    }

    /// Appends what the text stands for to `out`, which may grow to `limit` bytes.
    pub fn append_to(&self, out: &mut String, limit: usize) -> Flaws {
        if let Ok(raw) = std::str::from_utf8(self.raw) {
            return text::append_decoded(raw, self.references, limit, out);
        }
        let mut decoded = String::new();
        text::decode_leniently(self.raw, &mut decoded);
        let mut flaws = text::append_decoded(&decoded, self.references, limit, out);
        flaws.not_utf8 = true;
        flaws
    }
}
