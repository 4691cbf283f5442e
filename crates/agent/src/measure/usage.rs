//! Totals of processes that have ended.

use nix::sys::time::{TimeVal, TimeValLike as _};

/// What a command and those of its descendants that were waited for used, in total.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Processor time in programs, in seconds.
    pub user_seconds: f64,
    /// Processor time in the system on their behalf, in seconds.
    pub system_seconds: f64,
    /// Most memory that a single one of the processes held, in bytes; `None` when that was less than this process
    /// held at their start, which a new process begins with.
    pub largest_process_bytes: Option<u64>,
    /// Read from disks, in bytes; what was in the page cache does not count.
    pub disk_read_bytes: u64,
    /// Written towards disks, in bytes.
    pub disk_written_bytes: u64,
    /// Times a process waited by itself: for input, a lock, a child.
    pub voluntary_switches: u64,
    /// Times a process was made to wait, because others wanted the processor.
    pub involuntary_switches: u64,
    /// Pages that had to be read from a disk.
    pub major_faults: u64,
}

/// getrusage(2) counts disk traffic in blocks of this size on Linux.
const BLOCK_BYTES: u64 = 512;

impl Usage {
    /// The difference of two looks at this process's children; `largest_process_bytes` is that of the command.
    pub(crate) fn between(
        before: &nix::sys::resource::Usage,
        after: &nix::sys::resource::Usage,
        largest_process_bytes: Option<u64>,
    ) -> Self {
        let more = |after: i64, before: i64| u64::try_from(after - before).unwrap_or(0);
        Self {
            user_seconds: (seconds(after.user_time()) - seconds(before.user_time())).max(0.0),
            system_seconds: (seconds(after.system_time()) - seconds(before.system_time())).max(0.0),
            largest_process_bytes,
            disk_read_bytes: more(after.block_reads(), before.block_reads()) * BLOCK_BYTES,
            disk_written_bytes: more(after.block_writes(), before.block_writes()) * BLOCK_BYTES,
            voluntary_switches: more(after.voluntary_context_switches(), before.voluntary_context_switches()),
            involuntary_switches: more(
                after.involuntary_context_switches(),
                before.involuntary_context_switches(),
            ),
            major_faults: more(after.major_page_faults(), before.major_page_faults()),
        }
    }
}

/// A time of getrusage(2) in seconds.
pub(super) fn seconds(time: TimeVal) -> f64 {
    time.num_microseconds() as f64 / 1e6
}
