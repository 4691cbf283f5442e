//! What the control group around this process says: memory limits, throttling and kills that a build suffered.
//!
//! A CI job usually runs in a control group of its own (a container, a pod, a service), so these numbers are about
//! the job as a whole; the process tree is measured apart from it. Only version 2 is read: files of one folder, see
//! Documentation/admin-guide/cgroup-v2.rst of Linux.

use std::fs;
use std::path::{Path, PathBuf};

/// A control group, and its counters at the begin.
#[derive(Debug)]
pub struct CgroupWatch {
    folder: PathBuf,
    before: Counters,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counters {
    throttled_micros: Option<u64>,
    kills: Option<u64>,
}

/// What happened in the control group between begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CgroupFindings {
    /// Time the group was kept from running because of its processor quota, in seconds.
    pub throttled_seconds: Option<f64>,
    /// Processes killed because the group's memory was used up.
    pub out_of_memory_kills: Option<u64>,
    /// Most memory the group may use, in bytes.
    pub memory_limit_bytes: Option<u64>,
    /// Most memory the group has used since it exists, page cache included, in bytes.
    pub memory_peak_bytes: Option<u64>,
}

impl CgroupWatch {
    /// The group of this process; `None` where there is none but the root of the machine.
    pub fn begin() -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        Self::at(folder_of(&own, &mounts)?)
    }

    fn at(folder: PathBuf) -> Option<Self> {
        let before = Counters::read(&folder);
        folder.join("cpu.stat").exists().then_some(Self { folder, before })
    }

    /// What happened since the begin.
    pub fn findings(&self) -> CgroupFindings {
        let after = Counters::read(&self.folder);
        let difference = |after: Option<u64>, before: Option<u64>| Some(after?.saturating_sub(before?));
        let bytes = |name: &str| fs::read_to_string(self.folder.join(name)).ok()?.trim().parse::<u64>().ok();
        CgroupFindings {
            throttled_seconds: difference(after.throttled_micros, self.before.throttled_micros)
                .map(|micros| micros as f64 / 1e6),
            out_of_memory_kills: difference(after.kills, self.before.kills),
            memory_limit_bytes: bytes("memory.max"),
            memory_peak_bytes: bytes("memory.peak"),
        }
    }
}

impl Counters {
    fn read(folder: &Path) -> Self {
        Self {
            throttled_micros: keyed(&folder.join("cpu.stat"), "throttled_usec"),
            kills: keyed(&folder.join("memory.events"), "oom_kill"),
        }
    }
}

fn keyed(file: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The folder of the group named by the line `0::/PATH`, under the mount of type `cgroup2`.
fn folder_of(own: &str, mounts: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let (root, mount) = mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        right.starts_with("cgroup2 ").then_some(())?;
        let mut fields = left.split(' ').skip(3);
        Some((fields.next()?, fields.next()?))
    })?;
    // In a container that sees its part of the tree only, the mount begins at the container's group.
    let inside = path.strip_prefix(root.trim_end_matches('/')).unwrap_or(path);
    Some(Path::new(mount).join(inside.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_under_its_mount_in_hosts_and_containers() {
        let mounts = "24 1 0:22 / /proc rw - proc proc rw\n30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
        let own = "5:memory:/v1\n0::/user.slice/job.scope\n";
        assert_eq!(folder_of(own, mounts), Some("/sys/fs/cgroup/user.slice/job.scope".into()));
        let inside = "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        assert_eq!(folder_of("0::/docker/abc\n", inside), Some("/sys/fs/cgroup".into()));
        assert_eq!(folder_of("0::/docker/abc/job\n", inside), Some("/sys/fs/cgroup/job".into()));
        assert_eq!(folder_of("5:memory:/v1\n", mounts), None);
        assert_eq!(folder_of(own, "24 1 0:22 / /proc rw - proc proc rw\n"), None);
    }

    #[test]
    fn only_what_happened_during_the_command_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("cpu.stat", "usage_usec 5\nnr_throttled 1\nthrottled_usec 1000000\n");
        write("memory.events", "low 0\noom 1\noom_kill 1\noom_group_kill 0\n");
        write("memory.max", "max\n");
        write("memory.peak", "4096\n");
        let watch = CgroupWatch::at(folder.path().to_owned()).unwrap();
        write("cpu.stat", "usage_usec 9\nnr_throttled 3\nthrottled_usec 3500000\n");
        write("memory.events", "low 0\noom 2\noom_kill 2\noom_group_kill 0\n");
        let expected = CgroupFindings {
            throttled_seconds: Some(2.5),
            out_of_memory_kills: Some(1),
            memory_limit_bytes: None,
            memory_peak_bytes: Some(4096),
        };
        assert_eq!(watch.findings(), expected);
    }
}
