//! One build of a branch or tag on each system.

use crate::support::{Scene, lines, shown};

#[track_caller]
fn finds(variables: &str, expected: &str) {
    let context = Scene::of(variables).detect();
    assert_eq!(shown(&context), lines(expected));
    assert!(context.also_found.is_empty(), "{:?}", context.also_found);
}

#[test]
fn github_actions_push() {
    finds(
        "CI=true
         GITHUB_ACTIONS=true
         GITHUB_SERVER_URL=https://github.com
         GITHUB_REPOSITORY=acme/shop
         GITHUB_WORKFLOW=CI
         GITHUB_RUN_ID=30433642
         GITHUB_RUN_ATTEMPT=2
         GITHUB_RUN_NUMBER=562
         GITHUB_JOB=test
         GITHUB_REF=refs/heads/main
         GITHUB_REF_NAME=main
         GITHUB_REF_TYPE=branch
         GITHUB_HEAD_REF=
         GITHUB_BASE_REF=
         GITHUB_SHA=ffac537e6cbbf934b08745a378932722df287a53
         GITHUB_EVENT_NAME=push
         GITHUB_ACTOR=ada
         GITHUB_TRIGGERING_ACTOR=bob
         GITHUB_WORKSPACE=/home/runner/work/shop/shop
         RUNNER_NAME=Hosted Agent
         RUNNER_OS=macOS
         RUNNER_ARCH=ARM64
         RUNNER_ENVIRONMENT=github-hosted",
        "GitHub Actions (github)
         project: github.com/acme/shop
         service: shop
         pipeline: CI
         run_id: 30433642
         attempt: 2
         number: 562
         job_name: test
         branch: main
         commit_sha: ffac537e6cbbf934b08745a378932722df287a53
         trigger: push
         actor: bob
         url: https://github.com/acme/shop/actions/runs/30433642
         runner_name: Hosted Agent
         runner_os: macos
         runner_arch: aarch64
         runner_pool: github-hosted
         workspace: /home/runner/work/shop/shop",
    );
}

#[test]
fn github_actions_tag_on_an_enterprise_server() {
    finds(
        "GITHUB_ACTIONS=true
         GITHUB_SERVER_URL=https://GitHub.acme.example/
         GITHUB_REPOSITORY=platform/shop
         GITHUB_RUN_ID=7
         GITHUB_RUN_ATTEMPT=1
         GITHUB_REF=refs/tags/v1.2
         GITHUB_REF_NAME=v1.2
         GITHUB_REF_TYPE=tag
         GITHUB_SHA=ffac537e6cbbf934b08745a378932722df287a53
         GITHUB_EVENT_NAME=push
         CI_JOB_CHECK_RUN_ID=399444496",
        "GitHub Actions (github)
         project: github.acme.example/platform/shop
         service: shop
         run_id: 7
         attempt: 1
         job_id: 399444496
         branch: v1.2
         commit_sha: ffac537e6cbbf934b08745a378932722df287a53
         trigger: push
         url: https://GitHub.acme.example/platform/shop/actions/runs/7
         runner_os: linux
         runner_arch: x86_64
         label.tag: v1.2",
    );
}

#[test]
fn gitlab_branch_pipeline_in_nested_groups() {
    finds(
        "CI=true
         GITLAB_CI=true
         CI_SERVER_HOST=gitlab.acme.example
         CI_PROJECT_URL=https://gitlab.acme.example/shop/backend/payments
         CI_PROJECT_DIR=/builds/shop/backend/payments
         CI_PIPELINE_ID=1000
         CI_PIPELINE_IID=10
         CI_PIPELINE_NAME=nightly
         CI_PIPELINE_SOURCE=schedule
         CI_PIPELINE_URL=https://gitlab.acme.example/shop/backend/payments/-/pipelines/1000
         CI_JOB_ID=50
         CI_JOB_NAME=rspec 1/4
         CI_JOB_STAGE=test
         CI_COMMIT_SHA=1ecfd275763eff1d6b4844ea3168962458c9f27a
         CI_COMMIT_BRANCH=main
         CI_COMMIT_REF_NAME=main
         CI_DEFAULT_BRANCH=main
         CI_RUNNER_ID=12270845
         CI_RUNNER_DESCRIPTION=1-blue.saas-linux-small-amd64.runners-manager.gitlab.com/default
         CI_RUNNER_EXECUTABLE_ARCH=linux/amd64
         GITLAB_USER_LOGIN=ada",
        "GitLab CI (gitlab)
         project: gitlab.acme.example/shop/backend/payments
         service: payments
         pipeline: nightly
         run_id: 1000
         number: 10
         job_id: 50
         job_name: rspec 1/4
         branch: main
         is_default_branch: true
         commit_sha: 1ecfd275763eff1d6b4844ea3168962458c9f27a
         trigger: schedule
         actor: ada
         url: https://gitlab.acme.example/shop/backend/payments/-/pipelines/1000
         runner_name: 1-blue.saas-linux-small-amd64.runners-manager.gitlab.com/default
         runner_os: linux
         runner_arch: x86_64
         workspace: /builds/shop/backend/payments
         label.runner_id: 12270845
         label.stage: test",
    );
}

