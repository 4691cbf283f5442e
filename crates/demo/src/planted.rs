//! The planted facts: what is wrong in this organisation, known to the last digit.
//!
//! This file is the one place that says what is planted; `docs/DEMO.md` shows each with a query. Tests of the
//! analyses compare their answers with [`Planted`].

use manometer_model::Timestamp;

use crate::calendar::{Calendar, on_day, weekday};
use crate::chance::{mix, sha_of};

/// Days before the end on which nobody works, besides weekends.
pub(crate) const HOLIDAY_DAYS_BEFORE_END: [i32; 2] = [52, 53];
const WEDNESDAY: usize = 2;

/// (1) A test that fails about 30 % of the time, on Wednesdays only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WednesdayFailure {
    /// The service.
    pub service: &'static str,
    /// The test's class.
    pub classname: &'static str,
    /// The test's name.
    pub test: &'static str,
    /// How often it fails on a Wednesday (UTC).
    pub failure_rate: f64,
}

/// The Wednesday failure.
pub const WEDNESDAY_FAILURE: WednesdayFailure = WednesdayFailure {
    service: "inventory",
    classname: "inventory.tests.integration.test_stock_sync.TestStockSync",
    test: "test_stock_levels_match_the_supplier_feed",
    failure_rate: 0.30,
};

/// (2) A step that made every `ci` run of the main repository longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AddedStep {
    /// The repository.
    pub project: &'static str,
    /// The job it was added to; every other job waits for that one.
    pub job: &'static str,
    /// The new step.
    pub step: &'static str,
    /// How long it takes.
    pub seconds: f64,
    /// Title of the commit that added it.
    pub commit_title: &'static str,
}

/// The added lint step.
pub const ADDED_STEP: AddedStep = AddedStep {
    project: "github.com/acme/shop",
    job: "lint",
    step: "static analysis",
    seconds: 600.0,
    commit_title: "Run the deep static analysis on every build",
};
const ADDED_STEP_DAYS_BEFORE_END: i32 = 24;

/// (3) and (7) A change that made tests slower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slowdown {
    /// The services that became slower, all at once.
    pub services: &'static [&'static str],
    /// How many times longer their tests take since.
    pub factor: f64,
    /// Title of the commit that did it.
    pub commit_title: &'static str,
}

/// The merge of a validation library that made the tests of one service slower.
pub const VALIDATION_LIBRARY: Slowdown = Slowdown {
    services: &["payments"],
    factor: 2.4,
    commit_title: "Validate every payment with the new validation library",
};
const VALIDATION_LIBRARY_DAYS_BEFORE_END: i32 = 38;

/// The change of a shared library that made six services slower.
pub const SHARED_LIBRARY: Slowdown = Slowdown {
    services: &["accounts", "cart", "gateway", "orders", "pricing", "promotions"],
    factor: 1.5,
    commit_title: "Retry inside the shared HTTP client",
};
const SHARED_LIBRARY_DAYS_BEFORE_END: i32 = 15;

/// (4) A test that fails, is run again inside the same run, and passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RerunFlaky {
    /// The service.
    pub service: &'static str,
    /// The test's class.
    pub classname: &'static str,
    /// The test's name.
    pub test: &'static str,
    /// How often its first attempt fails.
    pub failure_rate: f64,
    /// The most attempts it needs; the last always passes.
    pub attempts_max: u8,
}

/// The rerun-flaky test.
pub const RERUN_FLAKY: RerunFlaky = RerunFlaky {
    service: "notifications",
    classname: "notifications.tests.integration.test_delivery.TestDelivery",
    test: "test_push_message_arrives_once",
    failure_rate: 0.22,
    attempts_max: 3,
};

/// (5) A runner pool with too few runners for some weeks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolShortage {
    /// The pool.
    pub pool: &'static str,
    /// How many times more work each remaining runner has.
    pub load_factor: f64,
}

/// The short pool.
pub const POOL_SHORTAGE: PoolShortage = PoolShortage { pool: "linux-large", load_factor: 1.9 };
const POOL_SHORTAGE_DAYS_BEFORE_END: (i32, i32) = (71, 56);

