//! Pull and merge requests: the head commit and the source branch, on every system, never the merge made for testing.

use crate::support::{BASE, HEAD, MERGE, Scene, test_merge};

const GITHUB: &str = "GITHUB_ACTIONS=true
    GITHUB_SERVER_URL=https://github.com
    GITHUB_REPOSITORY=acme/shop
    GITHUB_RUN_ID=7
    GITHUB_RUN_ATTEMPT=1
    GITHUB_EVENT_NAME=pull_request
    GITHUB_REF=refs/pull/42/merge
    GITHUB_REF_NAME=42/merge
    GITHUB_REF_TYPE=branch
    GITHUB_HEAD_REF=feature/refunds
    GITHUB_BASE_REF=main
    GITHUB_SHA=3333333333333333333333333333333333333333
    GITHUB_EVENT_PATH=/home/runner/work/_temp/_github_workflow/event.json";

fn github_event() -> String {
    format!(
        r#"{{"action":"synchronize","number":42,
            "pull_request":{{"number":42,"head":{{"ref":"feature/refunds","sha":"{HEAD}"}},
            "base":{{"ref":"main","sha":"{BASE}"}},"merge_commit_sha":"{MERGE}"}},
            "repository":{{"full_name":"acme/shop","default_branch":"main"}}}}"#
    )
}

