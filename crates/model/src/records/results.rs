//! Facts: what runs brought forth. They are appended, never changed.

use super::pipeline::first;
use crate::table::TableKind::Fact;
use crate::{Labels, TestId, TestStatus, Timestamp};

record! {
    /// One execution of one test.
    "test" => "tests", Test, TESTS, Fact { order: &["project", "service", "suite", "classname", "name", "test_id", "at"] };
    /// CI system.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Name of the pipeline.
    pipeline: Option<String>,
    /// Run the test was executed in.
    run_id: String,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job the test was executed in.
    job_id: Option<String>,
    /// Name of that job.
    job_name: Option<String>,
    /// Source branch.
    branch: Option<String>,
    /// Is that the branch others start from?
    is_default_branch: Option<bool>,
    /// Commit tested.
    commit_sha: Option<String>,
    /// Identity of the test across runs.
    #[serde(default)]
    test_id: TestId,
    /// Suite path, outermost first, joined with ` > `.
    suite: Option<String>,
    /// Class, module or file as the framework names it.
    classname: Option<String>,
    /// Name without parameters.
    name: String,
    /// Parameters, as written in the name's brackets.
    parameters: Option<String>,
    /// Source file.
    file: Option<String>,
    /// Line in the source file, from 1.
    line: Option<i64>,
    /// How this execution ended: passed, failed, error, skipped.
    status: TestStatus,
    /// How long it took.
    duration_seconds: Option<f64>,
    /// 1 for the first execution inside the run, counted up by the framework's own re-runs.
    #[serde(default = "first")]
    attempt: i64,
    /// Is this the last execution of the test inside the run, the one that counts?
    #[serde(default = "last")]
    is_final: bool,
    /// Exception or assertion type.
    failure_kind: Option<String>,
    /// What the failure said, first lines.
    failure_message: Option<String>,
    /// Stack trace and the like, clipped.
    failure_details: Option<String>,
    /// Hash of the failure with numbers, addresses and paths taken out: equal for failures of one cause.
    failure_fingerprint: Option<String>,
    /// What the test printed, clipped; kept for tests that did not pass.
    output: Option<String>,
    /// Properties the framework attached to the test.
    #[serde(default)]
    labels: Labels,
    /// When: the test's or its suite's time, else the run's, else arrival.
    #[serde(default)]
    at: Timestamp,
}

fn last() -> bool {
    true
}

record! {
    /// Coverage of one scope as one run measured it.
    "coverage" => "coverage", Coverage, COVERAGE, Fact { order: &["project", "service", "scope", "name", "at"] };
    /// CI system.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Name of the pipeline.
    pipeline: Option<String>,
    /// Run that measured it.
    run_id: String,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job that measured it.
    job_id: Option<String>,
    /// Source branch.
    branch: Option<String>,
    /// Commit measured.
    commit_sha: Option<String>,
    /// `total`, `package` or `file`.
    scope: String,
    /// Name of the package or file; empty for the total.
    name: Option<String>,
    /// Lines executed.
    lines_covered: Option<i64>,
    /// Lines that could be executed.
    lines_valid: Option<i64>,
    /// Branches taken.
    branches_covered: Option<i64>,
    /// Branches that could be taken.
    branches_valid: Option<i64>,
    /// Functions entered.
    functions_covered: Option<i64>,
    /// Functions that could be entered.
    functions_valid: Option<i64>,
    /// When.
    #[serde(default)]
    at: Timestamp,
}

record! {
    /// Size of something a run produced.
    "artifact" => "artifacts", Artifact, ARTIFACTS, Fact { order: &["project", "service", "name", "at"] };
    /// CI system.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Name of the pipeline.
    pipeline: Option<String>,
    /// Run that produced it.
    run_id: String,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job that produced it.
    job_id: Option<String>,
    /// Source branch.
    branch: Option<String>,
    /// Commit built.
    commit_sha: Option<String>,
    /// Name, without what changes from run to run.
    name: String,
    /// `file`, `folder`, `image`, `package`, …
    kind: Option<String>,
    /// Size as stored or shipped.
    size_bytes: i64,
    /// When.
    #[serde(default)]
    at: Timestamp,
}

record! {
    /// One named build inside a run (a compile, a bundle, an image) and how long it took.
    "build" => "builds", Build, BUILDS, Fact { order: &["project", "service", "name", "at"] };
    /// CI system.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Name of the pipeline.
    pipeline: Option<String>,
    /// Run it belongs to.
    run_id: String,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job it ran in.
    job_id: Option<String>,
    /// Source branch.
    branch: Option<String>,
    /// Commit built.
    commit_sha: Option<String>,
    /// Name of the build.
    name: String,
    /// How long it took.
    duration_seconds: Option<f64>,
    /// Did it work?
    success: Option<bool>,
    /// When.
    #[serde(default)]
    at: Timestamp,
}

record! {
    /// One value of a free metric.
    "sample" => "samples", Sample, SAMPLES, Fact { order: &["project", "service", "name", "at"] };
    /// CI system or sender.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Name of the pipeline.
    pipeline: Option<String>,
    /// Run it was measured in.
    run_id: Option<String>,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job it was measured in.
    job_id: Option<String>,
    /// Source branch.
    branch: Option<String>,
    /// Commit measured.
    commit_sha: Option<String>,
    /// Name of the metric: `ram.peak_mb`.
    name: String,
    /// The value.
    value: f64,
    /// Its unit: `seconds`, `megabytes`, `percent`, …
    unit: Option<String>,
    /// Free key-value pairs.
    #[serde(default)]
    tags: Labels,
    /// When.
    #[serde(default)]
    at: Timestamp,
}
