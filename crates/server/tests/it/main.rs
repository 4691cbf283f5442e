//! Tests of the server over real sockets, each with a store in a folder of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod access;
mod answers;
mod guard;
mod harness;
mod health;
mod hostile;
mod login;
#[path = "../../src/pages/markup.rs"]
mod markup;
mod openapi;
mod overload;
mod pages;
mod polls;
mod records;
mod reports;
mod save_metrics;
mod shutdown;
mod slow;
mod sql;
mod webhooks;
