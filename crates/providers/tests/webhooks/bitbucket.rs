//! Bitbucket, Cloud and Data Center.

use manometer_model::{Conclusion, Status};
use manometer_providers::{Refusal, Secrets};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{Sent, at, commit, run};
use crate::signing::{SECRET, assert_signature_is_checked, basic, hex_hmac};

fn cloud(name: &str, event: &str) -> Sent {
    Sent::fixture("bitbucket", name).with("X-Event-Key", event)
}

fn data_center(name: &str) -> Sent {
    Sent::fixture("bitbucket", name)
}

#[test]
fn a_status_of_bitbucket_pipelines_is_a_run() {
    let run = run(&cloud("status-updated", "repo:commit_status_updated").decode());
    assert_eq!((run.project.as_str(), run.run_id.as_str()), ("bitbucket.org/acme/shop", "118"));
    assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!((run.started_at, run.finished_at), (at("05:00:00.547563"), at("05:04:30.100")));
    assert_eq!((run.branch.as_deref(), run.is_default_branch), (Some("main"), Some(true)));
}

#[test]
fn a_status_of_another_system_is_passed_over() {
    let text = String::from_utf8(cloud("status-updated", "").body).unwrap();
    let other = text.replace(
        "https://bitbucket.org/acme/shop/addon/pipelines/home#!/results/118",
        "https://ci.acme.example/job/7/",
    );
    let sent = Sent::body("bitbucket", other).with("X-Event-Key", "repo:commit_status_updated");
    assert!(!sent.decode().known);
}

#[test]
fn pushes_of_both_bring_their_commits() {
    let one = commit(&cloud("push", "repo:push").decode());
    assert_eq!(
        (one.sha.as_str(), one.branch.as_deref()),
        ("709d658dc5b6d6afcd46049c2f332ee3f515a67d", Some("main"))
    );
    assert_eq!((one.author.as_deref(), one.title.as_deref()), (Some("Ada Park"), Some("Refund twice")));
    assert_eq!(one.parent_sha.as_deref(), Some("1e65c05c1d5171631d92438a13901ca7dae9618c"));
    let other = commit(&data_center("dc-refs-changed").decode());
    assert_eq!(
        (other.project.as_str(), other.branch.as_deref()),
        ("bitbucket.acme.example/acme/shop", Some("main"))
    );
    assert_eq!((other.pushed_at, other.committed_at), (at("04:58:30"), at("04:58:10")));
}

#[test]
fn a_merge_in_data_center_names_its_pull_request() {
    let decoded = data_center("dc-pr-merged").decode();
    assert_eq!(decoded.event, "pr:merged");
    let merge = commit(&decoded);
    assert_eq!(
        (merge.sha.as_str(), merge.change_id.as_deref()),
        ("178864a7d521b6f5e720b386b2c2b0ef8563e0dc", Some("9"))
    );
    assert!(
        !cloud("pullrequest-fulfilled", "pullrequest:fulfilled").decode().known,
        "its hash is cut to 12 digits"
    );
    assert!(!data_center("dc-test").decode().known);
}

#[test]
fn every_order_makes_the_same_run() {
    assert_merges_to_the_same(&[
        cloud("push", "repo:push"),
        cloud("status-created", "repo:commit_status_created"),
        cloud("status-updated", "repo:commit_status_updated"),
    ]);
    assert_merges_to_the_same(&[data_center("dc-refs-changed"), data_center("dc-pr-merged")]);
}

#[test]
fn the_signature_is_checked_and_credentials_are_taken_without_one() {
    let sign = |sent: Sent, secret: &str| {
        let signature = hex_hmac(secret, &[&sent.body]);
        sent.with("X-Hub-Signature", &format!("sha256={signature}"))
    };
    assert_signature_is_checked(&cloud("push", "repo:push"), sign);
    let secrets = Secrets::new([SECRET]).unwrap();
    let sha1 = cloud("push", "repo:push").with("X-Hub-Signature", "sha1=00");
    assert!(matches!(sha1.verify(&secrets), Err(Refusal::Malformed { .. })));
    let with_password = data_center("dc-pr-merged").with("Authorization", &basic("hook", SECRET));
    assert_eq!(with_password.verify(&secrets), Ok(()));
}

#[test]
fn a_request_is_told_apart_by_hook_and_request() {
    let sent = cloud("push", "repo:push").with("X-Hook-UUID", "{hook}").with("X-Request-UUID", "{request}");
    assert_eq!(sent.identity().key.as_deref(), Some("{hook}/{request}"));
    assert_eq!(data_center("dc-pr-merged").with("X-Request-Id", "r1").identity().key.as_deref(), Some("r1"));
}
