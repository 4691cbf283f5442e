//! `regression-check`: exit codes, reports, and what is compared with what.

use serde_json::Value;

use crate::project::{Project, build, steady_builds};

fn project_with(newest_seconds: f64) -> Project {
    let project = Project::new();
    project.append(&steady_builds());
    project.append(&[build(0xff, 30, newest_seconds)]);
    project
}

#[test]
fn a_slower_build_fails_the_check_and_names_the_metric() {
    let project = project_with(90.0);
    let (code, out, err) = project.run(&["regression-check", "--threshold", "20%"]);
    assert_eq!(code, 1);
    assert!(err.contains("2 metrics are worse"), "{err}");
    let row = out.lines().find(|line| line.starts_with("container.build_seconds")).unwrap();
    assert!(
        row.contains("90s") && row.contains("60.8s") && row.contains("+48.0 %") && row.ends_with("worse"),
        "{row}"
    );
    let (code, out, _) = project.run(&["regression-check", "--metric", "*.build_*", "--format", "markdown"]);
    assert_eq!(code, 1);
    assert!(out.starts_with("### 1 of 1 metric is worse\n") && out.contains("| **worse** |"), "{out}");
}

#[test]
fn a_steady_build_a_faster_one_and_one_below_the_threshold_pass() {
    for (seconds, verdict) in [(61.0, "same"), (40.0, "better"), (70.0, "same")] {
        let project = project_with(seconds);
        let (code, out, err) = project.run(&["regression-check"]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        let row = out.lines().find(|line| line.starts_with("duration")).unwrap();
        assert!(row.ends_with(verdict), "{seconds}: {row}");
    }
    assert_eq!(project_with(70.0).run(&["regression-check", "--threshold", "0.1"]).0, 1);
}

#[test]
fn nothing_to_compare_with_is_said_and_is_no_failure() {
    let project = Project::new();
    let (code, _, err) = project.run(&["regression-check"]);
    assert!(code == 0 && err.contains("nothing to check: no such run"), "{err}");
    project.append(&[build(1, 1, 60.0), build(2, 2, 600.0)]);
    let (code, out, _) = project.run(&["regression-check"]);
    assert!(code == 0 && out.contains("too few runs") && out.contains("at least 3 earlier runs"), "{out}");
}

#[test]
fn few_earlier_runs_are_judged_and_the_chance_of_a_false_alarm_is_told() {
    let project = Project::new();
    project.append(&steady_builds()[..4]);
    project.append(&[build(0xff, 30, 120.0)]);
    let (code, out, _) = project.run(&["regression-check"]);
    assert_eq!(code, 1);
    assert!(
        out.contains(
            "With only 4 earlier runs chance alone would look like this 20 % of the time; 9 or more"
        ),
        "{out}"
    );
}

#[test]
fn runs_of_other_kinds_branches_and_outcomes_are_not_compared_with() {
    let project = project_with(90.0);
    let mut failed = build(0x100, 29, 95.0);
    failed.success = Some(false);
    let mut other_operation = build(0x101, 29, 95.0);
    other_operation.operation = Some("sdist".to_owned());
    let mut other_branch = build(0x102, 29, 95.0);
    other_branch.info.insert("branch".to_owned(), "feature".into());
    project.append(&[failed, other_operation, other_branch]);
    let (code, out, _) = project.run(&["regression-check", "--baseline-branch", "main", "--format", "json"]);
    assert_eq!(code, 1);
    let document: Value = serde_json::from_str(&out).unwrap();
    let baseline = &document["baseline"];
    assert_eq!((baseline["runs"].as_u64(), baseline["left_out_failed"].as_u64()), (Some(20), Some(1)));
    assert_eq!(baseline["left_out_other_branch"], 1);
    let metric = document["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "container.build_seconds")
        .unwrap();
    assert_eq!(metric["verdict"], "worse");
    assert!((metric["p"].as_f64().unwrap() - 1.0 / 21.0).abs() < 1e-9);
    assert!((metric["change_percent"].as_f64().unwrap() - 48.026).abs() < 0.01, "{metric}");
}

#[test]
fn the_direction_of_a_metric_can_be_told() {
    let project = Project::new();
    for (number, mut run) in steady_builds().into_iter().enumerate() {
        run.measure("custom.items", 1000.0 + number as f64 % 3.0);
        project.append(&[run]);
    }
    let mut newest = build(0xff, 30, 60.0);
    newest.measure("custom.items", 2000.0);
    project.append(&[newest]);
    assert_eq!(project.run(&["regression-check"]).0, 1, "unknown: any change is worth knowing");
    assert_eq!(project.run(&["regression-check", "--worse", "custom.*=lower"]).0, 0);
    assert_eq!(project.run(&["regression-check", "--worse", "custom.items=never"]).0, 0);
}

#[test]
fn several_runs_are_judged_together() {
    let project = Project::new();
    project.append(&steady_builds());
    let newest: Vec<_> = (0..4).map(|number| build(0xf0 + number, 30, 75.0 + f64::from(number))).collect();
    project.append(&newest);
    let names = ["regression-check", "000000f0", "000000f1", "000000f2", "000000f3"];
    let (code, out, _) = project.run(&names);
    assert_eq!(code, 1);
    assert!(out.starts_with("build wheel: 4 runs against 20 earlier runs\n"), "{out}");
    assert_eq!(project.run(&[&names[..], &["000000f3"]].concat()).0, 2, "the same run twice");
}

#[test]
fn wrong_calls_end_with_two() {
    let project = project_with(60.0);
    for wrong in [
        &["--threshold", "20"][..],
        &["--threshold", "much"],
        &["--worse", "a=sideways"],
        &["--type", "build", "latest"],
        &["nothing-begins-so"],
    ] {
        let (code, _, err) = project.run(&[&["regression-check"], wrong].concat());
        assert_eq!(code, 2, "{wrong:?}: {err}");
    }
}