/// (6) Runs whose test jobs died before they sent a report, and a provider that sent nothing for a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissingReports {
    /// The service whose test jobs died.
    pub service: &'static str,
    /// What the provider says of those jobs.
    pub failure_reason: &'static str,
    /// The provider of which a whole day is missing.
    pub silent_provider: &'static str,
}

/// The missing data.
pub const MISSING_REPORTS: MissingReports = MissingReports {
    service: "shipping",
    failure_reason: "the runner was lost before reports were uploaded: out of memory (exit code 137)",
    silent_provider: "gitlab",
};
const MISSING_REPORTS_DAYS_BEFORE_END: (i32, i32) = (12, 7);
const SILENT_DAYS_BEFORE_END: i32 = 19;

/// (8) A test that fails on one runner only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunnerFailure {
    /// The service.
    pub service: &'static str,
    /// The test's class.
    pub classname: &'static str,
    /// The test's name.
    pub test: &'static str,
    /// The only runner it fails on.
    pub runner_name: &'static str,
    /// How often it fails there.
    pub failure_rate: f64,
}

/// The runner-dependent test.
pub const RUNNER_FAILURE: RunnerFailure = RunnerFailure {
    service: "search",
    classname: "search-index",
    test: "shards::tests::results_are_sorted_by_locale",
    runner_name: "linux-large-07",
    failure_rate: 0.9,
};

/// (9) An image that became larger at a commit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArtifactGrowth {
    /// The service.
    pub service: &'static str,
    /// The artifact.
    pub artifact: &'static str,
    /// Its size afterwards, over its size before.
    pub factor: f64,
    /// Title of the commit that did it.
    pub commit_title: &'static str,
}

/// The grown image.
pub const ARTIFACT_GROWTH: ArtifactGrowth = ArtifactGrowth {
    service: "checkout",
    artifact: "checkout-image",
    factor: 1.4,
    commit_title: "Bundle every locale into the checkout image",
};
const ARTIFACT_GROWTH_DAYS_BEFORE_END: i32 = 29;

/// (10) Line coverage that drops a little every day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoverageDecline {
    /// The service.
    pub service: &'static str,
    /// Covered lines of all lines when history begins.
    pub from_ratio: f64,
    /// The same at the end.
    pub to_ratio: f64,
}

/// The declining coverage.
pub const COVERAGE_DECLINE: CoverageDecline =
    CoverageDecline { service: "recommendations", from_ratio: 0.84, to_ratio: 0.75 };

/// A commit that changed something, as it stands in the table `commits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlantedCommit {
    /// Its hash.
    pub sha: String,
    /// Its title.
    pub title: &'static str,
    /// When it was merged; whatever is built from the main branch from here on contains it.
    pub pushed_at: Timestamp,
    /// The services it was built for.
    pub services: &'static [&'static str],
}

/// The planted facts that have a date, dated for one organisation.
///
/// A date may lie before the history of a short organisation: then its change is in force all the time, and its
/// commit is not among the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The commit of [`ADDED_STEP`].
    pub added_step: PlantedCommit,
    /// The commit of [`VALIDATION_LIBRARY`].
    pub validation_library: PlantedCommit,
    /// The commit of [`SHARED_LIBRARY`].
    pub shared_library: PlantedCommit,
    /// The commit of [`ARTIFACT_GROWTH`].
    pub artifact_growth: PlantedCommit,
    /// From when until when the pool of [`POOL_SHORTAGE`] is short.
    pub pool_shortage: (Timestamp, Timestamp),
    /// From when until when the test jobs of [`MISSING_REPORTS`] die.
    pub missing_reports: (Timestamp, Timestamp),
    /// The day (since 1970-01-01) of which nothing came from the silent provider.
    pub silent_day: i32,
}

