//! What the catalog sheds: deliveries too old to be sent again, and pages nobody uses any more.
//!
//! Both in bounded steps, each a transaction of its own, so that no delivery waits long behind them.

use manometer_model::Timestamp;

use crate::catalog::{ledger, pages};
use crate::error::StoreError;
use crate::inner::Inner;
use crate::memory::Change;

/// Ledger entries forgotten in one step.
const FORGOTTEN_AT_ONCE: usize = 10_000;

/// Free space `meta.db` keeps for the journal to grow into again.
const KEPT_FREE_BYTES: u64 = 16 << 20;

/// Space given back to the disk in one step.
const GIVEN_BACK_AT_ONCE: u64 = 16 << 20;

/// Forgets some deliveries that are older than the limit `delivery_days`; permanent ones stay. True when there may
/// be more.
pub(crate) fn forget_old_deliveries(inner: &Inner) -> Result<bool, StoreError> {
    let days = i64::try_from(inner.options.limits.delivery_days).unwrap_or(i64::MAX);
    let age_micros = days.saturating_mul(24 * 60 * 60 * 1_000_000);
    let before = Timestamp::from_micros(inner.options.clock.now().as_micros().saturating_sub(age_micros));
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let any = inner
        .reader
        .with(|connection| ledger::any_before(connection, before))
        .map_err(|source| StoreError::Sqlite { doing: "look for old deliveries", source })?;
    if !any {
        return Ok(false);
    }
    let forgotten = inner.commit_durable(|connection| {
        Ok((ledger::forget_before(connection, before, FORGOTTEN_AT_ONCE)?, Change::default()))
    });
    drop(turn);
    forgotten.map(|count| count == FORGOTTEN_AT_ONCE).map_err(|error| error.into_store_error(inner))
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
