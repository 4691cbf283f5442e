//! One start tag and its attributes.

use quick_xml::events::attributes::{Attribute as RawAttribute, Attributes as RawAttributes};

use super::scan::AttributeAt;
use super::text::{Flaws, append_decoded, is_plain};
use super::window::Place;

/// A start tag, borrowed from the window.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// What stands between `<` and `>` or `/>`.
    content: &'a str,
    name_length: usize,
    /// Where the attributes are, when the quick scan found them.
    split: Option<&'a [AttributeAt]>,
    /// Is there nothing in the tag that a value would have to be decoded for?
    is_plain: bool,
    /// Does the tag end its element too (`<a/>`)? Then no [`super::Event::End`] follows.
    pub is_empty: bool,
    /// Where the tag begins.
    pub place: Place<'a>,
}

impl<'a> Tag<'a> {
    pub(super) fn new(
        content: &'a str,
        name_length: usize,
        split: Option<&'a [AttributeAt]>,
        is_empty: bool,
        place: Place<'a>,
    ) -> Self {
        Self { content, name_length, split, is_plain: is_plain(content.as_bytes()), is_empty, place }
    }

    /// The name, without a namespace prefix.
    pub fn name(&self) -> &'a str {
        let name = self.content.get(..self.name_length).unwrap_or_default();
        let prefix = name.bytes().rposition(|byte| byte == b':').map_or(0, |colon| colon + 1);
        name.get(prefix..).unwrap_or_default()
    }

    /// The attributes in order; an `Err` says what is malformed, and reading goes on after it.
    pub fn attributes(&self) -> TagAttributes<'a> {
        let slow = self.split.is_none().then(|| {
            let mut slow = RawAttributes::new(self.content, self.name_length);
            // Its check for repeated names allocates; who reads the attributes sees repetition anyway.
            slow.with_checks(false);
            slow
        });
        let split = self.split.unwrap_or_default().iter();
        TagAttributes { content: self.content, split, slow, is_plain: self.is_plain }
    }

    /// Was there anything unusual about the tag, so that its attributes may be malformed?
    pub(crate) const fn may_be_malformed(&self) -> bool {
        self.split.is_none()
    }

    /// The line of the tag.
    pub fn line(&self) -> u64 {
        self.place.line()
    }
}

/// The attributes of a tag, in order.
#[derive(Debug)]
pub struct TagAttributes<'a> {
    content: &'a str,
    split: std::slice::Iter<'a, AttributeAt>,
    slow: Option<RawAttributes<'a>>,
    is_plain: bool,
}

impl<'a> Iterator for TagAttributes<'a> {
    type Item = Result<Attribute<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(slow) = &mut self.slow {
            return slow.next().map(|found| found.map_err(|error| error.to_string()).and_then(from_raw));
        }
        let at = self.split.next()?;
        let name = self.content.get(at.name.0..at.name.1).unwrap_or_default();
        let raw = self.content.get(at.value.0..at.value.1).unwrap_or_default();
        Some(Ok(Attribute { name, raw, is_plain: self.is_plain }))
    }
}

fn from_raw(found: RawAttribute<'_>) -> Result<Attribute<'_>, String> {
    match found.value {
        std::borrow::Cow::Borrowed(raw) => Ok(Attribute { name: found.key.0, raw, is_plain: false }),
        // It never is: nothing was decoded yet.
        std::borrow::Cow::Owned(_) => Err("attribute cannot be read".to_owned()),
    }
}

/// One attribute, borrowed from the window.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The name, with its prefix.
    pub name: &'a str,
    raw: &'a str,
    is_plain: bool,
}

impl<'a> Attribute<'a> {
    /// The value as written, references and all: for numbers and words, which have none.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Appends the value to `out`, which may grow to `limit` bytes. Line ends stay line ends: many tools
    /// write them raw, and a stack trace on one line would be a loss.
    pub fn append_to(&self, out: &mut String, limit: usize) -> Flaws {
        if self.is_plain && self.raw.len() <= limit.saturating_sub(out.len()) {
            out.push_str(self.raw);
            return Flaws::default();
        }
        append_decoded(self.raw, true, limit, out)
    }
}
