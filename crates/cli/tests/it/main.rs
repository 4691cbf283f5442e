//! The program as its users meet it: a process, a data folder, HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod commands;
mod crash;
mod disk_full;
mod ending;
mod exports;
mod failing_calls;
mod huge_report;
mod oracle;
mod overload;
mod single_owner;
mod workload;
