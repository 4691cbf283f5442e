//! The Postgres wire, tried with PostgreSQL's own clients and drivers, and with what Grafana, DBeaver and Metabase send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test that cannot go on fails, and says aloud what it skips"
)]

mod access;
mod asked;
mod clients;
mod dashboards;
mod ends;
mod grafana;
mod harness;
mod hostile;
mod protocol;
