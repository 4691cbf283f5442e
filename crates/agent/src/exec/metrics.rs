//! The metrics of a run, by name. The table with their meanings is in `docs/AGENT.md`.

use std::collections::BTreeMap;

use super::Measured;
use crate::artifacts::{self, ArtifactKind};
use crate::measure::megabytes;

/// All metrics that are known of a run.
pub(super) fn metrics(measured: &Measured) -> BTreeMap<&'static str, f64> {
    let mut metrics = artifacts::measure(&measured.artifacts);
    times(measured, &mut metrics);
    processor_and_memory(measured, &mut metrics);
    traffic(measured, &mut metrics);
    control_group(measured, &mut metrics);
    tests(measured, &mut metrics);
    successes(measured, &mut metrics);
    metrics
}

type Metrics = BTreeMap<&'static str, f64>;

fn times(measured: &Measured, metrics: &mut Metrics) {
    metrics.insert("time.wall_seconds", measured.wall_seconds);
    metrics.insert("time.user_seconds", measured.usage.user_seconds);
    metrics.insert("time.system_seconds", measured.usage.system_seconds);
    if measured.stopped_seconds > 0.0 {
        metrics.insert("time.stopped_seconds", measured.stopped_seconds);
    }
}

fn processor_and_memory(measured: &Measured, metrics: &mut Metrics) {
    let (usage, series) = (&measured.usage, &measured.series);
    if measured.wall_seconds > 0.0 {
        let average = (usage.user_seconds + usage.system_seconds) / measured.wall_seconds * 100.0;
        metrics.insert("cpu.avg_load", average);
        // No stretch can be less busy than the average in all of them.
        let highest = series.peak_cpu_percent().unwrap_or(average).max(average);
        metrics.insert("cpu.max_load", highest);
    }
    if let Some(largest) = usage.largest_process_bytes {
        metrics.insert("ram.largest_process_mb", megabytes(largest));
    }
    let peak = series.peak_memory_bytes().max(usage.largest_process_bytes.unwrap_or(0));
    if peak > 0 {
        metrics.insert("ram.peak_mb", megabytes(peak));
    }
    if let Some(average) = series.average_memory_bytes() {
        metrics.insert("ram.avg_mb", megabytes(average as u64));
    }
    if series.looks() > 0 {
        metrics.insert("processes.peak", f64::from(series.peak_processes()));
    }
}

fn traffic(measured: &Measured, metrics: &mut Metrics) {
    let usage = &measured.usage;
    metrics.insert("io.disk_read_mb", megabytes(usage.disk_read_bytes));
    metrics.insert("io.disk_written_mb", megabytes(usage.disk_written_bytes));
    metrics.insert("context_switches.voluntary", usage.voluntary_switches as f64);
    metrics.insert("context_switches.involuntary", usage.involuntary_switches as f64);
    metrics.insert("page_faults.major", usage.major_faults as f64);
}

fn control_group(measured: &Measured, metrics: &mut Metrics) {
    let found = &measured.cgroup;
    if let Some(seconds) = found.throttled_seconds {
        metrics.insert("cgroup.throttled_seconds", seconds);
    }
    if let Some(kills) = found.out_of_memory_kills {
        metrics.insert("cgroup.oom_kills", kills as f64);
    }
    if let Some(bytes) = found.memory_limit_bytes {
        metrics.insert("cgroup.memory_limit_mb", megabytes(bytes));
    }
    if let Some(bytes) = found.memory_peak_bytes {
        metrics.insert("cgroup.memory_peak_mb", megabytes(bytes));
    }
}

fn tests(measured: &Measured, metrics: &mut Metrics) {
    let counts = &measured.reports.counts;
    if let Some(percent) = counts.coverage_percent() {
        metrics.insert("pytest.coverage_pct", percent);
    }
    if counts.tests == 0 {
        return;
    }
    metrics.insert("pytest.total_seconds", measured.wall_seconds);
    metrics.insert("pytest.item_count", counts.tests as f64);
    metrics.insert("pytest.passed", counts.passed as f64);
    metrics.insert("pytest.failed", counts.failed as f64);
    metrics.insert("pytest.skipped", counts.skipped as f64);
    metrics.insert("pytest.errors", counts.errors as f64);
    metrics.insert("test.reported_seconds", counts.test_seconds);
}

fn successes(measured: &Measured, metrics: &mut Metrics) {
    let kind = measured.plan.kind.to_ascii_lowercase();
    let success = f64::from(u8::from(measured.ending.is_success()));
    let has_image = measured.artifacts.iter().any(|artifact| artifact.kind == ArtifactKind::Image);
    if kind.contains("wheel") || metrics.contains_key("artifact.wheel_mb") {
        metrics.insert("build.wheel_success", success);
    }
    if has_image || ["image", "container", "docker"].iter().any(|word| kind.contains(word)) {
        metrics.insert("container.build_seconds", measured.wall_seconds);
    }
    if is_of_tests(&kind) || measured.reports.counts.tests > 0 {
        metrics.insert("test.suite_success", success);
    }
    if kind.starts_with("doc") {
        metrics.insert("docs.build_success", success);
    }
}

/// Does a kind of run mean that tests are run?
pub(super) fn is_of_tests(kind: &str) -> bool {
    ["test", "tests", "pytest"].contains(&kind) || kind.starts_with("test_") || kind.ends_with("_tests")
}
