//! Why a whole input could not be read.

use std::io;

use crate::xml::XmlError;

/// Why nothing of an input could be used. What is wrong with a part of it is a
/// [`manometer_model::Problem`] instead.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input itself failed.
    #[error("failed to read the input: {0}")]
    Io(#[from] io::Error),
    /// Not one byte, or white space alone.
    #[error("the file is empty")]
    Empty,
    /// The content is of no format that is read.
    #[error("{found}; {expected}")]
    UnknownFormat {
        /// What was seen: `looks like HTML`.
        found: String,
        /// What would have been taken.
        expected: &'static str,
    },
    /// A tag that is longer than a reader may hold, before anything could be read.
    #[error("line {line}: a tag is longer than {limit} bytes (limit `tag_bytes`)")]
    TagTooLong {
        /// Line the tag begins on.
        line: u64,
        /// The limit.
        limit: usize,
    },
}

impl From<XmlError> for ReadError {
    fn from(error: XmlError) -> Self {
        match error {
            XmlError::Io(error) => Self::Io(error),
            XmlError::TagTooLong { line, limit } => Self::TagTooLong { line, limit },
        }
    }
}
