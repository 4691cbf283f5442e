//! How a poll stands: what is shown of it, and kept for those who ask later.

use manometer_model::Timestamp;
use manometer_providers::poll::{Progress, Target};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Entry;

/// What a poll is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was not its turn yet.
    #[default]
    New,
    /// It is asking.
    Working,
    /// It stands in the middle and goes on at `next_at`; `message` says why it waits.
    Waiting,
    /// Everything was told; the next sweep is at `next_at`.
    UpToDate,
    /// The provider refuses: `message` says what. It is tried again at `next_at`.
    Refused,
    /// The store did not take what was found: `message` says why. It is tried again at `next_at`.
    Failed,
}

impl Standing {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::UpToDate => "up to date",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A way through the lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct SweepState {
    /// Where it began.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// How far it has come.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Where it ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// The share of it that is done, 0 to 1.
    pub share: f64,
}

/// A history that was asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct BackfillState {
    /// From when on.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// What it is doing; `up_to_date` when it is complete.
    pub standing: Standing,
    /// Why it waits or fails.
    pub message: Option<String>,
    /// When it goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// When it was complete.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// How far it is.
    pub sweep: Option<SweepState>,
    /// Runs told by this process.
    pub runs: u64,
}

/// How a poll stands. Counts are of this process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct PollState {
    /// Its name: `github/acme/shop`.
    pub name: String,
    /// CI system.
    pub provider: String,
    /// Repository, project or folder; empty for a whole server.
    pub project: String,
    /// Address of the API.
    pub api: String,
    /// What it is doing.
    pub standing: Standing,
    /// Why it waits or fails.
    pub message: Option<String>,
    /// When it goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// When the last sweep was complete.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sweep_at: Option<Timestamp>,
    /// The sweep under way, or the last one.
    pub sweep: Option<SweepState>,
    /// Runs told.
    pub runs: u64,
    /// Records told.
    pub records: u64,
    /// Runs left for the next sweep because they could not be fetched.
    pub given_up: u64,
    /// Webhooks the provider was asked to send again.
    pub redelivered: u64,
    /// Requests that failed, refusals, and times the store did not take something.
    pub failures: u64,
    /// Requests that may be made in an hour, shared by all projects of the entry in the settings.
    pub requests_per_hour: u32,
    /// Requests that may be made now.
    pub budget_left: u32,
    /// The history that was asked for last.
    pub backfill: Option<BackfillState>,
}

/// Which of the two ways through a target's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// What is recent, for ever.
    Recent,
    /// History that was asked for, once.
    History,
}

/// A target and how it stands.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) name: String,
    pub(super) target: Target,
    state: Mutex<PollState>,
}

impl Watched {
    /// `before` is what an earlier process noted.
    pub(super) fn new(name: String, target: Target, before: Option<&PollState>) -> Self {
        let state = PollState {
            name: name.clone(),
            provider: target.provider.name().to_owned(),
            project: target.project.clone(),
            last_sweep_at: before.and_then(|state| state.last_sweep_at),
            sweep: before.and_then(|state| state.sweep.clone()),
            backfill: before
                .and_then(|state| state.backfill.clone())
                .map(|backfill| BackfillState { runs: 0, ..backfill }),
            ..PollState::default()
        };
        Self { name, target, state: Mutex::new(state) }
    }

    /// How it stands now.
    pub(super) fn state(&self, entry: &Entry) -> PollState {
        PollState {
            api: entry.api.base().to_string(),
            requests_per_hour: entry.settings.api.requests_per_hour,
            budget_left: entry.api.budget_left(),
            ..self.state.lock().clone()
        }
    }

    pub(super) fn history_was_asked_for(&self, since: Timestamp, now: Timestamp) {
        self.state.lock().backfill = Some(BackfillState { since, asked_at: now, ..BackfillState::default() });
    }

    /// Adds what was done since `before`.
    pub(super) fn progressed(&self, purpose: Purpose, before: &Progress, now: &Progress) {
        let mut state = self.state.lock();
        let runs = now.runs.saturating_sub(before.runs);
        state.runs += runs;
        state.records += now.records.saturating_sub(before.records);
        state.given_up += now.given_up.saturating_sub(before.given_up);
        state.redelivered += now.redelivered.saturating_sub(before.redelivered);
        state.failures += now.failures.saturating_sub(before.failures);
        let sweep = SweepState { from: now.from, at: now.at, until: now.until, share: now.share() };
        match (purpose, &mut state.backfill) {
            (Purpose::Recent, _) => state.sweep = Some(sweep),
            (Purpose::History, Some(backfill)) => {
                backfill.sweep = Some(sweep);
                backfill.runs += runs;
            }
            (Purpose::History, None) => {}
        }
    }

    /// Notes what it is doing, and until when.
    pub(super) fn stands(
        &self,
        purpose: Purpose,
        standing: Standing,
        next_at: Option<Timestamp>,
        message: Option<String>,
        now: Timestamp,
    ) {
        let mut state = self.state.lock();
        if matches!(standing, Standing::Refused | Standing::Failed) {
            state.failures += 1;
        }
        match (purpose, &mut state.backfill) {
            (Purpose::Recent, _) => {
                if standing == Standing::UpToDate {
                    state.last_sweep_at = Some(now);
                }
                (state.standing, state.next_at, state.message) = (standing, next_at, message);
            }
            (Purpose::History, Some(backfill)) => {
                backfill.finished_at = (standing == Standing::UpToDate).then_some(now);
                (backfill.standing, backfill.next_at, backfill.message) = (standing, next_at, message);
            }
            (Purpose::History, None) => {}
        }
    }
}
