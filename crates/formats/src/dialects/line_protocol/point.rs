//! One line as a point.

use std::borrow::Cow;

/// A point: what one line says.
#[derive(Debug, Clone, PartialEq)]
pub struct Point<'a> {
    /// What was measured.
    pub measurement: Cow<'a, str>,
    /// Tags in the order they stand.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Fields in the order they stand; at least one.
    pub fields: Vec<(Cow<'a, str>, FieldValue<'a>)>,
    /// When, in units of the request's precision.
    pub timestamp: Option<i64>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue<'a> {
    /// `1.5`
    Float(f64),
    /// `2i`
    Int(i64),
    /// `2u`
    Unsigned(u64),
    /// `t`, `true`, …
    Bool(bool),
    /// `"words"`
    Text(Cow<'a, str>),
}

/// Why a line is no point, in the words InfluxDB has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Nothing before the first comma or space.
    #[error("missing measurement")]
    MissingMeasurement,
    /// A comma with no tag behind it, or a tag without a name.
    #[error("missing tag key")]
    MissingTagKey,
    /// A tag without a value.
    #[error("missing tag value")]
    MissingTagValue,
    /// One tag twice.
    #[error("duplicate tags")]
    DuplicateTags,
    /// No fields.
    #[error("missing fields")]
    MissingFields,
    /// A field without a name.
    #[error("missing field key")]
    MissingFieldKey,
    /// A field without a value.
    #[error("missing field value")]
    MissingFieldValue,
    /// A text without its closing quote, or with something behind it.
    #[error("unbalanced quotes")]
    UnbalancedQuotes,
    /// A value of none of the five types.
    #[error("invalid field format: write a number, 1i, 1u, true, false or \"text\"")]
    InvalidField,
    /// A whole number that does not fit, or a number that is none.
    #[error("invalid number: it does not fit its type")]
    InvalidNumber,
    /// What stands behind the fields is no whole number, or past what a time can hold.
    #[error("bad timestamp: write a whole number in the precision of the request")]
    BadTimestamp,
}

impl<'a> Point<'a> {
    /// Reads a line without its end.
    ///
    /// # Errors
    /// Says what is wrong with the line.
    pub fn parse(line: &'a str) -> Result<Self, PointError> {
        let (measurement, mut rest) = until(line, b", ");
        if measurement.is_empty() {
            return Err(PointError::MissingMeasurement);
        }
        let mut tags: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        while let Some(after) = rest.strip_prefix(',') {
            let (tag, after) = tag(after)?;
            if tags.iter().any(|(known, _)| *known == tag.0) {
                return Err(PointError::DuplicateTags);
            }
            tags.push(tag);
            rest = after;
        }
        let mut rest = rest.trim_start_matches(' ');
        let mut fields = Vec::new();
        loop {
            if rest.is_empty() {
                return Err(if fields.is_empty() {
                    PointError::MissingFields
                } else {
                    PointError::MissingFieldKey
                });
            }
            let (field, after) = field(rest)?;
            fields.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    rest = after;
                    break;
                }
            }
        }
        let timestamp = match rest.trim() {
            "" => None,
            digits => Some(digits.parse().map_err(|_| PointError::BadTimestamp)?),
        };
        Ok(Self { measurement: unescaped(measurement, b", "), tags, fields, timestamp })
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_ref())
    }

    /// The value of a field; the last where it stands twice.
    pub fn field(&self, key: &str) -> Option<&FieldValue<'a>> {
        self.fields.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value)
    }
}

impl FieldValue<'_> {
    /// The value as a number, where it is one: true is 1.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Int(number) => Some(*number as f64),
            Self::Unsigned(number) => Some(*number as f64),
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Text(_) => None,
        }
    }

    /// The value as text, where it is that.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

const KEY_SPECIALS: &[u8] = b",= ";

type Tag<'a> = (Cow<'a, str>, Cow<'a, str>);

