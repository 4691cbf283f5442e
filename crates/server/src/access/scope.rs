//! What a token may do.

use std::fmt;
use std::str::FromStr;

/// One permission of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Send reports and records.
    Ingest,
    /// Ask questions, see pages and metrics.
    Query,
    /// Everything, and looking after the server.
    Admin,
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a scope: use ingest, query or admin")]
pub struct UnknownScope {
    found: String,
}

impl Scope {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Ingest, Self::Query, Self::Admin];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Query => "query",
            Self::Admin => "admin",
        }
    }

    /// Does holding `self` allow what needs `needed`?
    pub fn allows(self, needed: Self) -> bool {
        self == needed || self == Self::Admin
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope { found: text.chars().take(32).collect() })
    }
}
