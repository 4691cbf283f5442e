//! What is recorded stands in the local store as the command `manometer` writes it.

use std::ops::ControlFlow;
use std::process::Command;
use std::time::Duration;

use manometer_agent::local::{LocalStore, RunRecord};
use manometer_client::{MetricsCollector, ResourceSampler, RunInfo};

fn records(folder: &std::path::Path) -> Vec<RunRecord> {
    let mut found = Vec::new();
    let problems = LocalStore::at(folder).read(None, None, &mut |record| {
        found.push(record);
        ControlFlow::Continue(())
    });
    assert!(problems.is_ok_and(|problems| problems.total == 0));
    found
}

#[test]
fn a_run_keeps_values_tags_and_everything_said_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let collector = MetricsCollector::at(folder.path());
    collector.record("custom.items", 1.0, &[("batch", "old")]);
    collector.record("custom.items", 1000.0, &[]);
    collector.record("custom.seconds", 5.2, &[("component", "parser")]);
    collector.record("custom.broken", f64::NAN, &[]);
    let extra =
        [("config_hash".to_owned(), "abc".into()), ("metrics".to_owned(), 7.into())].into_iter().collect();
    let info = RunInfo { success: Some(false), duration: Some(2.5), extra, ..RunInfo::default() };
    let flushed = collector.flush("custom_operation", info);
    assert_eq!(flushed.problems.len(), 1, "{:?}", flushed.problems);

    let [record] = <[RunRecord; 1]>::try_from(records(folder.path())).unwrap();
    assert_eq!(Some(&record.run_id), flushed.run_id.as_ref());
    assert_eq!(
        (record.kind.as_str(), record.success, record.duration),
        ("custom_operation", Some(false), Some(2.5))
    );
    assert_eq!(record.metrics.len(), 2);
    assert_eq!(record.metrics.get("custom.items"), Some(&1000.0));
    assert!(!record.tags.contains_key("custom.items"), "tags of a value that was replaced");
    assert_eq!(record.tags["custom.seconds"]["component"], "parser");
    assert_eq!((&record.info["config_hash"], &record.info["info_metrics"]), (&"abc".into(), &7.into()));

    assert!(collector.flush("next", RunInfo::default()).run_id.is_some());
    assert!(records(folder.path()).iter().any(|record| record.kind == "next" && record.metrics.is_empty()));
}

#[test]
fn a_store_that_cannot_be_written_is_told_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let flushed = MetricsCollector::at(&file).flush("x", RunInfo::default());
    assert_eq!((flushed.run_id, flushed.problems.len()), (None, 1));
}

#[test]
fn a_sampler_sees_the_work_of_a_child() {
    let sampler = ResourceSampler::every(Duration::ZERO);
    let done = Command::new("sh")
        .args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
        .status()
        .unwrap();
    let metrics = sampler.stop();
    assert!(done.success());
    assert!(
        metrics["cpu.avg_load"] > 0.0 && metrics["cpu.max_load"] >= metrics["cpu.avg_load"],
        "{metrics:?}"
    );
    if cfg!(target_os = "linux") {
        assert!(
            metrics["ram.peak_mb"] >= metrics["ram.avg_mb"] && metrics["ram.avg_mb"] > 0.0,
            "{metrics:?}"
        );
    }
}