#[test]
fn a_change_is_described_by_its_head_on_every_system() {
    for (name, variables) in [
        (
            "gitlab merged result",
            "GITLAB_CI=true
             CI_COMMIT_SHA=3333333333333333333333333333333333333333
             CI_COMMIT_REF_NAME=feature/refunds
             CI_DEFAULT_BRANCH=main
             CI_PIPELINE_SOURCE=merge_request_event
             CI_MERGE_REQUEST_IID=42
             CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=feature/refunds
             CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=2222222222222222222222222222222222222222
             CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main",
        ),
        (
            "gitlab detached merge request",
            "GITLAB_CI=true
             CI_COMMIT_SHA=2222222222222222222222222222222222222222
             CI_PIPELINE_SOURCE=merge_request_event
             CI_MERGE_REQUEST_IID=42
             CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=feature/refunds
             CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=
             CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main",
        ),
        (
            "gitlab external pull request",
            "GITLAB_CI=true
             CI_COMMIT_SHA=3333333333333333333333333333333333333333
             CI_PIPELINE_SOURCE=external_pull_request_event
             CI_EXTERNAL_PULL_REQUEST_IID=42
             CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME=feature/refunds
             CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA=2222222222222222222222222222222222222222",
        ),
        (
            "jenkins pull request builder",
            "JENKINS_URL=https://ci.acme.example/
             JOB_NAME=shop-pr
             BUILD_NUMBER=5
             GIT_COMMIT=3333333333333333333333333333333333333333
             GIT_BRANCH=detached
             ghprbActualCommit=2222222222222222222222222222222222222222
             ghprbSourceBranch=feature/refunds
             ghprbPullId=42",
        ),
        (
            "buildkite",
            "BUILDKITE=true
             BUILDKITE_BRANCH=feature/refunds
             BUILDKITE_PULL_REQUEST=42
             BUILDKITE_PULL_REQUEST_BASE_BRANCH=main
             BUILDKITE_COMMIT=2222222222222222222222222222222222222222",
        ),
        (
            "circleci",
            "CIRCLECI=true
             CIRCLE_BRANCH=feature/refunds
             CIRCLE_PULL_REQUEST=https://github.com/acme/shop/pull/42
             CIRCLE_SHA1=2222222222222222222222222222222222222222",
        ),
        (
            "azure",
            "TF_BUILD=True
             BUILD_REASON=PullRequest
             BUILD_SOURCEBRANCH=refs/pull/42/merge
             BUILD_SOURCEVERSION=3333333333333333333333333333333333333333
             SYSTEM_PULLREQUEST_PULLREQUESTID=988123
             SYSTEM_PULLREQUEST_PULLREQUESTNUMBER=42
             SYSTEM_PULLREQUEST_SOURCEBRANCH=refs/heads/feature/refunds
             SYSTEM_PULLREQUEST_SOURCECOMMITID=2222222222222222222222222222222222222222",
        ),
        (
            "bitbucket",
            "BITBUCKET_BUILD_NUMBER=9
             BITBUCKET_BRANCH=feature/refunds
             BITBUCKET_PR_ID=42
             BITBUCKET_PR_DESTINATION_BRANCH=main
             BITBUCKET_COMMIT=2222222222222222222222222222222222222222",
        ),
        (
            "travis",
            "TRAVIS=true
             TRAVIS_EVENT_TYPE=pull_request
             TRAVIS_BRANCH=main
             TRAVIS_COMMIT=3333333333333333333333333333333333333333
             TRAVIS_PULL_REQUEST=42
             TRAVIS_PULL_REQUEST_BRANCH=feature/refunds
             TRAVIS_PULL_REQUEST_SHA=2222222222222222222222222222222222222222",
        ),
        (
            "appveyor",
            "APPVEYOR=True
             APPVEYOR_REPO_BRANCH=main
             APPVEYOR_REPO_COMMIT=3333333333333333333333333333333333333333
             APPVEYOR_PULL_REQUEST_NUMBER=42
             APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH=feature/refunds
             APPVEYOR_PULL_REQUEST_HEAD_COMMIT=2222222222222222222222222222222222222222",
        ),
        (
            "bitrise",
            "BITRISE_IO=true
             BITRISE_PULL_REQUEST=42
             BITRISE_GIT_BRANCH=feature/refunds
             BITRISEIO_GIT_BRANCH_DEST=main
             BITRISE_GIT_COMMIT=2222222222222222222222222222222222222222",
        ),
        (
            "drone",
            "DRONE=true
             DRONE_BUILD_EVENT=pull_request
             DRONE_PULL_REQUEST=42
             DRONE_BRANCH=main
             DRONE_REPO_BRANCH=main
             DRONE_SOURCE_BRANCH=feature/refunds
             DRONE_TARGET_BRANCH=main
             DRONE_COMMIT_SHA=2222222222222222222222222222222222222222",
        ),
        (
            "woodpecker",
            "CI=woodpecker
             CI_PIPELINE_EVENT=pull_request
             CI_COMMIT_PULL_REQUEST=42
             CI_COMMIT_BRANCH=main
             CI_REPO_DEFAULT_BRANCH=main
             CI_COMMIT_SOURCE_BRANCH=feature/refunds
             CI_COMMIT_TARGET_BRANCH=main
             CI_COMMIT_SHA=2222222222222222222222222222222222222222",
        ),
        (
            "codebuild",
            "CODEBUILD_BUILD_ID=shop:1
             CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_UPDATED
             CODEBUILD_WEBHOOK_TRIGGER=pr/42
             CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/feature/refunds
             CODEBUILD_WEBHOOK_BASE_REF=refs/heads/main
             CODEBUILD_SOURCE_VERSION=pr/42
             CODEBUILD_RESOLVED_SOURCE_VERSION=2222222222222222222222222222222222222222",
        ),
        (
            "cloud build",
            "BUILDER_OUTPUT=/builder/outputs
             BUILD_ID=b3b9
             _PR_NUMBER=42
             _HEAD_BRANCH=feature/refunds
             _BASE_BRANCH=main
             BRANCH_NAME=feature/refunds
             COMMIT_SHA=2222222222222222222222222222222222222222",
        ),
        (
            "codefresh",
            "CF_BUILD_ID=5f3c
             CF_BRANCH=feature/refunds
             CF_PULL_REQUEST_NUMBER=42
             CF_PULL_REQUEST_TARGET=main
             CF_REVISION=2222222222222222222222222222222222222222",
        ),
        (
            "semaphore",
            "SEMAPHORE=true
             SEMAPHORE_GIT_REF_TYPE=pull-request
             SEMAPHORE_GIT_BRANCH=main
             SEMAPHORE_GIT_SHA=3333333333333333333333333333333333333333
             SEMAPHORE_GIT_PR_NUMBER=42
             SEMAPHORE_GIT_PR_BRANCH=feature/refunds
             SEMAPHORE_GIT_PR_SHA=2222222222222222222222222222222222222222",
        ),
    ] {
        let context = Scene::of(variables).detect();
        assert_eq!(context.commit_sha(), Some(HEAD), "{name}");
        assert_eq!(context.branch(), Some("feature/refunds"), "{name}");
        assert_eq!(context.change_id(), Some("42"), "{name}");
        assert_ne!(context.is_default_branch(), Some(true), "{name}");
        let trigger = context.told.get(&manometer_providers::environment::Field::Trigger);
        let is_told = trigger.is_none_or(|told| told.value == "pull_request");
        assert!(is_told, "{name}: {trigger:?}");
        assert!(context.problems.is_empty(), "{name}: {:?}", context.problems);
    }
}

