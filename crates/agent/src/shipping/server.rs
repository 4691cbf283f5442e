//! The server that shipments are for.

use std::fmt;

/// A Manometer server and the token it is spoken to with.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Address without a slash at its end: `https://manometer.example.com`.
    pub address: String,
    /// Token with the scope `ingest`.
    pub token: Option<String>,
}

impl Server {
    /// The server at an address.
    ///
    /// # Errors
    /// When it is no http address; a sentence for people.
    pub fn new(address: &str, token: Option<String>) -> Result<Self, String> {
        let address = address.trim().trim_end_matches('/');
        let has_host = ["http://", "https://"].iter().any(|scheme| {
            address.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        });
        if !has_host || address.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err(format!("`{address}` is not an address such as https://manometer.example.com"));
        }
        Ok(Self { address: address.to_owned(), token: token.filter(|token| !token.is_empty()) })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.token.is_some() { "set" } else { "none" };
        write!(formatter, "Server({}, token {token})", self.address)
    }
}
