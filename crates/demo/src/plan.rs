//! One run, planned to the second before any record of it is written.

use manometer_model::{Conclusion, Timestamp};

use crate::calendar::Calendar;
use crate::chance::{Chance, mix};
use crate::options::DemoOptions;
use crate::outcome::TestsPlan;
use crate::pipeline::{JobTemplate, Pipeline, StepTemplate, UPLOAD_REPORTS, Work};
use crate::planted::{ADDED_STEP, MISSING_REPORTS, Planted};
use crate::pools::Pool;
use crate::services::Service;
use crate::suite::Suite;

/// What does not change while history passes.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: DemoOptions,
    pub(crate) calendar: Calendar,
    pub(crate) planted: Planted,
    pub(crate) services: Vec<Service>,
    /// The suite of each service, at the same position.
    pub(crate) suites: Vec<Suite>,
}

/// What a change breaks before any test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breakage {
    Lint,
    Compile,
}

/// The commit a run builds.
#[derive(Debug, Clone)]
pub(crate) struct CommitPlan {
    pub(crate) sha: String,
    pub(crate) parent_sha: Option<String>,
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) pushed_at: Timestamp,
}

/// A run somebody or something asked for.
#[derive(Debug, Clone)]
pub(crate) struct RunRequest {
    pub(crate) service: usize,
    pub(crate) pipeline: Pipeline,
    pub(crate) run_id: u64,
    pub(crate) attempt: i64,
    pub(crate) number: i64,
    pub(crate) branch: String,
    pub(crate) is_default_branch: bool,
    pub(crate) commit: CommitPlan,
    pub(crate) trigger: &'static str,
    pub(crate) actor: String,
    pub(crate) change_id: Option<u64>,
    pub(crate) queued_at: Timestamp,
    /// The run builds the main branch as it stood then.
    pub(crate) content_at: Timestamp,
    pub(crate) breakage: Option<Breakage>,
    /// Numbers that choose the tests the change broke.
    pub(crate) broken: Vec<u64>,
    /// Seconds after its start at which the run is cancelled.
    pub(crate) cancelled_after: Option<f64>,
    pub(crate) seed: u64,
}

/// One run with all that happens in it.
#[derive(Debug, Clone)]
pub(crate) struct RunPlan {
    pub(crate) request: RunRequest,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) conclusion: Conclusion,
    pub(crate) jobs: Vec<JobPlan>,
}

/// One job of a run.
#[derive(Debug, Clone)]
pub(crate) struct JobPlan {
    pub(crate) template: &'static JobTemplate,
    pub(crate) conclusion: Conclusion,
    pub(crate) allowed_to_fail: bool,
    pub(crate) failure_reason: Option<&'static str>,
    /// Null when a runner was never asked for.
    pub(crate) queued_at: Option<Timestamp>,
    /// Null when no runner began.
    pub(crate) work: Option<WorkPlan>,
}

/// What a runner did.
#[derive(Debug, Clone)]
pub(crate) struct WorkPlan {
    pub(crate) pool: &'static Pool,
    pub(crate) runner: usize,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) steps: Vec<StepPlan>,
    pub(crate) tests: Option<TestsPlan>,
}

/// One step of a job.
#[derive(Debug, Clone)]
pub(crate) struct StepPlan {
    pub(crate) name: &'static str,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) conclusion: Conclusion,
    pub(crate) exit_code: i64,
}

const LOST_CONTACT: &str = "the runner lost contact with the server";
const LOST_CONTACT_RATE: f64 = 0.004;
/// How much longer everything takes at the end of history than at its beginning, for no single reason.
const DRIFT: f64 = 0.05;
const STEP_SIGMA: f64 = 0.14;

