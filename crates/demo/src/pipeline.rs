//! What a pipeline consists of: jobs, what each waits for, and their steps.

use crate::services::Tool;
use crate::suite::Level;

/// Which pipeline a run executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pipeline {
    /// On every push.
    Ci,
    /// Every night, with everything.
    Nightly,
    /// To staging and production.
    Deploy,
}

/// What a step does besides taking time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Nothing that could fail.
    Plain,
    /// Its time depends on the language.
    Compile,
    /// Looks for things to complain about.
    Check,
    /// Executes the tests of the job.
    Tests,
}

/// One step of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepTemplate {
    pub(crate) name: &'static str,
    pub(crate) median_seconds: f64,
    pub(crate) work: Work,
}

/// One job of a pipeline.
#[derive(Debug)]
pub(crate) struct JobTemplate {
    pub(crate) name: &'static str,
    pub(crate) stage: &'static str,
    /// Jobs that must have succeeded before.
    pub(crate) needs: &'static [&'static str],
    pub(crate) is_heavy: bool,
    pub(crate) tests: Option<Level>,
    pub(crate) steps: &'static [StepTemplate],
}

/// The step that sends what the tests reported.
pub(crate) const UPLOAD_REPORTS: &str = "upload reports";

const fn step(name: &'static str, median_seconds: f64) -> StepTemplate {
    StepTemplate { name, median_seconds, work: Work::Plain }
}

const fn doing(work: Work, name: &'static str, median_seconds: f64) -> StepTemplate {
    StepTemplate { name, median_seconds, work }
}

const SET_UP: StepTemplate = step("set up job", 3.0);
const CHECKOUT: StepTemplate = step("check out", 6.0);
const CLEAN_UP: StepTemplate = step("clean up", 1.0);
const RESTORE: StepTemplate = step("restore cache", 9.0);

const LINT_STEPS: &[StepTemplate] = &[
    SET_UP,
    CHECKOUT,
    step("install tools", 16.0),
    doing(Work::Check, "check format", 8.0),
    doing(Work::Check, "lint", 44.0),
    CLEAN_UP,
];
const BUILD_STEPS: &[StepTemplate] =
    &[SET_UP, CHECKOUT, RESTORE, doing(Work::Compile, "compile", 110.0), step("save cache", 8.0), CLEAN_UP];
const UNIT_STEPS: &[StepTemplate] = &[
    SET_UP,
    CHECKOUT,
    RESTORE,
    doing(Work::Tests, "run unit tests", 9.0),
    step(UPLOAD_REPORTS, 3.0),
    CLEAN_UP,
];
const INTEGRATION_STEPS: &[StepTemplate] = &[
    SET_UP,
    CHECKOUT,
    RESTORE,
    step("start databases", 24.0),
    doing(Work::Tests, "run integration tests", 12.0),
    step(UPLOAD_REPORTS, 3.0),
    CLEAN_UP,
];
const E2E_STEPS: &[StepTemplate] = &[
    SET_UP,
    CHECKOUT,
    step("deploy preview", 48.0),
    doing(Work::Tests, "run end-to-end tests", 20.0),
    step(UPLOAD_REPORTS, 5.0),
    CLEAN_UP,
];
const PACKAGE_STEPS: &[StepTemplate] =
    &[SET_UP, CHECKOUT, RESTORE, step("build image", 62.0), step("push image", 18.0), CLEAN_UP];

const fn lint() -> JobTemplate {
    JobTemplate { name: "lint", stage: "verify", needs: &[], is_heavy: false, tests: None, steps: LINT_STEPS }
}

const fn build(needs: &'static [&'static str]) -> JobTemplate {
    JobTemplate { name: "build", stage: "build", needs, is_heavy: true, tests: None, steps: BUILD_STEPS }
}

const fn unit() -> JobTemplate {
    let tests = Some(Level::Unit);
    JobTemplate { name: "unit", stage: "test", needs: &["build"], is_heavy: true, tests, steps: UNIT_STEPS }
}

const fn integration() -> JobTemplate {
    let tests = Some(Level::Integration);
    JobTemplate {
        name: "integration",
        stage: "test",
        needs: &["build"],
        is_heavy: true,
        tests,
        steps: INTEGRATION_STEPS,
    }
}

const fn end_to_end() -> JobTemplate {
    let tests = Some(Level::EndToEnd);
    JobTemplate { name: "e2e", stage: "test", needs: &["build"], is_heavy: true, tests, steps: E2E_STEPS }
}

const fn package() -> JobTemplate {
    let needs = &["unit", "integration"];
    JobTemplate {
        name: "package",
        stage: "package",
        needs,
        is_heavy: true,
        tests: None,
        steps: PACKAGE_STEPS,
    }
}

static CI_OF_CHANGES: [JobTemplate; 5] = [lint(), build(&["lint"]), unit(), integration(), package()];
static CI_OF_MAIN: [JobTemplate; 6] =
    [lint(), build(&["lint"]), unit(), integration(), end_to_end(), package()];
static NIGHTLY: [JobTemplate; 4] = [build(&[]), unit(), integration(), end_to_end()];
static DEPLOY: [JobTemplate; 3] = [
    JobTemplate {
        name: "deploy-staging",
        stage: "deploy",
        needs: &[],
        is_heavy: false,
        tests: None,
        steps: &[SET_UP, CHECKOUT, step("roll out", 95.0), CLEAN_UP],
    },
    JobTemplate {
        name: "smoke",
        stage: "verify",
        needs: &["deploy-staging"],
        is_heavy: false,
        tests: None,
        steps: &[SET_UP, doing(Work::Check, "probe endpoints", 40.0), CLEAN_UP],
    },
    JobTemplate {
        name: "deploy-production",
        stage: "deploy",
        needs: &["smoke"],
        is_heavy: false,
        tests: None,
        steps: &[SET_UP, CHECKOUT, step("roll out", 170.0), CLEAN_UP],
    },
];

impl Pipeline {
    /// The name people see.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Nightly => "nightly",
            Self::Deploy => "deploy",
        }
    }

    /// Its jobs, each after those it needs.
    pub(crate) fn jobs(self, is_default_branch: bool) -> &'static [JobTemplate] {
        match self {
            Self::Ci if is_default_branch => &CI_OF_MAIN,
            Self::Ci => &CI_OF_CHANGES,
            Self::Nightly => &NIGHTLY,
            Self::Deploy => &DEPLOY,
        }
    }
}

impl Tool {
    /// How much longer than on average its language takes to compile.
    pub(crate) const fn compile_factor(self) -> f64 {
        match self {
            Self::Pytest => 0.4,
            Self::Jest => 0.7,
            Self::Go => 0.6,
            Self::Surefire | Self::NUnit => 1.3,
            Self::Nextest => 1.9,
            Self::XcTest => 2.2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_stands_after_those_it_needs() {
        for pipeline in [Pipeline::Ci, Pipeline::Nightly, Pipeline::Deploy] {
            for is_default_branch in [true, false] {
                let jobs = pipeline.jobs(is_default_branch);
                for (position, job) in jobs.iter().enumerate() {
                    for needed in job.needs {
                        assert!(
                            jobs[..position].iter().any(|earlier| earlier.name == *needed),
                            "{}",
                            job.name
                        );
                    }
                }
            }
        }
    }
}
