//! Times of Make, taken by GNU `time` in place of the shell.
//!
//! Make measures nothing itself, and `make --trace` tells neither when a recipe began nor which of several at once has
//! ended. But it runs every line of a recipe through `$(SHELL) $(.SHELLFLAGS)`, expanded for each target:
//!
//! ```text
//! make -j8 SHELL=/usr/bin/time '.SHELLFLAGS=-q -a -o make-times.log -f "make %e %x $@" /bin/sh -c'
//!
//! make 0.03 0 cart.o           seconds, exit status, target
//! ```
//!
//! A target is one row: its lines add up, and it worked when all of them did. What `time` itself says (without `-q`)
//! is read past.
//!
//! Memory: the targets.

use std::collections::BTreeMap;
use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};

use super::MOST_BYTES;
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{BuildRow, MeasuredSink, Outlet, Summary};
use crate::text_lines::{TextLines, shown};

/// Reads times of Make.
///
/// # Errors
/// When the input fails, is empty, or has no line of this form.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut lines = TextLines::open(input, limits)?;
    let mut problems = Problems::new();
    let mut targets: BTreeMap<String, (f64, bool)> = BTreeMap::new();
    let (mut bytes, mut is_empty, mut is_full) = (0, true, false);
    while let Some((number, line)) = lines.next(&mut problems)? {
        is_empty = false;
        if line.starts_with("Command exited with") || line.starts_with("Command terminated by") {
            continue;
        }
        let Some(timed) = timed(line) else {
            problems.push_with(|| {
                let shown = shown(line);
                Problem::new(format!("`{shown}` is no `make SECONDS STATUS TARGET`, left out"))
                    .at_line(number)
            });
            continue;
        };
        let name =
            timed.target.get(..timed.target.floor_char_boundary(limits.name_bytes)).unwrap_or_default();
        if !targets.contains_key(name) {
            bytes += name.len() + 64;
            is_full = bytes > MOST_BYTES;
            if is_full {
                let message = "more targets than fit in memory, the rest was not read";
                problems.push(Problem::new(message).at_line(number));
                break;
            }
            targets.insert(name.to_owned(), (0.0, true));
        }
        if let Some((seconds, worked)) = targets.get_mut(name) {
            *seconds += timed.seconds;
            *worked &= timed.worked;
        }
    }
    if is_empty {
        return Err(ReadError::Empty);
    }
    if targets.is_empty() {
        return Err(ReadError::UnknownFormat {
            found: "no line `make SECONDS STATUS TARGET`".to_owned(),
            expected: "expected times of Make (docs/FORMATS.md says how to take them)",
        });
    }
    let mut outlet = Outlet::new(sink);
    for (name, (seconds, worked)) in &targets {
        outlet.build(BuildRow { name, duration_seconds: Some(*seconds), success: Some(*worked), at: None });
    }
    outlet.summary.truncated = is_full;
    outlet.summary.problems = problems;
    Ok(outlet.summary)
}

/// Is its first line one of these?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let mut lines = look.text.lines().filter(|line| !line.starts_with("Command "));
    lines.next().is_some_and(|line| timed(line).is_some())
}

struct Timed<'a> {
    seconds: f64,
    worked: bool,
    target: &'a str,
}

fn timed(line: &str) -> Option<Timed<'_>> {
    let rest = line.trim().strip_prefix("make ")?;
    let (seconds, rest) = rest.split_once(' ')?;
    let (status, target) = rest.split_once(' ')?;
    let seconds: f64 = seconds.parse().ok()?;
    let status: u32 = status.parse().ok()?;
    let target = target.trim();
    if !seconds.is_finite() || seconds < 0.0 || target.is_empty() {
        return None;
    }
    Some(Timed { seconds, worked: status == 0, target })
}
