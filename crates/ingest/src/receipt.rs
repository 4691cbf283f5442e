//! What is told about the files of a delivery.

use serde::{Deserialize, Serialize};

/// One file of an upload, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Its name in the upload; inside an archive `archive.zip/name`.
    pub name: String,
    /// The format, as `junit`, `lcov` or `records`; `unknown` for what could not be read.
    pub kind: String,
    /// Test suites in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suites: u64,
    /// Executions of tests in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tests: u64,
    /// Records in it, or rows of coverage, builds and sizes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records: u64,
    /// Packages it has the coverage of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub packages: u64,
    /// Source files it has the coverage of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub files: u64,
    /// Lines that were executed, of all its files.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lines_covered: u64,
    /// Lines that could have been.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lines_valid: u64,
    /// Builds it tells the time of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub builds: u64,
    /// Artifacts it tells the size of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub artifacts: u64,
    /// What could not be used of it.
    pub problems: u64,
    /// Was anything of it taken?
    pub taken: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
