//! The long-running form: each exporter on a thread of its own, fed with what there is since it was last asked.
//!
//! ```text
//! Feed::next ──► records ──► Exporter::export ──► everything answered for ──► Feed::done (durable)
//!   ▲ every flush_seconds + jitter,      │ not delivered
//!   │ at once while there is more        └─► the same again, after a pause that doubles
//! ```
//!
//! **Invariant:** nothing waits for an exporter, and it holds one batch in memory. What was not delivered stays ahead
//! in its feed; what the other side refused for good is counted, told, and not sent again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use manometer_model::Record;
use manometer_model::records::Run;

use crate::records::Batch;
use crate::settings::SendingSettings;
use crate::{Deadline, Exporter, Timer};

/// Where the records of an exporter come from: a place in an order that is remembered elsewhere.
pub trait Feed: Send {
    /// What is ahead of the place; `None` when there is nothing.
    ///
    /// # Errors
    /// Why it cannot be read just now, for people.
    fn next(&mut self) -> Result<Option<Feeding>, String>;

    /// Moves the place past what [`Feed::next`] gave last.
    ///
    /// # Errors
    /// Why it cannot be remembered just now, for people. The same is given again then.
    fn done(&mut self) -> Result<(), String>;
}

/// Records to export together.
#[derive(Debug, Default)]
pub struct Feeding {
    /// The records.
    pub records: Vec<Record>,
    /// Runs that some of the records belong to, which are not to be exported themselves.
    pub known_runs: Vec<Run>,
    /// Is there more to be had at once?
    pub has_more: bool,
}

/// How an exporter has fared since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items taken by the other side.
    pub sent: u64,
    /// Items refused by it for good.
    pub dropped: u64,
    /// Batches that were not delivered and are sent again.
    pub retried: u64,
}

/// An exporter at work.
#[derive(Debug)]
pub struct Worker {
    name: &'static str,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    sent: AtomicU64,
    dropped: AtomicU64,
    retried: AtomicU64,
    ending: Ending,
}

/// Longest time for one batch with all its repetitions.
const BATCH_DEADLINE: Duration = Duration::from_secs(300);

/// Longest pause before a batch that was not delivered is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl Worker {
    /// Starts a thread for an exporter.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        exporter: Box<dyn Exporter>,
        sending: &SendingSettings,
        feed: Box<dyn Feed>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let name = exporter.name();
        let mut work = Work {
            exporter,
            feed,
            sending: sending.clone(),
            timer: Arc::new(EndingTimer { started: Instant::now(), shared: Arc::clone(&shared) }),
            shared: Arc::clone(&shared),
        };
        let thread = std::thread::Builder::new().name(format!("export-{name}")).spawn(move || work.run())?;
        Ok(Self { name, shared, thread: Some(thread) })
    }

    /// The kind of system it sends to.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A view of how it fares that may be kept.
    pub fn progress(&self) -> Progress {
        Progress { shared: Arc::clone(&self.shared) }
    }

    /// Sends what is ahead once more, for at most `grace`, and ends the thread. What is left stays in the feed.
    pub fn stop(mut self, grace: Duration) -> Counts {
        self.shared.ending.begin(grace);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(exporter = self.name, "the thread of an exporter panicked");
        }
        self.progress().counts()
    }
}

/// How an exporter fares, while it works and afterwards.
#[derive(Debug, Clone)]
pub struct Progress {
    shared: Arc<Shared>,
}

impl Progress {
    /// The counts up to now.
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            sent: read(&self.shared.sent),
            dropped: read(&self.shared.dropped),
            retried: read(&self.shared.retried),
        }
    }
}

/// When everything has to be over; wakes whoever pauses until then.
#[derive(Debug, Default)]
struct Ending {
    at: Mutex<Option<Instant>>,
    begun: Condvar,
}

impl Ending {
    fn begin(&self, grace: Duration) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + grace);
        self.begun.notify_all();
    }

    fn at(&self) -> Option<Instant> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits; true as soon as the end has begun.
    fn wait(&self, pause: Duration) -> bool {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, _) = self
            .begun
            .wait_timeout_while(at, pause, |at| at.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        at.is_some()
    }
}