#[test]
fn jenkins_multibranch() {
    finds(
        "JENKINS_URL=https://ci.acme.example/
         JENKINS_HOME=/var/lib/jenkins
         JOB_NAME=acme/shop/feature%2Frefunds
         JOB_BASE_NAME=feature%2Frefunds
         BUILD_NUMBER=57
         BUILD_ID=57
         BUILD_URL=https://ci.acme.example/job/acme/job/shop/job/feature%252Frefunds/57/
         BRANCH_NAME=feature/refunds
         GIT_URL=git@github.com:acme/shop.git
         GIT_BRANCH=feature/refunds
         GIT_COMMIT=8c1f0b64d3a2e975f0f4b1c6a7d8e9f001122334
         NODE_NAME=linux-3
         NODE_LABELS=docker linux linux-3
         STAGE_NAME=Test
         WORKSPACE=/var/lib/jenkins/workspace/acme_shop_feature_refunds",
        "Jenkins (jenkins)
         project: ci.acme.example/acme/shop
         service: shop
         pipeline: shop
         run_id: acme/shop/feature%2Frefunds#57
         number: 57
         job_name: Test
         branch: feature/refunds
         is_default_branch: false
         commit_sha: 8c1f0b64d3a2e975f0f4b1c6a7d8e9f001122334
         url: https://ci.acme.example/job/acme/job/shop/job/feature%252Frefunds/57/
         runner_name: linux-3
         runner_os: linux
         runner_arch: x86_64
         runner_pool: docker linux linux-3
         workspace: /var/lib/jenkins/workspace/acme_shop_feature_refunds
         label.repository: github.com/acme/shop",
    );
}

#[test]
fn teamcity_finds_the_rest_in_its_property_files() {
    let context = Scene::of(
        "TEAMCITY_VERSION=2025.07.3 (build 197398)
         TEAMCITY_PROJECT_NAME=Payments
         TEAMCITY_BUILDCONF_NAME=Test
         BUILD_NUMBER=1182
         BUILD_VCS_NUMBER=5b0d9a4ee1f2a3b4c5d6e7f8091a2b3c4d5e6f70
         BUILD_URL=https://teamcity.acme.example/buildConfiguration/Shop_Payments_Test/90411
         TEAMCITY_BUILD_PROPERTIES_FILE=/opt/agent/temp/build.properties",
    )
    .with_file(
        "/opt/agent/temp/build.properties",
        "#TeamCity build properties without 'system.' prefix\n\
         teamcity.project.id=Shop_Payments\nagent.name=linux-large-11\nteamcity.build.id=90411\nteamcity.buildType.id=Shop_Payments_Test\n\
         teamcity.build.checkoutDir=/opt/agent/work/5d1\n\
         teamcity.configuration.properties.file=/opt/agent/temp/config.properties\n",
    )
    .with_file(
        "/opt/agent/temp/config.properties",
        "vcsroot.url=https\\://git.acme.example/acme/shop.git\nteamcity.build.branch=refs/heads/main\n\
         teamcity.build.branch.is_default=true\nteamcity.build.triggeredBy.username=ada\n\
         teamcity.agent.jvm.os.name=Windows Server 2022\nteamcity.agent.jvm.os.arch=amd64\n",
    )
    .detect();
    assert_eq!(
        shown(&context),
        lines(
            "TeamCity (teamcity)
             project: teamcity.acme.example/Shop_Payments
             service: Shop_Payments
             pipeline: Shop_Payments_Test
             run_id: 90411
             number: 1182
             job_id: 90411
             branch: main
             is_default_branch: true
             commit_sha: 5b0d9a4ee1f2a3b4c5d6e7f8091a2b3c4d5e6f70
             actor: ada
             url: https://teamcity.acme.example/buildConfiguration/Shop_Payments_Test/90411
             runner_name: linux-large-11
             runner_os: windows
             runner_arch: x86_64
             workspace: /opt/agent/work/5d1
             label.build_configuration: Test
             label.project_name: Payments
             label.repository: git.acme.example/acme/shop"
        )
    );
}

