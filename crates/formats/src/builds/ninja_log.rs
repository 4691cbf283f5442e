//! Ninja's `.ninja_log`, versions 5 to 7.
//!
//! ```text
//! # ninja log v5
//! start ms <TAB> end ms <TAB> mtime <TAB> output <TAB> hash of the command
//! ```
//!
//! The log is appended to for ever, so only its last build is read: times count from the start of a build, so where an
//! end lies before the one above, a new build began. Outputs of one command (same start, end and hash) are one row,
//! named by the first. Only what worked is logged.
//!
//! Memory: the steps of one build.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use xxhash_rust::xxh3::xxh3_64;

use super::MOST_BYTES;
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{BuildRow, MeasuredSink, Outlet, Summary};
use crate::text_lines::{TextLines, shown};

/// Reads a log.
///
/// # Errors
/// When the input fails, is empty, or does not begin as a log does.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut lines = TextLines::open(input, limits)?;
    let mut problems = Problems::new();
    let Some((_, first)) = lines.next(&mut problems)? else { return Err(ReadError::Empty) };
    check_version(first)?;
    let mut build = Build::default();
    let mut is_full = false;
    while let Some((number, line)) = lines.next(&mut problems)? {
        match step(line, limits.name_bytes) {
            Ok(step) => build.add(step),
            Err(field) => problems.push_with(|| {
                let shown = shown(line);
                let message = format!("`{shown}` is no line of the log, left out");
                Problem::new(message).at_line(number).in_field(field)
            }),
        }
        is_full = build.bytes > MOST_BYTES;
        if is_full {
            let message = "more steps than fit in memory, the rest was not read";
            problems.push(Problem::new(message).at_line(number));
            break;
        }
    }
    let mut outlet = Outlet::new(sink);
    build.give(&mut outlet);
    outlet.summary.truncated = is_full;
    outlet.summary.problems = problems;
    Ok(outlet.summary)
}

/// Does it begin with the line of a log?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.text.starts_with("# ninja log v")
}

fn check_version(first: &str) -> Result<(), ReadError> {
    let version = first.strip_prefix("# ninja log v").and_then(|version| version.trim().parse::<u32>().ok());
    match version {
        Some(5..=7) => Ok(()),
        Some(other) => Err(ReadError::UnknownFormat {
            found: format!("a log of Ninja in version {other}"),
            expected: "expected version 5, 6 or 7",
        }),
        None => Err(ReadError::UnknownFormat {
            found: "no `# ninja log v…` in the first line".to_owned(),
            expected: "expected a log of Ninja",
        }),
    }
}

#[derive(Debug)]
struct Step {
    start: u64,
    end: u64,
    /// Hash of the command's hash as it is written.
    command: u64,
    output: String,
}

/// The steps of the build that is being read.
#[derive(Debug, Default)]
struct Build {
    steps: Vec<Step>,
    bytes: usize,
    last_end: u64,
}

impl Build {
    fn add(&mut self, step: Step) {
        if step.end < self.last_end {
            self.steps.clear();
            self.bytes = 0;
        }
        self.last_end = step.end;
        let is_same_command = self
            .steps
            .last()
            .is_some_and(|last| (last.start, last.end, last.command) == (step.start, step.end, step.command));
        if !is_same_command {
            self.bytes += size_of::<Step>() + step.output.len();
            self.steps.push(step);
        }
    }

    fn give(&self, outlet: &mut Outlet<'_>) {
        let start = self.steps.iter().map(|step| step.start).min();
        let end = self.steps.iter().map(|step| step.end).max();
        if let (Some(start), Some(end)) = (start, end) {
            let duration_seconds = Some(seconds_between(start, end));
            outlet.build(BuildRow { name: "ninja", duration_seconds, success: None, at: None });
        }
        for step in &self.steps {
            let duration_seconds = Some(seconds_between(step.start, step.end));
            outlet.build(BuildRow { name: &step.output, duration_seconds, success: Some(true), at: None });
        }
    }
}

fn seconds_between(start_ms: u64, end_ms: u64) -> f64 {
    end_ms.saturating_sub(start_ms) as f64 / 1_000.0
}

/// One line; otherwise the field to blame.
fn step(line: &str, longest_name: usize) -> Result<Step, &'static str> {
    let mut fields = line.split('\t');
    let mut next = |field| fields.next().ok_or(field);
    let start: u64 = next("start")?.parse().map_err(|_| "start")?;
    let end: u64 = next("end")?.parse().map_err(|_| "end")?;
    next("mtime")?;
    let output = next("output")?;
    let command = xxh3_64(next("hash")?.as_bytes());
    if end < start {
        return Err("end");
    }
    if output.is_empty() {
        return Err("output");
    }
    let output =
        output.get(..output.floor_char_boundary(longest_name)).unwrap_or_default().replace('\\', "/");
    Ok(Step { start, end, command, output })
}
