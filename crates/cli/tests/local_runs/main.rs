//! Measured runs through the program: lists, reports, exit codes, here and from a server. Needs no server build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod exports;
mod listing;
mod project;
mod regression;
mod remote;
mod sql_server;
