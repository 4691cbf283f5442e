//! Which run of which project a command belongs to.

use std::path::Path;

use manometer_providers::environment::{self, CiContext, Field, GitFacts, LocalFiles};
use manometer_providers::rules::ServiceRules;

use crate::checkout;

/// The CI system of a command that no CI system runs.
pub const LOCAL: &str = "local";

/// What is known about the run around a command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Surroundings {
    /// CI system; [`LOCAL`] where there is none.
    pub provider: String,
    /// Repository.
    pub project: String,
    /// Part of a monorepo.
    pub service: Option<String>,
    /// Name of the pipeline.
    pub pipeline: Option<String>,
    /// Identity of the CI run; `None` outside of CI.
    pub run_id: Option<String>,
    /// Attempt of that run, from 1.
    pub attempt: i64,
    /// Identity of the CI job.
    pub job_id: Option<String>,
    /// Name of the CI job.
    pub job_name: Option<String>,
    /// Source branch.
    pub branch: Option<String>,
    /// Commit checked out.
    pub commit_sha: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// Page of the run.
    pub url: Option<String>,
    /// Everything that is known, as an upload of reports takes it: field and value.
    pub upload_fields: Vec<(String, String)>,
    /// Values of the CI system that could not be used, a sentence each.
    pub problems: Vec<String>,
}

impl Surroundings {
    /// Looks around: at the CI system's variables, and at the checkout that `folder` lies in.
    pub fn of(folder: &Path) -> Self {
        // Variables that are not Unicode are left out: no CI system writes such.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let mut around = environment::Surroundings {
            variables,
            files: &LocalFiles,
            git: checkout::facts_of(folder),
            working_folder: Some(folder.to_owned()),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        };
        let rules = ServiceRules::default();
        let mut context = environment::detect(&around, &rules);
        if context.provider.is_some() && context.change_id().is_some() {
            // The checkout may be a merge that was made for testing only; who its parents are, git has to say.
            around.git = GitFacts::of_folder(folder);
            context = environment::detect(&around, &rules);
        }
        Self::from_context(&context, folder)
    }

    fn from_context(context: &CiContext, folder: &Path) -> Self {
        let owned = |field: Field| context.get(field).map(str::to_owned);
        Self {
            provider: context.provider.clone().unwrap_or_else(|| LOCAL.to_owned()),
            project: owned(Field::Project).unwrap_or_else(|| named_by_folder(folder)),
            service: owned(Field::Service),
            pipeline: owned(Field::Pipeline),
            run_id: context.provider.as_ref().and_then(|_| owned(Field::RunId)),
            attempt: context.attempt().unwrap_or(1),
            job_id: owned(Field::JobId),
            job_name: owned(Field::JobName),
            branch: owned(Field::Branch),
            commit_sha: owned(Field::CommitSha),
            actor: owned(Field::Actor),
            url: owned(Field::Url),
            upload_fields: context.upload_fields().map(|(name, value)| (name, value.to_owned())).collect(),
            problems: context.problems.first.iter().map(ToString::to_string).collect(),
        }
    }

    /// Is this a run that only this program knows of?
    pub fn is_local(&self) -> bool {
        self.run_id.is_none()
    }
}

/// A project without a remote: `local/` and the name of its folder.
fn named_by_folder(folder: &Path) -> String {
    let root = folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(folder);
    let name = root.file_name().map_or_else(|| "unknown".into(), |name| name.to_string_lossy());
    format!("{LOCAL}/{name}")
}
