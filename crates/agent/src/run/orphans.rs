//! Descendants whose parents ended before them.
//!
//! On Linux they become children of this process instead of process 1, so that they stay in the measured tree and
//! their times are counted when they end. When this process ends they go where they would have gone.

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use rustix::process::{getpid, set_child_subreaper};

/// Asks the system to hand orphans to this process.
pub(super) fn adopt() {
    // Where the system refuses, orphans are merely not measured.
    set_child_subreaper(Some(getpid())).ok();
}

/// Takes leave of the orphans that have ended, so that they do not stay as zombies. `command` is left alone.
pub(super) fn bury(command: u32) {
    let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _)) = waitid(Id::All, ended) {
        if u32::try_from(pid.as_raw()).is_ok_and(|pid| pid == command) {
            return;
        }
        if waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_err() {
            return;
        }
    }
}
