//! GitHub's own examples, as collected in the npm package `@octokit/webhooks-examples`: all about CI decode, none is an
//! error. The package is installed by the test; where npm is missing or has no network, the test says so, and under `CI`
//! it fails.

use std::path::Path;
use std::process::Command;

use manometer_model::Record;
use serde_json::Value;

use crate::support::{RECEIVED_AT, at, decoded, rows};

const PACKAGE: &str = "@octokit/webhooks-examples@7.6.1";

/// The events that make records, of those in the package.
const USED: &[&str] = &[
    "workflow_run",
    "workflow_job",
    "check_run",
    "check_suite",
    "push",
    "pull_request",
    "pull_request_review",
    "deployment",
    "deployment_status",
    "release",
    "ping",
];

/// Which of them may be empty-handed, and why.
fn may_make_nothing(event: &str, example: &Value) -> bool {
    match event {
        "ping" => true,
        // A tag, or a branch that was made or deleted.
        "push" => example["commits"].as_array().is_some_and(Vec::is_empty),
        "release" => example["release"]["draft"] == true || example["release"]["published_at"].is_null(),
        "check_run" | "check_suite" => {
            let app = &example[event]["app"];
            app["slug"] == "github-actions" || app["name"] == "GitHub Actions"
        }
        _ => false,
    }
}

fn install(folder: &Path) -> Result<(), String> {
    let output = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(folder)
        .arg(PACKAGE)
        .output()
        .map_err(|error| format!("npm cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("npm cannot install {PACKAGE}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_example_of_github_about_ci_makes_records_or_is_counted_and_none_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    if let Err(why) = install(folder.path()) {
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("SKIPPED the examples of GitHub: {why}");
        return;
    }
    let package = folder.path().join("node_modules/@octokit/webhooks-examples");
    let (mut used, mut counted) = (0, 0);
    for server in ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"] {
        let text = std::fs::read(package.join(server).join("index.json")).unwrap();
        let events: Vec<Value> = serde_json::from_slice(&text).unwrap();
        for event in &events {
            let name = event["name"].as_str().unwrap();
            for example in event["examples"].as_array().unwrap() {
                if check(server, name, example) { used += 1 } else { counted += 1 }
            }
        }
    }
    assert!(used >= 100, "{used} examples made records");
    assert!(counted >= 200, "{counted} examples were counted only");
}

/// Did the example make records?
fn check(server: &str, event: &str, example: &Value) -> bool {
    let body = serde_json::to_vec(example).unwrap();
    let told = decoded("github", event, &body, at(RECEIVED_AT)).unwrap_or_else(|error| {
        panic!("{server} {event}: {error}");
    });
    if !USED.contains(&event) {
        assert!(!told.known && told.entities.is_empty(), "{server} {event}: {told:?}");
        return false;
    }
    assert!(told.problems.is_empty(), "{server} {event}: {:?}", told.problems);
    if told.entities.is_empty() {
        assert!(may_make_nothing(event, example), "{server} {event} made nothing: {example:#}");
        return false;
    }
    assert!(told.project.as_deref().is_some_and(|project| project.matches('/').count() == 2), "{told:?}");
    for entity in &told.entities {
        let project = match entity {
            Record::Run(row) => Some(&row.project),
            Record::Job(row) => Some(&row.project),
            Record::Commit(row) => Some(&row.project),
            Record::Deployment(row) => Some(&row.project),
            _ => None,
        };
        assert!(project.is_none_or(|project| Some(project) == told.project.as_ref()), "{entity:?}");
    }
    for row in rows([&told]).values() {
        for seconds in ["queue_seconds", "duration_seconds"] {
            let value: f64 = row.get(seconds).map_or(0.0, |text| text.parse().unwrap());
            assert!(value >= 0.0, "{server} {event}: {row:?}");
        }
    }
    true
}
