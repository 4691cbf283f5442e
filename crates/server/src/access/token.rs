//! A token as it is kept: everything but the token.

use std::collections::BTreeSet;

use manometer_model::Timestamp;

use super::scope::Scope;

/// What is known of a token. The token itself was shown once and is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// Public identity, for lists and for revoking: `tok_` and 12 hexadecimal digits.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The projects it is limited to; `None` is all of them.
    pub projects: Option<BTreeSet<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to about ten minutes.
    pub last_used_at: Option<Timestamp>,
}

/// Is a token of use?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// Yes.
    Valid,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl TokenInfo {
    /// Is it of use at `now`?
    pub fn state(&self, now: Timestamp) -> TokenState {
        if self.revoked_at.is_some() {
            TokenState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            TokenState::Expired
        } else {
            TokenState::Valid
        }
    }

    /// May it do what needs `needed`?
    pub fn allows(&self, needed: Scope) -> bool {
        self.scopes.iter().any(|scope| scope.allows(needed))
    }
}