#[test]
fn github_reads_the_head_from_the_event_file() {
    let scene = Scene::of(GITHUB)
        .with_file("/home/runner/work/_temp/_github_workflow/event.json", &github_event())
        .with_git(test_merge());
    let context = scene.detect();
    assert_eq!(context.commit_sha(), Some(HEAD));
    assert_eq!(context.branch(), Some("feature/refunds"));
    assert_eq!(context.change_id(), Some("42"));
    assert_eq!(context.is_default_branch(), Some(false));
    assert_eq!(context.labels.get("target_branch").map(String::as_str), Some("main"));
}

#[test]
fn github_pull_request_target_is_about_the_head_too() {
    let variables = GITHUB
        .replace("refs/pull/42/merge", "refs/heads/main")
        .replace("42/merge", "main")
        .replace("EVENT_NAME=pull_request", "EVENT_NAME=pull_request_target")
        .replace(MERGE, BASE);
    let context = Scene::of(&variables)
        .with_file("/home/runner/work/_temp/_github_workflow/event.json", &github_event())
        .detect();
    assert_eq!(context.commit_sha(), Some(HEAD));
    assert_eq!(context.branch(), Some("feature/refunds"));
    assert_eq!(context.is_default_branch(), Some(false));
}

#[test]
fn github_without_its_event_file_asks_git_and_never_names_the_merge() {
    let seen_through = Scene::of(GITHUB).with_git(test_merge()).detect();
    assert_eq!(seen_through.commit_sha(), Some(HEAD));
    assert_eq!(seen_through.branch(), Some("feature/refunds"));
    assert_eq!(seen_through.change_id(), Some("42"));
    assert_eq!(seen_through.problems.total, 1, "the missing file is reported");

    let without_git = Scene::of(GITHUB).detect();
    assert_eq!(without_git.commit_sha(), None);
    assert_eq!(without_git.branch(), Some("feature/refunds"));
}

#[test]
fn jenkins_merges_are_seen_through() {
    let variables = "JENKINS_URL=https://ci.acme.example/
        JOB_NAME=acme/shop/PR-42
        BUILD_NUMBER=3
        BRANCH_NAME=PR-42
        CHANGE_ID=42
        CHANGE_BRANCH=feature/refunds
        CHANGE_TARGET=main
        CHANGE_AUTHOR=ada
        GIT_BRANCH=PR-42
        GIT_COMMIT=3333333333333333333333333333333333333333";
    let mut git = test_merge();
    git.subject = Some(format!("Merge commit '{HEAD}' into HEAD"));
    let context = Scene::of(variables).with_git(git).detect();
    assert_eq!(context.commit_sha(), Some(HEAD));
    assert_eq!(context.branch(), Some("feature/refunds"));
    assert_eq!(context.run_id(), Some("acme/shop/PR-42#3"));
    assert_eq!(context.is_default_branch(), Some(false));

    // The head of a pull request may be a merge its author made: that one is meant.
    let mut authors = test_merge();
    authors.subject = Some("Merge branch 'main' into feature/refunds".to_owned());
    assert_eq!(Scene::of(variables).with_git(authors).detect().commit_sha(), Some(MERGE));
}

#[test]
fn teamcity_pull_request() {
    let context = Scene::of(
        "TEAMCITY_VERSION=2025.07
         BUILD_NUMBER=9
         TEAMCITY_BUILD_PROPERTIES_FILE=/a",
    )
    .with_file(
        "/a",
        "teamcity.build.id=5\nbuild.vcs.number=2222222222222222222222222222222222222222\n\
         teamcity.build.branch=pull/42\nteamcity.pullRequest.number=42\n\
         teamcity.pullRequest.source.branch=feature/refunds\n",
    )
    .detect();
    assert_eq!(context.commit_sha(), Some(HEAD));
    assert_eq!(context.branch(), Some("feature/refunds"));
    assert_eq!(context.change_id(), Some("42"));
}

#[test]
fn circleci_fork_has_no_branch_of_the_repository() {
    let context = Scene::of(
        "CIRCLECI=true
         CIRCLE_BRANCH=pull/42
         CIRCLE_PR_NUMBER=42
         CIRCLE_SHA1=2222222222222222222222222222222222222222",
    )
    .detect();
    assert_eq!((context.branch(), context.change_id()), (None, Some("42")));
}
