//! The descendants of this process, by the means of the system.

#[cfg_attr(target_os = "linux", path = "tree_linux.rs")]
#[cfg_attr(target_os = "macos", path = "tree_macos.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos")), path = "tree_unknown.rs")]
mod system;

pub use system::ProcessTree;

/// What all descendants together hold and have used at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Look {
    /// Processes alive.
    pub processes: u32,
    /// Processor time since the start of each, of those that ended among them too, in seconds.
    pub cpu_seconds: f64,
    /// Memory they hold, what they share counted once, in bytes.
    pub memory_bytes: u64,
}
