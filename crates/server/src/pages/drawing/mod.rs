//! Small drawings made on the server: their numbers only, the templates hold the SVG around them.
//!
//! Nothing here is text from data, so templates may place it inside attributes as it is.

mod lane;
mod sparkline;

pub(crate) use lane::{Axis, Span, Tick};
pub(crate) use sparkline::{Day, Sparkline};
