//! The JSON report of gcovr (`gcovr --json`), versions 4 to 8.
//!
//! ```text
//! {"files": [{"file": PATH, "lines": [{"line_number": 3, "count": 1, "branches": [{"branchno": 0, "count": 1}]}],
//!   "functions": [{"name": NAME, "lineno": 3, "execution_count": 1}]}], "gcovr/format_version": "0.15"}
//! ```
//!
//! What gcovr marks as excluded or as no code is left out, as in its own totals.

use std::io::BufRead;

use manometer_model::{Limits, Problem};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::json_report::{self, number};
use super::numbers;
use super::tally::{FileAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::measured::{MeasuredSink, Summary};

/// Reads a JSON report of gcovr.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    json_report::read(input, limits, sink, "expected the JSON report of gcovr", walk)
}

/// Is it JSON with the fields only gcovr writes?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.text.starts_with('{') && look.text.contains("\"gcovr/")
}

fn walk(json: &mut Json<'_>, tally: &mut Tally) -> Result<bool, Stop> {
    if !json.enter_object()? {
        return Ok(false);
    }
    let mut has_files = false;
    while let Some(key) = json.next_key()? {
        if key != "files" {
            json.skip()?;
            continue;
        }
        has_files = true;
        if !json.enter_array()? {
            continue;
        }
        while json.next_element()? {
            of_file(json, tally)?;
            if tally.is_full() {
                return Ok(true);
            }
        }
    }
    Ok(has_files)
}

fn of_file(json: &mut Json<'_>, tally: &mut Tally) -> Result<(), Stop> {
    tally.begin_part();
    let begins_at = json.line();
    if !json.enter_object()? {
        return Ok(());
    }
    let mut file = None;
    let mut came_too_early = false;
    while let Some(key) = json.next_key()? {
        match (key, file) {
            ("file", _) => file = json.string()?.map(|path| tally.file(path, None)),
            ("lines", Some(file)) => lines(json, tally, file)?,
            ("functions", Some(file)) => functions(json, tally, file)?,
            ("lines" | "functions", None) => {
                came_too_early = true;
                json.skip()?;
            }
            _ => json.skip()?,
        }
    }
    if came_too_early || file.is_none() {
        let message = "missing before its lines, these were left out";
        tally.summary.problems.push_with(|| Problem::new(message).at_line(begins_at).in_field("file"));
    }
    tally.end_part();
    Ok(())
}

fn lines(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    let mut branches = Vec::new();
    while json.next_element()? {
        branches.clear();
        let (mut line, mut count, mut is_left_out) = (None, None, false);
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            match key {
                "line_number" => line = number(json, tally, numbers::line_number, "line_number")?,
                "count" => count = number(json, tally, numbers::was_executed, "count")?,
                "gcovr/excluded" | "gcovr/noncode" => is_left_out |= json.boolean()? == Some(true),
                "branches" => read_branches(json, tally, &mut branches)?,
                _ => json.skip()?,
            }
        }
        let (Some(line), Some(was_executed), false) = (line, count, is_left_out) else { continue };
        tally.line(file, line, was_executed);
        for (branch, was_taken) in &branches {
            let identity = xxh3_64_with_seed(&branch.to_le_bytes(), u64::from(line));
            tally.branches(file, identity, u32::from(*was_taken), 1);
        }
    }
    Ok(())
}

/// Branches of one line that are told apart.
const MOST_BRANCHES: usize = 100_000;

fn read_branches(
    json: &mut Json<'_>,
    tally: &mut Tally,
    branches: &mut Vec<(u64, bool)>,
) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        let (mut identity, mut count, mut is_left_out) = (None, None, false);
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            match key {
                "branchno" => identity = number(json, tally, numbers::count, "branchno")?,
                "count" => count = number(json, tally, numbers::was_executed, "branches.count")?,
                "gcovr/excluded" => is_left_out |= json.boolean()? == Some(true),
                _ => json.skip()?,
            }
        }
        if let (Some(was_taken), false) = (count, is_left_out || branches.len() >= MOST_BRANCHES) {
            let place = identity.unwrap_or(branches.len() as u64);
            branches.push((place, was_taken));
        }
    }
    Ok(())
}

fn functions(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        let (mut name, mut line, mut count, mut is_left_out) = (None, None, None, false);
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            match key {
                "name" | "demangled_name" => {
                    let found = json.string()?.map(|text| xxh3_64(text.as_bytes()));
                    name = name.or(found);
                }
                "lineno" => line = number(json, tally, numbers::count, "lineno")?,
                "execution_count" => {
                    count = number(json, tally, numbers::was_executed, "execution_count")?;
                }
                "gcovr/excluded" => is_left_out |= json.boolean()? == Some(true),
                _ => json.skip()?,
            }
        }
        if let (Some(was_executed), false) = (count, is_left_out) {
            let identity = name.unwrap_or_default() ^ line.unwrap_or_default();
            tally.function(file, identity, was_executed);
        }
    }
    Ok(())
}
