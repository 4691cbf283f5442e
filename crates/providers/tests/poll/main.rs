//! Reconcilers against provider servers that misbehave: real HTTP on port 0, faults on purpose, time under control.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backfill;
mod fake_github;
mod faults;
mod memory;
mod other_providers;
mod redelivery;
