//! Descendants on macOS, by `libproc` (through the crate `sysinfo`).

use std::collections::HashSet;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::Look;

/// The descendants of this process.
#[derive(Debug)]
pub struct ProcessTree {
    root: Pid,
    system: System,
    /// Processor time of members that have ended, in seconds, as last seen.
    ended_seconds: f64,
    living: Vec<(Pid, f64)>,
}

impl ProcessTree {
    /// The tree; `None` where this process has no number.
    pub fn of_this_process() -> Option<Self> {
        let root = sysinfo::get_current_pid().ok()?;
        let system = System::new().ok()?;
        Some(Self { root, system, ended_seconds: 0.0, living: Vec::new() })
    }

    /// Looks at all members.
    pub fn look(&mut self) -> Option<Look> {
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let members = self.members();
        let mut living = Vec::with_capacity(members.len());
        let mut memory_bytes = 0;
        for pid in &members {
            let Some(process) = self.system.process(*pid) else { continue };
            living.push((*pid, process.accumulated_cpu_time() as f64 / 1000.0));
            memory_bytes += process.memory();
        }
        self.ended_seconds += self
            .living
            .iter()
            .filter(|(pid, _)| !members.contains(pid))
            .map(|(_, seconds)| seconds)
            .sum::<f64>();
        self.living = living;
        Some(Look {
            processes: u32::try_from(members.len()).unwrap_or(u32::MAX),
            cpu_seconds: self.ended_seconds + self.living.iter().map(|(_, seconds)| seconds).sum::<f64>(),
            memory_bytes,
        })
    }

    fn members(&self) -> HashSet<Pid> {
        let mut members = HashSet::from([self.root]);
        loop {
            let before = members.len();
            for (pid, process) in self.system.processes() {
                if process.parent().is_some_and(|parent| members.contains(&parent)) {
                    members.insert(*pid);
                }
            }
            if members.len() == before {
                break;
            }
        }
        members.remove(&self.root);
        members
    }
}
