//! The Postgres wire, tried with PostgreSQL's own clients and drivers, and with what Grafana, DBeaver and Metabase send.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking and say aloud what they skip"
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
