//! One CI system inside another, and none at all.

use manometer_providers::environment::GitFacts;

use crate::support::{HEAD, Scene};

const GITHUB: &str = "CI=true
    GITHUB_ACTIONS=true
    GITHUB_SERVER_URL=https://github.com
    GITHUB_REPOSITORY=acme/infrastructure
    GITHUB_RUN_ID=7
    GITHUB_RUN_ATTEMPT=1
    GITHUB_REF_NAME=main
    GITHUB_SHA=1111111111111111111111111111111111111111
    GITHUB_WORKSPACE=/home/runner/work/infrastructure/infrastructure";
const JENKINS: &str = "JENKINS_URL=http://localhost:8080/
    JOB_NAME=shop
    BUILD_NUMBER=5
    GIT_URL=https://github.com/acme/shop
    GIT_COMMIT=2222222222222222222222222222222222222222
    WORKSPACE=/var/jenkins_home/workspace/shop";

#[test]
fn jenkins_in_docker_on_a_github_runner_is_jenkins() {
    let context =
        Scene::of(GITHUB).and(JENKINS).in_folder("/var/jenkins_home/workspace/shop/services/pay").detect();
    assert_eq!(context.system, "Jenkins");
    assert_eq!(context.also_found, ["GitHub Actions"]);
    assert_eq!(context.project(), Some("localhost/shop"));
    assert_eq!(context.run_id(), Some("shop#5"));
    assert_eq!(context.commit_sha(), Some(HEAD), "nothing of the outer system leaks in");
    assert_eq!(context.attempt(), None);
}

#[test]
fn a_github_runner_started_by_jenkins_is_github_where_its_checkout_is() {
    let scene = Scene::of(GITHUB).and(JENKINS);
    let inside =
        scene.clone().in_folder("/home/runner/work/infrastructure/infrastructure/terraform").detect();
    assert_eq!((inside.system, inside.run_id()), ("GitHub Actions", Some("7")));
    assert_eq!(inside.also_found, ["Jenkins"]);
    // In neither checkout, the one that usually is the inner one.
    assert_eq!(scene.in_folder("/tmp").detect().system, "Jenkins");
}

#[test]
fn of_checkouts_inside_each_other_the_deepest_counts() {
    let scene = Scene::of(GITHUB).and(
        "BUILDKITE=true
         BUILDKITE_BUILD_CHECKOUT_PATH=/home/runner",
    );
    assert_eq!(
        scene.clone().in_folder("/home/runner/work/infrastructure/infrastructure").detect().system,
        "GitHub Actions"
    );
    assert_eq!(scene.in_folder("/home/runner/other").detect().system, "Buildkite");
}

#[test]
fn outside_ci_git_tells_what_it_can() {
    let git = GitFacts {
        root: Some("/home/ada/shop".into()),
        project: Some("github.com/acme/shop".into()),
        branch: Some("feature/refunds".into()),
        default_branch: Some("main".into()),
        commit_sha: Some(HEAD.into()),
        ..GitFacts::default()
    };
    let context = Scene::of("CI=true").with_git(git.clone()).in_folder("/home/ada/shop/src").detect();
    assert_eq!((context.provider.as_deref(), context.system), (None, "plain git"));
    assert_eq!(context.project(), Some("github.com/acme/shop"));
    assert_eq!(context.branch(), Some("feature/refunds"));
    assert_eq!(context.is_default_branch(), Some(false));
    assert_eq!(context.commit_sha(), Some(HEAD));
    assert_eq!(context.run_id(), None);

    let detached = Scene::default().with_git(GitFacts { branch: None, ..git }).detect();
    assert_eq!((detached.branch(), detached.commit_sha()), (None, Some(HEAD)));

    let nothing = Scene::default().detect();
    assert_eq!((nothing.project(), nothing.commit_sha(), nothing.service()), (None, None, None));
}

#[test]
fn in_ci_the_detached_checkout_never_names_the_branch() {
    let git = GitFacts { branch: Some("ci-checkout-7".into()), ..GitFacts::default() };
    let context = Scene::of("BITRISE_IO=true").with_git(git).detect();
    assert_eq!(context.branch(), None);
}

#[test]
fn the_service_is_said_or_follows_from_the_folder_or_the_project() {
    let git = GitFacts {
        root: Some("/work/shop".into()),
        project: Some("github.com/acme/shop".into()),
        ..GitFacts::default()
    };
    let scene = Scene::default().with_git(git).with_rules(&["services/*/", "libs/{service}/"]);
    let service = |scene: Scene| scene.detect().service().map(str::to_owned);
    for (folder, expected) in [
        ("/work/shop/services/payments", "payments"),
        ("/work/shop/services/payments/src/main", "payments"),
        ("/work/shop/libs/money", "money"),
        ("/work/shop", "shop"),
        ("/work/shop/docs", "shop"),
        ("/elsewhere/services/payments", "shop"),
    ] {
        assert_eq!(service(scene.clone().in_folder(folder)).as_deref(), Some(expected), "{folder}");
    }
    let said = scene.in_folder("/work/shop/services/payments").and("CI_SERVICE_NAME=checkout");
    assert_eq!(service(said).as_deref(), Some("checkout"));
}
