//! The organisation as a whole: its size, its facts, and the stream of what it delivers.

use manometer_model::Timestamp;

use crate::calendar::Calendar;
use crate::history::{Event, History, Pace};
use crate::options::{DemoOptions, OptionOutOfRange};
use crate::plan::World;
use crate::planted::Planted;
use crate::services::services;
use crate::suite::Suite;
use crate::upload::Upload;

/// A made-up organisation with everything its pipelines brought forth. See the crate's page.
#[derive(Debug)]
pub struct Organisation {
    world: World,
    pace: Pace,
    totals: Totals,
}

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    uploads: u64,
    runs: u64,
    tests: u64,
}

/// How many paces are tried to meet the wished number of tests.
const TRIES: usize = 8;
/// A distance from the wished number, in parts of it, at which no further pace is tried.
const CLOSE_ENOUGH: f64 = 0.004;

impl Organisation {
    /// Makes up an organisation. Its history is planned through a few times, without writing any record, so that
    /// its totals are known beforehand and near what was asked for: about a third of a second for the default.
    ///
    /// # Errors
    /// When an option is out of its range.
    pub fn new(options: DemoOptions) -> Result<Self, OptionOutOfRange> {
        options.validate()?;
        let calendar = Calendar::new(options.start(), options.end);
        let planted = Planted::new(options.seed, &calendar);
        let services = services(options.services);
        // More tests come half from larger suites and half from more runs.
        let tests_per_day = options.tests_per_service_day();
        let suite_size = 5.0 * tests_per_day.sqrt();
        let runs_per_day = 0.2 * tests_per_day.sqrt();
        let suites = services
            .iter()
            .map(|service| Suite::new(options.seed, service, suite_size * service.size))
            .collect();
        let world = World { options, calendar, planted, services, suites };
        let (pace, totals) = fit_pace(&world, runs_per_day);
        Ok(Self { world, pace, totals })
    }

    /// How many days of history there are.
    pub fn days(&self) -> u32 {
        self.world.options.days
    }

    /// Where history begins; nothing is earlier.
    pub fn start(&self) -> Timestamp {
        self.world.options.start()
    }

    /// The present; nothing is later.
    pub fn end(&self) -> Timestamp {
        self.world.options.end
    }

    /// The names of all services, the most important first.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.world.services.iter().map(|service| service.name.as_str())
    }

    /// The planted facts that have a date.
    pub fn planted(&self) -> &Planted {
        &self.world.planted
    }

    /// How many uploads [`Organisation::uploads`] gives, exactly.
    pub fn total_uploads(&self) -> u64 {
        self.totals.uploads
    }

    /// How many runs they hold, each attempt counted, exactly.
    pub fn total_runs(&self) -> u64 {
        self.totals.runs
    }

    /// How many rows of `tests` they hold, exactly.
    pub fn total_tests(&self) -> u64 {
        self.totals.tests
    }

    /// Everything, in order of time, made as it is asked for.
    pub fn uploads(&self) -> impl Iterator<Item = Upload<'_>> {
        History::new(&self.world, self.pace).map(|dated| Upload::new(&self.world, dated))
    }
}

/// Finds how often pipelines must run to bring forth the wished number of tests.
fn fit_pace(world: &World, runs_per_day: f64) -> (Pace, Totals) {
    let wished = world.options.tests_total as f64;
    let mut pace = Pace { ci_per_busy_hour: runs_per_day / 8.0, nightly_rate: (runs_per_day / 7.0).min(0.9) };
    let mut best = (pace, Totals::default());
    for _ in 0..TRIES {
        let totals = count(world, pace);
        let distance_of = |totals: &Totals| (totals.tests as f64 / wished - 1.0).abs();
        if distance_of(&totals) < distance_of(&best.1) {
            best = (pace, totals);
        }
        if distance_of(&best.1) < CLOSE_ENOUGH {
            break;
        }
        pace.ci_per_busy_hour *= (wished / totals.tests.max(1) as f64).clamp(0.2, 5.0);
    }
    best
}

fn count(world: &World, pace: Pace) -> Totals {
    let mut totals = Totals::default();
    for dated in History::new(world, pace) {
        totals.uploads += 1;
        if let Event::Run(run) = dated.event {
            totals.runs += 1;
            totals.tests += run.test_rows();
        }
    }
    totals
}
