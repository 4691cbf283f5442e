//! What a client asks of the engine.

use std::sync::Arc;
use std::time::Duration;

use datafusion::common::ScalarValue;
use manometer_model::Limits;

use crate::wire::session::ClientSession;
use crate::{Access, Parameter};

/// One query.
#[derive(Debug, Clone)]
pub struct QueryRequest {
    /// One SQL statement that reads.
    pub sql: String,
    /// Values of its placeholders `$1`, `$2`, … in order.
    pub parameters: Vec<Parameter>,
    /// Whose rows it may see.
    pub access: Access,
    /// Tighter limits than the configured ones; a looser one counts as the configured one.
    pub limits: LimitOverrides,
    /// Values of the placeholders of any type, instead of `parameters`.
    pub(crate) values: Vec<ScalarValue>,
    /// The session of a client that speaks PostgreSQL: it sees PostgreSQL's catalog too.
    pub(crate) client: Option<Arc<ClientSession>>,
}

impl QueryRequest {
    /// A query without parameters, under the configured limits.
    pub fn new(sql: impl Into<String>, access: Access) -> Self {
        Self {
            sql: sql.into(),
            parameters: Vec::new(),
            access,
            limits: LimitOverrides::default(),
            values: Vec::new(),
            client: None,
        }
    }

    /// The same with a value for the next placeholder.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Parameter>) -> Self {
        self.parameters.push(value.into());
        self
    }

    /// The same under tighter limits.
    #[must_use]
    pub fn with_limits(mut self, limits: LimitOverrides) -> Self {
        self.limits = limits;
        self
    }
}

/// Limits of one query, where it wants tighter ones than configured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LimitOverrides {
    /// Longest running time, waiting in the queue included, in seconds.
    pub seconds: Option<f64>,
    /// Most memory, in bytes.
    pub memory_bytes: Option<usize>,
    /// Most rows of the answer.
    pub rows: Option<usize>,
}

/// The limits that hold for one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EffectiveLimits {
    pub(crate) time: Duration,
    pub(crate) memory_bytes: usize,
    pub(crate) rows: usize,
}

impl EffectiveLimits {
    pub(crate) fn of(configured: &Limits, wanted: LimitOverrides) -> Self {
        let ceiling = Duration::from_secs(configured.query_seconds);
        let time = wanted.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Self {
            time: time.map_or(ceiling, |wanted_time| wanted_time.min(ceiling)),
            memory_bytes: wanted.memory_bytes.unwrap_or(usize::MAX).min(configured.query_memory_bytes),
            rows: wanted.rows.unwrap_or(usize::MAX).min(configured.query_rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_tighten_and_never_loosen() {
        let configured = Limits::default();
        let loose =
            LimitOverrides { seconds: Some(1e9), memory_bytes: Some(usize::MAX), rows: Some(usize::MAX) };
        let plain = EffectiveLimits::of(&configured, LimitOverrides::default());
        assert_eq!(EffectiveLimits::of(&configured, loose), plain);
        assert_eq!(plain.rows, configured.query_rows);
        let tight = LimitOverrides { seconds: Some(0.25), memory_bytes: Some(1), rows: Some(0) };
        let effective = EffectiveLimits::of(&configured, tight);
        assert_eq!(
            (effective.time, effective.memory_bytes, effective.rows),
            (Duration::from_millis(250), 1, 0)
        );
    }

    #[test]
    fn a_time_that_is_no_time_counts_as_the_configured_one() {
        let configured = Limits::default();
        for seconds in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, -1.0] {
            let wanted = LimitOverrides { seconds: Some(seconds), ..LimitOverrides::default() };
            assert_eq!(
                EffectiveLimits::of(&configured, wanted).time,
                Duration::from_secs(configured.query_seconds)
            );
        }
    }
}
