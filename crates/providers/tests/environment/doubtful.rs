//! Empty, broken and hostile values: each costs its own field and is reported; nothing else suffers.

use proptest::prelude::*;

use crate::support::Scene;

#[test]
fn empty_variables_are_no_variables() {
    let context = Scene::of(
        "GITHUB_ACTIONS=true
         GITHUB_REPOSITORY=
         GITHUB_RUN_ID=
         GITHUB_SHA=
         JENKINS_URL=
         TEAMCITY_VERSION=
         CI_SERVICE_NAME=",
    )
    .detect();
    assert_eq!(context.system, "GitHub Actions");
    assert!(context.also_found.is_empty());
    assert_eq!((context.project(), context.run_id(), context.commit_sha()), (None, None, None));
    assert!(context.problems.is_empty());
}

#[test]
fn broken_values_are_left_out_and_named() {
    let long = "x".repeat(5_000);
    for (variable, value, field) in [
        ("GITHUB_RUN_ATTEMPT", "two", "attempt"),
        ("GITHUB_RUN_ATTEMPT", "0", "attempt"),
        ("GITHUB_RUN_ATTEMPT", "99999999999999999999", "attempt"),
        ("GITHUB_RUN_NUMBER", "-1", "number"),
        ("GITHUB_RUN_ID", "a\u{7}b", "run_id"),
        ("GITHUB_WORKFLOW", "a\nb", "pipeline"),
        ("GITHUB_REF_NAME", long.as_str(), "branch"),
    ] {
        let mut scene = Scene::of("GITHUB_ACTIONS=true\nGITHUB_JOB=test");
        scene.variables.insert(variable.to_owned(), value.to_owned());
        let context = scene.detect();
        let problem = context.problems.first.first().map(ToString::to_string).unwrap_or_default();
        assert!(problem.contains(variable) && problem.contains(field), "{variable}: {problem}");
        assert!(problem.len() < 300 && !problem.contains(['\u{7}', '\n']), "{problem}");
        assert!(context.told.keys().all(|key| key.name() != field), "{variable}");
        assert_eq!(context.job_name(), Some("test"));
    }
}

#[test]
fn an_address_that_is_none_is_left_out() {
    let context =
        Scene::of("JENKINS_URL=x\nJOB_NAME=a\nBUILD_NUMBER=1\nBUILD_URL=javascript:alert(1)").detect();
    assert_eq!(context.url(), None);
    assert_eq!(context.problems.total, 1);
}

