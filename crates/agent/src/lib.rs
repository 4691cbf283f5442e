//! Measures a command on any machine and brings what it measured to safety.

pub mod artifacts;
pub mod checkout;
pub mod comparison;
pub mod exec;
pub mod local;
pub mod measure;
pub mod metric;
pub mod regression;
pub mod reports;
pub mod run;
pub mod settings;
pub mod shipping;
pub mod steps;
pub mod surroundings;