#[test]
fn buildkite_branch() {
    finds(
        "CI=true
         BUILDKITE=true
         BUILDKITE_REPO=git@github.com:acme/shop.git
         BUILDKITE_PIPELINE_SLUG=shop
         BUILDKITE_PIPELINE_DEFAULT_BRANCH=main
         BUILDKITE_BUILD_ID=f62a1b4d-10f9-4790-bc1c-e2c3a0c8000a
         BUILDKITE_BUILD_NUMBER=501
         BUILDKITE_BUILD_URL=https://buildkite.com/acme/shop/builds/501
         BUILDKITE_JOB_ID=b63254c0-3271-4a98-8270-7cfbd6c2f14e
         BUILDKITE_LABEL=:pytest: Tests
         BUILDKITE_STEP_KEY=tests
         BUILDKITE_BRANCH=main
         BUILDKITE_TAG=
         BUILDKITE_COMMIT=HEAD
         BUILDKITE_PULL_REQUEST=false
         BUILDKITE_PULL_REQUEST_BASE_BRANCH=
         BUILDKITE_SOURCE=schedule
         BUILDKITE_BUILD_CREATOR=Ada Park
         BUILDKITE_AGENT_NAME=linux-large-1
         BUILDKITE_AGENT_META_DATA_QUEUE=large
         BUILDKITE_RETRY_COUNT=0
         BUILDKITE_BUILD_CHECKOUT_PATH=/var/lib/buildkite/builds/shop",
        "Buildkite (buildkite)
         project: github.com/acme/shop
         service: shop
         pipeline: shop
         run_id: f62a1b4d-10f9-4790-bc1c-e2c3a0c8000a
         number: 501
         job_id: b63254c0-3271-4a98-8270-7cfbd6c2f14e
         job_name: :pytest: Tests
         branch: main
         is_default_branch: true
         trigger: schedule
         actor: Ada Park
         url: https://buildkite.com/acme/shop/builds/501
         runner_name: linux-large-1
         runner_os: linux
         runner_arch: x86_64
         runner_pool: large
         workspace: /var/lib/buildkite/builds/shop
         label.retry_count: 0",
    );
}

#[test]
fn circleci_branch() {
    finds(
        "CI=true
         CIRCLECI=true
         CIRCLE_REPOSITORY_URL=git@github.com:acme/shop.git
         CIRCLE_WORKFLOW_ID=fda08377-fe7e-46b1-8992-3a7aaecac9c3
         CIRCLE_WORKFLOW_JOB_ID=8b91f9a8-7975-4e60-916c-f0152ccbc937
         CIRCLE_JOB=test
         CIRCLE_BUILD_NUM=136
         CIRCLE_BRANCH=main
         CIRCLE_SHA1=1dc6aa69429bff4806ad6afe58d3d8f57e25973e
         CIRCLE_USERNAME=ada
         CIRCLE_BUILD_URL=https://circleci.com/gh/acme/shop/136
         CIRCLE_WORKING_DIRECTORY=~/project",
        "CircleCI (circleci)
         project: github.com/acme/shop
         service: shop
         run_id: fda08377-fe7e-46b1-8992-3a7aaecac9c3
         job_id: 8b91f9a8-7975-4e60-916c-f0152ccbc937
         job_name: test
         branch: main
         commit_sha: 1dc6aa69429bff4806ad6afe58d3d8f57e25973e
         actor: ada
         url: https://app.circleci.com/pipelines/workflows/fda08377-fe7e-46b1-8992-3a7aaecac9c3
         runner_os: linux
         runner_arch: x86_64
         workspace: ~/project
         label.job_number: 136
         label.job_url: https://circleci.com/gh/acme/shop/136",
    );
}

