//! Medians, percentiles, and the two clocks.

use std::time::{Duration, Instant};

/// The middle of the figures; of an even number the upper of the two.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which `share` (0 to 1) of the figures lie; `sorted` is sorted.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

/// How long `work` takes, in seconds, and its result.
pub fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed().as_secs_f64(), result)
}

/// How much of a processor `work` takes, in seconds, and its result: for work of one thread, and hardly disturbed by
/// what else the machine does.
pub fn processor_timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let started = processor_seconds();
    let result = work();
    (processor_seconds() - started, result)
}

fn processor_seconds() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_reach_from_the_first_to_the_last() {
        let sorted: Vec<Duration> = (0..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 0.0).as_millis(), 0);
        assert_eq!(percentile(&sorted, 0.5).as_millis(), 50);
        assert_eq!(percentile(&sorted, 1.0).as_millis(), 100);
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
