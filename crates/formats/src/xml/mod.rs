//! XML, streamed: the only place that touches quick-xml.
//!
//! quick-xml finds the ends of tags and splits attributes. What it leaves to its caller is here: one
//! window of bounded size in place of a buffer that grows with the longest token, a depth cap, encodings,
//! and leniency towards what report writers really produce.
//!
//! ```text
//! bytes ──► Source (encoding → UTF-8) ──► Window (64 KiB, grows to tag_bytes for one tag) ──► Event
//!                                                         text is handed on in pieces
//! ```
//!
//! **Invariant:** memory is bounded by the limits whatever the input is; nothing recurses; no entity is
//! ever expanded but the five predefined ones and numbers; a document type declaration is skipped unread.

mod doctype;
mod encoding;
mod event;
mod scan;
mod tag;
mod text;
mod walk;
mod window;

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use quick_xml::parser::{ElementParser, Parser as _};
use xxhash_rust::xxh3::xxh3_64;

use doctype::DoctypeEnd;
pub(crate) use doctype::end_of_declaration;
pub(crate) use encoding::{Source, decode_start};
pub use event::{Event, Text, XmlError};
use scan::{AttributeAt, Scan, Scanned};
pub use tag::{Attribute, Tag, TagAttributes};
pub use text::Flaws;
pub(crate) use text::decode_leniently;
pub(crate) use walk::{Ending, Walk, walk};
pub use window::Place;
use window::{Fill, TEXT_PIECE, Window};

/// Where in the document reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Content,
    CharacterData,
}

/// A streaming reader of one XML document, or of several in a row.
#[derive(Debug)]
pub struct Reader<'r> {
    window: Window<'r>,
    mode: Mode,
    /// Hashes of the names of open elements.
    open: Vec<u64>,
    /// Open elements that are deeper than allowed.
    too_deep: u64,
    /// Ends still to be given, because an outer element ended first.
    ends_due: usize,
    /// Attributes of the tag consumed last, where the quick scan found them.
    attributes: Vec<AttributeAt>,
    /// The tag consumed last, where it was not UTF-8.
    decoded: String,
    told_not_utf8: bool,
    seen_markup: bool,
    deepest: usize,
    tag_bytes: usize,
}

/// A token found in the window.
enum Token {
    StartTag { range: std::ops::Range<usize>, name_length: usize, is_empty: bool, is_split: bool },
    EndTag { name: std::ops::Range<usize> },
    Text { range: std::ops::Range<usize>, references: bool },
    Nothing,
    Eof { is_truncated: bool },
}

