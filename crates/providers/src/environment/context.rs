//! What an environment told about the run, and where each word of it came from.

use std::collections::BTreeMap;

use manometer_model::{Labels, Problems};

use super::Field;

/// A value with the place it was read from: a variable's name, `git`, a key of the event file, a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The value.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

/// The run this process is part of.
///
/// `provider`, `project`, `run_id`, `attempt` and `job_id` are what the provider's webhooks say, so that an upload and a
/// webhook make one row. Fields the environment does not tell are `None`; nothing is made up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CiContext {
    /// Name of the provider as in the column `provider`: `github`; `None` outside CI.
    pub provider: Option<String>,
    /// Name of the CI system for people: `GitHub Actions`; `plain git` outside CI.
    pub system: &'static str,
    /// What gave the system away: `GITHUB_ACTIONS=true`.
    pub detected_by: &'static str,
    /// Other systems whose variables are there too: this one runs inside them, or they are left-overs.
    pub also_found: Vec<&'static str>,
    /// What was told.
    pub told: BTreeMap<Field, Told>,
    /// Free key-value pairs about the run: `stage`, `tag`, `target_branch`, …
    pub labels: Labels,
    /// Values that could not be used, each naming its variable.
    pub problems: Problems,
}

/// What describes the checkout and not the run.
const OF_THE_CHECKOUT: [Field; 5] =
    [Field::Project, Field::Service, Field::Branch, Field::IsDefaultBranch, Field::CommitSha];

impl CiContext {
    /// What was told about one field.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.told.get(&field).map(|told| told.value.as_str())
    }

    /// Repository: `github.com/acme/shop`.
    pub fn project(&self) -> Option<&str> {
        self.get(Field::Project)
    }

    /// Part of a monorepo.
    pub fn service(&self) -> Option<&str> {
        self.get(Field::Service)
    }

    /// Name of the pipeline or workflow.
    pub fn pipeline(&self) -> Option<&str> {
        self.get(Field::Pipeline)
    }

    /// Identity of the run.
    pub fn run_id(&self) -> Option<&str> {
        self.get(Field::RunId)
    }

    /// Execution of the run, from 1.
    pub fn attempt(&self) -> Option<i64> {
        self.get(Field::Attempt)?.parse().ok()
    }

    /// Number of the run shown to people.
    pub fn number(&self) -> Option<i64> {
        self.get(Field::Number)?.parse().ok()
    }

    /// Identity of the job within the run.
    pub fn job_id(&self) -> Option<&str> {
        self.get(Field::JobId)
    }

    /// Name of the job.
    pub fn job_name(&self) -> Option<&str> {
        self.get(Field::JobName)
    }

    /// Source branch, or the tag.
    pub fn branch(&self) -> Option<&str> {
        self.get(Field::Branch)
    }

    /// Is that the branch others start from?
    pub fn is_default_branch(&self) -> Option<bool> {
        self.get(Field::IsDefaultBranch)?.parse().ok()
    }

    /// Commit built.
    pub fn commit_sha(&self) -> Option<&str> {
        self.get(Field::CommitSha)
    }

    /// Number of the pull or merge request.
    pub fn change_id(&self) -> Option<&str> {
        self.get(Field::ChangeId)
    }

    /// Page of the run.
    pub fn url(&self) -> Option<&str> {
        self.get(Field::Url)
    }

    /// The words of this context as an upload's context takes them: field name → value, labels as `label.KEY`.
    pub fn upload_fields(&self) -> impl Iterator<Item = (String, &str)> {
        let provider = self.provider.as_deref().map(|name| ("provider".to_owned(), name));
        let fields = self
            .told
            .iter()
            .filter(|(field, _)| field.is_of_uploads())
            .map(|(field, told)| (field.name().to_owned(), told.value.as_str()));
        let machine = self
            .told
            .iter()
            .filter(|(field, _)| !field.is_of_uploads() && **field != Field::Workspace)
            .map(|(field, told)| (format!("label.{}", field.name()), told.value.as_str()));
        let labels = self.labels.iter().map(|(key, value)| (format!("label.{key}"), value.as_str()));
        provider.into_iter().chain(fields).chain(machine).chain(labels)
    }

    /// [`Self::upload_fields`] without what contradicts the words `said` (field name, value) by somebody who knows
    /// better, such as flags.
    ///
    /// Who names another provider, run or attempt speaks of another run than this one: then only what describes the
    /// checkout is left. Who names another project: nothing is.
    pub fn upload_fields_beside<'a>(&'a self, said: &[(&str, &str)]) -> Vec<(String, &'a str)> {
        let is_contradicted = |name: &str, own: Option<&str>| {
            said.iter().any(|(field, value)| *field == name && own.is_some_and(|own| own != *value))
        };
        if is_contradicted("project", self.project()) {
            return Vec::new();
        }
        let is_this_run = self.provider.is_some()
            && !is_contradicted("provider", self.provider.as_deref())
            && !is_contradicted("run_id", self.run_id())
            && !is_contradicted("attempt", Some(self.get(Field::Attempt).unwrap_or("1")));
        self.upload_fields()
            .filter(|(name, _)| is_this_run || OF_THE_CHECKOUT.iter().any(|field| field.name() == name))
            .filter(|(name, _)| !said.iter().any(|(field, _)| field == name))
            .collect()
    }
}
