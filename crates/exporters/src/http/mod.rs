//! The one way out over HTTP: capped answers, a deadline over everything, retries as each dialect wants them.

mod client;
mod gzip;
mod halves;
mod retry;

pub(crate) use client::{Answer, Authorization, HttpClient, Outgoing, parse_url, split_credentials};
pub(crate) use gzip::gzip;
pub(crate) use halves::{Part, send_in_halves};
pub(crate) use retry::{Outcome, RetryPolicy, send};
