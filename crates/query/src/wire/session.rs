//! What functions of SQL may know of a client's session.

use std::collections::BTreeMap;

/// The session a query is asked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientSession {
    /// The user name it gave.
    pub(crate) user: String,
    /// Its number.
    pub(crate) process: i32,
    /// Its settings.
    pub(crate) settings: BTreeMap<String, String>,
}
