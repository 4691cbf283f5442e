//! What the terminal allows: being stopped and continued by a shell, and writing to it.

use std::fs::File;
use std::io::IsTerminal as _;

use rustix::process::{getpgrp, getpid, getsid};
use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp};

/// Is there a shell that would continue this process if it stopped itself?
///
/// There is none without a controlling terminal, and none for the process group of the session's leader.
pub(super) fn has_job_control() -> bool {
    File::open("/dev/tty").is_ok()
        && getsid(None).is_ok_and(|session| session != getpgrp() && session != getpid())
}

/// Is standard error a terminal on which writing now would neither stop this process nor disturb another job?
pub fn may_write_to_terminal() -> bool {
    let stderr = std::io::stderr();
    if !stderr.is_terminal() {
        return false;
    }
    let stops_background_writers =
        tcgetattr(&stderr).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP));
    let is_in_foreground = tcgetpgrp(&stderr).is_ok_and(|group| group == getpgrp());
    is_in_foreground || !stops_background_writers
}
