//! What the readers make of real reports, odd reports and hostile ones.
#![allow(clippy::unwrap_used, clippy::string_slice, clippy::let_underscore_must_use, reason = "tests")]

mod detect;
mod fixtures;
mod hostile;
mod lenient;
mod measured_damage;
mod measured_fixtures;
mod measured_lenient;
mod properties;
mod records;
mod support;
mod test_formats;