impl RunPlan {
    /// Plays a run through.
    pub(crate) fn new(world: &World, request: RunRequest) -> Self {
        let mut jobs: Vec<JobPlan> = Vec::new();
        let mut cancelled_at = None;
        for (position, template) in request.pipeline.jobs(request.is_default_branch).iter().enumerate() {
            let needed = jobs.iter().filter(|job| template.needs.contains(&job.template.name));
            let is_ready = needed.clone().all(|job| job.conclusion == Conclusion::Success);
            let queued_at = needed.filter_map(JobPlan::finished_at).max().unwrap_or(request.queued_at);
            let mut job = if is_ready {
                JobPlan::new(world, &request, template, position, queued_at)
            } else {
                JobPlan::without_runner(template, Conclusion::Skipped, None)
            };
            if position == 0 {
                let start = job.work.as_ref().map_or(queued_at, |work| work.started_at);
                cancelled_at = request.cancelled_after.map(|seconds| start.plus_seconds(seconds));
            }
            if let Some(at) = cancelled_at {
                job = job.cancelled(at);
            }
            jobs.push(job);
        }
        let works = || jobs.iter().filter_map(|job| job.work.as_ref());
        let started_at = works().map(|work| work.started_at).min().unwrap_or(request.queued_at);
        let finished_at = works().map(|work| work.finished_at).max().unwrap_or(started_at);
        let conclusion = conclusion_of(&jobs);
        Self { started_at, finished_at, conclusion, jobs, request }
    }

    /// How many rows of `tests` the run makes.
    pub(crate) fn test_rows(&self) -> u64 {
        self.jobs.iter().filter_map(JobPlan::tests).map(TestsPlan::rows).sum()
    }
}

fn conclusion_of(jobs: &[JobPlan]) -> Conclusion {
    if jobs.iter().any(|job| job.conclusion == Conclusion::Cancelled) {
        return Conclusion::Cancelled;
    }
    let fails = |job: &JobPlan| {
        matches!(job.conclusion, Conclusion::Failure | Conclusion::Error) && !job.allowed_to_fail
    };
    if jobs.iter().any(fails) { Conclusion::Failure } else { Conclusion::Success }
}

impl JobPlan {
    fn without_runner(
        template: &'static JobTemplate,
        conclusion: Conclusion,
        queued_at: Option<Timestamp>,
    ) -> Self {
        Self { template, conclusion, allowed_to_fail: false, failure_reason: None, queued_at, work: None }
    }

    fn new(
        world: &World,
        request: &RunRequest,
        template: &'static JobTemplate,
        position: usize,
        queued_at: Timestamp,
    ) -> Self {
        let mut chance = Chance::new(mix(request.seed, &[request.attempt as u64, position as u64]));
        let project = &world.services[request.service].project;
        let pool = if template.is_heavy { project.heavy_pool } else { project.light_pool };
        let waited = pool.queue_seconds(queued_at, &world.calendar, &world.planted, &mut chance);
        let started_at = queued_at.plus_seconds(waited);
        let work = WorkPlan {
            pool,
            runner: chance.below(pool.runners),
            started_at,
            finished_at: started_at,
            steps: Vec::with_capacity(template.steps.len() + 1),
            tests: None,
        };
        // The browsers of every fifth service are known to be unreliable: their failures do not count.
        let allowed_to_fail = template.name == "e2e" && request.service % 5 == 4;
        let mut job = Self {
            template,
            conclusion: Conclusion::Success,
            allowed_to_fail,
            failure_reason: None,
            queued_at: Some(queued_at),
            work: Some(work),
        };
        let lost_at = chance.happens(LOST_CONTACT_RATE).then(|| chance.below(template.steps.len()));
        for (number, step) in steps_of(template, world, request).enumerate() {
            let is_last = job.play(world, request, &step, &mut chance);
            if lost_at == Some(number) && !is_last {
                job.lose_runner();
            }
            if is_last || lost_at == Some(number) {
                break;
            }
        }
        job
    }

