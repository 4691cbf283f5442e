//! Coverage reports: how much of each file, package and the whole was executed.
//!
//! ```text
//! a format's walk ──► Tally: each file's lines, branches and functions, merged by their identity
//!                       └─► one row for the total, one for each package, one for each file
//! ```
//!
//! A file that a report lists more than once (several tests, several classes of one source file) is one row: what was
//! executed once was executed. The total is computed from the files and compared with what the report states.
//!
//! Memory: a `Tally`, at most 64 MiB however large the report is (about 40 bytes for 64 lines, 40 for each branch and
//! function, and the names), besides the window or line of the format's reader.

mod attributes;
pub mod clover;
pub mod cobertura;
pub mod coverage_py;
pub mod gcovr;
pub mod go_profile;
pub mod jacoco;
mod json_report;
pub mod lcov;
pub mod llvm_cov;
mod numbers;
pub mod opencover;
pub mod simplecov;
mod tally;
