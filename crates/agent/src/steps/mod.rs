//! Steps inside a run: `manometer step` tells, `manometer exec` collects.
//!
//! ```text
//! exec ── MANOMETER_RUN_FOLDER=/tmp/manometer-<run>/, TRACEPARENT=… ──► command
//!  ▲                                                                      └─ step A ── TRACEPARENT=A ──► command
//!  └── reads <span>.json of each step when the command has ended ◄───────────┘         └─ step B …
//! ```
//!
//! Each step has a file of its own, written when it begins and replaced as a whole when it ends, so a step that is
//! killed is known to have begun. Who is whose parent is in the trace context.

mod folder;
mod run;
mod told;

pub use folder::StepFolder;
pub use run::{StepPlan, run_step};
pub use told::{StepEnd, ToldStep};

/// The variable that names the folder steps tell their times in.
pub const FOLDER_VARIABLE: &str = "MANOMETER_RUN_FOLDER";
/// The variable that carries a span from a process to those it starts.
pub const TRACE_VARIABLE: &str = "TRACEPARENT";
