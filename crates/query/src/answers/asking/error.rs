//! Why a question has no answer.

use crate::QueryError;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnswerError {
    /// A parameter is unknown, missing, or has a value it does not take.
    #[error("{message}")]
    Asked {
        /// Which, and what it takes.
        message: String,
    },
    /// What the question names is not known.
    #[error("{message}")]
    NotFound {
        /// What is not known, and what is near it.
        message: String,
    },
    /// A query of the answer failed.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl AnswerError {
    /// Asked wrongly.
    pub(in crate::answers) fn asked(message: impl Into<String>) -> Self {
        Self::Asked { message: message.into() }
    }

    /// Not known.
    pub(in crate::answers) fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound { message: message.into() }
    }

    /// A fixed word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "parameter",
            Self::NotFound { .. } => "not_found",
            Self::Query(error) => error.code(),
        }
    }
}
