//! From the start of the command to its end: one loop over signals, children and the next sample.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, getpid, kill_process, waitid};
use wait4::Wait4 as _;

use super::ending::Ending;
use super::signals::{Asked, Signals};
use super::start::{StartError, start};
use super::{CommandLine, terminal};
use crate::measure::{Sampler, Usage};

/// Longest sleep where the system cannot tell of the command's end by a descriptor.
#[cfg(not(target_os = "linux"))]
const BLIND_WAIT: Duration = Duration::from_millis(500);

/// A command that was run, with what it took.
#[derive(Debug)]
pub(crate) struct Supervised {
    /// How it ended.
    pub(crate) ending: Ending,
    /// Why it did not even start.
    pub(crate) start_error: Option<StartError>,
    /// From start to end, by the monotonic clock.
    pub(crate) wall: Duration,
    /// How much of that it was stopped by job control.
    pub(crate) stopped: Duration,
    /// What it and its descendants used.
    pub(crate) usage: Usage,
    /// Caught signals, for the time until this process ends.
    pub(crate) signals: Signals,
}

/// Runs a command to its end. `sampler` looks at the process tree now and then.
///
/// # Errors
/// When this process cannot catch signals or wait: nothing was run then, or it runs unobserved.
pub(crate) fn supervise(line: &CommandLine, sampler: &mut Option<Sampler>) -> io::Result<Supervised> {
    if sampler.is_some() {
        #[cfg(target_os = "linux")]
        super::orphans::adopt();
    }
    let early = Signals::catch_before_start()?;
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let begin = Instant::now();
    let child = match start(line) {
        Ok(child) => child,
        Err(error) => {
            return Ok(Supervised {
                ending: Ending::Code(error.exit_code()),
                start_error: Some(error),
                wall: begin.elapsed(),
                stopped: Duration::ZERO,
                usage: Usage::default(),
                signals: early.map_or_else(Signals::catch, Ok)?,
            });
        }
    };
    // A new process counts the memory of the one it was made from until it has become its program.
    let inherited_peak = own_peak_bytes();
    let signals = early.map_or_else(Signals::catch, Ok)?;
    let mut watch = Watch::new(child, signals)?;
    watch.until_ended(sampler)?;
    let wall = begin.elapsed();
    if let Some(sampler) = sampler {
        sampler.finish();
    }
    let used = watch.child.wait4()?;
    #[cfg(target_os = "linux")]
    super::orphans::bury(watch.child.id());
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Supervised {
        ending: used.status.into(),
        start_error: None,
        wall,
        stopped: watch.stopped,
        usage: Usage::between(
            &before,
            &after,
            Some(used.rusage.maxrss).filter(|most| *most > inherited_peak),
        ),
        signals: watch.signals,
    })
}

fn own_peak_bytes() -> u64 {
    const TOLERANCE: u64 = 512 * 1024;
    const UNIT: u64 = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let own = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss());
    // The system counts pages in lots, differently for each thread.
    u64::try_from(own).unwrap_or(0) * UNIT + TOLERANCE
}

struct Watch {
    child: Child,
    pid: Pid,
    signals: Signals,
    /// Readable when the command has ended, where the system has such a thing.
    end_of_child: Option<OwnedFd>,
    is_stopped: bool,
    stopped: Duration,
}

enum Seen {
    Nothing,
    Stopped,
    Continued,
    Ended,
}

impl Watch {
    fn new(child: Child, signals: Signals) -> io::Result<Self> {
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("the system gave the command an impossible process id"))?;
        Ok(Self {
            child,
            pid,
            signals,
            end_of_child: end_of(pid),
            is_stopped: false,
            stopped: Duration::ZERO,
        })
    }

    fn until_ended(&mut self, sampler: &mut Option<Sampler>) -> io::Result<()> {
        loop {
            self.pass_signals_on();
            match self.look()? {
                Seen::Ended => return Ok(()),
                Seen::Stopped => {
                    self.stop_along()?;
                    continue;
                }
                Seen::Continued => {
                    self.is_stopped = false;
                    continue;
                }
                Seen::Nothing => {}
            }
            if sampler.is_some() {
                #[cfg(target_os = "linux")]
                super::orphans::bury(self.child.id());
            }
            let patience = sampler.as_mut().map(Sampler::sample_if_due);
            self.sleep(patience)?;
        }
    }

    fn pass_signals_on(&mut self) {
        let (pid, is_stopped) = (self.pid, self.is_stopped);
        for asked in self.signals.arrived() {
            match asked {
                Asked::Forward(number) => {
                    if let Some(signal) = Signal::from_named_raw(number) {
                        // A command that has just ended cannot be told any more.
                        kill_process(pid, signal).ok();
                    }
                }
                Asked::Wake if is_stopped => {
                    kill_process(pid, Signal::CONT).ok();
                }
                Asked::Wake | Asked::Look | Asked::End => {}
            }
        }
    }

    /// What became of the command since the last look. An end is left for `wait4` to fetch.
    fn look(&self) -> io::Result<Seen> {
        let of_all = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED;
        let peek = of_all | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let Some(status) = self.wait(peek)? else { return Ok(Seen::Nothing) };
        if status.exited() || status.killed() || status.dumped() {
            return Ok(Seen::Ended);
        }
        let fetched = self.wait(WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED | WaitIdOptions::NOHANG)?;
        Ok(match fetched {
            Some(status) if status.stopped() => Seen::Stopped,
            Some(status) if status.continued() => Seen::Continued,
            _ => Seen::Nothing,
        })
    }

    fn wait(&self, options: WaitIdOptions) -> io::Result<Option<WaitIdStatus>> {
        loop {
            match waitid(WaitId::Pid(self.pid), options) {
                Err(rustix::io::Errno::INTR) => {}
                other => return Ok(other?),
            }
        }
    }

    /// The command was stopped: stop too, so that the shell has its job stopped and can continue both.
    fn stop_along(&mut self) -> io::Result<()> {
        self.is_stopped = true;
        if !terminal::has_job_control() {
            return Ok(());
        }
        let begin = Instant::now();
        loop {
            kill_process(getpid(), Signal::STOP)?;
            // Continued. `fg` has told the whole group; of anything else the command may not know.
            match self.look()? {
                Seen::Stopped => {}
                Seen::Nothing => {
                    kill_process(self.pid, Signal::CONT).ok();
                    break;
                }
                Seen::Continued | Seen::Ended => break,
            }
        }
        self.stopped += begin.elapsed();
        self.is_stopped = false;
        Ok(())
    }

    fn sleep(&self, patience: Option<Duration>) -> io::Result<()> {
        #[cfg(not(target_os = "linux"))]
        let patience = Some(patience.map_or(BLIND_WAIT, |patience| patience.min(BLIND_WAIT)));
        let timeout = patience.and_then(|patience| Timespec::try_from(patience).ok());
        let mut descriptors = vec![PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN)];
        if let Some(end) = &self.end_of_child {
            descriptors.push(PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN));
        }
        match poll(&mut descriptors, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A descriptor for the end of a process: where signals are blocked by whoever called, this still tells.
#[cfg(target_os = "linux")]
fn end_of(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn end_of(_pid: Pid) -> Option<OwnedFd> {
    None
}
