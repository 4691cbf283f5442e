//! What is most worth knowing of a run, on one line.

use manometer_agent::local::RunRecord;
use manometer_agent::metric::{Unit, tells_of_the_machine};

/// Metrics that have a short name, in the order they are shown.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("container.build_seconds", "build"),
    ("pytest.total_seconds", "duration"),
    ("duration", "duration"),
    ("container.image_mb", "image"),
    ("artifact.dist_mb", "dist"),
    ("artifact.wheel_mb", "wheel"),
    ("pytest.item_count", "tests"),
    ("pytest.passed", "passed"),
    ("pytest.failed", "failed"),
    ("pytest.errors", "errors"),
    ("pytest.coverage_pct", "coverage"),
    ("ram.peak_mb", "memory"),
    ("cpu.avg_load", "cpu"),
];
const SHOWN: usize = 5;

/// `build: 12.3s, image: 45.2 MB, dist: 2.5 MB`; a run that failed says so first.
pub(crate) fn line(run: &RunRecord) -> String {
    let metrics = run.all_metrics();
    let mut parts: Vec<(&str, String)> = Vec::new();
    for (name, short) in SHORT_NAMES {
        let Some(value) = metrics.get(*name) else { continue };
        let is_told =
            parts.iter().any(|(told, _)| told == short || (*told == "build" && *short == "duration"));
        // No failures and no errors is what everybody expects.
        let is_dull = matches!(*short, "failed" | "errors") && *value == 0.0;
        if !is_told && !is_dull {
            parts.push((short, Unit::of(name).show(*value)));
        }
    }
    for (name, value) in &metrics {
        if SHORT_NAMES.iter().all(|(known, _)| known != name) && !is_of_every_run(name) {
            parts.push((name, Unit::of(name).show(*value)));
        }
    }
    let mut words: Vec<String> = Vec::new();
    if run.success == Some(false) {
        words.push("failed".to_owned());
    }
    words.extend(parts.iter().take(SHOWN).map(|(name, value)| format!("{name}: {value}")));
    words.join(", ")
}

/// What every measured command has, whatever it is about.
fn is_of_every_run(name: &str) -> bool {
    tells_of_the_machine(name)
        || ["time.", "ram.", "io.", "cgroup."].iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    use manometer_model::Timestamp;

    use super::*;

    fn run(metrics: &[(&str, f64)]) -> RunRecord {
        let mut run = RunRecord::new("any", Timestamp::from_seconds(0));
        for (name, value) in metrics {
            run.measure(*name, *value);
        }
        run
    }

    #[test]
    fn builds_and_tests_show_what_they_are_about() {
        let mut build = run(&[
            ("artifact.dist_mb", 2.5),
            ("container.image_mb", 45.2),
            ("container.build_seconds", 12.3),
        ]);
        build.duration = Some(12.3);
        assert_eq!(line(&build), "build: 12.3s, image: 45.2 MB, dist: 2.5 MB");
        let tests = [
            ("pytest.total_seconds", 8.7),
            ("pytest.item_count", 156.0),
            ("pytest.passed", 154.0),
            ("pytest.failed", 2.0),
            ("pytest.errors", 0.0),
        ];
        assert_eq!(line(&run(&tests)), "duration: 8.7s, tests: 156, passed: 154, failed: 2");
        assert_eq!(line(&run(&[("custom.items", 7.0)])), "custom.items: 7");
        let failed = RunRecord { success: Some(false), ..run(&[]) };
        assert_eq!(line(&failed), "failed");
    }
}
