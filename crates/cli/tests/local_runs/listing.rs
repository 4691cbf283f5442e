//! `ls`, `show`, `prune`.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::project::{Project, build, steady_builds};

/// The record of the documentation, and a test run beside it.
const DAY: &str = r#"{"run_id": "7b2c8d9e-1f3a-4b5c-9d2e-6f8a1b3c5d7e", "type": "tests", "timestamp": "2025-05-30T14:25:30+00:00", "metrics": {"pytest.total_seconds": 8.7, "pytest.item_count": 156, "pytest.passed": 154, "pytest.failed": 2}}
{"run_id": "550e8400-e29b-41d4-a716-446655440000", "type": "build", "timestamp": "2025-05-30T14:30:45.123456+00:00", "git_commit": "abc123def456789", "metrics": {"container.build_seconds": 12.3, "container.image_mb": 45.2, "artifact.dist_mb": 2.5, "cpu.avg_load": 45.2, "ram.peak_mb": 128.7}, "tags": {"container.build_seconds": {"stage": "build_wheel"}}, "operation": "build_wheel", "duration": 12.3, "success": true, "config_hash": "abc"}
"#;

fn project_of_panther() -> Project {
    let project = Project::new();
    let folder = project.path().join(".panther-metrics");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("2025-05-30.jsonl"), DAY).unwrap();
    project
}

#[test]
fn runs_are_listed_newest_first_with_what_matters_of_each() {
    let project = project_of_panther();
    let expected = "\
Run ID                               Type  Timestamp           Key Metrics
-------------------------------------------------------------------------------------------------------------------
550e8400-e29b-41d4-a716-446655440000 build 2025-05-30 14:30:45 build: 12.3s, image: 45.2 MB, dist: 2.5 MB, memory: 128.7 MB, cpu: 45.2%
7b2c8d9e-1f3a-4b5c-9d2e-6f8a1b3c5d7e tests 2025-05-30 14:25:30 duration: 8.7s, tests: 156, passed: 154, failed: 2
";
    let listed = project.read(&["ls"]);
    let without_rule = |text: &str| {
        text.lines().filter(|line| !line.starts_with("--")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_rule(&listed), without_rule(expected));
    assert_eq!(project.read(&["ls", "--type", "tests"]).lines().count(), 3);
    assert_eq!(project.read(&["ls", "--limit", "1"]).lines().count(), 3);
    let (code, out, err) = project.run(&["ls", "--since", "2025-06-01"]);
    assert_eq!((code, out.lines().count()), (0, 2));
    assert!(err.contains("no such runs in the local store"), "{err}");
}

#[test]
fn a_run_is_shown_with_its_units_by_the_beginning_of_its_id() {
    let expected = "\
Run ID: 550e8400-e29b-41d4-a716-446655440000
Type: build
Timestamp: 2025-05-30 14:30:45
Git Commit: abc123def456789

Metrics:
  artifact.dist_mb: 2.5 MB
  container.build_seconds: 12.3s  (stage: build_wheel)
  container.image_mb: 45.2 MB
  cpu.avg_load: 45.2%
  ram.peak_mb: 128.7 MB

Additional Data:
  operation: build_wheel
  duration: 12.3
  success: true
  config_hash: abc
";
    let project = project_of_panther();
    for name in ["550e8400-e29b-41d4-a716-446655440000", "55", "latest"] {
        assert_eq!(project.read(&["show", name]), expected, "{name}");
    }
    assert!(project.read(&["show", "latest~1"]).starts_with("Run ID: 7b2c8d9e"));
    let shown: serde_json::Value =
        serde_json::from_str(&project.read(&["show", "55", "--format", "json"])).unwrap();
    assert_eq!(shown["timestamp"], "2025-05-30T14:30:45.123456+00:00");
}

#[test]
fn a_name_that_fits_no_run_or_several_is_a_wrong_call_that_says_so() {
    let project = Project::new();
    project.append(&[build(0x11, 1, 60.0), build(0x12, 2, 60.0)]);
    for (name, expected) in [
        ("0000001", "more than one run begins with `0000001`: 00000012-"),
        ("f", "no run begins with `f` in the local store"),
        ("latest~7", "there is no run `latest~7`"),
        ("", "name a run by the beginning of its id"),
    ] {
        let (code, out, err) = project.run(&["show", name]);
        assert_eq!((code, out.as_str()), (2, ""), "{name}");
        assert!(err.contains(expected), "{name}: {err}");
    }
    assert_eq!(project.run(&["ls", "--since", "soon"]).0, 2);
}

#[test]
fn a_torn_line_is_warned_of_by_file_and_line_and_hides_nothing() {
    let project = Project::new();
    project.append(&steady_builds());
    let path = project.store().folder().join("2026-11-20.jsonl");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"run_id\": \"7").unwrap();
    let (code, out, err) = project.run(&["ls", "--limit", "100"]);
    assert_eq!((code, out.lines().count()), (0, 22));
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    assert!(err.contains(&format!("2026-11-20.jsonl: line {lines}: is unfinished")), "{err}");
}

#[test]
fn another_folder_is_named_by_flag_or_environment_and_the_older_name_is_honoured() {
    let project = Project::new();
    project.append(&[build(1, 1, 60.0)]);
    let store = project.store().folder().to_path_buf();
    let elsewhere = Project::new();
    let folder = store.to_str().unwrap();
    assert_eq!(elsewhere.read(&["ls", "--path", folder]).lines().count(), 3);
    for name in ["MANOMETER_PATH", "PANTHER_METRICS_PATH"] {
        let output = elsewhere.command(&["ls"]).env(name, folder).output().unwrap();
        assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 4, "{name}");
    }
}

#[test]
fn old_days_are_pruned_and_a_dry_run_only_says_which() {
    let project = Project::new();
    project.append(&steady_builds());
    let arguments = ["prune", "--older-than", "2026-11-21"];
    let (code, out, err) = project.run(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!(code, 0);
    assert!(out.ends_with("2026-11-20.jsonl\n") && err.contains("1 days"), "{out}{err}");
    assert_eq!(project.read(&["ls", "--limit", "100"]).lines().count(), 22);
    assert_eq!(project.run(&arguments).0, 0);
    assert_eq!(project.read(&["ls", "--limit", "100"]).lines().count(), 2 + 5);
}
