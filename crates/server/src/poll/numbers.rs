//! The numbers of polling for `/metrics`, asked for at each scrape. Labels are what the settings name.

use std::sync::Arc;

use manometer_model::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::{PollState, Polls, Standing};

/// Reads the numbers of all polls.
#[derive(Debug)]
pub(crate) struct PollNumbers(pub(crate) Arc<Polls>);

impl Collector for PollNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if self.0.entries.is_empty() {
            return Ok(());
        }
        let states = self.0.states();
        let seconds = |at: Option<Timestamp>| at.map_or(0, |at| at.as_micros().div_euclid(1_000_000));
        let mut counter = |name: &str, help: &str, number: &dyn Fn(&PollState) -> u64| {
            let kind = ConstCounter::<u64>::new(0).metric_type();
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for state in &states {
                let labels = [("poll", state.name.as_str())];
                ConstCounter::<u64>::new(number(state)).encode(metric.encode_family(&labels)?)?;
            }
            Ok::<(), std::fmt::Error>(())
        };
        counter("poll_runs", "Runs told by polling", &|state| state.runs)?;
        counter("poll_records", "Records told by polling", &|state| state.records)?;
        counter("poll_failures", "Requests, refusals and commits of polls that failed", &|state| {
            state.failures
        })?;
        counter("poll_given_up", "Runs left for a later sweep", &|state| state.given_up)?;
        counter("poll_redelivered", "Webhooks asked to be sent again", &|state| state.redelivered)?;
        let mut gauge = |name: &str, help: &str, number: &dyn Fn(&PollState) -> i64| {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for state in &states {
                let labels = [("poll", state.name.as_str())];
                ConstGauge::new(number(state)).encode(metric.encode_family(&labels)?)?;
            }
            Ok::<(), std::fmt::Error>(())
        };
        gauge(
            "poll_last_sweep_timestamp_seconds",
            "End of the last complete sweep, 0 before the first",
            &|state| seconds(state.last_sweep_at),
        )?;
        gauge("poll_next_timestamp_seconds", "When the poll goes on, 0 while it works", &|state| {
            seconds(state.next_at)
        })?;
        gauge(
            "poll_ok",
            "0 while the provider refuses or the store does not take what was found",
            &|state| i64::from(!matches!(state.standing, Standing::Refused | Standing::Failed)),
        )?;

        let kind = ConstCounter::<u64>::new(0).metric_type();
        let mut requests =
            encoder.encode_descriptor("poll_requests", "Requests made to an API", None, kind)?;
        for entry in &self.0.entries {
            let labels = [("api", entry.label.as_str())];
            ConstCounter::<u64>::new(entry.api.requests()).encode(requests.encode_family(&labels)?)?;
        }
        let kind = ConstGauge::new(0_i64).metric_type();
        let mut left =
            encoder.encode_descriptor("poll_budget_left", "Requests an API may be asked now", None, kind)?;
        for entry in &self.0.entries {
            let labels = [("api", entry.label.as_str())];
            ConstGauge::new(i64::from(entry.api.budget_left())).encode(left.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
