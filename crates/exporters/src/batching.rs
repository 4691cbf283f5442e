//! The long-running form: each exporter on a thread of its own, fed from a bounded queue.
//!
//! ```text
//! offer ──► queue (bounded: what does not fit is counted as lost) ──► batch ──► Exporter::export
//!                                                                      │ full, or flush_seconds + jitter old
//! stop ──────────────────────────────────────────────────────────────► │ the rest, within its grace
//! ```
//!
//! **Invariant:** [`Worker::offer`] never blocks. A server that is away costs the records that do not fit into the
//! queue meanwhile, never memory without end and never the caller's time; every lost record is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use manometer_model::Record;

use crate::settings::SendingSettings;
use crate::{Deadline, Exporter, Timer};

/// How an exporter has fared since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items taken by the other side.
    pub sent: u64,
    /// Items refused by it.
    pub dropped: u64,
    /// Items that could not be delivered.
    pub undelivered: u64,
    /// Records that found the queue full.
    pub lost_records: u64,
}

/// An exporter at work.
#[derive(Debug)]
pub struct Worker {
    name: &'static str,
    destination: String,
    queue: Option<SyncSender<Arc<Vec<Record>>>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    sent: AtomicU64,
    dropped: AtomicU64,
    undelivered: AtomicU64,
    lost_records: AtomicU64,
    /// Records in the queue and in the batch being collected.
    waiting_records: AtomicU64,
    ending: Ending,
}

/// Most deliveries in the queue; their records are counted apart.
const QUEUE_DELIVERIES: usize = 4_096;

/// Longest time for one batch with all its repetitions.
const BATCH_DEADLINE: Duration = Duration::from_secs(300);

impl Worker {
    /// Starts a thread for an exporter.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(exporter: Box<dyn Exporter>, sending: &SendingSettings) -> std::io::Result<Self> {
        let (queue, received) = sync_channel(QUEUE_DELIVERIES);
        let shared = Arc::new(Shared::default());
        let mut work = Work {
            batch: Vec::new(),
            opened: None,
            sending: sending.clone(),
            shared: Arc::clone(&shared),
            timer: Arc::new(EndingTimer { started: Instant::now(), shared: Arc::clone(&shared) }),
            exporter,
        };
        let (name, destination) = (work.exporter.name(), work.exporter.destination().to_owned());
        let thread =
            std::thread::Builder::new().name(format!("export-{name}")).spawn(move || work.run(&received))?;
        Ok(Self { name, destination, queue: Some(queue), shared, thread: Some(thread) })
    }

    /// The kind of system it sends to.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it sends to, for people.
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// Hands records over; false when there was no room and they are lost to this exporter.
    pub fn offer(&self, records: Arc<Vec<Record>>, most_waiting: usize) -> bool {
        let count = records.len() as u64;
        let waiting = self.shared.waiting_records.fetch_add(count, Ordering::Relaxed);
        let has_room = waiting + count <= most_waiting as u64;
        let is_queued = has_room
            && self.queue.as_ref().is_some_and(|queue| {
                !matches!(queue.try_send(records), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
            });
        if !is_queued {
            self.shared.waiting_records.fetch_sub(count, Ordering::Relaxed);
            self.shared.lost_records.fetch_add(count, Ordering::Relaxed);
        }
        is_queued
    }

    /// How it has fared so far.
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            sent: read(&self.shared.sent),
            dropped: read(&self.shared.dropped),
            undelivered: read(&self.shared.undelivered),
            lost_records: read(&self.shared.lost_records),
        }
    }

    /// Sends what is left, for at most `grace`, and ends the thread.
    pub fn stop(mut self, grace: Duration) -> Counts {
        self.shared.ending.begin(grace);
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(exporter = self.name, "the thread of an exporter panicked");
        }
        self.counts()
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
        let ending = &self.shared.ending;
        let at = ending.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.is_some() {
            // The end has begun: what is left of the grace may still be waited through.
            drop(at);
            return std::thread::sleep(pause);
        }
        drop(ending.begun.wait_timeout_while(at, pause, |at| at.is_none()));
    }

    fn ends_at(&self) -> Option<Duration> {
        self.shared.ending.at().map(|at| at.saturating_duration_since(self.started))
    }
}

struct Work {
    exporter: Box<dyn Exporter>,
    batch: Vec<Record>,
    /// When the batch being collected is sent at the latest.
    opened: Option<Instant>,
    sending: SendingSettings,
    shared: Arc<Shared>,
    timer: Arc<EndingTimer>,
}

impl Work {
    fn run(&mut self, received: &Receiver<Arc<Vec<Record>>>) {
        loop {
            let next = match self.opened {
                None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => received.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match next {
                Ok(records) => {
                    if self.opened.is_none() {
                        self.opened = Some(Instant::now() + self.patience());
                    }
                    self.batch.extend_from_slice(&records);
                    if self.batch.len() >= self.sending.batch_points {
                        self.flush();
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
        }
    }

    fn patience(&self) -> Duration {
        let jitter = Duration::from_secs(self.sending.jitter_seconds).mul_f64(fastrand::f64());
        Duration::from_secs(self.sending.flush_seconds) + jitter
    }

    fn flush(&mut self) {
        self.opened = None;
        let records = std::mem::take(&mut self.batch);
        if records.is_empty() {
            return;
        }
        let timer: Arc<dyn Timer> = self.timer.clone();
        let report = self.exporter.export(&records, &Deadline::on(timer, BATCH_DEADLINE));
        self.shared.waiting_records.fetch_sub(records.len() as u64, Ordering::Relaxed);
        self.shared.sent.fetch_add(report.sent, Ordering::Relaxed);
        self.shared.dropped.fetch_add(report.dropped, Ordering::Relaxed);
        self.shared.undelivered.fetch_add(report.undelivered, Ordering::Relaxed);
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
    }
}
