//! What one sender delivers at one moment: records by value, tests one at a time through a visitor.

use std::convert::Infallible;

use manometer_model::records::Test;
use manometer_model::{Labels, Record, TestId, TestStatus, Timestamp};

use crate::chance::{Chance, mix};
use crate::failure::{Failure, Place};
use crate::history::{Dated, Event};
use crate::outcome::{Outcome, TestsPlan};
use crate::plan::{JobPlan, RunPlan, World};
use crate::record_of_run::{job_id, records_of_run};
use crate::runners::runner_records;
use crate::services::Service;
use crate::suite::{DURATION_SIGMA, TestCase};

/// One delivery: everything a finished run reports, or a few entities.
#[derive(Debug)]
pub struct Upload<'a> {
    /// Names the delivery among all deliveries of the organisation.
    pub key: String,
    /// When it is delivered; deliveries come in this order.
    pub at: Timestamp,
    /// Everything but the tests.
    pub records: Vec<Record>,
    world: &'a World,
    run: Option<Box<RunPlan>>,
}

impl<'a> Upload<'a> {
    pub(crate) fn new(world: &'a World, Dated { at, event, .. }: Dated) -> Self {
        match event {
            Event::Run(run) => {
                let project = &world.services[run.request.service].project;
                let (provider, name) = (project.provider, project.name);
                let key = format!("{provider}/{name}/{}/{}", run.request.run_id, run.request.attempt);
                Self { key, at, records: records_of_run(world, &run), world, run: Some(run) }
            }
            Event::Runners => {
                let records = runner_records(world, at);
                Self { key: format!("runners/{}", at.day()), at, records, world, run: None }
            }
            Event::Incident(incident) => {
                let records = vec![Record::from(incident.record(world))];
                Self { key: incident.key(), at, records, world, run: None }
            }
        }
    }

    /// How many tests [`Upload::for_each_test`] visits.
    pub fn tests(&self) -> u64 {
        self.run.as_ref().map_or(0, |run| run.test_rows())
    }

    /// Visits every test. The row is reused: copy what shall outlive the call.
    pub fn for_each_test(&self, mut visit: impl FnMut(&Test)) {
        let visited: Result<(), Infallible> = self.try_for_each_test(|test| {
            visit(test);
            Ok(())
        });
        match visited {
            Ok(()) => {}
        }
    }

    /// Visits every test until a visit fails. The row is reused: copy what shall outlive the call.
    ///
    /// # Errors
    /// The first error of `visit`.
    pub fn try_for_each_test<E>(&self, mut visit: impl FnMut(&Test) -> Result<(), E>) -> Result<(), E> {
        let Some(run) = self.run.as_deref() else { return Ok(()) };
        let service = &self.world.services[run.request.service];
        let suite = &self.world.suites[run.request.service];
        let mut row = context_row(service, run);
        for (position, job) in run.jobs.iter().enumerate() {
            let Some(plan) = job.tests() else { continue };
            set(&mut row.job_id, &job_id(run, position));
            set(&mut row.job_name, job.template.name);
            let cases = suite.cases.get(suite.range(plan.level)).unwrap_or_default();
            let seed = mix(run.request.seed, &[run.request.attempt as u64, position as u64, 0xda7a]);
            execute(service, job, plan, cases, &mut Chance::new(seed), &mut row, &mut visit)?;
        }
        Ok(())
    }
}

/// A row with everything that is the same for all tests of a run.
fn context_row(service: &Service, run: &RunPlan) -> Test {
    let request = &run.request;
    Test {
        provider: service.project.provider.to_owned(),
        project: service.project.name.to_owned(),
        service: Some(service.name.clone()),
        pipeline: Some(request.pipeline.name().to_owned()),
        run_id: request.run_id.to_string(),
        run_attempt: request.attempt,
        branch: Some(request.branch.clone()),
        is_default_branch: Some(request.is_default_branch),
        commit_sha: Some(request.commit.sha.clone()),
        test_id: TestId::default(),
        attempt: 1,
        is_final: true,
        labels: Labels::new(),
        ..Test::default()
    }
}

fn execute<E>(
    service: &Service,
    job: &JobPlan,
    plan: &TestsPlan,
    cases: &[TestCase],
    chance: &mut Chance,
    row: &mut Test,
    visit: &mut impl FnMut(&Test) -> Result<(), E>,
) -> Result<(), E> {
    let slowness = plan.factor * job.work.as_ref().map_or(1.0, |work| work.pool.slowness);
    let mut outcomes = plan.outcomes.iter().peekable();
    for (position, case) in cases.iter().enumerate() {
        describe(row, case);
        row.at = plan.at(position);
        let outcome = outcomes.next_if(|(planned, _)| *planned == position).map(|(_, outcome)| *outcome);
        let failures = outcome.map_or(0, |outcome| outcome.reruns());
        for attempt in 1..=failures {
            (row.attempt, row.is_final, row.status) = (attempt as i64, false, TestStatus::Failed);
            row.duration_seconds = Some(measured(chance, case.median_seconds * slowness));
            fail(row, service, case, chance);
            visit(row)?;
        }
        (row.attempt, row.is_final) = (failures as i64 + 1, true);
        row.duration_seconds =
            Some(if case.is_skipped { 0.0 } else { measured(chance, case.median_seconds * slowness) });
        row.status = match outcome {
            Some(Outcome::Failed) => TestStatus::Failed,
            Some(Outcome::Errored) => TestStatus::Error,
            Some(Outcome::PassedAfter(_)) => TestStatus::Passed,
            None if case.is_skipped => TestStatus::Skipped,
            None => TestStatus::Passed,
        };
        if row.status.is_failure() {
            fail(row, service, case, chance);
        } else {
            (row.failure_kind, row.failure_message, row.failure_details) = (None, None, None);
            (row.failure_fingerprint, row.output) = (None, None);
        }
        visit(row)?;
    }
    Ok(())
}

/// How long an execution took, in the milliseconds that reports write.
fn measured(chance: &mut Chance, median_seconds: f64) -> f64 {
    (chance.log_normal(median_seconds, DURATION_SIGMA) * 1000.0).round() / 1000.0
}

fn describe(row: &mut Test, case: &TestCase) {
    let identity = &case.identity;
    row.test_id = case.id;
    row.name.clone_from(&identity.name);
    set(&mut row.suite, &identity.suite);
    set(&mut row.classname, &identity.classname);
    set(&mut row.file, &identity.file);
    match &identity.parameters {
        Some(parameters) => set(&mut row.parameters, parameters),
        None => row.parameters = None,
    }
    row.line = Some(identity.line);
}

fn fail(row: &mut Test, service: &Service, case: &TestCase, chance: &mut Chance) {
    let identity = &case.identity;
    let place = Place {
        class: &identity.classname,
        test: &identity.name,
        file: &identity.file,
        line: identity.line + 6,
    };
    let failure = Failure::new(service.tool, place, chance);
    set(&mut row.failure_kind, failure.kind);
    row.failure_message = Some(failure.message);
    row.failure_details = Some(failure.details);
    row.failure_fingerprint = Some(failure.fingerprint);
    row.output = Some(format!("{} {} started", row.at, identity.name));
}

/// Writes a text into a cell, keeping its allocation.
fn set(cell: &mut Option<String>, text: &str) {
    let kept = cell.get_or_insert_with(String::new);
    kept.clear();
    kept.push_str(text);
}
