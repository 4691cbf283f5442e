//! The Postgres wire's door: who may come in by it, and what they look at.
//!
//! The same rules as at HTTP: on a loopback address everyone may, until a token was made; after that a token with the
//! scope `query`, which is the password, and its projects.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use manometer_query::wire::{Gate, Guest, Refusal, ScramParameters, TlsFiles};
use manometer_query::{Access, Source};

use crate::access::{AccessError, Scope};
use crate::state::App;

/// How the Postgres wire is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key; without them connections are not encrypted.
    pub tls: Option<TlsFiles>,
}

/// The door.
pub(crate) struct Door {
    app: App,
    is_loopback: bool,
}

impl Door {
    pub(crate) fn new(app: App, listen: SocketAddr) -> Arc<Self> {
        Arc::new(Self { app, is_loopback: listen.ip().is_loopback() })
    }
}

impl Gate for Door {
    fn source(&self) -> Arc<dyn Source> {
        self.app.source()
    }

    fn is_open(&self) -> Result<bool, Refusal> {
        Ok(self.is_loopback && !self.app.access.has_tokens().map_err(unavailable)?)
    }

    fn scram(&self) -> Result<ScramParameters, Refusal> {
        Ok(self.app.access.scram())
    }

    fn prove(&self, message: &[u8], proof: &[u8; 32]) -> Result<Guest, Refusal> {
        let now = self.app.clock.now();
        let Some((token, server_signature)) =
            self.app.access.prove(message, proof, now).map_err(unavailable)?
        else {
            let older = self.app.access.without_scram(now).map_err(unavailable)?;
            let hint = (!older.is_empty()).then(|| {
                "a token made by an older version works here once it was used over HTTP, or make a new one: \
                 manometer token create NAME --scope query"
                    .to_owned()
            });
            return Err(Refusal::WrongPassword { hint });
        };
        if !token.allows(Scope::Query) {
            return Err(Refusal::MissingScope);
        }
        Ok(Guest { token_id: token.id, token_name: token.name, server_signature })
    }

    fn access(&self, guest: Option<&Guest>) -> Result<Access, Refusal> {
        let Some(guest) = guest else {
            // A connection from before the first token goes the way of all that came without one.
            return if self.is_open()? { Ok(Access::All) } else { Err(Refusal::Ended) };
        };
        let token = self.app.access.valid(&guest.token_id, self.app.clock.now()).map_err(unavailable)?;
        let token = token.filter(|token| token.allows(Scope::Query)).ok_or(Refusal::Ended)?;
        Ok(token.projects.map_or(Access::All, Access::Projects))
    }

    fn queried(&self, elapsed: Duration) {
        self.app.telemetry.queried(elapsed);
    }
}

fn unavailable(error: AccessError) -> Refusal {
    tracing::error!(%error, "tokens cannot be checked");
    Refusal::Unavailable("see the server's log".to_owned())
}
