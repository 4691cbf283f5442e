//! The loop: window by window, page by page, run by run, until everything is told or something says to wait.

use std::future::Future;
use std::sync::Arc;

use manometer_model::Timestamp;

use super::cursor::{Settled, Sweep};
use super::{Api, Cursor, Fault, Listed, Listing, Source, Start, Window};
use crate::Decoded;

/// Takes what was found.
///
/// Entities merge and fact groups have natural keys, so that being told twice has no effect.
pub trait RecordSink: Send + Sync {
    /// Takes what belongs together, a run with its jobs, and answers only when all of it is durable.
    fn accept_durable(&self, told: Vec<Decoded>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Keeps a reconciler's cursor over restarts, under the reconciler's name.
pub trait CursorStore: Send + Sync {
    /// The cursor as it was saved last; `None` where there is none.
    fn load(&self, name: &str) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;
    /// Keeps it durably, instead of the one before.
    fn save(&self, name: &str, cursor: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What happened.
    pub message: String,
}

/// Why a reconciler cannot go on without somebody's doing.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// What it was told is wrong.
    #[error("{reason}")]
    Settings {
        /// What, and what to write.
        reason: String,
    },
    /// The provider refuses: a token that expired, a right that is missing.
    #[error("{name}: the provider refuses ({message}): look at the token and its rights")]
    Refused {
        /// The reconciler.
        name: String,
        /// What it said.
        message: String,
    },
    /// Records or cursor could not be kept.
    #[error("{name}: {source}")]
    Store {
        /// The reconciler.
        name: String,
        /// Why.
        source: StoreError,
    },
}

/// How much a reconciler looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct PollOptions {
    /// Seconds between the end of a sweep and the next one.
    pub interval_seconds: u32,
    /// Span before the newest moment covered that is listed again in every sweep, in seconds: in it, runs that were
    /// started again and runs that a shifting page hid are found.
    pub overlap_seconds: u32,
    /// How long a run that does not end is looked up, in seconds. GitHub ends them after 35 days.
    pub unfinished_seconds: u32,
    /// First wait after a failure that passes, in seconds; it doubles with every further one.
    pub retry_seconds: u32,
    /// Longest time one call of [`Reconciler::run`] works on where others wait for their turn, in seconds.
    pub turn_seconds: Option<u32>,
}

impl Default for PollOptions {
    fn default() -> Self {
        Self {
            interval_seconds: 300,
            overlap_seconds: 2 * 86_400,
            unfinished_seconds: 35 * 86_400,
            retry_seconds: 5,
            turn_seconds: None,
        }
    }
}

/// How far a sweep is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Where the sweep began.
    pub from: Timestamp,
    /// How far it has come.
    pub at: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
    /// Runs fetched since the reconciler was made.
    pub runs: u64,
    /// Records told since then.
    pub records: u64,
    /// Requests made since then.
    pub requests: u64,
    /// Runs that could not be fetched after several attempts; they are tried again in the next sweep.
    pub given_up: u64,
    /// Deliveries that the provider was asked to send again.
    pub redelivered: u64,
    /// Requests that failed: no connection, an answer that broke off, a server's error.
    pub failures: u64,
}

impl Progress {
    /// The share of the span that is done, from 0 to 1.
    pub fn share(&self) -> f64 {
        let all = self.until.seconds_since(self.from);
        if all <= 0.0 { 1.0 } else { (self.at.seconds_since(self.from) / all).clamp(0.0, 1.0) }
    }
}

/// Why a reconciler stopped, and when to call it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pause {
    /// Everything there is was told.
    UpToDate {
        /// When the next sweep is due.
        next_at: Timestamp,
    },
    /// It stands in the middle of a sweep, and goes on from there.
    Wait {
        /// When to call again.
        until: Timestamp,
        /// Why.
        reason: String,
    },
}

/// A page more than any list has; a list that never ends is left there.
const MOST_PAGES: u32 = 100_000;
/// How often a window is read when fewer runs were seen than counted.
const MOST_PASSES: u32 = 3;
/// How often one run may fail before the others go on without it.
const MOST_TRIES: u32 = 5;
const LONGEST_BACKOFF_SECONDS: f64 = 900.0;
/// A window is not halved below this.
const SHORTEST_WINDOW_SECONDS: f64 = 60.0;

/// Brings what one [`Source`] knows into one [`RecordSink`].
#[derive(Debug)]
pub struct Reconciler<S, R, C> {
    name: String,
    source: S,
    api: Arc<Api>,
    sink: R,
    store: C,
    options: PollOptions,
    cursor: Cursor,
    failures: u32,
    troubled: Option<(String, u32)>,
    /// The page under way, kept over a pause so that it need not be asked for again.
    in_hand: Option<(Window, u32, u32, Listing)>,
    progress: Progress,
}

