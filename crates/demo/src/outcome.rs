//! Which tests of a job do not simply pass.

use manometer_model::Timestamp;

use crate::chance::Chance;
use crate::planted::{RERUN_FLAKY, RUNNER_FAILURE, wednesday_failure_rate};
use crate::suite::{Level, Secret, Suite};

/// How a test ended that did not simply pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An expectation did not hold.
    Failed,
    /// Something around the test broke.
    Errored,
    /// Failed so many times, then passed when run again.
    PassedAfter(u8),
}

impl Outcome {
    /// Does it fail the job?
    pub(crate) const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Errored)
    }

    /// How many executions it took besides the first.
    pub(crate) const fn reruns(self) -> u64 {
        match self {
            Self::PassedAfter(failures) => failures as u64,
            Self::Failed | Self::Errored => 0,
        }
    }
}

/// One execution of the tests of one level.
#[derive(Debug, Clone)]
pub(crate) struct TestsPlan {
    pub(crate) level: Level,
    /// How many tests there are.
    pub(crate) tests: usize,
    pub(crate) started_at: Timestamp,
    pub(crate) seconds: f64,
    /// How many times longer than at first the tests take.
    pub(crate) factor: f64,
    /// What did not simply pass, by position in the level, ascending, each position once.
    pub(crate) outcomes: Vec<(usize, Outcome)>,
}

impl TestsPlan {
    /// When the test at that position of the level ended, in the whole seconds that reports write.
    pub(crate) fn at(&self, position: usize) -> Timestamp {
        let share = (position as f64 + 0.5) / self.tests.max(1) as f64;
        let ended = self.started_at.plus_seconds(self.seconds * share);
        Timestamp::from_seconds(ended.as_micros().div_euclid(1_000_000)).max(self.started_at)
    }

    /// How many rows of `tests` it makes.
    pub(crate) fn rows(&self) -> u64 {
        self.tests as u64 + self.outcomes.iter().map(|(_, outcome)| outcome.reruns()).sum::<u64>()
    }

    /// Did any test fail for good?
    pub(crate) fn has_failures(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| outcome.is_failure())
    }

    /// Decides what does not pass: what is planted, what is flaky, and what the change itself broke (`broken`,
    /// numbers that choose tests; the same in every attempt of a run).
    pub(crate) fn decide(&mut self, suite: &Suite, runner_name: &str, broken: &[u64], chance: &mut Chance) {
        let range = suite.range(self.level);
        let cases = suite.cases.get(range.clone()).unwrap_or_default();
        for (position, case) in cases.iter().enumerate() {
            let outcome = match case.secret {
                Some(Secret::FailsOnWednesdays) => {
                    chance.happens(wednesday_failure_rate(self.at(position))).then_some(Outcome::Failed)
                }
                Some(Secret::PassesWhenRunAgain) => chance.happens(RERUN_FLAKY.failure_rate).then(|| {
                    let most = usize::from(RERUN_FLAKY.attempts_max).saturating_sub(1);
                    Outcome::PassedAfter(1 + chance.below(most) as u8)
                }),
                Some(Secret::FailsOnOneRunner) => (runner_name == RUNNER_FAILURE.runner_name
                    && chance.happens(RUNNER_FAILURE.failure_rate))
                .then_some(Outcome::Failed),
                None if case.flake_rate > 0.0 && chance.happens(case.flake_rate) => {
                    let passes = chance.happens(0.6);
                    Some(if passes { Outcome::PassedAfter(1) } else { Outcome::Errored })
                }
                None => None,
            };
            if let Some(outcome) = outcome.filter(|_| !case.is_skipped) {
                self.outcomes.push((position, outcome));
            }
        }
        for number in broken {
            let chosen = (*number % suite.cases.len().max(1) as u64) as usize;
            let Some(position) = chosen.checked_sub(range.start).filter(|position| *position < cases.len())
            else {
                continue;
            };
            let may_break = cases.get(position).is_some_and(|case| !case.is_skipped && case.secret.is_none());
            if may_break && self.outcomes.iter().all(|(taken, _)| *taken != position) {
                self.outcomes.push((position, Outcome::Failed));
            }
        }
        self.outcomes.sort_unstable_by_key(|(position, _)| *position);
    }
}
