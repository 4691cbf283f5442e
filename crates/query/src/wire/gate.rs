//! What the wire asks of the server around it: who may come in, and what they look at.

use std::sync::Arc;
use std::time::Duration;

use crate::{Access, Source};

/// The server around the wire. Calls are quick; they are made on the connection's task.
pub trait Gate: Send + Sync + 'static {
    /// Everything committed up to now.
    fn source(&self) -> Arc<dyn Source>;

    /// Does everyone come in without a password? Asked anew for each connection.
    ///
    /// # Errors
    /// When the tokens cannot be read.
    fn is_open(&self) -> Result<bool, Refusal>;

    /// Salt and iterations of SCRAM-SHA-256, the same for every token, so that the user name may be any.
    ///
    /// # Errors
    /// When the tokens cannot be read.
    fn scram(&self) -> Result<ScramParameters, Refusal>;

    /// Whose proof this is. `message` is the `AuthMessage` of RFC 5802, `proof` the `ClientProof`.
    ///
    /// # Errors
    /// When it is nobody's, or of a token that may not ask questions.
    fn prove(&self, message: &[u8], proof: &[u8; 32]) -> Result<Guest, Refusal>;

    /// What a guest may see now: tokens end and are taken back while connections last.
    ///
    /// # Errors
    /// When its token is no longer valid.
    fn access(&self, guest: Option<&Guest>) -> Result<Access, Refusal>;

    /// A query ended after this time, however it ended.
    fn queried(&self, elapsed: Duration);
}

/// Salt and iterations of SCRAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramParameters {
    /// Random bytes, the same for as long as the tokens live.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub iterations: u32,
}

/// One who proved to hold a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The public identity of the token.
    pub token_id: String,
    /// What the token is called.
    pub token_name: String,
    /// `ServerSignature` of RFC 5802: proof to the client that the server knows the token too.
    pub server_signature: [u8; 32],
}

/// Why someone is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The password is no token.
    #[error("password authentication failed: the password is an access token with the scope `query`")]
    WrongPassword {
        /// What may be the reason.
        hint: Option<String>,
    },
    /// The token may not ask questions.
    #[error("the token lacks the scope `query`")]
    MissingScope,
    /// The token of this connection was taken back, or its time is over.
    #[error("the token of this connection is no longer valid")]
    Ended,
    /// The tokens cannot be read.
    #[error("tokens cannot be checked: {0}")]
    Unavailable(String),
}