impl Planted {
    pub(crate) fn new(seed: u64, calendar: &Calendar) -> Self {
        let commit = |number: u64, title, services, days_before_end, hour| PlantedCommit {
            sha: sha_of(mix(seed, &[0x0bad_c0de, number])),
            title,
            pushed_at: calendar.working_moment(days_before_end, hour),
            services,
        };
        let from_until = |(from, until): (i32, i32)| {
            let first = calendar.working_moment(from, 0.0);
            (first, on_day(first.day() + from - until, 0.0))
        };
        Self {
            added_step: commit(2, ADDED_STEP.commit_title, &["gateway"], ADDED_STEP_DAYS_BEFORE_END, 13.4),
            validation_library: commit(
                3,
                VALIDATION_LIBRARY.commit_title,
                VALIDATION_LIBRARY.services,
                VALIDATION_LIBRARY_DAYS_BEFORE_END,
                10.7,
            ),
            shared_library: commit(
                7,
                SHARED_LIBRARY.commit_title,
                SHARED_LIBRARY.services,
                SHARED_LIBRARY_DAYS_BEFORE_END,
                14.2,
            ),
            artifact_growth: commit(
                9,
                ARTIFACT_GROWTH.commit_title,
                &[ARTIFACT_GROWTH.service],
                ARTIFACT_GROWTH_DAYS_BEFORE_END,
                9.3,
            ),
            pool_shortage: from_until(POOL_SHORTAGE_DAYS_BEFORE_END),
            missing_reports: from_until(MISSING_REPORTS_DAYS_BEFORE_END),
            silent_day: calendar.working_moment(SILENT_DAYS_BEFORE_END, 0.0).day(),
        }
    }

    /// The commits that changed something.
    pub fn commits(&self) -> [&PlantedCommit; 4] {
        [&self.validation_library, &self.artifact_growth, &self.added_step, &self.shared_library]
    }

    /// How many times longer the tests of a service take at that state of the main branch.
    pub(crate) fn test_factor(&self, service: &str, content_at: Timestamp) -> f64 {
        let mut factor = 1.0;
        for (slowdown, commit) in
            [(VALIDATION_LIBRARY, &self.validation_library), (SHARED_LIBRARY, &self.shared_library)]
        {
            if content_at >= commit.pushed_at && slowdown.services.contains(&service) {
                factor *= slowdown.factor;
            }
        }
        factor
    }

    /// Is the added step part of that state of the main branch?
    pub(crate) fn has_added_step(&self, project: &str, content_at: Timestamp) -> bool {
        project == ADDED_STEP.project && content_at >= self.added_step.pushed_at
    }

    /// How many times more load a pool has to carry at that time.
    pub(crate) fn pool_load_factor(&self, pool: &str, at: Timestamp) -> f64 {
        let (from, until) = self.pool_shortage;
        if pool == POOL_SHORTAGE.pool && (from..until).contains(&at) {
            POOL_SHORTAGE.load_factor
        } else {
            1.0
        }
    }

    /// Do the test jobs of that service die at that time?
    pub(crate) fn reports_are_lost(&self, service: &str, at: Timestamp) -> bool {
        let (from, until) = self.missing_reports;
        service == MISSING_REPORTS.service && (from..until).contains(&at)
    }

    /// Is nothing heard of the provider on the day of that moment?
    pub(crate) fn is_silent(&self, provider: &str, at: Timestamp) -> bool {
        provider == MISSING_REPORTS.silent_provider && at.day() == self.silent_day
    }

    /// How many times larger than at first an artifact is at that state of the main branch.
    pub(crate) fn artifact_factor(&self, name: &str, content_at: Timestamp) -> f64 {
        let grown = name == ARTIFACT_GROWTH.artifact && content_at >= self.artifact_growth.pushed_at;
        if grown { ARTIFACT_GROWTH.factor } else { 1.0 }
    }
}

/// How likely the Wednesday test fails at that time.
pub(crate) fn wednesday_failure_rate(at: Timestamp) -> f64 {
    if weekday(at) == WEDNESDAY { WEDNESDAY_FAILURE.failure_rate } else { 0.0 }
}

/// Covered lines of all lines of the declining service, that far through history (0 to 1).
pub(crate) fn declining_coverage(progress: f64) -> f64 {
    COVERAGE_DECLINE.from_ratio + (COVERAGE_DECLINE.to_ratio - COVERAGE_DECLINE.from_ratio) * progress
}