fn tag(text: &str) -> Result<(Tag<'_>, &str), PointError> {
    let (key, rest) = until(text, KEY_SPECIALS);
    let Some(rest) = rest.strip_prefix('=') else {
        return Err(if key.is_empty() { PointError::MissingTagKey } else { PointError::MissingTagValue });
    };
    if key.is_empty() {
        return Err(PointError::MissingTagKey);
    }
    // InfluxDB takes an equals sign inside a value too, although its documentation wants it escaped.
    let (value, rest) = until(rest, b", ");
    if value.is_empty() {
        return Err(PointError::MissingTagValue);
    }
    Ok(((unescaped(key, KEY_SPECIALS), unescaped(value, KEY_SPECIALS)), rest))
}

type Field<'a> = (Cow<'a, str>, FieldValue<'a>);

fn field(text: &str) -> Result<(Field<'_>, &str), PointError> {
    let (key, rest) = until(text, KEY_SPECIALS);
    let Some(rest) = rest.strip_prefix('=') else {
        return Err(if key.is_empty() { PointError::MissingFieldKey } else { PointError::MissingFieldValue });
    };
    if key.is_empty() {
        return Err(PointError::MissingFieldKey);
    }
    let key = unescaped(key, KEY_SPECIALS);
    if let Some(words) = rest.strip_prefix('"') {
        let (words, after) = quoted(words)?;
        if !(after.is_empty() || after.starts_with([',', ' '])) {
            return Err(PointError::UnbalancedQuotes);
        }
        return Ok(((key, FieldValue::Text(words)), after));
    }
    let end = rest.find([',', ' ']).unwrap_or(rest.len());
    let (value, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    Ok(((key, value_of(value)?), after))
}

fn value_of(text: &str) -> Result<FieldValue<'static>, PointError> {
    match text {
        "" => return Err(PointError::MissingFieldValue),
        "t" | "T" | "true" | "True" | "TRUE" => return Ok(FieldValue::Bool(true)),
        "f" | "F" | "false" | "False" | "FALSE" => return Ok(FieldValue::Bool(false)),
        _ => {}
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eEiu".contains(&byte)) {
        return Err(PointError::InvalidField);
    }
    let value = if let Some(digits) = text.strip_suffix('i') {
        digits.parse().map(FieldValue::Int).ok()
    } else if let Some(digits) = text.strip_suffix('u') {
        digits.parse().map(FieldValue::Unsigned).ok()
    } else {
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(FieldValue::Float)
    };
    value.ok_or(PointError::InvalidNumber)
}

/// A text up to its closing quote, and what follows that.
fn quoted(text: &str) -> Result<(Cow<'_, str>, &str), PointError> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => {
                let (words, rest) = text.split_at_checked(at).ok_or(PointError::UnbalancedQuotes)?;
                let after = rest.strip_prefix('"').unwrap_or(rest);
                return Ok((unescaped(words, b"\"\\"), after));
            }
            _ => at += 1,
        }
    }
    Err(PointError::UnbalancedQuotes)
}

/// What stands before the first of `ends` that is not escaped, and the rest from there.
fn until<'a>(text: &'a str, ends: &[u8]) -> (&'a str, &'a str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' && bytes.get(at + 1).is_some_and(|next| KEY_SPECIALS.contains(next)) {
            at += 2;
        } else if ends.contains(byte) {
            break;
        } else {
            at += 1;
        }
    }
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Takes the backslash away where it stands before one of `specials`; elsewhere it is itself.
fn unescaped<'a>(text: &'a str, specials: &[u8]) -> Cow<'a, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let is_special = |letter: char| u8::try_from(letter).is_ok_and(|byte| specials.contains(&byte));
    let mut written = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.next_if(|next| letter == '\\' && is_special(*next)) {
            Some(special) => written.push(special),
            None => written.push(letter),
        }
    }
    Cow::Owned(written)
}
