//! Samples processor load and memory of this process and its descendants.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use manometer_agent::measure::{ProcessTree, megabytes};
use manometer_agent::settings::Settings;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// Time between two looks where nothing else is said.
const INTERVAL: Duration = Duration::from_secs(1);

/// Over a shorter time the ticks of the system's clock would look like a load.
const SHORTEST_STRETCH: Duration = Duration::from_millis(50);

/// Samples from its beginning to [`stop`](Self::stop), in a thread of its own.
///
/// Load is in percent of one processor, so eight busy ones are 800. A megabyte is 1,048,576 bytes.
///
/// ```
/// use manometer_client::ResourceSampler;
///
/// let sampler = ResourceSampler::start();
/// let sum: u64 = (0..100_000).sum();
/// let metrics = sampler.stop();
/// assert!(sum > 0 && metrics.contains_key("cpu.avg_load"));
/// ```
#[derive(Debug)]
pub struct ResourceSampler {
    end: SyncSender<()>,
    thread: Option<JoinHandle<BTreeMap<String, f64>>>,
}

impl ResourceSampler {
    /// Begins, with the interval of `MANOMETER_SAMPLE_INTERVAL`, else a second.
    pub fn start() -> Self {
        let interval = Settings::from_environment().sample_interval.unwrap_or(Some(INTERVAL));
        Self::every(interval.unwrap_or_default())
    }

    /// Begins, and looks once in this time; with zero only at the beginning and the end.
    pub fn every(interval: Duration) -> Self {
        let (end, ended) = sync_channel(1);
        let mut watch = Watch::begin();
        let work = move || {
            // Without an interval the first message is what ends it; a sampler that was dropped ends it too.
            if interval.is_zero() {
                ended.recv().ok();
            } else {
                while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    watch.look();
                }
            }
            watch.look();
            watch.summary()
        };
        let thread = std::thread::Builder::new().name("manometer-sampler".to_owned()).spawn(work).ok();
        Self { end, thread }
    }

    /// Ends and gives `cpu.avg_load`, `cpu.max_load`, `ram.peak_mb`, `ram.avg_mb`, as far as they are known.
    pub fn stop(self) -> BTreeMap<String, f64> {
        // The thread may have ended by itself: then there is nothing to tell it.
        self.end.send(()).ok();
        self.thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

/// What has been seen so far.
struct Watch {
    descendants: Option<ProcessTree>,
    first: Seen,
    last: Seen,
    max_load: f64,
    memory_sum: f64,
    memory_looks: u32,
    memory_peak: u64,
}

#[derive(Clone, Copy)]
struct Seen {
    at: Instant,
    cpu_seconds: f64,
}

impl Watch {
    fn begin() -> Self {
        let mut descendants = ProcessTree::of_this_process();
        let (seen, memory) = look(&mut descendants);
        let mut watch = Self {
            descendants,
            first: seen,
            last: seen,
            max_load: 0.0,
            memory_sum: 0.0,
            memory_looks: 0,
            memory_peak: 0,
        };
        watch.note_memory(memory);
        watch
    }

    fn look(&mut self) {
        let (seen, memory) = look(&mut self.descendants);
        self.note_memory(memory);
        let stretch = seen.at - self.last.at;
        if stretch >= SHORTEST_STRETCH {
            self.max_load = self.max_load.max(load(self.last, seen));
            self.last = seen;
        }
    }

    fn note_memory(&mut self, bytes: Option<u64>) {
        if let Some(bytes) = bytes {
            self.memory_sum += megabytes(bytes);
            self.memory_looks += 1;
            self.memory_peak = self.memory_peak.max(bytes);
        }
    }

    fn summary(mut self) -> BTreeMap<String, f64> {
        let mut metrics = BTreeMap::new();
        let (now, _) = look(&mut self.descendants);
        let average = load(self.first, now);
        metrics.insert("cpu.avg_load".to_owned(), average);
        // No stretch can be less busy than the average in all of them.
        metrics.insert("cpu.max_load".to_owned(), self.max_load.max(average));
        if self.memory_looks > 0 {
            metrics.insert("ram.avg_mb".to_owned(), self.memory_sum / f64::from(self.memory_looks));
            metrics.insert("ram.peak_mb".to_owned(), megabytes(self.memory_peak));
        }
        metrics
    }
}

fn load(before: Seen, after: Seen) -> f64 {
    let seconds = (after.at - before.at).as_secs_f64();
    if seconds > 0.0 { (after.cpu_seconds - before.cpu_seconds).max(0.0) / seconds * 100.0 } else { 0.0 }
}

/// Processor time and memory of this process and its descendants together.
fn look(descendants: &mut Option<ProcessTree>) -> (Seen, Option<u64>) {
    let below = descendants.as_mut().and_then(ProcessTree::look).unwrap_or_default();
    let own_cpu = getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| {
        let time = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        time as f64 / 1e6
    });
    let seen = Seen { at: Instant::now(), cpu_seconds: own_cpu + below.cpu_seconds };
    (seen, own_memory().map(|own| own + below.memory_bytes))
}

/// What this process holds in memory, in bytes: proc_pid_statm(5). Other systems than Linux do not tell it by a file.
fn own_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * u64::try_from(rustix::param::page_size()).ok()?)
}
