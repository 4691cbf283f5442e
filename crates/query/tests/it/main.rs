//! The engine seen from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "tests"
)]

mod access;
mod answers;
mod asking;
mod completeness;
mod duckdb;
mod exact;
mod fixture;
mod formats;
mod limits;
mod planted;
mod postgres;
mod quantiles;
mod refusals;
mod rollup_answers;
mod rollups;
mod scenarios;
mod segments;
mod views;
mod with_store;