#[test]
fn azure_pipelines_branch_with_unset_macros() {
    finds(
        "TF_BUILD=True
         SYSTEM_COLLECTIONURI=https://dev.azure.com/acme/
         SYSTEM_TEAMPROJECT=web shop
         SYSTEM_JOBID=12f1170f-54f2-53f3-20dd-22fc7dff55f9
         SYSTEM_JOBDISPLAYNAME=Unit tests
         SYSTEM_JOBATTEMPT=1
         SYSTEM_STAGENAME=Build
         SYSTEM_PULLREQUEST_SOURCEBRANCH=$(System.PullRequest.SourceBranch)
         SYSTEM_PULLREQUEST_PULLREQUESTID=$(System.PullRequest.PullRequestId)
         BUILD_REPOSITORY_URI=https://acme@dev.azure.com/acme/shop/_git/payments
         BUILD_DEFINITIONNAME=Payments CI
         BUILD_BUILDID=2710
         BUILD_BUILDNUMBER=20260304.5
         BUILD_SOURCEBRANCH=refs/heads/releases/7
         BUILD_SOURCEVERSION=2d91f6e12f6141917f66a2964af55952ee33914d
         BUILD_REASON=IndividualCI
         BUILD_REQUESTEDFOR=Ada Park
         BUILD_SOURCESDIRECTORY=/home/vsts/work/1/s
         AGENT_NAME=Azure Pipelines 4
         AGENT_OS=Windows_NT
         AGENT_OSARCHITECTURE=X64",
        "Azure Pipelines (azure)
         project: dev.azure.com/acme/shop/payments
         service: payments
         pipeline: Payments CI
         run_id: 2710
         job_id: 12f1170f-54f2-53f3-20dd-22fc7dff55f9
         job_name: Unit tests
         branch: releases/7
         commit_sha: 2d91f6e12f6141917f66a2964af55952ee33914d
         trigger: push
         actor: Ada Park
         url: https://dev.azure.com/acme/web%20shop/_build/results?buildId=2710
         runner_name: Azure Pipelines 4
         runner_os: windows
         runner_arch: x86_64
         workspace: /home/vsts/work/1/s
         label.build_number: 20260304.5
         label.job_attempt: 1
         label.stage: Build",
    );
}

#[test]
fn bitbucket_branch() {
    finds(
        "CI=true
         BITBUCKET_BUILD_NUMBER=118
         BITBUCKET_GIT_HTTP_ORIGIN=http://bitbucket.org/acme/shop
         BITBUCKET_REPO_FULL_NAME=acme/shop
         BITBUCKET_BRANCH=main
         BITBUCKET_COMMIT=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         BITBUCKET_STEP_UUID={b4f6ddbc-7b52-4d0e-9c2b-000000000001}
         BITBUCKET_DEPLOYMENT_ENVIRONMENT=staging
         BITBUCKET_CLONE_DIR=/opt/atlassian/pipelines/agent/build",
        "Bitbucket Pipelines (bitbucket)
         project: bitbucket.org/acme/shop
         service: shop
         run_id: 118
         number: 118
         job_id: {b4f6ddbc-7b52-4d0e-9c2b-000000000001}
         branch: main
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         url: https://bitbucket.org/acme/shop/pipelines/results/118
         runner_os: linux
         runner_arch: x86_64
         workspace: /opt/atlassian/pipelines/agent/build
         label.environment: staging",
    );
}

#[test]
fn travis_tag() {
    finds(
        "CI=true
         TRAVIS=true
         TRAVIS_REPO_SLUG=acme/shop
         TRAVIS_BUILD_ID=253123
         TRAVIS_BUILD_NUMBER=44
         TRAVIS_JOB_ID=253124
         TRAVIS_JOB_NAME=unit
         TRAVIS_BRANCH=v2.0
         TRAVIS_TAG=v2.0
         TRAVIS_COMMIT=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         TRAVIS_PULL_REQUEST=false
         TRAVIS_PULL_REQUEST_BRANCH=
         TRAVIS_PULL_REQUEST_SHA=
         TRAVIS_EVENT_TYPE=cron
         TRAVIS_BUILD_WEB_URL=https://app.travis-ci.com/acme/shop/builds/253123
         TRAVIS_OS_NAME=osx
         TRAVIS_CPU_ARCH=arm64
         TRAVIS_BUILD_DIR=/home/travis/build/acme/shop",
        "Travis CI (travis)
         project: github.com/acme/shop
         service: shop
         run_id: 253123
         number: 44
         job_id: 253124
         job_name: unit
         branch: v2.0
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         trigger: schedule
         url: https://app.travis-ci.com/acme/shop/builds/253123
         runner_os: macos
         runner_arch: aarch64
         workspace: /home/travis/build/acme/shop
         label.tag: v2.0",
    );
}

