//! Measures a command on any machine and brings what it measured to safety.

pub mod local;
