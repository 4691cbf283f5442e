//! When to look at the process tree, and what two looks say together.

use std::time::{Duration, Instant};

use super::series::{Sample, Series};
use super::tree::{Look, ProcessTree};

/// The first look comes this soon, so that short commands have samples too; pauses double from there.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// A look may take at most a thousandth of the time until the next one …
const SHARE_OF_TIME: u32 = 1_000;
/// … and a hundredth where somebody wants to look more often than once a second.
const SHARE_OF_SHORT_TIME: u32 = 100;
/// No pause is longer than this, however dear a look is.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Looks at the descendants of this process from time to time.
#[derive(Debug)]
pub struct Sampler {
    tree: ProcessTree,
    interval: Duration,
    begin: Instant,
    next: Instant,
    pause: Duration,
    last: Option<(Instant, Look)>,
    series: Series,
}

impl Sampler {
    /// A sampler that begins now; `None` where this system has no way to look at processes.
    pub fn begin(interval: Duration) -> Option<Self> {
        let tree = ProcessTree::of_this_process()?;
        let begin = Instant::now();
        let pause = FIRST_PAUSE.min(interval);
        Some(Self {
            tree,
            interval,
            begin,
            next: begin + pause,
            pause,
            last: None,
            series: Series::default(),
        })
    }

    /// Looks, if it is time; gives the time until the next look.
    pub(crate) fn sample_if_due(&mut self) -> Duration {
        let now = Instant::now();
        if now < self.next {
            return self.next - now;
        }
        self.sample(now);
        let cost = now.elapsed();
        self.pause = (self.pause * 2).min(self.interval);
        // The first looks are dearer than their share; there are only a handful of them.
        let share = if self.interval < Duration::from_secs(1) { SHARE_OF_SHORT_TIME } else { SHARE_OF_TIME };
        let fair = if self.pause < self.interval { self.pause } else { cost * share };
        let pause = self.pause.max(fair).min(LONGEST_PAUSE.max(self.interval));
        self.next = Instant::now() + pause;
        pause
    }

    /// A last look, for the time since the one before it.
    pub(crate) fn finish(&mut self) {
        // A command that was never looked at while it lived has no memory any more that could be seen.
        if self.last.is_some() {
            self.sample(Instant::now());
        }
    }

    /// What was seen.
    pub fn into_series(self) -> Series {
        self.series
    }

    fn sample(&mut self, now: Instant) {
        let Some(look) = self.tree.look() else { return };
        let (since, before) = self.last.unwrap_or((self.begin, Look::default()));
        let length_seconds = now.saturating_duration_since(since).as_secs_f64();
        if length_seconds > 0.0 {
            let busy_seconds = (look.cpu_seconds - before.cpu_seconds).max(0.0);
            let sample = Sample {
                at_seconds: now.saturating_duration_since(self.begin).as_secs_f64(),
                length_seconds,
                cpu_percent: busy_seconds / length_seconds * 100.0,
                memory_bytes: look.memory_bytes.max(before.memory_bytes),
                processes: look.processes.max(before.processes),
            };
            // Nothing is known of memory before the first look, nor after the end: then what is known stands for both.
            let [at_begin, at_end] = match (before.memory_bytes, look.memory_bytes) {
                (0, known) | (known, 0) => [known, known],
                both => [both.0, both.1],
            };
            self.series.push(sample, at_begin, at_end);
        }
        self.last = Some((now, look));
    }
}
