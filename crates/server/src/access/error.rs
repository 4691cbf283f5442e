//! What can go wrong with the file of tokens.

use std::path::PathBuf;

/// Why tokens could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file could not be made.
    #[error("failed to open the tokens: {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite failed.
    #[error("failed to {doing} the tokens: {source}")]
    Sqlite {
        /// What was tried.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A newer program wrote the file.
    #[error("{} has version {found}, this program knows {supported}: use the newer program", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Version found.
        found: i64,
        /// Version known.
        supported: i64,
    },
    /// A row of the file is damaged.
    #[error("the token {id} cannot be read: {what}")]
    Damaged {
        /// Its id.
        id: String,
        /// What is wrong.
        what: String,
    },
    /// No token of that id.
    #[error("there is no token {id}: `manometer token list` shows them")]
    Unknown {
        /// The id asked for.
        id: String,
    },
    /// A token that could do nothing.
    #[error("a token needs at least one scope: ingest, query or admin")]
    NoScope,
    /// A token limited to no project at all.
    #[error("a token limited to projects needs at least one")]
    NoProject,
    /// The operating system gave no random bytes.
    #[error("failed to make a token: no random bytes: {why}")]
    Random {
        /// What the system said.
        why: String,
    },
}