    /// Plays one step; says whether it was the last one.
    fn play(
        &mut self,
        world: &World,
        request: &RunRequest,
        step: &StepTemplate,
        chance: &mut Chance,
    ) -> bool {
        let Some(work) = &mut self.work else { return true };
        let service = &world.services[request.service];
        let suite = &world.suites[request.service];
        let factor = world.planted.test_factor(&service.name, request.content_at);
        let median = match (step.work, self.template.tests) {
            (Work::Compile, _) => step.median_seconds * service.tool.compile_factor() * service.size.sqrt(),
            (Work::Tests, Some(level)) => step.median_seconds + suite.expected_seconds(level) * factor,
            _ => step.median_seconds,
        };
        let drift = 1.0 + DRIFT * world.calendar.progress(request.content_at);
        let is_added = step.name == ADDED_STEP.step;
        let mut seconds = chance.log_normal(median * drift * work.pool.slowness, STEP_SIGMA);
        if is_added {
            seconds = chance.log_normal(median, 0.04);
        }
        let started_at = work.finished_at;
        let (mut conclusion, mut exit_code) = (Conclusion::Success, 0);
        let mut is_last = false;
        if let (Work::Tests, Some(level)) = (step.work, self.template.tests) {
            if world.planted.reports_are_lost(&service.name, started_at) {
                seconds *= chance.between(0.2, 0.9);
                (conclusion, exit_code, is_last) = (Conclusion::Failure, 137, true);
                self.failure_reason = Some(MISSING_REPORTS.failure_reason);
            } else {
                let range = suite.range(level);
                let mut tests = TestsPlan {
                    level,
                    tests: range.len(),
                    started_at,
                    seconds,
                    factor: factor * drift,
                    outcomes: Vec::new(),
                };
                tests.decide(suite, &work.pool.runner_name(work.runner), &request.broken, chance);
                if tests.has_failures() {
                    (conclusion, exit_code) = (Conclusion::Failure, 1);
                    self.failure_reason = Some("tests failed");
                }
                work.tests = Some(tests);
            }
        }
        let breaks = match (request.breakage, step.work) {
            (Some(Breakage::Lint), Work::Check) => step.name == "lint",
            (Some(Breakage::Compile), Work::Compile) => true,
            (_, Work::Check) => step.name == "probe endpoints" && chance.happens(0.02),
            _ => false,
        };
        if breaks {
            (conclusion, exit_code, is_last) = (Conclusion::Failure, 1, true);
            self.failure_reason = Some("a step exited with code 1");
        }
        let finished_at = started_at.plus_seconds(seconds);
        work.steps.push(StepPlan { name: step.name, started_at, finished_at, conclusion, exit_code });
        work.finished_at = finished_at;
        if conclusion != Conclusion::Success {
            self.conclusion = conclusion;
        }
        is_last
    }

    /// The machine is gone, and with it whatever the job had not yet sent.
    fn lose_runner(&mut self) {
        self.conclusion = Conclusion::Error;
        self.failure_reason = Some(LOST_CONTACT);
        let Some(work) = &mut self.work else { return };
        if let Some((step, earlier)) = work.steps.split_last_mut() {
            (step.conclusion, step.exit_code) = (Conclusion::Error, 1);
            let has_sent_reports = earlier.iter().any(|step| step.name == UPLOAD_REPORTS);
            work.tests = work.tests.take().filter(|_| has_sent_reports);
        }
    }

    /// The job of a run that is cancelled at that time.
    fn cancelled(mut self, at: Timestamp) -> Self {
        let Some(work) = &mut self.work else { return self };
        if work.finished_at <= at {
            return self;
        }
        if work.started_at >= at {
            return Self::without_runner(self.template, Conclusion::Cancelled, self.queued_at);
        }
        work.steps.retain(|step| step.started_at < at);
        if let Some(step) = work.steps.last_mut() {
            (step.conclusion, step.exit_code) = (Conclusion::Cancelled, 130);
            step.finished_at = at;
        }
        work.tests = None;
        work.finished_at = at;
        Self { conclusion: Conclusion::Cancelled, failure_reason: None, ..self }
    }

    /// When the job ended, if it ran.
    pub(crate) fn finished_at(&self) -> Option<Timestamp> {
        self.work.as_ref().map(|work| work.finished_at)
    }

    /// The tests of which a report arrived.
    pub(crate) fn tests(&self) -> Option<&TestsPlan> {
        self.work.as_ref().and_then(|work| work.tests.as_ref())
    }
}

/// The steps of a job: those of its template, and the one that was added to it.
fn steps_of(
    template: &'static JobTemplate,
    world: &World,
    request: &RunRequest,
) -> impl Iterator<Item = StepTemplate> {
    let project = world.services[request.service].project.name;
    let is_added =
        template.name == ADDED_STEP.job && world.planted.has_added_step(project, request.content_at);
    let added = StepTemplate { name: ADDED_STEP.step, median_seconds: ADDED_STEP.seconds, work: Work::Check };
    let before = template.steps.len().saturating_sub(1);
    let (head, tail) = template.steps.split_at(before);
    head.iter().copied().chain(is_added.then_some(added)).chain(tail.iter().copied())
}
