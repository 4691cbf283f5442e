//! Which CI run is this process part of? A pure function from environment variables, a few files and git's facts.
//!
//! ```text
//! Surroundings ──► which System? ──► its reader ──► Draft ──► git, service rules, machine ──► CiContext
//! (variables,      (innermost first)  (one file a system)      (where the system was silent)
//!  files, git)
//! ```
//!
//! The identity of a run is what the same provider's webhooks and API give it, so that an upload, a webhook and the
//! reconciler write one row:
//!
//! | provider | `run_id` | `attempt` | `job_id` |
//! |---|---|---|---|
//! | `github`, `gitea`, `forgejo` | id of the workflow run | its attempt | – (no variable tells it; `CI_JOB_CHECK_RUN_ID`, if set) |
//! | `gitlab` | id of the pipeline | 1 | id of the job |
//! | `jenkins` | `FULL/JOB/NAME#BUILD` | 1 | – |
//! | `teamcity` | id of the build | 1 | id of the build |
//! | `buildkite` | UUID of the build | 1 | UUID of the job |
//! | `circleci` | UUID of the workflow | 1 | UUID of the job |
//! | `azure` | id of the build | 1 | UUID of the job |
//! | `bitbucket` | number of the pipeline | 1 | UUID of the step |
//! | `drone` | number of the build | 1 | number of the stage |
//! | `woodpecker` | number of the pipeline | 1 | number of the workflow |
//!
//! The project is the repository (`github.com/acme/shop`), except where webhooks do not know it: of Jenkins it is
//! `HOST/FULL/JOB/NAME` without the branch of a multibranch project, of TeamCity `HOST/PROJECT_ID`; the repository then is
//! the label `repository`.
//!
//! **Invariants:** nothing here reads the process's environment, a file or a clock except through [`Surroundings`];
//! nothing is made up: what no source tells stays unknown; of a pull request the head commit and source branch are
//! reported, never the merge made for testing.

mod context;
mod draft;
mod field;
mod git;
mod surroundings;
pub(crate) mod trigger;

mod appveyor;
mod aws_codebuild;
mod azure_pipelines;
mod bitbucket;
mod bitrise;
mod buildkite;
mod circleci;
mod codefresh;
mod drone;
mod gitea;
mod github_actions;
mod gitlab;
mod google_cloud_build;
mod jenkins;
mod semaphore;
mod teamcity;
mod travis;
mod woodpecker;

pub use context::{CiContext, Told};
pub use field::Field;
pub use git::{GitFacts, project_of_remote};
pub use surroundings::{LocalFiles, ReadFile, Surroundings};

use std::path::Path;

use draft::{Draft, variable};

use crate::rules::{ServiceRules, last_segment};

/// The variable that names the service, on any system.
pub const SERVICE_VARIABLE: &str = "CI_SERVICE_NAME";

