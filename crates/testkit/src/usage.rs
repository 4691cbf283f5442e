//! What a process has used so far, as the kernel counts it in `/proc`.

use std::io;
use std::time::Duration;

/// Ticks of a second in `/proc/PID/stat`: fixed at 100 for user space on Linux (`man 5 proc`, `man 7 time`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory and processor time of one process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Resident memory now.
    pub resident_bytes: u64,
    /// Most resident memory there ever was.
    pub peak_resident_bytes: u64,
    /// Processor time in user and kernel mode, all threads.
    pub processor: Duration,
}

/// The usage of a process.
///
/// # Errors
/// When the process is gone.
pub fn of(process: u32) -> io::Result<Usage> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    Ok(Usage {
        resident_bytes: kilobytes(&status, "VmRSS:")?,
        peak_resident_bytes: kilobytes(&status, "VmHWM:")?,
        processor: processor_time(&stat).ok_or_else(|| missing("utime"))?,
    })
}

/// The usage of the calling process.
///
/// # Errors
/// When `/proc` is not there.
pub fn of_this_process() -> io::Result<Usage> {
    of(std::process::id())
}

/// The processor time of a process and of those of its children that have ended and been waited for.
///
/// # Errors
/// When the process is gone.
pub fn of_with_ended_children(process: u32) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    ticks(&stat, 4).ok_or_else(|| missing("cutime"))
}

fn kilobytes(status: &str, name: &'static str) -> io::Result<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024)
        .ok_or_else(|| missing(name))
}

fn processor_time(stat: &str) -> Option<Duration> {
    ticks(stat, 2)
}

/// Fields 14 to 17 of the line: own user and system time, then that of ended children; the first `count` of them.
/// The command in field 2 may hold spaces and brackets, so counting begins behind its last bracket.
fn ticks(stat: &str, count: usize) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<f64> =
        rest.split(' ').skip(11).take(count).map_while(|field| field.parse().ok()).collect();
    (fields.len() == count).then(|| Duration::from_secs_f64(fields.iter().sum::<f64>() / TICKS_PER_SECOND))
}

fn missing(field: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc says nothing of {field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(2)));
        assert_eq!(ticks("7 (x) S 1 2 3 4 5 6 7 8 9 10 150 50 100", 4), None, "a line cut short is no zero");
    }

    #[test]
    fn this_process_has_used_memory() {
        let usage = of_this_process().unwrap();
        assert!(usage.resident_bytes > 0 && usage.peak_resident_bytes >= usage.resident_bytes);
    }
}
