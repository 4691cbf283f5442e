//! Which run of which project a command belongs to.

use std::path::{Path, PathBuf};

use crate::checkout::Checkout;

/// The CI system of a command that no CI system runs.
pub const LOCAL: &str = "local";

/// What is known about the run around a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// Number shown to people.
    pub number: Option<i64>,
    /// Identity of the CI job.
    pub job_id: Option<String>,
    /// Name of the CI job.
    pub job_name: Option<String>,
    /// Source branch.
    pub branch: Option<String>,
    /// Commit checked out.
    pub commit_sha: Option<String>,
    /// What started the run.
    pub trigger: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// Pull or merge request.
    pub change_id: Option<String>,
    /// Page of the run.
    pub url: Option<String>,
}

impl Surroundings {
    /// Looks around: first at the CI system's variables, then at the checkout that `folder` lies in.
    pub fn of(folder: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let checkout = Checkout::around(folder);
        let named_by_folder = || {
            let root: PathBuf = checkout.root.clone().unwrap_or_else(|| folder.to_owned());
            root.file_name().map_or_else(|| "unknown".to_owned(), |name| name.to_string_lossy().into_owned())
        };
        Self {
            provider: LOCAL.to_owned(),
            project: checkout.project.clone().unwrap_or_else(|| format!("local/{}", named_by_folder())),
            service: variable("CI_SERVICE_NAME"),
            attempt: 1,
            branch: checkout.branch,
            commit_sha: checkout.commit_sha,
            ..Self::default()
        }
    }

    /// Is this a run that only this program knows of?
    pub fn is_local(&self) -> bool {
        self.run_id.is_none()
    }
}