#[test]
fn broken_event_files_cost_the_file_alone() {
    let variables = "GITHUB_ACTIONS=true
        GITHUB_RUN_ID=7
        GITHUB_REF=refs/heads/main
        GITHUB_REF_NAME=main
        GITHUB_SHA=1111111111111111111111111111111111111111
        GITHUB_EVENT_PATH=/event.json";
    let deep = "[".repeat(100_000);
    for content in ["", "{", "null", "\u{0}", r#"{"pull_request":"no"}"#, deep.as_str()] {
        let context = Scene::of(variables).with_file("/event.json", content).detect();
        assert_eq!((context.run_id(), context.branch()), (Some("7"), Some("main")), "{content:.20}");
        assert!(context.commit_sha().is_some());
        assert_eq!(context.problems.total, 1, "{content:.20}: {:?}", context.problems);
    }
    let context = Scene::of(variables).with_file("/event.json", r#"{"pull_request":null}"#).detect();
    assert!(context.problems.is_empty(), "a push has no pull request: {:?}", context.problems);
}

#[test]
fn property_files_that_name_each_other_end() {
    let context = Scene::of("TEAMCITY_VERSION=1\nTEAMCITY_BUILD_PROPERTIES_FILE=/a")
        .with_file("/a", "teamcity.configuration.properties.file=/b\nteamcity.build.id=1")
        .with_file("/b", "teamcity.configuration.properties.file=/a\nteamcity.build.id=2")
        .detect();
    assert!(context.run_id().is_some());
}

#[test]
fn what_is_found_is_what_an_upload_takes() {
    let context = Scene::of(
        "GITHUB_ACTIONS=true
         GITHUB_SERVER_URL=https://github.com
         GITHUB_REPOSITORY=acme/shop
         GITHUB_RUN_ID=7
         GITHUB_BASE_REF=main
         RUNNER_NAME=r1
         GITHUB_WORKSPACE=/work",
    )
    .detect();
    let fields: Vec<String> =
        context.upload_fields().map(|(name, value)| format!("{name}={value}")).collect();
    for expected in [
        "provider=github",
        "project=github.com/acme/shop",
        "run_id=7",
        "label.runner_name=r1",
        "label.target_branch=main",
    ] {
        assert!(fields.iter().any(|field| field == expected), "{expected} in {fields:?}");
    }
    assert!(!fields.iter().any(|field| field.contains("workspace")), "{fields:?}");
}

#[test]
fn flags_that_speak_of_another_run_take_nothing_of_this_one() {
    let context = Scene::of(
        "GITHUB_ACTIONS=true
         GITHUB_SERVER_URL=https://github.com
         GITHUB_REPOSITORY=acme/shop
         GITHUB_RUN_ID=7
         GITHUB_RUN_ATTEMPT=2
         GITHUB_JOB=test
         GITHUB_REF_NAME=main
         GITHUB_SHA=1111111111111111111111111111111111111111",
    )
    .detect();
    let names = |said: &[(&str, &str)]| -> Vec<String> {
        context.upload_fields_beside(said).into_iter().map(|(name, _)| name).collect()
    };
    assert!(names(&[]).contains(&"attempt".to_owned()));
    let beside_own = names(&[("run_id", "7"), ("job_name", "unit")]);
    assert!(beside_own.contains(&"attempt".to_owned()) && !beside_own.contains(&"job_name".to_owned()));
    for said in [("run_id", "8"), ("provider", "local"), ("attempt", "1")] {
        assert_eq!(names(&[said]), ["project", "service", "branch", "commit_sha"], "{said:?}");
    }
    assert!(names(&[("project", "github.com/acme/other")]).is_empty());
}

#[test]
fn outside_ci_an_upload_takes_the_checkout_alone() {
    let git = manometer_providers::environment::GitFacts {
        project: Some("github.com/acme/shop".into()),
        branch: Some("main".into()),
        ..Default::default()
    };
    let fields = Scene::default().with_git(git).detect();
    let names: Vec<String> = fields.upload_fields_beside(&[]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["project", "service", "branch"]);
}

const NAMES: &[&str] = &[
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_REF",
    "GITHUB_EVENT_PATH",
    "GITLAB_CI",
    "CI_PROJECT_URL",
    "JENKINS_URL",
    "JOB_NAME",
    "BUILD_NUMBER",
    "GIT_URL",
    "GIT_BRANCH",
    "TEAMCITY_VERSION",
    "BUILD_URL",
    "TEAMCITY_BUILD_PROPERTIES_FILE",
    "BUILDKITE",
    "BUILDKITE_REPO",
    "CIRCLECI",
    "CIRCLE_PULL_REQUEST",
    "TF_BUILD",
    "BUILD_SOURCEBRANCH",
    "BITBUCKET_BUILD_NUMBER",
    "TRAVIS",
    "TRAVIS_REPO_SLUG",
    "APPVEYOR",
    "BITRISE_IO",
    "DRONE",
    "CODEBUILD_BUILD_ID",
    "CODEBUILD_WEBHOOK_TRIGGER",
    "BUILDER_OUTPUT",
    "CF_BUILD_ID",
    "SEMAPHORE",
    "GITEA_ACTIONS",
    "FORGEJO_RUN_ID",
    "CI_SERVICE_NAME",
    "WORKSPACE",
];

proptest! {
    #[test]
    fn no_environment_makes_it_fall_over(
        values in prop::collection::vec(prop::option::of("(true|[0-9]{1,3}|refs/heads/.{0,9}|https?://.{0,12}|\\PC{0,20}|.{0,12})"), NAMES.len()),
        file in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
        folder in "(/|/\\PC{0,12}|\\PC{0,12})",
    ) {
        let mut scene = Scene::default().in_folder(&folder).with_rules(&["**/{service}/", "*/"]);
        for (name, value) in NAMES.iter().zip(values) {
            if let Some(value) = value {
                if let Some(content) = &file {
                    scene.files.0.insert(value.clone().into(), content.clone());
                }
                scene.variables.insert((*name).to_owned(), value);
            }
        }
        let context = scene.detect();
        for told in context.told.values() {
            prop_assert!(!told.value.is_empty() && !told.value.contains(char::is_control));
        }
    }
}
