//! Tests of ingest over a real store in a folder of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod bombs;
mod dialects;
mod measured;
mod packed;
mod records;
mod reports;
mod save_metrics;
mod support;
mod test_formats;
