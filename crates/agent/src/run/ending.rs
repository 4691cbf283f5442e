//! How a command ended, and how this process ends the same way.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Shells add this to the number of a signal.
const SIGNAL_BASE: i32 = 128;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Ending {
    /// Did it end well?
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }

    /// The code a shell shows: 128 and the number of the signal for a death by signal.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => SIGNAL_BASE + signal,
        }
    }

    /// Ends this process as the command ended. After a death by signal that is the same death, because a shell that
    /// runs a script stops at Ctrl-C only when it sees its child die of it.
    pub fn end_process(self) -> ! {
        if let Self::Signal(signal) = self {
            // The command has left its core dump, where dumps are wanted; one of this process would tell nothing.
            setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
            signal_hook::low_level::emulate_default_handler(signal).ok();
            // Still here: a signal that is blocked, that cannot end process 1 of a container, or is not known.
        }
        std::process::exit(self.exit_code())
    }
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Code(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_sees_the_code_or_the_signal_above_128() {
        for (raw, code) in [(0, 0), (1 << 8, 1), (126 << 8, 126), (9, 137), (2, 130), (11 | 0x80, 139)] {
            assert_eq!(Ending::from(ExitStatus::from_raw(raw)).exit_code(), code, "{raw}");
        }
    }
}
