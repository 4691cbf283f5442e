//! Reports of builds: what was built, how long each part took, and how large the outcome is.
//!
//! The build as a whole is a row of `builds` named after its tool (`ninja`, `cargo`, `gradle`, `webpack`) where the
//! report tells its time; every step is a row of its own, named without what changes from run to run.
//!
//! Memory: beside the window or line of each reader, what it says itself; where rows have to be collected first, at
//! most [`MOST_BYTES`].

pub mod cargo_timings;
mod duration;
pub mod gradle_profile;
mod hashed_name;
pub mod make_times;
pub mod ninja_log;
pub mod visualizer;
pub mod webpack_stats;

/// Memory that the collected rows of one report may take.
pub const MOST_BYTES: usize = 64 << 20;
