//! What the store promises, tested from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests end with a panic when they fail")]
#![allow(
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a test binary has no public face"
)]

mod bulk;
mod commits;
mod companions;
mod entities;
mod exactly_once;
mod faults;
mod faulty_filesystem;
mod follow;
mod kill;
mod maintenance;
mod notes;
mod once;
mod power;
mod refusals;
mod retention;
mod round_trip;
mod segment_files;
mod sharing;
mod space;
mod world;
