//! Readers of test reports other than JUnit, one format a file; what they share is in [`crate::test_report`].

pub mod bazel;
pub mod ctest;
pub mod cucumber;
pub mod cucumber_messages;
pub mod go_test;
pub mod jest;
pub mod libtest;
pub mod mocha;
pub mod nunit;
pub mod pytest_json;
mod pytest_names;
pub mod pytest_reportlog;
pub mod tap;
mod tap_line;
pub mod testng;
pub mod trx;
pub mod xcresult;
pub mod xunit;
