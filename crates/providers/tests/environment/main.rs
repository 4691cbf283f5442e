//! What `manometer context` finds out, on variable sets as the systems' own documentation shows them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changes;
mod documentation;
mod doubtful;
mod nesting;
mod support;
mod systems;
