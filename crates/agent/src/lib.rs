//! Measures a command on any machine and brings what it measured to safety.

pub mod comparison;
pub mod local;
pub mod metric;
pub mod regression;
