//! Readers of the formats that CI/CD produces: bytes in, records and problems out.
//!
//! ```text
//! bytes ──► detect ──► test_report::FORMATS ─► TestCase … ──┐
//!                 ├──► measured::FORMATS ────► Measured … ──┤
//!                 └──► records ──────────────► Record … ────┴──► a sink, one at a time; Summary with Problems at the end
//! ```
//!
//! A reader takes what is there: one bad value costs one field, one bad element costs that element, and a
//! file that ends too early gives what was whole. Each loss is a [`manometer_model::Problem`] with its line
//! and field. Only an input that is not of the format at all is an error ([`ReadError`]).
//!
//! Adding a format is one module here and one line in [`test_report::FORMATS`] or [`measured::FORMATS`].
//!
//! **Invariant:** no reader panics, recurses, expands entities, allocates with the size of the input
//! (a stated number of bytes for each distinct test excepted), or drops a file for one bad value. No I/O but
//! reading the `BufRead` it is given, no clock.

pub mod builds;
pub mod coverage;
pub mod detect;
pub mod dialects;
pub mod error;
pub mod fingerprint;
mod json;
pub mod junit;
mod lines;
pub mod measured;
pub mod records;
pub mod sizes;
pub mod test_formats;
pub mod test_report;
mod text_lines;
pub mod xml;

pub use detect::{Kind, detect};
pub use error::ReadError;
