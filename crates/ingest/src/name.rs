//! A text that names something: checked once, trusted from there on.

use std::fmt;

/// A name: not empty, at most as long as allowed, without control characters, trimmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or white space alone.
    #[error("is empty")]
    Empty,
    /// Longer than allowed.
    #[error("is {found} bytes long, at most {limit} are taken (limit `name_bytes`)")]
    TooLong {
        /// Its length.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A line break, a tab, a zero byte or the like.
    #[error("holds the control character {found:?}")]
    ControlCharacter {
        /// The character.
        found: char,
    },
}

impl Name {
    /// Checks a text of at most `most_bytes`.
    ///
    /// # Errors
    /// When it is empty, too long or holds control characters.
    pub fn parse(text: &str, most_bytes: usize) -> Result<Self, NameError> {
        let trimmed = text.trim_matches(' ');
        if trimmed.is_empty() {
            return Err(NameError::Empty);
        }
        if trimmed.len() > most_bytes {
            return Err(NameError::TooLong { found: trimmed.len(), limit: most_bytes });
        }
        match trimmed.chars().find(|letter| letter.is_control()) {
            Some(found) => Err(NameError::ControlCharacter { found }),
            None => Ok(Self(trimmed.to_owned())),
        }
    }

    /// A name the program itself gives.
    pub(crate) fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The run of an upload that names none: `upload-` and 12 hexadecimal digits of its content's hash.
    pub(crate) fn of_upload(content_hash: u128) -> Self {
        Self(format!("upload-{:012x}", content_hash >> 80))
    }

    /// The part after the last `/`, or all of it.
    pub(crate) fn last_segment(&self) -> Self {
        let segment = self.0.trim_end_matches('/').rsplit('/').next().filter(|segment| !segment.is_empty());
        segment.map_or_else(|| self.clone(), |text| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
