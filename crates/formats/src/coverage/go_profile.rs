//! Cover profiles of Go (`go test -coverprofile`).
//!
//! ```text
//! mode: set
//! example.com/shop/cart.go:7.30,9.2 1 1        file:line.column,line.column statements count
//! ```
//!
//! Go counts statements, so lines are statements here, and the total is what `go tool cover -func` says. Profiles of
//! several packages repeat blocks: a block that was executed in one was executed. The package is the folder.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use xxhash_rust::xxh3::xxh3_64;

use super::numbers::{self, NumberError};
use super::tally::Tally;
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{MeasuredSink, Summary};
use crate::text_lines::{TextLines, shown};

/// Reads a cover profile.
///
/// # Errors
/// When the input fails, is empty, or does not begin with `mode:`.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut lines = TextLines::open(input, limits)?;
    let mut tally = Tally::new(limits);
    let mut problems = Problems::new();
    let mut is_first = true;
    while let Some((number, line)) = lines.next(&mut problems)? {
        // Profiles that were put one behind the other repeat the mode.
        let is_mode = line.starts_with("mode:");
        if is_first && !is_mode {
            return Err(ReadError::UnknownFormat {
                found: "no `mode:` in its first line".to_owned(),
                expected: "expected a cover profile of Go",
            });
        }
        is_first = false;
        if is_mode {
            continue;
        }
        match block(line) {
            Ok(block) => {
                let folder = block.file.rsplit_once('/').map(|(folder, _)| folder);
                let package = folder.map(|folder| tally.package(folder));
                let file = tally.file(block.file, package);
                let covered = if block.was_executed { block.statements } else { 0 };
                tally.statements(file, xxh3_64(block.place.as_bytes()), covered, block.statements);
            }
            Err((field, error)) => problems.push_with(|| {
                let shown = shown(line);
                Problem::new(format!("`{shown}` is {error}")).at_line(number).in_field(field)
            }),
        }
        if tally.is_full() {
            break;
        }
    }
    if is_first {
        return Err(ReadError::Empty);
    }
    let mut summary = tally.finish(sink);
    summary.problems.absorb(problems, None);
    Ok(summary)
}

/// Does it begin with the mode of a cover profile?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let mode = look.text.lines().next().and_then(|line| line.strip_prefix("mode:")).map(str::trim);
    matches!(mode, Some("set" | "count" | "atomic"))
}

struct Block<'a> {
    file: &'a str,
    /// `7.30,9.2`
    place: &'a str,
    statements: u32,
    was_executed: bool,
}

fn block(line: &str) -> Result<Block<'_>, (&'static str, NumberError)> {
    let missing = |field| (field, NumberError::NotANumber);
    // A path of Windows has a colon of its own, and any path may have spaces.
    let (file, rest) = line.rsplit_once(':').ok_or(missing("file"))?;
    let mut parts = rest.split_ascii_whitespace();
    let place = parts.next().filter(|place| is_place(place)).ok_or(missing("block"))?;
    let statements = parts.next().ok_or(missing("statements"))?;
    let statements = numbers::line_number(statements).map_err(|error| ("statements", error))?;
    let count = parts.next().ok_or(missing("count"))?;
    let was_executed = numbers::was_executed(count).map_err(|error| ("count", error))?;
    if file.is_empty() || parts.next().is_some() {
        return Err(missing("file"));
    }
    Ok(Block { file, place, statements, was_executed })
}

fn is_place(text: &str) -> bool {
    text.split_once(',').is_some_and(|(from, to)| {
        [from, to].iter().all(|point| {
            point.split_once('.').is_some_and(|(line, column)| {
                [line, column]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            })
        })
    })
}
