//! TeamCity: its own webhooks and tcWebHooks.

use manometer_model::{Conclusion, Status};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{Sent, at, job, run, runner};
use crate::signing::assert_shared_secret_is_checked;

fn sent(name: &str) -> Sent {
    Sent::fixture("teamcity", name)
}

#[test]
fn a_build_is_a_run_and_its_only_job() {
    let decoded = sent("build-finished").decode();
    let (run, job) = (run(&decoded), job(&decoded));
    assert_eq!(run.project, "teamcity.acme.example/Shop_Payments");
    assert_eq!((run.run_id.as_str(), run.number), ("90411", Some(1182)));
    assert_eq!(run.labels["repository"], "git.acme.example/acme/shop");
    assert_eq!(run.service.as_deref(), Some("payments"));
    assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!(
        (run.queued_at, run.started_at, run.finished_at),
        (at("05:00:00"), at("05:00:42"), at("05:05:12"))
    );
    assert_eq!((run.branch.as_deref(), run.is_default_branch), (Some("feature/refunds"), Some(false)));
    assert_eq!((job.job_id.as_str(), job.runner_name.as_deref()), ("90411", Some("linux-large-11")));
    assert_eq!(job.runner_pool.as_deref(), Some("Large"));
    assert_eq!(job.failure_reason.as_deref(), Some("Tests failed: 2 (1 new), passed: 311"));
}

#[test]
fn an_interrupted_build_is_cancelled_though_it_says_it_runs_well() {
    let run = run(&sent("build-interrupted").decode());
    assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Cancelled)));
    assert_eq!(run.finished_at, at("05:02:30"));
}

#[test]
fn the_reasons_of_waiting_are_split() {
    let mut document: serde_json::Value = serde_json::from_slice(&sent("build-finished").body).unwrap();
    document["payload"]["queuedWaitReasons"] = serde_json::json!({"property": [
        {"name": "Build dependencies have not been built yet", "value": "12500"},
        {"name": "There are no idle compatible agents which can run this build", "value": 20000},
        {"name": "There are no compatible agents", "value": 1000},
        {"name": "Something else", "value": 7000},
    ]});
    let job = job(&Sent::body("teamcity", document.to_string()).decode());
    assert_eq!(job.labels["wait.dependency_seconds"], "12.5");
    assert_eq!(job.labels["wait.runner_seconds"], "21");
    assert_eq!(job.labels.len(), 2);
}

#[test]
fn tc_webhooks_tell_of_the_same_builds() {
    let decoded = sent("tcwebhooks-finished").decode();
    let (run, job) = (run(&decoded), job(&decoded));
    assert_eq!((run.project.as_str(), run.run_id.as_str()), ("teamcity.acme.example/Shop_Payments", "90412"));
    assert_eq!((run.conclusion, run.finished_at), (Some(Conclusion::Success), at("05:05:12")));
    assert_eq!(run.commit_sha.as_deref(), Some("5b0d9a4ee1f2a3b4c5d6e7f8091a2b3c4d5e6f70"));
    assert_eq!(
        (job.runner_name.as_deref(), job.runner_os.as_deref()),
        (Some("linux-large-11"), Some("linux"))
    );
    let cancelled = crate::sent::run(&sent("tcwebhooks-interrupted").decode());
    assert_eq!(cancelled.conclusion, Some(Conclusion::Cancelled));
}

#[test]
fn a_time_in_the_words_of_the_servers_locale_is_reported_and_left_out() {
    let text = String::from_utf8(sent("tcwebhooks-finished").body).unwrap();
    let local = text.replace("2026-03-04T05:00:42.000+0000", "3/4/26, 5:00 AM");
    let decoded = Sent::body("teamcity", local).decode();
    assert_eq!(run(&decoded).started_at, None);
    assert_eq!(decoded.problems.first[0].field.as_deref(), Some("build.buildStartTime"));
}

#[test]
fn agents_come_and_go() {
    let online = runner(&sent("agent-registered").decode());
    assert_eq!((online.state.as_deref(), online.os.as_deref()), (Some("available"), Some("linux")));
    let offline = runner(&sent("agent-unregistered").decode());
    assert_eq!((offline.runner_id, offline.state.as_deref()), (online.runner_id, Some("offline")));
    assert!(!Sent::body("teamcity", r#"{"eventType":"CHANGES_LOADED","payload":{"id":"x"}}"#).decode().known);
}

#[test]
fn every_order_makes_the_same_build() {
    for end in ["build-finished", "build-interrupted"] {
        assert_merges_to_the_same(&["build-queued", "build-started", end].map(sent));
    }
    for end in ["tcwebhooks-finished", "tcwebhooks-interrupted"] {
        assert_merges_to_the_same(&["tcwebhooks-started", "tcwebhooks-before-finish", end].map(sent));
    }
}

#[test]
fn credentials_are_checked() {
    assert_shared_secret_is_checked(&sent("build-started"));
}