enum Stop {
    Fault(Fault),
    Error(PollError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<S: Source, R: RecordSink, C: CursorStore> Reconciler<S, R, C> {
    /// Goes on where the cursor kept under `name` stands; without one, begins at `start`. A start before the moment
    /// the cursor was begun at fills the history in between.
    ///
    /// # Errors
    /// When the cursor cannot be loaded or read.
    pub async fn resume(
        name: impl Into<String>,
        source: S,
        api: Arc<Api>,
        sink: R,
        store: C,
        options: PollOptions,
        start: Start,
    ) -> Result<Self, PollError> {
        let name = name.into();
        let kept =
            store.load(&name).await.map_err(|source| PollError::Store { name: name.clone(), source })?;
        let begin = match start {
            Start::Recent => api.now().plus_seconds(-f64::from(options.overlap_seconds)),
            Start::Since(at) => at.min(api.now()),
        };
        let mut cursor = match kept {
            None => Cursor::begin(begin),
            Some(text) => serde_json::from_str(&text).map_err(|error| PollError::Store {
                name: name.clone(),
                source: StoreError { message: format!("the cursor that was kept is unreadable: {error}") },
            })?,
        };
        if matches!(start, Start::Since(_)) && begin < cursor.begun_at {
            cursor =
                Cursor { settled: cursor.settled, unfinished: cursor.unfinished, ..Cursor::begin(begin) };
        }
        let (from, at, until) = match &cursor.sweep {
            Some(sweep) => (sweep.from, sweep.window.from, sweep.until),
            None => (cursor.covered_until, cursor.covered_until, api.now()),
        };
        let progress = Progress {
            from,
            at,
            until,
            runs: 0,
            records: 0,
            requests: 0,
            given_up: 0,
            redelivered: 0,
            failures: 0,
        };
        Ok(Self {
            name,
            source,
            api,
            sink,
            store,
            options,
            cursor,
            failures: 0,
            troubled: None,
            in_hand: None,
            progress,
        })
    }

    /// How far it has come.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// How far the sweep is, and what was done since the reconciler was made.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Works until everything is told, it has to wait, or its turn is over. `on_progress` is called after every page.
    ///
    /// # Errors
    /// When it cannot go on without somebody's doing. What was told until then stays told.
    pub async fn run(&mut self, on_progress: &mut (dyn FnMut(&Progress) + Send)) -> Result<Pause, PollError> {
        let turn = self.options.turn_seconds;
        let turn_ends_at = turn.map(|seconds| self.api.now().plus_seconds(f64::from(seconds)));
        loop {
            let done = self.step().await;
            self.progress.requests = self.api.requests();
            match done {
                Ok(true) => self.save().await?,
                Ok(false) => {
                    self.save().await?;
                    on_progress(&self.progress);
                    let next_at = self.api.now().plus_seconds(f64::from(self.options.interval_seconds));
                    return Ok(Pause::UpToDate { next_at });
                }
                Err(Stop::Fault(fault)) => {
                    self.save().await?;
                    return self.pause(fault);
                }
                Err(Stop::Error(error)) => return Err(error),
            }
            on_progress(&self.progress);
            let now = self.api.now();
            if turn_ends_at.is_some_and(|end| now >= end) {
                return Ok(Pause::Wait { until: now, reason: "it is the turn of others".to_owned() });
            }
        }
    }

    /// One page, or the end of a sweep. Answers whether there is more to do.
    async fn step(&mut self) -> Result<bool, Stop> {
        let Some(mut sweep) = self.cursor.sweep.clone() else {
            self.cursor.sweep = Some(self.new_sweep());
            return Ok(true);
        };
        let place = (sweep.window, sweep.page, sweep.pass);
        let listing = match self.in_hand.take() {
            Some((window, page, pass, listing)) if (window, page, pass) == place => listing,
            _ => self.source.list(&self.api, sweep.window, sweep.page).await?,
        };
        if self.must_be_halved(&sweep, listing.total) {
            let half = sweep.window.to.seconds_since(sweep.window.from) / 2.0;
            sweep.window.to = sweep.window.from.plus_seconds(half.ceil());
            self.cursor.sweep = Some(Sweep { page: 1, pass: 1, seen: Default::default(), ..sweep });
            return Ok(true);
        }
        for run in &listing.runs {
            if listing.total.is_some() {
                sweep.seen.insert(run.key.clone());
            }
            if let Err(stop) = self.tell(run).await {
                self.in_hand = Some((sweep.window, sweep.page, sweep.pass, listing));
                return Err(stop);
            }
        }
        self.failures = 0;
        self.forget_settled(&sweep);
        if listing.has_next && sweep.page < MOST_PAGES {
            self.cursor.sweep = Some(Sweep { page: sweep.page + 1, ..sweep });
            return Ok(true);
        }
        // Pages that shifted while they were read hid a run: it is on the window's next reading.
        let is_short = listing.total.is_some_and(|total| (sweep.seen.len() as u64) < total);
        if is_short && sweep.pass < MOST_PASSES {
            self.cursor.sweep = Some(Sweep { page: 1, pass: sweep.pass + 1, ..sweep });
            return Ok(true);
        }
        self.progress.at = sweep.window.to.min(sweep.until);
        self.cursor.covered_until = self.cursor.covered_until.max(self.progress.at);
        if sweep.window.to < sweep.until {
            let window = self.window_from(sweep.window.to, sweep.until);
            self.cursor.sweep = Some(Sweep { window, page: 1, pass: 1, seen: Default::default(), ..sweep });
            return Ok(true);
        }
        self.finish(&sweep).await?;
        self.cursor.sweep = None;
        Ok(false)
    }

    /// Keeps of the settled runs only those that a list may show again: in the window under way, which may be read
    /// again, and in the last days, which the next sweep lists. Years of history so need no more memory than a day.
    fn forget_settled(&mut self, sweep: &Sweep) {
        let overlap = -f64::from(self.options.overlap_seconds);
        let next_sweep_from = self.beginning_of_window(sweep.until.plus_seconds(overlap));
        let keep_from = match self.source.window_seconds() {
            Some(_) => next_sweep_from.min(sweep.window.from),
            None => next_sweep_from,
        };
        self.cursor.settled.retain(|_, settled| settled.created_at >= keep_from);
    }

    fn new_sweep(&mut self) -> Sweep {
        let until = self.api.now();
        let overlap = f64::from(self.options.overlap_seconds);
        let from = self.beginning_of_window(self.cursor.covered_until.plus_seconds(-overlap));
        let from = from.max(self.cursor.begun_at).min(until);
        self.progress.from = from;
        self.progress.at = from;
        self.progress.until = until;
        let window = self.window_from(from, until);
        Sweep { window, from, until, page: 1, pass: 1, seen: Default::default() }
    }

    /// The window that begins at a moment. Windows end at whole multiples of their length, so that every sweep asks for
    /// the same addresses and a list that did not change is not sent again.
    fn window_from(&self, from: Timestamp, until: Timestamp) -> Window {
        let to = match self.source.window_seconds() {
            None => until.plus_seconds(1.0),
            Some(length) => self.beginning_of_window(from).plus_seconds(length as f64),
        };
        Window { from, to }
    }

    /// The moment the window that holds `at` begins.
    fn beginning_of_window(&self, at: Timestamp) -> Timestamp {
        let Some(length) = self.source.window_seconds() else { return at };
        let micros = length.max(1).saturating_mul(1_000_000);
        Timestamp::from_micros(at.as_micros().div_euclid(micros).saturating_mul(micros))
    }

    fn must_be_halved(&self, sweep: &Sweep, total: Option<u64>) -> bool {
        let is_long = sweep.window.to.seconds_since(sweep.window.from) >= 2.0 * SHORTEST_WINDOW_SECONDS;
        let is_over = self.source.most_listed().zip(total).is_some_and(|(most, total)| total > most);
        is_over && is_long
    }

    /// Tells of a run, unless it is settled.
    async fn tell(&mut self, run: &Listed) -> Result<(), Stop> {
        if self.cursor.settled.get(&run.key).is_some_and(|settled| settled.stamp == run.stamp) {
            return Ok(());
        }
        let found = match self.source.fetch(&self.api, run).await {
            Ok(found) => found,
            // It was deleted between the list and now.
            Err(Fault::Gone { .. }) => Vec::new(),
            Err(fault @ (Fault::Passing { .. } | Fault::Wait { .. })) => return self.give_up_or(run, fault),
            Err(fault) => return Err(fault.into()),
        };
        self.hand_over(found).await?;
        self.troubled = None;
        self.failures = 0;
        self.progress.runs += 1;
        if run.is_finished {
            self.cursor.unfinished.remove(&run.key);
            let settled = Settled { stamp: run.stamp.clone(), created_at: run.created_at };
            self.cursor.settled.insert(run.key.clone(), settled);
        } else {
            self.cursor.unfinished.insert(run.key.clone(), run.created_at);
        }
        Ok(())
    }

    /// A run that fails again and again must not keep the others away: it is put aside for the next sweep.
    fn give_up_or(&mut self, run: &Listed, fault: Fault) -> Result<(), Stop> {
        let tries = match &self.troubled {
            Some((key, tries)) if *key == run.key => tries + 1,
            _ => 1,
        };
        self.troubled = Some((run.key.clone(), tries));
        if tries < MOST_TRIES {
            return Err(fault.into());
        }
        tracing::warn!(reconciler = %self.name, run = %run.key, %fault, "a run cannot be fetched; going on without it");
        self.troubled = None;
        self.progress.given_up += 1;
        self.cursor.unfinished.insert(run.key.clone(), run.created_at);
        Ok(())
    }

    async fn hand_over(&mut self, found: Vec<Decoded>) -> Result<(), Stop> {
        let records: usize = found
            .iter()
            .map(|told| {
                told.entities.len() + told.facts.iter().map(|group| group.records.len()).sum::<usize>()
            })
            .sum();
        if records == 0 && found.iter().all(|told| told.problems.total == 0) {
            return Ok(());
        }
        self.sink
            .accept_durable(found)
            .await
            .map_err(|source| Stop::Error(PollError::Store { name: self.name.clone(), source }))?;
        self.progress.records += records as u64;
        Ok(())
    }

    /// The end of a sweep: runs that had not ended, what stands around, deliveries that failed.
    async fn finish(&mut self, sweep: &Sweep) -> Result<(), Stop> {
        let oldest = sweep.until.plus_seconds(-f64::from(self.options.unfinished_seconds));
        self.cursor.unfinished.retain(|_, created_at| *created_at >= oldest);
        let lost_sight_of: Vec<String> = self
            .cursor
            .unfinished
            .iter()
            .filter(|(_, created_at)| **created_at < sweep.from)
            .map(|(key, _)| key.clone())
            .collect();
        for key in lost_sight_of {
            match self.source.look_up(&self.api, &key).await {
                Ok(run) => self.tell(&run).await?,
                Err(Fault::Gone { .. }) => {
                    self.cursor.unfinished.remove(&key);
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        match self.source.surroundings(&self.api, sweep.from).await {
            Ok(found) => self.hand_over(found).await?,
            Err(fault) => self.tolerate("what stands around runs", fault)?,
        }
        let mut redeliveries = std::mem::take(&mut self.cursor.redeliveries);
        let redelivered = self.source.redeliver(&self.api, &mut redeliveries).await;
        self.cursor.redeliveries = redeliveries;
        match redelivered {
            Ok(count) => self.progress.redelivered += count,
            Err(fault) => self.tolerate("failed deliveries", fault)?,
        }
        self.forget_settled(sweep);
        Ok(())
    }

    /// Many tokens may list runs and not runners or hooks: that takes nothing from the runs.
    fn tolerate(&self, what: &str, fault: Fault) -> Result<(), Stop> {
        match fault {
            Fault::Refused { .. } | Fault::Gone { .. } => {
                tracing::info!(reconciler = %self.name, %fault, "the provider does not tell {what}");
                Ok(())
            }
            other => Err(other.into()),
        }
    }

    fn pause(&mut self, fault: Fault) -> Result<Pause, PollError> {
        match fault {
            Fault::Wait { until, reason } => Ok(Pause::Wait { until, reason }),
            Fault::Passing { message } => {
                self.failures = self.failures.saturating_add(1);
                self.progress.failures += 1;
                let first = f64::from(self.options.retry_seconds.max(1));
                let seconds = first * 2_f64.powi(self.failures.min(16) as i32 - 1);
                let until = self.api.now().plus_seconds(seconds.min(LONGEST_BACKOFF_SECONDS));
                Ok(Pause::Wait { until, reason: message })
            }
            Fault::Gone { path } => {
                Err(PollError::Refused { name: self.name.clone(), message: format!("{path} is not there") })
            }
            Fault::Refused { message, .. } => Err(PollError::Refused { name: self.name.clone(), message }),
        }
    }

    async fn save(&self) -> Result<(), PollError> {
        let refuse = |source| PollError::Store { name: self.name.clone(), source };
        let text = serde_json::to_string(&self.cursor).map_err(|error| {
            refuse(StoreError { message: format!("the cursor cannot be written: {error}") })
        })?;
        self.store.save(&self.name, &text).await.map_err(refuse)
    }
}
