//! Descendants by `/proc`.
//!
//! Reading the state of every process of a machine would be dear. So only the list of numbers is read each time;
//! a process that is new is looked at once, to learn whether it belongs to the tree, and only members are read again.
//!
//! - Processor time is `utime + stime + cutime + cstime` of the living plus what this process has waited for. A process
//!   that ends moves its time to its parent, so the sum never loses anything, whatever lives between two looks.
//! - Memory is what each process has for itself (resident without shared pages) and once the largest shared part.
//!   Counting shared pages in each process would make ten forked workers ten times as large as they are.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read as _;

use nix::sys::resource::{UsageWho, getrusage};

use super::Look;
use crate::measure::usage::seconds;

/// Numbers of processes are used again. After so many looks all that were taken for strangers are looked at anew.
const LOOKS_UNTIL_STRANGERS_ARE_FORGOTTEN: u32 = 32;

const CONTENT_BYTES: usize = 1024;

/// Process number.
type Number = u32;

/// What `/proc/N/stat` says, see proc_pid_stat(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: Number,
    /// Processor time of itself and of those it waited for, in clock ticks.
    ticks: u64,
    /// When it started, in clock ticks since the machine did: tells two processes of one number apart.
    started: u64,
}

/// The descendants of this process.
#[derive(Debug)]
pub struct ProcessTree {
    root: Number,
    /// Members and when they started.
    members: HashMap<Number, u64>,
    strangers: HashSet<Number>,
    looks: u32,
    seconds_per_tick: f64,
    page_bytes: u64,
    /// Processor time of children that ended before, also those of the program this process was before an `exec`.
    waited_for_before: f64,
    content: Vec<u8>,
}

impl ProcessTree {
    /// The tree; `None` where there is no usable `/proc`.
    pub fn of_this_process() -> Option<Self> {
        let root = std::process::id();
        let mut tree = Self {
            root,
            members: HashMap::new(),
            strangers: HashSet::new(),
            looks: 0,
            seconds_per_tick: 1.0 / rustix::param::clock_ticks_per_second().max(1) as f64,
            page_bytes: rustix::param::page_size() as u64,
            waited_for_before: waited_for_seconds(),
            content: Vec::with_capacity(CONTENT_BYTES),
        };
        tree.stat(root).is_some().then_some(tree)
    }

    /// Looks at all members; `None` when the list of processes cannot be read.
    pub fn look(&mut self) -> Option<Look> {
        self.looks += 1;
        if self.looks.is_multiple_of(LOOKS_UNTIL_STRANGERS_ARE_FORGOTTEN) {
            self.strangers.clear();
        }
        let present = numbers()?;
        self.strangers.retain(|number| present.contains(number));
        self.members.retain(|number, _| present.contains(number));
        let mut stats = self.stats_of_members();
        self.find_new_members(&present, &mut stats);
        Some(self.summed(&stats))
    }

    fn stats_of_members(&mut self) -> HashMap<Number, Stat> {
        let known: Vec<(Number, u64)> = self.members.drain().collect();
        let mut stats = HashMap::with_capacity(known.len());
        for (number, started) in known {
            // Another process of the same number is as good as new.
            if let Some(stat) = self.stat(number).filter(|stat| stat.started == started) {
                self.members.insert(number, started);
                stats.insert(number, stat);
            }
        }
        stats
    }

    fn find_new_members(&mut self, present: &HashSet<Number>, stats: &mut HashMap<Number, Stat>) {
        let mut unknown: Vec<(Number, Stat)> = present
            .iter()
            .filter(|number| !self.members.contains_key(number) && !self.strangers.contains(number))
            .copied()
            .collect::<Vec<_>>()
            .into_iter()
            .filter_map(|number| Some((number, self.stat(number)?)))
            .collect();
        // A parent may stand behind its child in the list: go through it until nobody is found any more.
        loop {
            let before = unknown.len();
            unknown.retain(|(number, stat)| {
                let is_member = stat.parent == self.root || self.members.contains_key(&stat.parent);
                if is_member {
                    self.members.insert(*number, stat.started);
                    stats.insert(*number, *stat);
                }
                !is_member
            });
            if unknown.len() == before {
                break;
            }
        }
        self.strangers.extend(unknown.into_iter().map(|(number, _)| number));
    }

    fn summed(&mut self, stats: &HashMap<Number, Stat>) -> Look {
        let mut ticks = 0;
        let (mut private_pages, mut most_shared_pages) = (0, 0);
        for (number, stat) in stats {
            ticks += stat.ticks;
            if let Some((resident, shared)) = self.pages(*number) {
                private_pages += resident.saturating_sub(shared);
                most_shared_pages = most_shared_pages.max(shared.min(resident));
            }
        }
        Look {
            processes: u32::try_from(stats.len()).unwrap_or(u32::MAX),
            cpu_seconds: ticks as f64 * self.seconds_per_tick + waited_for_seconds() - self.waited_for_before,
            memory_bytes: (private_pages + most_shared_pages) * self.page_bytes,
        }
    }

    fn stat(&mut self, number: Number) -> Option<Stat> {
        self.read(number, "stat")?;
        parse_stat(&self.content)
    }

    /// Resident pages, and the part of them that files and shared memory back.
    fn pages(&mut self, number: Number) -> Option<(u64, u64)> {
        self.read(number, "statm")?;
        let text = std::str::from_utf8(&self.content).ok()?;
        let mut fields = text.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    }

    fn read(&mut self, number: Number, name: &str) -> Option<()> {
        // These files are given as a whole by one read, and are much shorter than this.
        self.content.resize(CONTENT_BYTES, 0);
        let length = File::open(format!("/proc/{number}/{name}")).ok()?.read(&mut self.content).ok()?;
        self.content.truncate(length);
        Some(())
    }
}

fn numbers() -> Option<HashSet<Number>> {
    let entries = fs::read_dir("/proc").ok()?;
    Some(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

fn waited_for_seconds() -> f64 {
    getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_or(0.0, |usage| seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// `NUMBER (NAME) STATE PARENT …`: the name may hold anything, brackets and spaces too.
fn parse_stat(content: &[u8]) -> Option<Stat> {
    let after_name = content.iter().rposition(|byte| *byte == b')')? + 1;
    let text = std::str::from_utf8(content.get(after_name..)?).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |position: usize| fields.get(position)?.parse::<i64>().ok();
    let ticks: i64 = (11..=14).map(|position| number(position).unwrap_or(0).max(0)).sum();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: u64::try_from(ticks).ok()?,
        started: u64::try_from(number(19)?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_be_named_to_confuse() {
        let line =
            b"42 (a) R 1 (b)) S 7 1 1 0 -1 4194560 0 0 0 0 10 20 3 4 20 0 1 0 12345 0 0 18446744073709551615";
        assert_eq!(parse_stat(line), Some(Stat { parent: 7, ticks: 37, started: 12345 }));
        for broken in [&b""[..], b")", b"1 (x) S", b"1 (x) S y", b"\xff)"] {
            assert_eq!(parse_stat(broken), None);
        }
    }

    #[test]
    fn a_child_is_in_the_tree_and_gone_after_its_end() {
        let mut tree = ProcessTree::of_this_process().unwrap();
        let before = tree.look().unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .stdin(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let with_child = tree.look().unwrap();
        // Other tests of this process have children too: what is asked is whether this one is seen.
        assert!(tree.members.contains_key(&child.id()));
        assert!(with_child.memory_bytes > before.memory_bytes.min(1));
        child.kill().unwrap();
        child.wait().unwrap();
        tree.look().unwrap();
        assert!(!tree.members.contains_key(&child.id()));
    }
}
