//! Signals as events of one loop, with who sent them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2,
    SIGWINCH,
};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

/// Passed on to the command when somebody sends them to this process alone.
const FORWARDED: &[i32] = &[SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH];

/// Would stop or wake this process by themselves; it does as the command does instead.
const JOB_CONTROL: &[i32] = &[SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT];

/// On Linux the ignored signals are known beforehand, so handlers can be there before the command is. Elsewhere the
/// command is started first: a handler would turn "ignored" into "default" in it.
const BEFORE_START: bool = cfg!(target_os = "linux");

/// The signals of this process, caught.
#[derive(Debug)]
pub struct Signals {
    delivery: SignalDelivery<UnixStream, WithOrigin>,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Pass this signal on.
    Forward(i32),
    /// Somebody wants the build to end, and the terminal has told the command already.
    End,
    /// Wake the command if it is stopped.
    Wake,
    /// Look at the children.
    Look,
}

impl Signals {
    /// Catches the signals, where that may be done before the command is started.
    pub(super) fn catch_before_start() -> io::Result<Option<Self>> {
        if BEFORE_START { Self::catch().map(Some) } else { Ok(None) }
    }

    /// Catches the signals, except those that are ignored.
    pub(super) fn catch() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let ignored = ignored_signals();
        let caught = FORWARDED
            .iter()
            .chain(JOB_CONTROL)
            .chain(&[SIGCHLD])
            // SIGCHLD is caught even when ignored: ignored, children would vanish without their measurements.
            .filter(|signal| **signal == SIGCHLD || !is_in(ignored, **signal));
        Ok(Self { delivery: SignalDelivery::with_pipe(read, write, WithOrigin::default(), caught)? })
    }

    /// Readable when a signal has arrived.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }

    /// What has arrived since the last call.
    pub(super) fn arrived(&mut self) -> impl Iterator<Item = Asked> {
        self.delivery.pending().map(|origin| asked(&origin))
    }

    /// Has somebody asked for the end since the last call?
    pub(crate) fn is_end_asked(&mut self) -> bool {
        // Every signal is taken out: what arrived before belongs to the past.
        self.delivery
            .pending()
            .filter(|origin| matches!(origin.signal, SIGINT | SIGTERM | SIGHUP | SIGQUIT))
            .count()
            > 0
    }
}

fn asked(origin: &Origin) -> Asked {
    let signal = origin.signal;
    if signal == SIGCONT {
        return Asked::Wake;
    }
    if !FORWARDED.contains(&signal) {
        return Asked::Look;
    }
    if is_from_kernel(origin) {
        // The terminal sends to the whole process group: the command has it already.
        return if signal == SIGWINCH { Asked::Look } else { Asked::End };
    }
    Asked::Forward(signal)
}

#[cfg(target_os = "linux")]
fn is_from_kernel(origin: &Origin) -> bool {
    matches!(origin.cause, Cause::Kernel)
}

/// Elsewhere the cause is not told reliably; what the kernel sends has no sending process.
#[cfg(not(target_os = "linux"))]
fn is_from_kernel(origin: &Origin) -> bool {
    matches!(origin.cause, Cause::Kernel) || origin.process.is_none_or(|process| process.pid == 0)
}

fn is_in(mask: u64, signal: i32) -> bool {
    signal > 0 && signal <= 64 && mask & (1 << (signal - 1)) != 0
}

/// Bit N-1 stands for signal N, see proc_pid_status(5).
fn ignored_signals() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