/// One CI system: how it is recognised and what its variables mean.
struct System {
    /// As in the column `provider`.
    provider: &'static str,
    /// For people.
    name: &'static str,
    /// The variables that give it away, for people.
    detected_by: &'static str,
    /// Is this its environment? Asked with nothing taken yet.
    is_here: fn(&Draft<'_>) -> bool,
    /// Reads its variables.
    read: fn(&mut Draft<'_>),
    /// The variable that holds the folder of the checkout: tells nested systems apart.
    workspace: &'static str,
}

/// Every system. Those that set the variables of another one, or that usually run inside another one, come first.
static SYSTEMS: &[&System] = &[
    &woodpecker::SYSTEM,
    &drone::SYSTEM,
    &gitea::FORGEJO,
    &gitea::SYSTEM,
    &jenkins::SYSTEM,
    &teamcity::SYSTEM,
    &buildkite::SYSTEM,
    &gitlab::SYSTEM,
    &codefresh::SYSTEM,
    &circleci::SYSTEM,
    &azure_pipelines::SYSTEM,
    &bitbucket::SYSTEM,
    &travis::SYSTEM,
    &appveyor::SYSTEM,
    &bitrise::SYSTEM,
    &semaphore::SYSTEM,
    &aws_codebuild::SYSTEM,
    &google_cloud_build::SYSTEM,
    &github_actions::SYSTEM,
];

/// Name of the state of being outside every CI system.
pub const PLAIN_GIT: &str = "plain git";

/// Finds out which run this is.
pub fn detect(around: &Surroundings<'_>, rules: &ServiceRules) -> CiContext {
    let found = systems_found(around);
    let mut draft = Draft::new(around);
    if let Some(system) = found.first() {
        (system.read)(&mut draft);
    }
    see_through_merge(&mut draft);
    add_git_facts(&mut draft, found.is_empty());
    add_default_branch(&mut draft);
    add_machine(&mut draft, around);
    add_service(&mut draft, around, rules);
    CiContext {
        provider: found.first().map(|system| system.provider.to_owned()),
        system: found.first().map_or(PLAIN_GIT, |system| system.name),
        detected_by: found.first().map_or("no CI system's variables", |system| system.detected_by),
        also_found: found.iter().skip(1).map(|system| system.name).collect(),
        told: draft.told,
        labels: draft.labels,
        problems: draft.problems,
    }
}

/// The systems whose variables are there, the one this process runs in first.
///
/// A CI system started inside another one inherits its variables. The one whose checkout holds the working folder is
/// the one at work, the deepest checkout first; otherwise the order of [`SYSTEMS`] decides.
fn systems_found(around: &Surroundings<'_>) -> Vec<&'static System> {
    let nothing_taken = Draft::new(around);
    let mut found: Vec<&'static System> =
        SYSTEMS.iter().copied().filter(|system| (system.is_here)(&nothing_taken)).collect();
    let depth = |system: &System| {
        let workspace = Path::new(variable(around, system.workspace)?);
        around.working_folder.as_deref()?.starts_with(workspace).then(|| workspace.components().count())
    };
    found.sort_by_key(|system| std::cmp::Reverse(depth(system)));
    found
}

/// Where the checkout's commit is a merge made only for testing, the commit meant is the one merged.
fn see_through_merge(draft: &mut Draft<'_>) {
    let git = draft.git();
    let Some(head) = git.merged_head() else { return };
    if draft.get(Field::CommitSha).is_none_or(|told| git.commit_sha.as_deref() == Some(told)) {
        draft.forget(Field::CommitSha);
        draft.set(Field::CommitSha, head, "git (second parent of the test merge)");
    }
}

/// What the system did not tell and git knows. Inside CI the branch of the checkout is not asked: it is a detached head,
/// or a name the system made up.
fn add_git_facts(draft: &mut Draft<'_>, is_outside_ci: bool) {
    let git = draft.git();
    if let Some(project) = &git.project {
        draft.set(Field::Project, project.as_str(), "git (remote origin)");
    }
    // A CI system that names another commit than the one checked out is believed; one that names a pull request
    // but no commit of it is not contradicted with a merge commit.
    if (is_outside_ci || draft.get(Field::ChangeId).is_none())
        && let Some(commit) = &git.commit_sha
    {
        draft.set(Field::CommitSha, commit.as_str(), "git (HEAD)");
    }
    if is_outside_ci {
        if let Some(branch) = &git.branch {
            draft.set(Field::Branch, branch.as_str(), "git (HEAD)");
        }
        if let Some(root) = git.root.as_deref().and_then(Path::to_str) {
            draft.set(Field::Workspace, root, "git");
        }
    }
}

fn add_default_branch(draft: &mut Draft<'_>) {
    if let (Some(branch), Some(default)) = (draft.get(Field::Branch), draft.git().default_branch.as_deref()) {
        let is_default = branch == default && draft.get(Field::ChangeId).is_none();
        draft.set(Field::IsDefaultBranch, is_default.to_string(), "git (origin/HEAD)");
    }
}

fn add_machine(draft: &mut Draft<'_>, around: &Surroundings<'_>) {
    draft.set(Field::RunnerOs, around.os, "this machine");
    draft.set(Field::RunnerArch, around.arch, "this machine");
}

/// The service: said by the variable, else by a rule on the working folder, else the project's last segment.
fn add_service(draft: &mut Draft<'_>, around: &Surroundings<'_>, rules: &ServiceRules) {
    draft.take(Field::Service, &[SERVICE_VARIABLE]);
    if let Some(found) = folder_in_checkout(draft, around).and_then(|folder| rules.of_path(&folder)) {
        let origin = format!("working folder, rule {}", found.pattern);
        draft.set(Field::Service, found.service, &origin);
    }
    let last = draft.get(Field::Project).and_then(last_segment).map(str::to_owned);
    if let Some(name) = last {
        draft.set(Field::Service, name, "project");
    }
}

/// The working folder relative to the checkout, with `/` between its parts and at its end.
fn folder_in_checkout(draft: &Draft<'_>, around: &Surroundings<'_>) -> Option<String> {
    let here = around.working_folder.as_deref()?;
    let root = around.git.root.as_deref().or_else(|| draft.get(Field::Workspace).map(Path::new))?;
    let parts: Option<Vec<&str>> =
        here.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
    Some(format!("{}/", parts?.join("/")))
}
