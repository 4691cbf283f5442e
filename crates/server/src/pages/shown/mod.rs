//! How values are written for people: each kind of value is one small type whose `Display` is its shown form.
//!
//! A value that is not known is written as a dash, never as zero.

mod duration;
mod moment;
mod number;
mod outcome;
mod text;

pub(crate) use duration::Seconds;
pub(crate) use moment::Moment;
pub(crate) use number::{Bytes, Count, Share};
pub(crate) use outcome::Outcome;
pub(crate) use text::{Clipped, plain_text, short_sha};

/// What stands for a value that is not known.
pub(crate) const UNKNOWN: &str = "–";
