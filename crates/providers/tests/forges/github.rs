//! What GitHub's events come to.

use manometer_model::{Limits, Record};
use manometer_providers::{Delivery, Headers, Refusal, Secrets, ServiceRules, decode};

use crate::support::{assert_cells, at, fixture, named, only, row_of, rows, told, told_at};

fn run_events() -> [manometer_providers::Decoded; 3] {
    ["requested", "in-progress", "completed"]
        .map(|action| told("github", "workflow_run", &format!("workflow-run-{action}")))
}

#[test]
fn a_run_of_a_pull_request_has_its_head_commit_source_branch_and_honest_times() {
    let all = run_events();
    let merged = rows(&all);
    assert_cells(
        &only(&merged, "runs"),
        &[
            ("provider", "github"),
            ("project", "github.com/acme/shop"),
            ("service", "shop"),
            ("pipeline", "CI"),
            ("run_id", "9000000042"),
            ("attempt", "1"),
            ("number", "318"),
            ("branch", "faster-cart"),
            ("is_default_branch", "false"),
            ("commit_sha", "5d1c2f0a9b7e4c3d8f60112233445566778899aa"),
            ("change_id", "17"),
            ("trigger", "pull_request"),
            ("actor", "ada"),
            ("status", "completed"),
            ("conclusion", "failure"),
            // Work began when the run was first in progress, not when it was asked for.
            ("queue_seconds", "12.0"),
            ("duration_seconds", "378.0"),
        ],
    );
    assert_cells(
        &only(&merged, "commits"),
        &[
            ("title", "Make the cart faster"),
            ("author", "Ada"),
            ("change_id", "17"),
            ("branch", "faster-cart"),
        ],
    );
}

#[test]
fn a_run_whose_start_was_lost_is_timed_from_its_request_and_claims_no_waiting() {
    let [_, _, completed] = run_events();
    let row = row_of(&completed, "runs");
    assert_cells(&row, &[("queue_seconds", "-"), ("duration_seconds", "390.0")]);
}

#[test]
fn a_run_of_a_fork_that_needs_an_approval_waits_and_is_not_of_the_default_branch() {
    let decoded = told("github", "workflow_run", "workflow-run-of-fork-needs-approval");
    assert_cells(
        &row_of(&decoded, "runs"),
        &[("status", "waiting"), ("conclusion", "-"), ("branch", "main"), ("is_default_branch", "false")],
    );
}

