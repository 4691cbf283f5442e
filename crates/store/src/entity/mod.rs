//! Entities: rows that change. Observations of one key merge into one document, in any order to the same.

mod cells;
mod doc;
mod layout;
mod materialise;
mod merge;
mod merged;
mod observe;
mod rows;

pub(crate) use doc::Doc;
pub(crate) use layout::layout_of;
pub(crate) use materialise::{materialise, row_of};
pub(crate) use merge::merge_encoded;
pub use merged::{MergedRow, merged_rows};
pub(crate) use observe::observe;
pub(crate) use rows::{EntityChunk, EntityRows};
