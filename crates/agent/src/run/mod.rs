//! Running a command so that nobody can tell it from the bare one: terminal, signals, exit code.
//!
//! ```text
//! terminal ──Ctrl-C, Ctrl-Z──► process group: manometer, command       both receive it, nothing is passed on
//! kill PID ──SIGTERM, …──────► manometer ──the same signal──► command  passed on once
//! command stopped ───────────► manometer stops itself, so that the shell sees its job stopped
//! command ended ─────────────► manometer ends with the same code, or by the same signal
//! ```
//!
//! The command stays in the process group of whoever called, as a child of this process; the terminal is not touched.
//! Signals that the caller ignores (`nohup`) stay ignored for both.
//!
//! **Invariant:** one thread, and no waiting that a signal or the command's end cannot interrupt.

mod ending;
#[cfg(target_os = "linux")]
mod orphans;
mod signals;
mod start;
mod supervise;
mod terminal;

use std::ffi::OsString;

pub use ending::Ending;
pub use signals::Signals;
pub use start::StartError;
pub(crate) use supervise::supervise;
pub use terminal::may_write_to_terminal;

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// Program: a path, or a name that is looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables set for it, beside those of this process.
    pub variables: Vec<(&'static str, OsString)>,
}

impl CommandLine {
    /// The command as people write it, cut to a length that fits a record.
    pub fn shown(&self) -> String {
        const LONGEST: usize = 500;
        let mut text = self.program.to_string_lossy().into_owned();
        for argument in &self.arguments {
            text.push(' ');
            text.push_str(&argument.to_string_lossy());
            if text.len() > LONGEST {
                text.truncate(text.floor_char_boundary(LONGEST));
                text.push('…');
                break;
            }
        }
        text
    }
}
