//! What the comparisons measure of the readers alone, and the reports that all of them read.
//!
//! A package of its own so that it builds in moments: it knows the readers, and neither store nor server.

pub mod document;
pub mod figures;
pub mod hostile;
pub mod reading;

pub use document::{JunitDocument, area};
