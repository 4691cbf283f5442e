//! What the readers make of real reports, odd reports and hostile ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod fixtures;