/// The machine's clock, until the worker is told to end.
#[derive(Debug)]
struct EndingTimer {
    started: Instant,
    shared: Arc<Shared>,
}

impl Timer for EndingTimer {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn pause(&self, pause: Duration) {
        if self.shared.ending.at().is_some() {
            // The end has begun: what is left of the grace may still be waited through.
            return std::thread::sleep(pause);
        }
        self.shared.ending.wait(pause);
    }

    fn ends_at(&self) -> Option<Duration> {
        self.shared.ending.at().map(|at| at.saturating_duration_since(self.started))
    }
}

struct Work {
    exporter: Box<dyn Exporter>,
    feed: Box<dyn Feed>,
    sending: SendingSettings,
    shared: Arc<Shared>,
    timer: Arc<EndingTimer>,
}

/// What one look at the feed came to.
enum Outcome {
    /// Everything ahead is dealt with.
    CaughtUp,
    /// Dealt with, and there is more.
    HasMore,
    /// Not delivered, or the feed is out of order: the same again later.
    Again,
}

impl Work {
    fn run(&mut self) {
        let mut failures = 0_u32;
        loop {
            let pause = match self.pass() {
                Outcome::CaughtUp => {
                    failures = 0;
                    self.patience()
                }
                Outcome::HasMore => {
                    failures = 0;
                    Duration::ZERO
                }
                Outcome::Again => {
                    self.shared.retried.fetch_add(1, Ordering::Relaxed);
                    failures = failures.saturating_add(1);
                    self.pause_after(failures)
                }
            };
            if self.shared.ending.wait(pause) {
                // The last pass may have begun before what was committed last.
                self.pass();
                return;
            }
        }
    }

    fn patience(&self) -> Duration {
        let jitter = Duration::from_secs(self.sending.jitter_seconds).mul_f64(fastrand::f64());
        Duration::from_secs(self.sending.flush_seconds) + jitter
    }

    /// Doubles with each failure in a row; somewhere in the upper half, so that many do not come back at once.
    fn pause_after(&self, failures: u32) -> Duration {
        let first = Duration::from_secs(self.sending.retry_seconds.max(1));
        let doubled = first.saturating_mul(2_u32.saturating_pow(failures - 1)).min(LONGEST_PAUSE);
        doubled.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    fn pass(&mut self) -> Outcome {
        let fed = match self.feed.next() {
            Ok(Some(fed)) => fed,
            Ok(None) => return Outcome::CaughtUp,
            Err(error) => return self.feed_failed(&error),
        };
        if !self.deliver(&fed) {
            return Outcome::Again;
        }
        match self.feed.done() {
            Ok(()) if fed.has_more => Outcome::HasMore,
            Ok(()) => Outcome::CaughtUp,
            Err(error) => self.feed_failed(&error),
        }
    }

    fn feed_failed(&self, error: &str) -> Outcome {
        tracing::error!(exporter = self.exporter.name(), error, "failed to follow what is committed");
        Outcome::Again
    }

    /// Exports a batch; false when it was not delivered.
    fn deliver(&mut self, fed: &Feeding) -> bool {
        let timer: Arc<dyn Timer> = self.timer.clone();
        let batch = Batch::new(&fed.records).beside(&fed.known_runs);
        let report = self.exporter.export(&batch, &Deadline::on(timer, BATCH_DEADLINE));
        let is_delivered = report.undelivered == 0;
        if is_delivered {
            self.shared.dropped.fetch_add(report.dropped, Ordering::Relaxed);
        }
        self.shared.sent.fetch_add(report.sent, Ordering::Relaxed);
        if let Some(problem) = report.problems.first.first() {
            tracing::warn!(
                exporter = self.exporter.name(),
                destination = self.exporter.destination(),
                problems = report.problems.total,
                dropped = report.dropped,
                undelivered = report.undelivered,
                first = %problem,
                "not everything could be exported"
            );
        }
        is_delivered
    }
}
