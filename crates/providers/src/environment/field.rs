//! The fields of a run's context, by the names that uploads, tables and the command line use for them.

/// One thing an environment tells about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Repository: `github.com/acme/shop`.
    Project,
    /// Part of a monorepo.
    Service,
    /// Name of the pipeline or workflow.
    Pipeline,
    /// Identity of the run, the same that the provider's webhooks give it.
    RunId,
    /// Execution of that run, from 1.
    Attempt,
    /// Number shown to people.
    Number,
    /// Identity of the job within the run, the same that the provider's webhooks give it.
    JobId,
    /// Name of the job.
    JobName,
    /// Source branch; the tag's name where a tag is built.
    Branch,
    /// Is that the branch others start from?
    IsDefaultBranch,
    /// Commit built; of a pull request its head, not the merge made for testing.
    CommitSha,
    /// What started the run.
    Trigger,
    /// Who started it.
    Actor,
    /// Number of the pull or merge request.
    ChangeId,
    /// Page of the run.
    Url,
    /// Name of the machine.
    RunnerName,
    /// Operating system of the machine: `linux`, `windows`, `macos`.
    RunnerOs,
    /// Processor of the machine: `x86_64`, `aarch64`.
    RunnerArch,
    /// Pool, group or queue of the machine.
    RunnerPool,
    /// Folder the repository is checked out in.
    Workspace,
}

impl Field {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 20] = [
        Self::Project,
        Self::Service,
        Self::Pipeline,
        Self::RunId,
        Self::Attempt,
        Self::Number,
        Self::JobId,
        Self::JobName,
        Self::Branch,
        Self::IsDefaultBranch,
        Self::CommitSha,
        Self::Trigger,
        Self::Actor,
        Self::ChangeId,
        Self::Url,
        Self::RunnerName,
        Self::RunnerOs,
        Self::RunnerArch,
        Self::RunnerPool,
        Self::Workspace,
    ];

    /// The name in uploads and tables: `run_id`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Service => "service",
            Self::Pipeline => "pipeline",
            Self::RunId => "run_id",
            Self::Attempt => "attempt",
            Self::Number => "number",
            Self::JobId => "job_id",
            Self::JobName => "job_name",
            Self::Branch => "branch",
            Self::IsDefaultBranch => "is_default_branch",
            Self::CommitSha => "commit_sha",
            Self::Trigger => "trigger",
            Self::Actor => "actor",
            Self::ChangeId => "change_id",
            Self::Url => "url",
            Self::RunnerName => "runner_name",
            Self::RunnerOs => "runner_os",
            Self::RunnerArch => "runner_arch",
            Self::RunnerPool => "runner_pool",
            Self::Workspace => "workspace",
        }
    }

    /// Does an upload's context have this field? The machine's facts travel as labels instead.
    pub const fn is_of_uploads(self) -> bool {
        !matches!(
            self,
            Self::RunnerName | Self::RunnerOs | Self::RunnerArch | Self::RunnerPool | Self::Workspace
        )
    }
}