#[test]
fn appveyor_branch() {
    finds(
        "CI=True
         APPVEYOR=True
         APPVEYOR_URL=https://ci.appveyor.com
         APPVEYOR_ACCOUNT_NAME=acme
         APPVEYOR_PROJECT_SLUG=shop
         APPVEYOR_PROJECT_NAME=Shop
         APPVEYOR_BUILD_ID=43682495
         APPVEYOR_BUILD_NUMBER=88
         APPVEYOR_BUILD_VERSION=1.0.88
         APPVEYOR_BUILD_FOLDER=C:\\projects\\shop
         APPVEYOR_JOB_ID=a0b1c2d3e4f5
         APPVEYOR_REPO_PROVIDER=gitHub
         APPVEYOR_REPO_NAME=acme/shop
         APPVEYOR_REPO_BRANCH=main
         APPVEYOR_REPO_COMMIT=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         APPVEYOR_SCHEDULED_BUILD=
         APPVEYOR_FORCED_BUILD=True
         APPVEYOR_BUILD_WORKER_IMAGE=Visual Studio 2022",
        "AppVeyor (appveyor)
         project: github.com/acme/shop
         service: shop
         pipeline: Shop
         run_id: 43682495
         number: 88
         job_id: a0b1c2d3e4f5
         branch: main
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         trigger: manual
         url: https://ci.appveyor.com/project/acme/shop/builds/43682495
         runner_os: linux
         runner_arch: x86_64
         runner_pool: Visual Studio 2022
         workspace: C:\\projects\\shop
         label.version: 1.0.88",
    );
}

#[test]
fn bitrise_branch() {
    finds(
        "CI=true
         BITRISE_IO=true
         GIT_REPOSITORY_URL=git@github.com:acme/shop-ios.git
         BITRISE_APP_TITLE=shop-ios
         BITRISE_BUILD_SLUG=31ab2cd3ef4a5b6c
         BITRISE_BUILD_NUMBER=912
         BITRISE_BUILD_URL=https://app.bitrise.io/build/31ab2cd3ef4a5b6c
         BITRISE_TRIGGERED_WORKFLOW_ID=primary
         BITRISE_GIT_BRANCH=main
         BITRISE_GIT_COMMIT=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         BITRISE_SOURCE_DIR=/Users/vagrant/git
         BITRISEIO_STACK_ID=osx-xcode-16.2.x",
        "Bitrise (bitrise)
         project: github.com/acme/shop-ios
         service: shop-ios
         pipeline: primary
         run_id: 31ab2cd3ef4a5b6c
         number: 912
         branch: main
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         url: https://app.bitrise.io/build/31ab2cd3ef4a5b6c
         runner_os: linux
         runner_arch: x86_64
         runner_pool: osx-xcode-16.2.x
         workspace: /Users/vagrant/git
         label.app: shop-ios",
    );
}

#[test]
fn drone_promotion() {
    finds(
        "CI=true
         DRONE=true
         DRONE_REPO_LINK=https://git.acme.example/acme/shop
         DRONE_REPO=acme/shop
         DRONE_REPO_BRANCH=main
         DRONE_BUILD_NUMBER=88
         DRONE_BUILD_EVENT=promote
         DRONE_BUILD_LINK=https://drone.acme.example/acme/shop/88
         DRONE_BRANCH=main
         DRONE_COMMIT=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         DRONE_COMMIT_SHA=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         DRONE_COMMIT_AUTHOR=ada
         DRONE_DEPLOY_TO=production
         DRONE_STAGE_NAME=deploy
         DRONE_STAGE_NUMBER=2
         DRONE_STEP_NAME=helm
         DRONE_STAGE_MACHINE=drone-runner-1
         DRONE_STAGE_OS=linux
         DRONE_STAGE_ARCH=arm64
         DRONE_WORKSPACE=/drone/src",
        "Drone (drone)
         project: git.acme.example/acme/shop
         service: shop
         run_id: 88
         number: 88
         job_id: 2
         job_name: deploy
         branch: main
         is_default_branch: true
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         trigger: promote
         actor: ada
         url: https://drone.acme.example/acme/shop/88
         runner_name: drone-runner-1
         runner_os: linux
         runner_arch: aarch64
         workspace: /drone/src
         label.environment: production
         label.step: helm",
    );
}

