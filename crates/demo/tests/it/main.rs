//! What the made-up organisation promises, counted in its stream.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod consistency;
mod determinism;
mod guide;
mod load;
mod planted;
mod planted_elsewhere;
mod support;
mod totals;
