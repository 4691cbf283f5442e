//! Travis CI. Variables: <https://docs.travis-ci.com/user/environment-variables/>.

use super::draft::Draft;
use super::{Field, System};
use crate::trigger::trigger_word;

pub(super) static SYSTEM: System = System {
    provider: "travis",
    name: "Travis CI",
    detected_by: "TRAVIS=true",
    is_here: |draft| draft.is("TRAVIS", "true"),
    read,
    workspace: "TRAVIS_BUILD_DIR",
};

fn read(draft: &mut Draft<'_>) {
    take_project(draft);
    draft.take(Field::RunId, &["TRAVIS_BUILD_ID"]);
    draft.take(Field::Number, &["TRAVIS_BUILD_NUMBER"]);
    draft.take(Field::JobId, &["TRAVIS_JOB_ID"]);
    draft.take(Field::JobName, &["TRAVIS_JOB_NAME"]);
    draft
        .take_with(Field::ChangeId, &["TRAVIS_PULL_REQUEST"], |number| (number != "false").then_some(number));
    // TRAVIS_BRANCH and TRAVIS_COMMIT of a pull request are the target branch and the test merge.
    draft.take(Field::Branch, &["TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_TAG"]);
    draft.take(Field::CommitSha, &["TRAVIS_PULL_REQUEST_SHA"]);
    if draft.get(Field::ChangeId).is_none() {
        draft.take(Field::Branch, &["TRAVIS_BRANCH"]);
        draft.take(Field::CommitSha, &["TRAVIS_COMMIT"]);
    } else {
        draft.label("target_branch", &["TRAVIS_BRANCH"]);
    }
    draft.take_with(Field::Trigger, &["TRAVIS_EVENT_TYPE"], |word| Some(trigger_word(word)));
    draft.take(Field::Url, &["TRAVIS_BUILD_WEB_URL"]);
    draft.take(Field::RunnerOs, &["TRAVIS_OS_NAME"]);
    draft.take(Field::RunnerArch, &["TRAVIS_CPU_ARCH"]);
    draft.take(Field::RunnerPool, &["TRAVIS_INFRA"]);
    draft.take(Field::Workspace, &["TRAVIS_BUILD_DIR"]);
    draft.label("stage", &["TRAVIS_BUILD_STAGE_NAME"]);
    draft.label("tag", &["TRAVIS_TAG"]);
}

/// Travis tells `acme/shop` and not whose; the checkout knows, and github.com is where it began.
fn take_project(draft: &mut Draft<'_>) {
    let Some(slug) = draft.variable("TRAVIS_REPO_SLUG") else { return };
    let remote = draft.git().project.as_deref().filter(|project| project.ends_with(&format!("/{slug}")));
    match remote {
        Some(project) => draft.set(Field::Project, project, "TRAVIS_REPO_SLUG + git (remote origin)"),
        None => draft.set(Field::Project, format!("github.com/{slug}"), "TRAVIS_REPO_SLUG"),
    }
}
