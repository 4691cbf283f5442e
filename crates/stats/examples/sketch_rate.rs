//! How quick and how large a sketch is: `cargo run --release -p manometer-stats --example sketch_rate`.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::hint::black_box;
use std::time::Instant;

use manometer_stats::Sketch;

const VALUES: usize = 20_000_000;
const GROUPS: usize = 200_000;

/// Durations of tests: a log-normal distribution over some ten octaves.
fn durations() -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    (0..VALUES).map(|_| 0.02 * (1.3 * normal()).exp()).collect()
}

fn main() {
    let values = durations();
    let begin = Instant::now();
    let mut sketch = Sketch::new();
    sketch.extend(black_box(&values));
    tell("values counted into one sketch", VALUES, begin);
    println!("{:>14} bytes of memory, {} encoded", sketch.memory_bytes(), sketch.encode().len());

    let mut groups = vec![Sketch::new(); GROUPS];
    let begin = Instant::now();
    for (group, values) in groups.iter_mut().zip(values.chunks(VALUES / GROUPS)) {
        group.extend(values);
    }
    tell("values counted into 200,000 sketches of 100", VALUES, begin);
    let memory: usize = groups.iter().map(Sketch::memory_bytes).sum();
    let encoded: Vec<Vec<u8>> = groups.iter().map(Sketch::encode).collect();
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    println!("{:>14} bytes of memory each, {} encoded", memory / GROUPS, bytes / GROUPS);

    let begin = Instant::now();
    let mut merged = Sketch::new();
    groups.iter().for_each(|group| merged.merge(group));
    tell("small sketches merged", GROUPS, begin);
    assert_eq!(merged, sketch, "the parts are the whole");

    let begin = Instant::now();
    let read = encoded.iter().filter(|bytes| Sketch::decode(bytes).is_ok()).count();
    tell("small sketches decoded", read, begin);

    let begin = Instant::now();
    for _ in 0..10_000 {
        black_box(black_box(&sketch).quantiles(&[0.5, 0.95, 0.99]));
    }
    tell("times three quantiles of the large one", 10_000, begin);
}

fn tell(what: &str, count: usize, begin: Instant) {
    println!("{:>14.0} {what} a second", count as f64 / begin.elapsed().as_secs_f64());
}
