//! What `manometer context` finds out, on variable sets as the systems' own documentation shows them.

mod changes;
mod documentation;
mod doubtful;
mod nesting;
mod support;
mod systems;
