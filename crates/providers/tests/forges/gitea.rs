//! What the events of Gitea and Forgejo come to.

use crate::support::{assert_cells, at, only, row_of, rows, told, told_at};

#[test]
fn a_run_has_the_start_that_gitea_tells_and_is_queued_when_that_was_heard() {
    let all = [
        told_at("gitea", "workflow_run", "workflow-run-requested", at("2026-03-02T10:00:01Z")),
        told("gitea", "workflow_run", "workflow-run-in-progress"),
        told("gitea", "workflow_run", "workflow-run-completed"),
    ];
    assert_cells(
        &only(&rows(&all), "runs"),
        &[
            ("provider", "gitea"),
            ("project", "git.acme.example/acme/shop"),
            ("pipeline", "ci"),
            ("run_id", "640"),
            ("attempt", "1"),
            ("is_default_branch", "true"),
            ("actor", "ada"),
            ("queued_at", "2026-03-02T10:00:01Z"),
            ("started_at", "2026-03-02T10:00:08Z"),
            ("finished_at", "2026-03-02T10:03:00Z"),
            ("queue_seconds", "7.0"),
            ("conclusion", "success"),
        ],
    );
}

#[test]
fn a_job_has_its_steps_its_runner_and_its_waiting() {
    let all = ["queued", "in-progress", "completed"]
        .map(|action| told("gitea", "workflow_job", &format!("workflow-job-{action}")));
    let merged = rows(&all);
    assert_cells(
        &only(&merged, "jobs"),
        &[
            ("run_id", "640"),
            ("runner_name", "metal-7"),
            ("runner_os", "linux"),
            ("queue_seconds", "8.0"),
            ("duration_seconds", "170.0"),
            ("conclusion", "success"),
        ],
    );
    assert_cells(&only(&merged, "runners"), &[("provider", "gitea"), ("runner_id", "4")]);
    assert_eq!(all[2].facts[0].natural_key, "steps/gitea/git.acme.example/acme/shop/640/1/1700");
    assert_eq!(all[2].facts[0].records.len(), 2);
}

#[test]
fn pushes_pull_requests_and_releases_are_read_as_githubs_are() {
    assert_cells(
        &row_of(&told("gitea", "push", "push"), "commits"),
        &[
            ("branch", "main"),
            ("authored_at", "2026-03-02T09:58:30Z"),
            ("committed_at", "-"),
            ("author", "ada"),
        ],
    );
    let merged = rows([&told("gitea", "pull_request", "pull-request-merged")]);
    assert!(merged.len() == 2 && merged.values().all(|row| row["change_id"] == "17"), "{merged:?}");
    assert_cells(
        &row_of(&told("gitea", "release", "release-published"), "deployments"),
        &[("version", "v2.4.0"), ("project", "git.acme.example/acme/shop"), ("actor", "ben")],
    );
}

#[test]
fn forgejo_tells_of_runs_that_ended() {
    let decoded = told("forgejo", "action_run_failure", "action-run-failure");
    assert_cells(
        &row_of(&decoded, "runs"),
        &[
            ("provider", "forgejo"),
            ("run_id", "640"),
            ("number", "88"),
            ("branch", "main"),
            ("is_default_branch", "true"),
            ("conclusion", "failure"),
            ("queue_seconds", "8.0"),
            ("duration_seconds", "172.0"),
        ],
    );
}
