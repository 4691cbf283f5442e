//! Doors for senders that were made for other systems: InfluxDB, Prometheus remote-write, StatsD.
//!
//! They speak as their senders expect it: paths, credentials, statuses and the bodies of refusals are those of the
//! system whose place Manometer takes. What they bring goes the way of every delivery.

mod credentials;
pub(crate) mod influxdb;
mod refusal;
pub(crate) mod remote_write;
pub(crate) mod statsd;

use manometer_ingest::Prepared;
use manometer_store::Outcome;

use crate::error::ApiError;
use crate::state::App;

/// Commits what was read, if anything, and waits until it is on disk. That it was there before is as good.
async fn commit(app: &App, prepared: Option<Prepared>, sent_bytes: u64) -> Result<(), ApiError> {
    if let Some(Prepared::Fresh(fresh)) = prepared
        && let Outcome::Committed(receipt) = app.store.submit(fresh.delivery)?.await?
    {
        app.telemetry.committed(receipt.rows.iter(), sent_bytes);
    }
    Ok(())
}