#[test]
fn woodpecker_is_not_taken_for_gitlab_drone_or_github() {
    finds(
        "CI=woodpecker
         CI_SYSTEM_NAME=woodpecker
         CI_SYSTEM_PLATFORM=linux/arm64
         CI_REPO_URL=https://codeberg.org/acme/shop
         CI_REPO_DEFAULT_BRANCH=main
         CI_PIPELINE_NUMBER=64
         CI_PIPELINE_EVENT=manual
         CI_PIPELINE_URL=https://ci.codeberg.org/repos/7/pipeline/64
         CI_PIPELINE_AUTHOR=ada
         CI_WORKFLOW_NAME=test
         CI_WORKFLOW_NUMBER=1
         CI_STEP_NAME=unit
         CI_COMMIT_SHA=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         CI_COMMIT_BRANCH=main
         CI_MACHINE=runner-2
         CI_WORKSPACE=/woodpecker/src/codeberg.org/acme/shop",
        "Woodpecker (woodpecker)
         project: codeberg.org/acme/shop
         service: shop
         run_id: 64
         number: 64
         job_id: 1
         job_name: test
         branch: main
         is_default_branch: true
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         trigger: manual
         actor: ada
         url: https://ci.codeberg.org/repos/7/pipeline/64
         runner_name: runner-2
         runner_os: linux
         runner_arch: aarch64
         workspace: /woodpecker/src/codeberg.org/acme/shop
         label.step: unit",
    );
}

#[test]
fn gitea_and_forgejo_are_not_taken_for_github() {
    let shared = "CI=true
         GITHUB_ACTIONS=true
         GITEA_ACTIONS=true
         GITHUB_SERVER_URL=https://git.acme.example
         GITHUB_REPOSITORY=acme/shop
         GITHUB_WORKFLOW=ci.yaml
         GITHUB_RUN_ID=301
         GITHUB_RUN_NUMBER=17
         GITHUB_JOB=test
         GITHUB_REF=refs/heads/main
         GITHUB_REF_NAME=main
         GITHUB_SHA=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         GITHUB_EVENT_NAME=push
         GITHUB_ACTOR=ada
         RUNNER_OS=Linux
         RUNNER_ARCH=X64";
    let rest = "project: git.acme.example/acme/shop
         service: shop
         pipeline: ci.yaml
         run_id: 301
         number: 17
         job_name: test
         branch: main
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         trigger: push
         actor: ada
         url: https://git.acme.example/acme/shop/actions/runs/301
         runner_os: linux
         runner_arch: x86_64";
    finds(shared, &format!("Gitea Actions (gitea)\n{rest}"));
    finds(&format!("{shared}\nFORGEJO_ACTIONS=true"), &format!("Forgejo Actions (forgejo)\n{rest}"));
}

#[test]
fn aws_codebuild_branch() {
    finds(
        "CODEBUILD_BUILD_ID=shop-ci:6d2bc1f8-5a1d-4c1b-9a4e-1f2b3c4d5e6f
         CODEBUILD_BUILD_NUMBER=24
         CODEBUILD_BUILD_URL=https://eu-central-1.console.aws.amazon.com/codebuild/home?region=eu-central-1#/builds/x
         CODEBUILD_INITIATOR=GitHub-Hookshot/8a4f1a2
         CODEBUILD_SOURCE_REPO_URL=https://github.com/acme/shop.git
         CODEBUILD_SOURCE_VERSION=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         CODEBUILD_RESOLVED_SOURCE_VERSION=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         CODEBUILD_WEBHOOK_EVENT=PUSH
         CODEBUILD_WEBHOOK_TRIGGER=branch/feature/refunds
         CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/feature/refunds
         CODEBUILD_SRC_DIR=/codebuild/output/src123/src/github.com/acme/shop
         AWS_REGION=eu-central-1",
        "AWS CodeBuild (codebuild)
         project: github.com/acme/shop
         service: shop
         pipeline: shop-ci
         run_id: shop-ci:6d2bc1f8-5a1d-4c1b-9a4e-1f2b3c4d5e6f
         number: 24
         branch: feature/refunds
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         trigger: push
         actor: GitHub-Hookshot/8a4f1a2
         url: https://eu-central-1.console.aws.amazon.com/codebuild/home?region=eu-central-1#/builds/x
         runner_os: linux
         runner_arch: x86_64
         workspace: /codebuild/output/src123/src/github.com/acme/shop
         label.region: eu-central-1",
    );
}

