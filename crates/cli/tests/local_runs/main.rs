//! Measured runs through the program: lists, reports, exit codes, here and from a server. What asks a server needs the build with one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod exports;
mod listing;
mod project;
mod regression;
#[cfg(feature = "server")]
mod remote;