impl<'r> Reader<'r> {
    /// Looks at the first bytes to find the encoding; `problems` gets what was wrong with that.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn new(
        input: &'r mut dyn BufRead,
        limits: &Limits,
        problems: &mut Problems,
    ) -> Result<Self, XmlError> {
        let (source, finding) = Source::new(input)?;
        if let Some(message) = finding.problem {
            problems.push(Problem::new(message).at_line(1).in_field("encoding"));
        }
        Ok(Self {
            window: Window::new(source, limits.tag_bytes),
            mode: Mode::Content,
            open: Vec::with_capacity(limits.nesting),
            too_deep: 0,
            ends_due: 0,
            attributes: Vec::new(),
            decoded: String::new(),
            told_not_utf8: false,
            seen_markup: false,
            deepest: limits.nesting,
            tag_bytes: limits.tag_bytes,
        })
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The line reading has come to.
    pub fn line(&self) -> u64 {
        self.window.line()
    }

    /// The next event. What is wrong but can be lived with goes to `problems`.
    ///
    /// # Errors
    /// When the input fails or one tag is longer than [`Limits::tag_bytes`].
    pub fn next(&mut self, problems: &mut Problems) -> Result<Event<'_>, XmlError> {
        loop {
            if self.ends_due > 0 {
                self.ends_due -= 1;
                self.open.pop();
                return Ok(Event::End);
            }
            match self.token(problems)? {
                Token::Nothing => {}
                Token::StartTag { range, name_length, is_empty, is_split } => {
                    if self.too_deep > 0 || self.open.len() >= self.deepest {
                        self.skip_deep_element(range.start, is_empty, problems);
                        continue;
                    }
                    if !is_empty {
                        let name = self.window.slice(range.start..range.start + name_length);
                        self.open.push(xxh3_64(name));
                    }
                    let place = self.window.place_of(range.start);
                    let bytes = self.window.slice(range);
                    if let Ok(content) = std::str::from_utf8(bytes) {
                        let split = is_split.then_some(self.attributes.as_slice());
                        return Ok(Event::Start(Tag::new(content, name_length, split, is_empty, place)));
                    }
                    if !self.told_not_utf8 {
                        self.told_not_utf8 = true;
                        problems.push(
                            Problem::new(
                                "bytes that are not UTF-8 (and perhaps more later), read as windows-1252",
                            )
                            .at_line(place.line())
                            .in_field("encoding"),
                        );
                    }
                    self.decoded.clear();
                    text::decode_leniently(bytes, &mut self.decoded);
                    let name_length = end_of_name(self.decoded.as_bytes());
                    return Ok(Event::Start(Tag::new(&self.decoded, name_length, None, is_empty, place)));
                }
                Token::EndTag { name } => self.close(name, problems),
                Token::Text { range, references } => {
                    if self.too_deep > 0 {
                        continue;
                    }
                    let place = self.window.place_of(range.start);
                    return Ok(Event::Text(Text { raw: self.window.slice(range), references, place }));
                }
                Token::Eof { is_truncated } => {
                    if self.window.met_undecodable() && !self.told_not_utf8 {
                        self.told_not_utf8 = true;
                        problems.push(
                            Problem::new(
                                "some bytes do not exist in the declared encoding; each stands as U+FFFD",
                            )
                            .in_field("encoding"),
                        );
                    }
                    let is_truncated = is_truncated || self.too_deep > 0 || !self.open.is_empty();
                    return Ok(Event::Eof { is_truncated, is_plain_text: !self.seen_markup });
                }
            }
        }
    }

    /// Consumes one token. Its bytes stay in the window until the next call.
    fn token(&mut self, problems: &mut Problems) -> Result<Token, XmlError> {
        self.window.begin_token();
        if self.mode == Mode::CharacterData {
            return self.character_data();
        }
        if self.window.unread().first() != Some(&b'<') {
            return self.text();
        }
        self.seen_markup = true;
        // Longest opening that has to be told apart: `<![CDATA[`.
        const CDATA: &[u8] = b"<![CDATA[";
        while self.window.unread().len() < CDATA.len() && self.window.fill()? == Fill::More {}
        let unread = self.window.unread();
        match unread.get(1) {
            Some(b'?') => self.skip_past(b"?>", 2),
            Some(b'!') if unread.starts_with(CDATA) => {
                self.window.consume(CDATA.len());
                self.mode = Mode::CharacterData;
                Ok(Token::Nothing)
            }
            Some(b'!') if unread.starts_with(b"<!--") => self.skip_past(b"-->", 4),
            Some(b'!') => self.skip_declaration(problems),
            Some(b'/') => {
                let length = self.find_end_of_tag(2)?;
                let Some(length) = length else { return self.truncated() };
                let name = self.window.at(2, length - 3);
                self.window.consume(length);
                Ok(Token::EndTag { name })
            }
            Some(byte) if is_name_start(*byte) => {
                if let Some(scanned) = self.scan_start_tag()? {
                    let Scanned { length, name_length, is_empty } = scanned;
                    let range = self.window.at(1, length - 2 - usize::from(is_empty));
                    self.window.consume(length);
                    return Ok(Token::StartTag { range, name_length, is_empty, is_split: true });
                }
                let Some(length) = self.find_end_of_tag(1)? else { return self.truncated() };
                let is_empty = length > 2 && self.window.unread().get(length - 2) == Some(&b'/');
                let range = self.window.at(1, length - 2 - usize::from(is_empty));
                self.window.consume(length);
                let name_length = end_of_name(self.window.slice(range.clone()));
                Ok(Token::StartTag { range, name_length, is_empty, is_split: false })
            }
            Some(_) => {
                problems.push_with(|| {
                    Problem::new("`<` that begins no tag, taken as text: write it as &lt;")
                        .at_line(self.window.line())
                });
                let range = self.window.at(0, 1);
                self.window.consume(1);
                Ok(Token::Text { range, references: false })
            }
            None => self.truncated(),
        }
    }

    /// The start tag at the start of the window, if it is entirely usual.
    fn scan_start_tag(&mut self) -> Result<Option<Scanned>, XmlError> {
        let mut wanted = 0;
        let mut has_ended = false;
        loop {
            let available = self.window.unread().len();
            if available >= wanted || has_ended {
                match scan::start_tag(self.window.unread(), &mut self.attributes) {
                    Scan::Tag(scanned) => {
                        self.check_length(scanned.length)?;
                        return Ok(Some(scanned));
                    }
                    Scan::NeedsMore if !has_ended => self.check_length(available)?,
                    Scan::NeedsMore | Scan::Unusual => return Ok(None),
                }
                // Each try looks at twice as much, so that a long tag that comes in small pieces costs no
                // more than two looks at it.
                wanted = (available * 2).min(self.tag_bytes + 1);
            }
            has_ended = self.window.fill()? != Fill::More;
        }
    }

    /// Length of the tag at the start of the window, `>` included; `None` when the input ends first.
    fn find_end_of_tag(&mut self, mut scanned: usize) -> Result<Option<usize>, XmlError> {
        let mut parser = ElementParser::default();
        loop {
            let unread = self.window.unread();
            if let Some(end) = parser.feed(unread.get(scanned..).unwrap_or_default()) {
                self.check_length(scanned + end + 1)?;
                return Ok(Some(scanned + end + 1));
            }
            scanned = unread.len();
            self.check_length(scanned)?;
            if self.window.fill()? != Fill::More {
                return Ok(None);
            }
        }
    }

    /// A tag of `length` bytes, or of more, must not be longer than allowed.
    fn check_length(&self, length: usize) -> Result<(), XmlError> {
        if length > self.tag_bytes {
            return Err(XmlError::TagTooLong { line: self.window.line(), limit: self.tag_bytes });
        }
        Ok(())
    }

    fn text(&mut self) -> Result<Token, XmlError> {
        let mut scanned = 0;
        loop {
            let unread = self.window.unread();
            let piece = unread.get(..TEXT_PIECE).unwrap_or(unread);
            if let Some(end) = memchr::memchr(b'<', piece.get(scanned..).unwrap_or_default()) {
                return Ok(self.take_text(scanned + end, true));
            }
            scanned = piece.len();
            if scanned == TEXT_PIECE {
                let held_back = text::unfinished_bytes(piece, true);
                return Ok(self.take_text(scanned - held_back, true));
            }
            if self.window.fill()? != Fill::More {
                if scanned == 0 {
                    return Ok(Token::Eof { is_truncated: false });
                }
                return Ok(self.take_text(scanned, true));
            }
        }
    }

    fn character_data(&mut self) -> Result<Token, XmlError> {
        const END: &[u8] = b"]]>";
        loop {
            let unread = self.window.unread();
            let piece = unread.get(..TEXT_PIECE).unwrap_or(unread);
            if let Some(end) = memchr::memmem::find(piece, END) {
                let token = self.take_text(end, false);
                self.window.consume(END.len());
                self.mode = Mode::Content;
                return Ok(token);
            }
            if piece.len() == TEXT_PIECE {
                // The last bytes may be the beginning of `]]>`.
                let whole = piece.get(..TEXT_PIECE - (END.len() - 1)).unwrap_or_default();
                let length = whole.len() - text::unfinished_bytes(whole, false);
                return Ok(self.take_text(length, false));
            }
            if self.window.fill()? != Fill::More {
                return self.truncated();
            }
        }
    }

    fn take_text(&mut self, length: usize, references: bool) -> Token {
        let range = self.window.at(0, length);
        self.window.consume(length);
        Token::Text { range, references }
    }

    /// Skips a comment or processing instruction of any length without keeping it.
    fn skip_past(&mut self, terminator: &[u8], opening: usize) -> Result<Token, XmlError> {
        self.window.consume(opening);
        loop {
            let unread = self.window.unread();
            if let Some(end) = memchr::memmem::find(unread, terminator) {
                self.window.consume(end + terminator.len());
                return Ok(Token::Nothing);
            }
            let done = unread.len().saturating_sub(terminator.len() - 1);
            self.window.consume(done);
            if self.window.fill()? != Fill::More {
                return self.truncated();
            }
        }
    }

    /// Skips `<!DOCTYPE …>` with its internal subset, reading nothing out of it. One that only names where its
    /// declarations are to be fetched, as coverage reports do, loses nothing by that.
    fn skip_declaration(&mut self, problems: &mut Problems) -> Result<Token, XmlError> {
        let line = self.window.line();
        self.window.consume(2);
        let mut end = DoctypeEnd::default();
        let mut was_told = false;
        loop {
            let unread = self.window.unread();
            let available = unread.len();
            let length = end.feed(unread);
            if end.has_subset && !was_told {
                was_told = true;
                problems.push_with(|| {
                    Problem::new("document type declaration skipped: entities it declares are not expanded")
                        .at_line(line)
                });
            }
            if let Some(length) = length {
                self.window.consume(length);
                return Ok(Token::Nothing);
            }
            self.window.consume(available);
            if self.window.fill()? != Fill::More {
                return self.truncated();
            }
        }
    }

    fn truncated(&mut self) -> Result<Token, XmlError> {
        let rest = self.window.unread().len();
        self.window.consume(rest);
        self.mode = Mode::Content;
        Ok(Token::Eof { is_truncated: true })
    }

    fn skip_deep_element(&mut self, at: usize, is_empty: bool, problems: &mut Problems) {
        if self.too_deep == 0 {
            let line = self.window.place_of(at).line();
            let deepest = self.deepest;
            problems.push_with(|| {
                Problem::new(format!("element deeper than {deepest} levels, left out with all it holds"))
                    .at_line(line)
            });
        }
        if !is_empty {
            self.too_deep += 1;
        }
    }

    fn close(&mut self, name: std::ops::Range<usize>, problems: &mut Problems) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let written = self.window.slice(name.clone()).trim_ascii();
        let hash = xxh3_64(written);
        match self.open.iter().rev().position(|open| *open == hash) {
            Some(0) => self.ends_due = 1,
            Some(outer) => {
                problems.push_with(|| {
                    let message = format!("</{}> closes {outer} open elements too", shown(written));
                    Problem::new(message).at_line(self.window.place_of(name.start).line())
                });
                self.ends_due = outer + 1;
            }
            None => problems.push_with(|| {
                let message = format!("</{}> closes nothing, ignored", shown(written));
                Problem::new(message).at_line(self.window.place_of(name.start).line())
            }),
        }
    }
}

fn end_of_name(content: &[u8]) -> usize {
    content.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/').unwrap_or(content.len())
}

const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name.get(..64).unwrap_or(name)).into_owned()
}
