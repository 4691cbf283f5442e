//! What the catalog sheds: deliveries too old to be sent or read again, and pages nobody uses any more.
//!
//! Both in bounded steps, each a transaction of its own, so that no delivery waits long behind them.

use manometer_model::Timestamp;

use crate::catalog::{fact_keys, ledger, pages, raw};
use crate::error::StoreError;
use crate::inner::Inner;
use crate::memory::Change;

/// Rows of each kind forgotten in one step.
const FORGOTTEN_AT_ONCE: usize = 5_000;

/// Free space `meta.db` keeps for the journal to grow into again.
const KEPT_FREE_BYTES: u64 = 16 << 20;

/// Space given back to the disk in one step.
const GIVEN_BACK_AT_ONCE: u64 = 16 << 20;

/// Forgets some of what is older than its limit: deliveries that are not permanent and natural keys
/// (`delivery_days`), deliveries as they came (`raw_days`). True when there may be more.
pub(crate) fn forget_what_is_old(inner: &Inner) -> Result<bool, StoreError> {
    let limits = &inner.options.limits;
    let now = inner.options.clock.now();
    let (old, old_raw) = (days_before(now, limits.delivery_days), days_before(now, limits.raw_days));
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let any = inner.reader.with(|connection| {
        Ok(ledger::AGED.any_before(connection, old)?
            || fact_keys::AGED.any_before(connection, old)?
            || raw::AGED.any_before(connection, old_raw)?)
    });
    if !any.map_err(|source| StoreError::Sqlite { doing: "look for what is old", source })? {
        return Ok(false);
    }
    let forgotten = inner.commit_durable(|connection| {
        let deliveries = ledger::AGED.forget_before(connection, old, FORGOTTEN_AT_ONCE)?;
        let keys = fact_keys::AGED.forget_before(connection, old, FORGOTTEN_AT_ONCE)?;
        let raw = raw::AGED.forget_before(connection, old_raw, FORGOTTEN_AT_ONCE)?;
        Ok((deliveries.max(keys).max(raw), Change::default()))
    });
    drop(turn);
    forgotten.map(|most| most == FORGOTTEN_AT_ONCE).map_err(|error| error.into_store_error(inner))
}

fn days_before(now: Timestamp, days: u64) -> Timestamp {
    let micros = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(24 * 60 * 60 * 1_000_000);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}

/// Gives some of the free space inside `meta.db` back to the disk. True when there is more. The file becomes shorter
/// when the write-ahead log is moved into it next.
pub(crate) fn give_back_space(inner: &Inner) -> Result<bool, StoreError> {
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let free_bytes = inner
        .reader
        .with(pages::free_bytes_to_give_back)
        .map_err(|source| StoreError::Sqlite { doing: "look for free pages", source })?;
    let spare = free_bytes.saturating_sub(KEPT_FREE_BYTES);
    if spare == 0 {
        return Ok(false);
    }
    let given = inner.commit_durable(|connection| {
        pages::give_back(connection, spare.min(GIVEN_BACK_AT_ONCE))?;
        Ok(((), Change::default()))
    });
    drop(turn);
    given.map(|()| spare > GIVEN_BACK_AT_ONCE).map_err(|error| error.into_store_error(inner))
}