#[test]
fn a_rerun_is_an_attempt_of_its_own_queued_when_it_was_asked_for() {
    let all = [
        told("github", "workflow_run", "workflow-run-completed"),
        told("github", "workflow_run", "workflow-run-rerun-completed"),
    ];
    let merged = rows(&all);
    let attempts: Vec<_> = merged
        .iter()
        .filter(|(key, _)| key.table == "runs")
        .map(|(_, row)| {
            (
                row["attempt"].as_str(),
                row["conclusion"].as_str(),
                row["queued_at"].as_str(),
                row["actor"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        attempts,
        [("1", "failure", "2026-03-02T10:00:00Z", "ada"), ("2", "success", "2026-03-02T11:10:00Z", "ben"),]
    );
}

#[test]
fn a_job_tells_its_waiting_its_runner_and_once_ended_its_steps() {
    let all = ["queued", "in-progress", "completed"]
        .map(|action| told("github", "workflow_job", &format!("workflow-job-{action}")));
    let merged = rows(&all);
    assert_cells(
        &only(&merged, "jobs"),
        &[
            ("job_id", "25000000007"),
            ("run_id", "9000000042"),
            ("run_attempt", "1"),
            ("pipeline", "CI"),
            ("name", "test (linux, 3.12)"),
            ("branch", "faster-cart"),
            ("status", "completed"),
            ("conclusion", "failure"),
            ("queue_seconds", "42.0"),
            ("duration_seconds", "334.0"),
            ("runner_id", "77"),
            ("runner_name", "metal-7"),
            ("runner_pool", "metal"),
            ("runner_os", "linux"),
            ("runner_arch", "x86_64"),
            ("runner_labels", "self-hosted,Linux,X64,big"),
        ],
    );
    assert_cells(&only(&merged, "runners"), &[("state", "available"), ("seen_at", "2026-03-02T10:06:21Z")]);
    assert!(all[..2].iter().all(|decoded| decoded.facts.is_empty()), "steps are told once the job has ended");
    let [steps] = all[2].facts.as_slice() else { panic!("no steps") };
    assert_eq!(steps.natural_key, "steps/github/github.com/acme/shop/9000000042/1/25000000007");
    let told: Vec<_> = steps
        .records
        .iter()
        .map(|record| match record {
            Record::Step(step) => {
                (step.number, step.name.as_deref().unwrap(), step.conclusion.unwrap().as_str())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, "Set up job", "success"),
            (2, "Run actions/checkout@v5", "success"),
            (3, "Run make test", "failure"),
            (4, "Upload report", "skipped"),
            (9, "Complete job", "success"),
        ]
    );
}

#[test]
fn a_job_tells_of_its_run_without_claiming_its_state() {
    let row = row_of(&told("github", "workflow_job", "workflow-job-completed"), "runs");
    assert_cells(&row, &[("run_id", "9000000042"), ("pipeline", "CI"), ("status", "-"), ("started_at", "-")]);
}

#[test]
fn a_job_that_waits_for_an_approval_says_so() {
    let row = row_of(&told("github", "workflow_job", "workflow-job-waiting"), "jobs");
    assert_cells(
        &row,
        &[("status", "waiting"), ("started_at", "-"), ("labels", r#"{"waited_for":"approval of test-lab"}"#)],
    );
}

/// GitHub writes `started_at == created_at` into jobs of which it does not know better.
#[test]
fn equal_times_of_creation_and_start_are_no_proof_of_no_waiting() {
    let body = |file: &str, first_step: &str| {
        let text = String::from_utf8(fixture("github", file)).unwrap();
        text.replace(r#""started_at": "2026-03-02T10:00:47Z""#, &format!(r#""started_at": "{first_step}""#))
    };
    let of = |text: String| {
        crate::support::decoded("github", "workflow_job", text.as_bytes(), at("2026-03-02T10:00:59Z"))
            .unwrap()
    };
    let same = of(body("workflow-job-in-progress", "2026-03-02T10:00:05Z"));
    assert_cells(
        &row_of(&same, "jobs"),
        &[("started_at", "2026-03-02T10:00:59Z"), ("queue_seconds", "54.0")],
    );
    let ended = of(body("workflow-job-completed", "2026-03-02T10:00:05Z"));
    // The first step knows no better: how long it waited stays unknown.
    assert_cells(&row_of(&ended, "jobs"), &[("queue_seconds", "-")]);
    let honest = body("workflow-job-completed", "2026-03-02T10:00:47Z").replacen(
        r#""started_at": "2026-03-02T10:00:47Z""#,
        r#""started_at": "2026-03-02T10:00:05Z""#,
        1,
    );
    assert_cells(&row_of(&of(honest), "jobs"), &[("queue_seconds", "42.0")]);
}

#[test]
fn a_push_brings_commits_with_the_time_they_came() {
    let merged = rows([&told("github", "push", "push")]);
    let commits: Vec<_> =
        merged.values().map(|row| (row["title"].as_str(), row["author"].as_str())).collect();
    assert_eq!(
        commits,
        [("Make the cart faster", "ada"), ("Merge pull request #17 from acme/faster-cart", "Ben")]
    );
    let first = merged.values().next().unwrap();
    assert_cells(
        first,
        &[
            ("branch", "main"),
            ("committed_at", "2026-03-02T09:58:30Z"),
            ("pushed_at", "2026-03-02T11:00:01Z"),
        ],
    );
}

#[test]
fn commits_belong_to_the_pull_request_that_brought_them() {
    for (event, file) in
        [("pull_request", "pull-request-merged"), ("pull_request_review", "pull-request-review")]
    {
        let merged = rows([&told("github", event, file)]);
        assert!(merged.values().all(|row| row["change_id"] == "17"), "{merged:?}");
    }
    let merged = rows([&told("github", "pull_request", "pull-request-merged")]);
    let branches: Vec<_> = merged.values().map(|row| row["branch"].as_str()).collect();
    assert_eq!(branches, ["faster-cart", "main"]);
}

#[test]
fn a_deployment_that_another_replaced_stays_a_success() {
    let all = [
        told("github", "deployment", "deployment-created"),
        told("github", "deployment_status", "deployment-status-in-progress"),
        told("github", "deployment_status", "deployment-status-success"),
        told("github", "deployment_status", "deployment-status-inactive"),
    ];
    assert_cells(
        &only(&rows(&all), "deployments"),
        &[
            ("deployment_id", "145988746"),
            ("environment", "production"),
            ("branch", "main"),
            ("run_id", "9000000099"),
            ("actor", "ben"),
            ("status", "completed"),
            ("conclusion", "success"),
            ("queued_at", "2026-03-02T11:05:00Z"),
            ("started_at", "2026-03-02T11:05:20Z"),
            ("finished_at", "2026-03-02T11:08:00Z"),
            ("duration_seconds", "160.0"),
            ("url", "https://shop.acme.example"),
        ],
    );
}

#[test]
fn a_release_is_a_version_that_went_out() {
    assert_cells(
        &row_of(&told("github", "release", "release-published"), "deployments"),
        &[("environment", "release"), ("version", "v2.4.0"), ("conclusion", "success"), ("actor", "ben")],
    );
}

#[test]
fn checks_of_other_systems_are_runs_and_jobs() {
    let all = [
        told("github", "check_run", "check-run-created"),
        told("github", "check_run", "check-run-completed"),
        told("github", "check_suite", "check-suite-completed"),
    ];
    let merged = rows(&all);
    assert_cells(
        &only(&merged, "runs"),
        &[
            ("run_id", "suite-118578147"),
            ("pipeline", "Acme CI"),
            ("change_id", "17"),
            ("status", "completed"),
            ("conclusion", "failure"),
            ("finished_at", "2026-03-02T10:04:00Z"),
        ],
    );
    assert_cells(
        &only(&merged, "jobs"),
        &[
            ("run_id", "suite-118578147"),
            ("name", "acceptance"),
            ("failure_reason", "2 of 300 tests failed"),
            ("duration_seconds", "210.0"),
        ],
    );
}

#[test]
fn checks_of_github_actions_are_left_to_its_own_events() {
    let body = String::from_utf8(fixture("github", "check-run-completed")).unwrap();
    let body = body.replace("acme-ci", "github-actions");
    let decoded =
        crate::support::decoded("github", "check_run", body.as_bytes(), at("2026-03-02T12:00:00Z")).unwrap();
    assert!(!decoded.known && decoded.entities.is_empty());
    assert_eq!(decoded.event, "check_run.completed");
}

#[test]
fn a_ping_is_known_and_an_unknown_event_is_counted() {
    assert_eq!(told("github", "ping", "ping").entities, []);
    let decoded =
        crate::support::decoded("github", "star", &fixture("github", "ping"), at("2026-03-02T12:00:00Z"))
            .unwrap();
    assert!(!decoded.known);
    assert_eq!(decoded.project.as_deref(), Some("github.com/acme/shop"));
}

#[test]
fn a_form_carries_the_same_payload_signed_as_it_is_sent() {
    let json = String::from_utf8(fixture("github", "workflow-job-completed")).unwrap();
    let form: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &json).finish();
    let signature = crate::hostile::hmac_hex(b"s3cret", form.as_bytes());
    let headers = Headers::from_pairs([
        ("X-GitHub-Event", "workflow_job"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Hub-Signature-256", &format!("sha256={signature}")),
    ]);
    let delivery = Delivery {
        headers: &headers,
        query: &[],
        body: form.as_bytes(),
        received_at: at("2026-03-02T12:00:00Z"),
    };
    let github = named("github");
    assert_eq!(github.verify(&delivery, &Secrets::new(["s3cret"]).unwrap()), Ok(()));
    assert_eq!(
        github.verify(&Delivery { body: json.as_bytes(), ..delivery }, &Secrets::new(["s3cret"]).unwrap()),
        Err(Refusal::WrongSignature)
    );
    let decoded = decode(github, &delivery, &ServiceRules::default(), &Limits::default()).unwrap();
    assert_eq!(decoded, told_at("github", "workflow_job", "workflow-job-completed", delivery.received_at));
}

#[test]
fn one_guid_of_two_hooks_is_two_deliveries() {
    let key = |hook: &str| {
        let headers = Headers::from_pairs([
            ("X-GitHub-Event", "push"),
            ("X-GitHub-Hook-ID", hook),
            ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ]);
        let delivery =
            Delivery { headers: &headers, query: &[], body: b"{}", received_at: at("2026-03-02T12:00:00Z") };
        named("github").identity(&delivery).key
    };
    assert_eq!(key("1").as_deref(), Some("1/72d3162e-cc78-11e3-81ab-4c9367dc0958"));
    assert_ne!(key("1"), key("2"));
}