#[test]
fn google_cloud_build_with_mapped_substitutions() {
    finds(
        "BUILDER_OUTPUT=/builder/outputs
         PROJECT_ID=acme-ci
         BUILD_ID=b3b9d8a6-6f2f-4c33-9d84-0f4d8a2e1c11
         LOCATION=europe-west1
         TRIGGER_NAME=shop-push
         REPO_NAME=shop
         COMMIT_SHA=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         BRANCH_NAME=main
         _REPO_URL=https://github.com/acme/shop",
        "Google Cloud Build (cloudbuild)
         project: github.com/acme/shop
         service: shop
         pipeline: shop-push
         run_id: b3b9d8a6-6f2f-4c33-9d84-0f4d8a2e1c11
         branch: main
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         url: https://console.cloud.google.com/cloud-build/builds;region=europe-west1/b3b9d8a6-6f2f-4c33-9d84-0f4d8a2e1c11?project=acme-ci
         runner_os: linux
         runner_arch: x86_64
         label.region: europe-west1",
    );
}

#[test]
fn codefresh_branch() {
    finds(
        "CI=true
         CF_BUILD_ID=5f3c1b2a
         CF_BUILD_URL=https://g.codefresh.io/build/5f3c1b2a
         CF_PIPELINE_NAME=acme/shop
         CF_REPO_OWNER=acme
         CF_REPO_NAME=shop
         CF_COMMIT_URL=https://gitlab.com/acme/shop/commit/709d658
         CF_BRANCH=main
         CF_REVISION=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         CF_BUILD_INITIATOR=ada
         CF_STEP_NAME=unit
         CF_VOLUME_PATH=/codefresh/volume",
        "Codefresh (codefresh)
         project: gitlab.com/acme/shop
         service: shop
         pipeline: acme/shop
         run_id: 5f3c1b2a
         job_name: unit
         branch: main
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         actor: ada
         url: https://g.codefresh.io/build/5f3c1b2a
         runner_os: linux
         runner_arch: x86_64
         workspace: /codefresh/volume",
    );
}

#[test]
fn semaphore_branch() {
    finds(
        "CI=true
         SEMAPHORE=true
         SEMAPHORE_GIT_URL=git@github.com:acme/shop.git
         SEMAPHORE_GIT_BRANCH=main
         SEMAPHORE_GIT_SHA=709d658dc5b6d6afcd46049c2f332ee3f515a67d
         SEMAPHORE_GIT_REF_TYPE=branch
         SEMAPHORE_GIT_DIR=shop
         SEMAPHORE_GIT_COMMITTER=ada
         SEMAPHORE_ORGANIZATION_URL=https://acme.semaphoreci.com
         SEMAPHORE_PROJECT_NAME=shop
         SEMAPHORE_WORKFLOW_ID=4ca05eac-1d39-4a8f-8c8a-0a2a5a6a7a8a
         SEMAPHORE_WORKFLOW_NUMBER=12
         SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE=true
         SEMAPHORE_JOB_ID=d8e7a3c1-0000-4a8f-8c8a-0a2a5a6a7a8a
         SEMAPHORE_JOB_NAME=unit
         SEMAPHORE_AGENT_MACHINE_TYPE=e2-standard-2",
        "Semaphore (semaphore)
         project: github.com/acme/shop
         service: shop
         pipeline: shop
         run_id: 4ca05eac-1d39-4a8f-8c8a-0a2a5a6a7a8a
         number: 12
         job_id: d8e7a3c1-0000-4a8f-8c8a-0a2a5a6a7a8a
         job_name: unit
         branch: main
         commit_sha: 709d658dc5b6d6afcd46049c2f332ee3f515a67d
         trigger: schedule
         actor: ada
         url: https://acme.semaphoreci.com/workflows/4ca05eac-1d39-4a8f-8c8a-0a2a5a6a7a8a
         runner_os: linux
         runner_arch: x86_64
         runner_pool: e2-standard-2
         workspace: shop",
    );
}
