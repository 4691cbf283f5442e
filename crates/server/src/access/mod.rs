//! Who may do what: tokens, sessions of browsers, and the check every guarded route makes.
//!
//! ```text
//! Authorization: Bearer mano_…  ┐            ┌ hash unknown, expired or revoked → 401
//! Cookie: manometer_session=…   ┴─► SHA-256 ─┼ scope missing                    → 403
//! (nothing, door open)                       └ Caller: projects it may read and write
//! ```
//!
//! Tokens are 256 random bits, so a plain SHA-256 is enough at rest: there is nothing to guess from a word
//! list. They are found by their hash. The time that look-up takes depends on the hash alone, of which a
//! caller cannot choose even one byte without finding preimages; the final comparison is in constant time all
//! the same.
//!
//! **Invariant:** once a token exists the door is shut to callers without one, also after the last token was
//! revoked. No token and no session is ever stored or logged as it is.

mod caller;
mod database;
mod error;
mod scope;
mod scram;
mod secret;
mod token;

pub use caller::Caller;
pub(crate) use caller::{AdminCaller, IngestCaller, QueryCaller, session_of};
pub use database::{AccessDatabase, NewToken};
pub use error::AccessError;
pub use scope::{Scope, UnknownScope};
pub use secret::Secret;
pub use token::{TokenInfo, TokenState};

pub(crate) use database::SESSION_SECONDS;

/// The cookie a browser's session is kept in.
pub const SESSION_COOKIE: &str = "manometer_session";
