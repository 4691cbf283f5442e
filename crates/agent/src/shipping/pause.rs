//! How long a server that is away is left alone.
//!
//! Waiting for it costs each build time. So the pause after a failed attempt is ten times what the attempt took, with
//! jitter: a server that is away costs at most a tenth of anybody's time, and one that comes back is not met by
//! everybody at once. A pause the server itself asks for is kept.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::Spool;

const PAUSE_PER_ATTEMPT: f64 = 10.0;
const LONGEST_PAUSE_SECONDS: f64 = 600.0;

/// A pause as it lies in the spool.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pause {
    server: String,
    until: Timestamp,
    why: String,
}

impl Pause {
    /// Why `server` is not asked now; `None` when it may be.
    pub(super) fn in_force(spool: &Spool, server: &str, now: Timestamp) -> Option<String> {
        let text = fs::read(path(spool)).ok()?;
        let pause: Self = serde_json::from_slice(&text).ok()?;
        let left = pause.until.seconds_since(now);
        // A clock that was set back must not make a pause of years.
        let is_in_force = pause.server == server && left > 0.0 && left <= LONGEST_PAUSE_SECONDS;
        is_in_force.then_some(pause.why)
    }

    /// Leaves the server alone for a while after an attempt that took `spent`.
    pub(super) fn begin(
        spool: &Spool,
        server: &str,
        now: Timestamp,
        spent: Duration,
        asked_for: Option<Duration>,
        why: &str,
    ) {
        let own = spent.as_secs_f64() * PAUSE_PER_ATTEMPT * (0.5 + fastrand::f64());
        let asked = asked_for.map_or(0.0, |asked| asked.as_secs_f64() * (1.0 + fastrand::f64() / 4.0));
        let seconds = own.max(asked).min(LONGEST_PAUSE_SECONDS);
        let pause = Self { server: server.to_owned(), until: now.plus_seconds(seconds), why: why.to_owned() };
        let unfinished = spool.folder().join(format!("pause.{}.tmp", std::process::id()));
        // A pause that cannot be written is none: the next call asks the server again.
        if let Ok(text) = serde_json::to_vec(&pause)
            && fs::write(&unfinished, text).is_ok()
        {
            fs::rename(&unfinished, path(spool)).ok();
        }
    }

    /// The server has answered: no pause any more.
    pub(super) fn end(spool: &Spool) {
        fs::remove_file(path(spool)).ok();
    }
}

fn path(spool: &Spool) -> PathBuf {
    spool.folder().join("pause.json")
}
