//! One request to a server, as it lies in the spool: a line of JSON that says how to send it, then its body.

use std::io::{self, BufRead, Read as _};

use serde::{Deserialize, Serialize};

/// The form of spool files; a reader refuses those of a newer one.
const VERSION: u32 = 1;
/// Longest first line, in bytes.
const HEAD_BYTES: u64 = 64 * 1024;

/// One request, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    version: u32,
    /// Address of the server it is for.
    pub server: String,
    /// Path and query: `/api/v1/records`.
    pub path: String,
    /// `Idempotency-Key`.
    pub key: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `Content-Encoding`, if any.
    pub content_encoding: Option<String>,
    /// What is inside, for people.
    pub holds: String,
}

impl Shipment {
    /// A shipment for a server.
    pub fn new(server: &str, path: &str, key: String, content_type: &str, holds: String) -> Self {
        Self {
            version: VERSION,
            server: server.to_owned(),
            path: path.to_owned(),
            key,
            content_type: content_type.to_owned(),
            content_encoding: None,
            holds,
        }
    }

    /// The first line of its file.
    pub(super) fn head(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Reads the first line of a file; what follows is the body.
    ///
    /// # Errors
    /// When it is no shipment, or one of a newer form.
    pub(super) fn read(file: &mut impl BufRead) -> io::Result<Self> {
        let mut line = Vec::new();
        file.take(HEAD_BYTES).read_until(b'\n', &mut line)?;
        let shipment: Self = serde_json::from_slice(&line)?;
        if shipment.version > VERSION {
            return Err(io::Error::other("was written by a newer version of this program"));
        }
        Ok(shipment)
    }
}
