//! One start tag and its attributes.

use quick_xml::events::attributes::Attributes as RawAttributes;

use super::text::{Flaws, append_decoded};
use super::window::Place;

/// A start tag, borrowed from the window.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// What stands between `<` and `>` or `/>`.
    pub(super) content: &'a str,
    pub(super) name_length: usize,
    /// Does the tag end its element too (`<a/>`)? Then no [`super::Event::End`] follows.
    pub is_empty: bool,
    /// Where the tag begins.
    pub place: Place<'a>,
}

impl<'a> Tag<'a> {
    /// The name, without a namespace prefix.
    pub fn name(&self) -> &'a str {
        let name = self.content.get(..self.name_length).unwrap_or_default();
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// The attributes in order; an `Err` says what is malformed, and reading goes on after it.
    pub fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'a>, String>> + use<'a> {
        let mut attributes = RawAttributes::new(self.content, self.name_length);
        // Its own check for repeated names allocates; who reads the attributes sees repetition anyway.
        attributes.with_checks(false);
        attributes.map(|attribute| match attribute {
            Ok(attribute) => Ok(Attribute {
                name: attribute.key.0,
                // In UTF-8 mode the value is always borrowed from the tag.
                raw: match attribute.value {
                    std::borrow::Cow::Borrowed(raw) => raw,
                    std::borrow::Cow::Owned(_) => return Err("attribute cannot be read".to_owned()),
                },
            }),
            Err(error) => Err(error.to_string()),
        })
    }

    /// The line of the tag.
    pub fn line(&self) -> u64 {
        self.place.line()
    }
}

/// One attribute, borrowed from the window.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The name, with its prefix.
    pub name: &'a str,
    raw: &'a str,
}

impl<'a> Attribute<'a> {
    /// The value as written, references and all: for numbers and words, which have none.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Appends the value to `out`, which may grow to `limit` bytes. Line ends stay line ends: many tools
    /// write them raw, and a stack trace on one line would be a loss.
    pub fn append_to(&self, out: &mut String, limit: usize) -> Flaws {
        append_decoded(self.raw, true, limit, out)
    }
}
