//! Samples over time, bounded: a longer build is kept in coarser steps.

/// Most samples that are kept; when there are more, neighbours are merged.
const MOST_SAMPLES: usize = 240;

/// A stretch of time and what was used in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// End of the stretch, in seconds since the start of the command.
    pub at_seconds: f64,
    /// Its length, in seconds.
    pub length_seconds: f64,
    /// Average processor load; 100 is one processor, in percent.
    pub cpu_percent: f64,
    /// Most memory seen, in bytes.
    pub memory_bytes: u64,
    /// Most processes seen.
    pub processes: u32,
}

/// What was sampled of one command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    samples: Vec<Sample>,
    memory_integral: f64,
    covered_seconds: f64,
    peak_memory_bytes: u64,
    peak_cpu_percent: Option<f64>,
    peak_processes: u32,
    looks: u64,
}

/// A load over a stretch shorter than this says more about the system's clock tick (10 ms) than about the command.
const SHORTEST_LOAD_SECONDS: f64 = 0.2;

impl Series {
    /// Adds a stretch; `memory_at_begin` and `memory_at_end` give its average memory.
    pub(super) fn push(&mut self, sample: Sample, memory_at_begin: u64, memory_at_end: u64) {
        self.looks += 1;
        let mean = (memory_at_begin as f64 + memory_at_end as f64) / 2.0;
        self.memory_integral += mean * sample.length_seconds;
        self.covered_seconds += sample.length_seconds;
        self.peak_memory_bytes = self.peak_memory_bytes.max(sample.memory_bytes);
        self.peak_processes = self.peak_processes.max(sample.processes);
        if sample.length_seconds >= SHORTEST_LOAD_SECONDS {
            self.peak_cpu_percent = Some(self.peak_cpu_percent.unwrap_or(0.0).max(sample.cpu_percent));
        }
        self.samples.push(sample);
        if self.samples.len() > MOST_SAMPLES {
            self.samples = self.samples.chunks(2).map(merged).collect();
        }
    }

    /// The samples, oldest first.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Average memory over the sampled time, in bytes; `None` without samples.
    pub fn average_memory_bytes(&self) -> Option<f64> {
        (self.covered_seconds > 0.0).then(|| self.memory_integral / self.covered_seconds)
    }

    /// Most memory seen, in bytes.
    pub fn peak_memory_bytes(&self) -> u64 {
        self.peak_memory_bytes
    }

    /// Highest load of a stretch that is long enough to tell, in percent.
    pub fn peak_cpu_percent(&self) -> Option<f64> {
        self.peak_cpu_percent
    }

    /// Most processes seen at once.
    pub fn peak_processes(&self) -> u32 {
        self.peak_processes
    }

    /// How often the tree was looked at.
    pub fn looks(&self) -> u64 {
        self.looks
    }
}

fn merged(pair: &[Sample]) -> Sample {
    let length: f64 = pair.iter().map(|sample| sample.length_seconds).sum();
    let busy: f64 = pair.iter().map(|sample| sample.cpu_percent * sample.length_seconds).sum();
    Sample {
        at_seconds: pair.last().map_or(0.0, |sample| sample.at_seconds),
        length_seconds: length,
        cpu_percent: if length > 0.0 { busy / length } else { 0.0 },
        memory_bytes: pair.iter().map(|sample| sample.memory_bytes).max().unwrap_or(0),
        processes: pair.iter().map(|sample| sample.processes).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_a_month_keeps_its_peaks_and_averages_in_bounded_memory() {
        let mut series = Series::default();
        let seconds = 30 * 86_400_u32;
        for second in 1..=seconds {
            let is_peak = second == 1_000_000;
            let sample = Sample {
                at_seconds: f64::from(second),
                length_seconds: 1.0,
                cpu_percent: if is_peak { 800.0 } else { 50.0 },
                memory_bytes: if is_peak { 9_000 } else { 1_000 },
                processes: 3,
            };
            series.push(sample, 1_000, 1_000);
        }
        assert!(series.samples().len() <= MOST_SAMPLES);
        assert_eq!(series.average_memory_bytes(), Some(1_000.0));
        assert_eq!((series.peak_memory_bytes(), series.peak_cpu_percent()), (9_000, Some(800.0)));
        assert_eq!(series.samples().iter().map(|sample| sample.memory_bytes).max(), Some(9_000));
        let covered: f64 = series.samples().iter().map(|sample| sample.length_seconds).sum();
        assert!((covered - f64::from(seconds)).abs() < 1e-3);
    }
}
