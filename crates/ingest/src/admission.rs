//! Who sends, and what that sender may write.

use std::collections::BTreeSet;

use manometer_store::DeliveryKey;

use crate::error::IngestError;
use crate::name::Name;

/// The sender of one delivery, as the door found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Whose idempotency keys these are: the id of a token, or `open`. Two senders never meet in one key.
    pub sender: String,
    /// The projects it may write to; `None` is all of them.
    pub projects: Option<BTreeSet<String>>,
    /// The key it gave this delivery.
    pub idempotency_key: Option<Name>,
}

impl Admission {
    /// A sender that may write everything: the command line on its own data folder, or an open loopback door.
    pub fn open() -> Self {
        Self { sender: "open".to_owned(), projects: None, idempotency_key: None }
    }

    /// May it write rows of this project? A row without one takes a sender that is not limited to some.
    ///
    /// # Errors
    /// Names the project that is not among its own.
    pub fn check_project(&self, project: Option<&str>) -> Result<(), IngestError> {
        let Some(allowed) = &self.projects else { return Ok(()) };
        match project {
            Some(name) if allowed.contains(name) => Ok(()),
            other => Err(IngestError::ForbiddenProject { project: other.map(str::to_owned) }),
        }
    }

    /// What makes a repetition of this delivery known: the sender's key, else the content.
    pub(crate) fn delivery_key(&self, content_hash: u128) -> DeliveryKey {
        match &self.idempotency_key {
            Some(key) => DeliveryKey {
                scope: format!("idempotency-key:{}", self.sender),
                key: key.as_str().to_owned(),
            },
            None => DeliveryKey { scope: "content".to_owned(), key: format!("{content_hash:032x}") },
        }
    }
}
