//! `manometer exec`, `step` and `spool` as builds meet them: real processes, terminals, disks and servers.
//! Needs no server build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod concurrency;
mod crashes;
mod delivery;
mod disks;
mod endings;
mod measures;
mod orphans;
mod output;
mod place;
mod receiver;
mod signals;
mod steps;
mod terminal;
