//! The tests of a service: made once, the same in every run.

use std::ops::Range;

use manometer_model::TestId;

use crate::chance::{Chance, mix, number_of};
use crate::naming::{Identity, identity};
use crate::planted::{RERUN_FLAKY, RUNNER_FAILURE, WEDNESDAY_FAILURE};
use crate::services::Service;

/// Which job executes a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Unit,
    Integration,
    EndToEnd,
}

impl Level {
    pub(crate) const ALL: [Self; 3] = [Self::Unit, Self::Integration, Self::EndToEnd];

    /// The folder its tests lie in.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Integration => "integration",
            Self::EndToEnd => "e2e",
        }
    }

    /// Share of its tests that sometimes fail for no reason that is in the code.
    const fn flaky_share(self) -> f64 {
        match self {
            Self::Unit => 0.004,
            Self::Integration => 0.03,
            Self::EndToEnd => 0.2,
        }
    }

    /// Share of all tests, and the shortest and longest median duration in seconds.
    const fn shape(self) -> (f64, f64, f64) {
        match self {
            Self::Unit => (0.78, 0.02, 0.8),
            Self::Integration => (0.17, 0.6, 6.0),
            Self::EndToEnd => (0.05, 4.0, 30.0),
        }
    }
}

/// What is planted in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    FailsOnWednesdays,
    PassesWhenRunAgain,
    FailsOnOneRunner,
}

/// One test.
#[derive(Debug)]
pub(crate) struct TestCase {
    pub(crate) id: TestId,
    pub(crate) identity: Identity,
    pub(crate) median_seconds: f64,
    pub(crate) is_skipped: bool,
    /// How often it fails for no reason that is in the code.
    pub(crate) flake_rate: f64,
    pub(crate) secret: Option<Secret>,
}

/// All tests of one service, unit tests first, end-to-end tests last.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) cases: Vec<TestCase>,
    ranges: [Range<usize>; 3],
    expected_seconds: [f64; 3],
}

/// Spread of a test's duration around its median.
pub(crate) const DURATION_SIGMA: f64 = 0.30;

impl Suite {
    /// A suite of about that many tests, at least one of each level and every planted one.
    pub(crate) fn new(seed: u64, service: &Service, tests: f64) -> Self {
        let mut chance = Chance::new(mix(seed, &[number_of(&service.name), 0x7e57]));
        let mut cases = Vec::new();
        let ranges = Level::ALL.map(|level| {
            let first = cases.len();
            let (share, shortest, longest) = level.shape();
            let wanted = (tests * share).round().max(1.0) as usize;
            for position in 0..wanted {
                let flake_rate =
                    if chance.happens(level.flaky_share()) { chance.between(0.001, 0.012) } else { 0.0 };
                cases.push(TestCase {
                    median_seconds: shortest * (longest / shortest).powf(chance.unit()),
                    is_skipped: chance.happens(0.02),
                    flake_rate,
                    ..TestCase::new(identity(service, level, position))
                });
            }
            cases.extend(planted_cases(service, level));
            first..cases.len()
        });
        let expected_seconds =
            ranges.clone().map(|range| expected_seconds(cases.get(range).unwrap_or_default()));
        Self { cases, ranges, expected_seconds }
    }

    /// Where the tests of a level stand.
    pub(crate) fn range(&self, level: Level) -> Range<usize> {
        let [unit, integration, end_to_end] = &self.ranges;
        match level {
            Level::Unit => unit.clone(),
            Level::Integration => integration.clone(),
            Level::EndToEnd => end_to_end.clone(),
        }
    }

    /// How long the tests of a level take one after the other, on average.
    pub(crate) fn expected_seconds(&self, level: Level) -> f64 {
        let [unit, integration, end_to_end] = self.expected_seconds;
        match level {
            Level::Unit => unit,
            Level::Integration => integration,
            Level::EndToEnd => end_to_end,
        }
    }
}

fn expected_seconds(cases: &[TestCase]) -> f64 {
    let medians = cases.iter().filter(|case| !case.is_skipped).map(|case| case.median_seconds);
    // The mean of a log-normal distribution lies above its median.
    medians.sum::<f64>() * (DURATION_SIGMA * DURATION_SIGMA / 2.0).exp()
}

impl TestCase {
    fn new(identity: Identity) -> Self {
        let parameters = identity.parameters.as_deref().unwrap_or_default();
        let id = TestId::new(&identity.suite, &identity.classname, &identity.name, parameters, 0);
        Self { id, identity, median_seconds: 1.0, is_skipped: false, flake_rate: 0.0, secret: None }
    }

    fn planted(secret: Secret, median_seconds: f64, identity: Identity) -> Self {
        Self { median_seconds, secret: Some(secret), ..Self::new(identity) }
    }
}

fn planted_cases(service: &Service, level: Level) -> Option<TestCase> {
    let name = service.name.as_str();
    if level == Level::Integration && name == WEDNESDAY_FAILURE.service {
        return Some(TestCase::planted(
            Secret::FailsOnWednesdays,
            2.6,
            Identity {
                suite: "pytest".to_owned(),
                classname: WEDNESDAY_FAILURE.classname.to_owned(),
                name: WEDNESDAY_FAILURE.test.to_owned(),
                parameters: None,
                file: "services/inventory/tests/integration/test_stock_sync.py".to_owned(),
                line: 61,
            },
        ));
    }
    if level == Level::Integration && name == RERUN_FLAKY.service {
        return Some(TestCase::planted(
            Secret::PassesWhenRunAgain,
            1.9,
            Identity {
                suite: "pytest".to_owned(),
                classname: RERUN_FLAKY.classname.to_owned(),
                name: RERUN_FLAKY.test.to_owned(),
                parameters: None,
                file: "services/notifications/tests/integration/test_delivery.py".to_owned(),
                line: 112,
            },
        ));
    }
    if level == Level::Unit && name == RUNNER_FAILURE.service {
        return Some(TestCase::planted(
            Secret::FailsOnOneRunner,
            0.07,
            Identity {
                suite: RUNNER_FAILURE.classname.to_owned(),
                classname: RUNNER_FAILURE.classname.to_owned(),
                name: RUNNER_FAILURE.test.to_owned(),
                parameters: None,
                file: "services/search/index/src/shards.rs".to_owned(),
                line: 240,
            },
        ));
    }
    None
}
