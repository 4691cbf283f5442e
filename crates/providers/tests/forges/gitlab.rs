//! What GitLab's events come to.

use manometer_providers::{Delivery, Headers};

use crate::support::{assert_cells, at, decoded, fixture, named, only, row_of, rows, told};

#[test]
fn a_pipeline_is_a_run_with_its_jobs_and_the_merge_request_it_checks() {
    let all = ["pending", "running", "manual", "success"]
        .map(|status| told("gitlab", "Pipeline Hook", &format!("pipeline-{status}")));
    let merged = rows(&all);
    assert_cells(
        &only(&merged, "runs"),
        &[
            ("provider", "gitlab"),
            ("project", "gitlab.acme.example/shop/api"),
            ("service", "payments"),
            ("pipeline", "Merge request checks"),
            ("run_id", "3100"),
            ("number", "318"),
            ("branch", "faster-cart"),
            ("is_default_branch", "false"),
            ("change_id", "17"),
            ("commit_sha", "5d1c2f0a9b7e4c3d8f60112233445566778899aa"),
            ("trigger", "pull_request"),
            ("actor", "ada"),
            ("status", "completed"),
            ("conclusion", "success"),
            ("queue_seconds", "20.0"),
            ("duration_seconds", "361.0"),
            ("started_at", "2026-03-02T10:00:20Z"),
            ("finished_at", "2026-03-02T10:31:11Z"),
        ],
    );
    let jobs: Vec<_> = merged
        .iter()
        .filter(|(key, _)| key.table == "jobs")
        .map(|(_, row)| {
            (
                row["name"].as_str(),
                row["stage"].as_str(),
                row["conclusion"].as_str(),
                row["queue_seconds"].as_str(),
                row["labels"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        jobs,
        [
            (
                "image",
                "build",
                "success",
                "18.75",
                r#"{"wait.dependency_seconds":"1.25","wait.runner_seconds":"18.75"}"#
            ),
            (
                "unit",
                "test",
                "failure",
                "5.0",
                r#"{"wait.dependency_seconds":"150","wait.runner_seconds":"5"}"#
            ),
            (
                "staging",
                "deploy",
                "success",
                "10.0",
                r#"{"environment":"staging","wait.approval_seconds":"1800","wait.runner_seconds":"10"}"#
            ),
        ]
    );
    let unit = merged.iter().find(|(_, row)| row.get("name").is_some_and(|name| name == "unit")).unwrap().1;
    assert_cells(
        unit,
        &[
            ("allowed_to_fail", "true"),
            ("failure_reason", "script_failure"),
            ("runner_name", "metal-7"),
            ("runner_pool", "group_type"),
            ("runner_os", "linux"),
            ("runner_arch", "aarch64"),
        ],
    );
}

#[test]
fn a_job_event_joins_its_pipeline_and_a_timeout_is_one() {
    let all = ["created", "pending", "running", "failed"]
        .map(|status| told("gitlab", "Job Hook", &format!("job-{status}")));
    let merged = rows(&all);
    assert_cells(
        &only(&merged, "jobs"),
        &[
            ("run_id", "3200"),
            ("job_id", "4100"),
            ("name", "unit"),
            ("branch", "main"),
            ("status", "completed"),
            ("conclusion", "timed_out"),
            ("failure_reason", "stuck_or_timeout_failure"),
            ("queue_seconds", "42.0"),
            ("queued_at", "2026-03-02T11:00:00Z"),
            ("started_at", "2026-03-02T11:01:00Z"),
        ],
    );
    assert_cells(&only(&merged, "runs"), &[("run_id", "3200"), ("status", "-")]);
    // `busy` is the last that was told of the runner's state, as it may still work on others.
    assert_cells(&only(&merged, "runners"), &[("runner_id", "380987"), ("seen_at", "2026-03-02T12:01:00Z")]);
}

#[test]
fn a_deployment_has_the_full_commit_and_the_moments_it_told() {
    let all = ["running", "success"]
        .map(|status| told("gitlab", "Deployment Hook", &format!("deployment-{status}")));
    assert_cells(
        &only(&rows(&all), "deployments"),
        &[
            ("deployment_id", "77"),
            ("environment", "staging"),
            ("commit_sha", "5d1c2f0a9b7e4c3d8f60112233445566778899aa"),
            ("started_at", "2026-03-02T10:30:10Z"),
            ("duration_seconds", "60.0"),
            ("conclusion", "success"),
        ],
    );
}

#[test]
fn pushes_tags_and_merge_requests_tell_of_commits() {
    assert_cells(
        &row_of(&told("gitlab", "Push Hook", "push"), "commits"),
        &[("branch", "main"), ("title", "Make the cart faster"), ("pushed_at", "2026-03-02T12:00:00Z")],
    );
    assert_cells(
        &row_of(&told("gitlab", "Tag Push Hook", "tag-push"), "commits"),
        &[("branch", "-"), ("pushed_at", "-"), ("author", "Ada")],
    );
    let merged = rows([&told("gitlab", "Merge Request Hook", "merge-request-merged")]);
    let commits: Vec<_> =
        merged.values().map(|row| (row["change_id"].as_str(), row["branch"].as_str())).collect();
    assert_eq!(commits, [("17", "faster-cart"), ("17", "main")]);
}

#[test]
fn a_release_is_a_version_that_went_out() {
    let decoded = told("gitlab", "Release Hook", "release-create");
    assert_cells(
        &row_of(&decoded, "deployments"),
        &[("version", "v2.4.0"), ("environment", "release"), ("finished_at", "2026-03-02T11:41:00Z")],
    );
}

#[test]
fn hooks_of_the_system_tell_the_same_and_more_that_is_not_used() {
    let push = told("gitlab", "System Hook", "system-push");
    assert_eq!(push.entities, told("gitlab", "Push Hook", "push").entities);
    let created = decoded(
        "gitlab",
        "System Hook",
        &fixture("gitlab", "system-project-create"),
        at("2026-03-02T12:00:00Z"),
    );
    let created = created.unwrap();
    assert!(!created.known && created.entities.is_empty());
    assert_eq!(created.event, "project_create");
}

#[test]
fn the_idempotency_key_outranks_the_ids_of_event_and_hook() {
    let key = |pairs: &[(&str, &str)]| {
        let headers = Headers::from_pairs(pairs.iter().copied());
        let delivery =
            Delivery { headers: &headers, query: &[], body: b"{}", received_at: at("2026-03-02T12:00:00Z") };
        named("gitlab").identity(&delivery)
    };
    let old =
        [("X-Gitlab-Event", "Tag Push Hook"), ("X-Gitlab-Event-UUID", "e"), ("X-Gitlab-Webhook-UUID", "h")];
    assert_eq!(key(&old).key.as_deref(), Some("h/e"));
    assert_eq!(key(&old).event, "tag_push");
    let with_key: Vec<_> = old.into_iter().chain([("Idempotency-Key", "k")]).collect();
    assert_eq!(key(&with_key).key.as_deref(), Some("k"));
    assert_eq!(key(&[]).key, None);
}
