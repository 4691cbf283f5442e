//! The JSON of `llvm-cov export` (Clang, Rust's `cargo llvm-cov --json`, Swift), with or without `-summary-only`.
//!
//! ```text
//! {"data": [{"files": [{"filename": PATH, "summary": {"lines": {"count": 9, "covered": 7}, "branches": …,
//!   "functions": …}}], "totals": …}], "type": "llvm.coverage.json.export", "version": "2.0.1"}
//! ```
//!
//! The counts of each file's summary are taken: lines cannot be had from regions without LLVM's own rules.

use std::io::BufRead;

use manometer_model::{Limits, Problem};

use super::json_report::{self, number};
use super::numbers;
use super::tally::Tally;
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::measured::{Counts, MeasuredSink, Share, Summary};

/// Reads an export of llvm-cov.
///
/// # Errors
/// When the input fails, is empty, or is no such export.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    json_report::read(input, limits, sink, "expected the JSON of `llvm-cov export`", walk)
}

/// Does it begin as an export does? Its type stands at the end.
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let start: String = look.text.chars().filter(|character| !character.is_whitespace()).take(64).collect();
    start.starts_with("{\"data\":[{\"files\":[")
        || start.starts_with("{\"type\":\"llvm.coverage.json.export\"")
}

fn walk(json: &mut Json<'_>, tally: &mut Tally) -> Result<bool, Stop> {
    if !json.enter_object()? {
        return Ok(false);
    }
    let mut has_data = false;
    while let Some(key) = json.next_key()? {
        if key != "data" {
            json.skip()?;
            continue;
        }
        has_data = true;
        if !json.enter_array()? {
            continue;
        }
        let mut exports = 0;
        while json.next_element()? {
            exports += 1;
            export(json, tally, exports == 1)?;
            if tally.is_full() {
                return Ok(true);
            }
        }
    }
    Ok(has_data)
}

fn export(json: &mut Json<'_>, tally: &mut Tally, is_first: bool) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(key) = json.next_key()? {
        match key {
            "files" => {
                if !json.enter_array()? {
                    continue;
                }
                while json.next_element()? {
                    of_file(json, tally)?;
                    if tally.is_full() {
                        return Ok(());
                    }
                }
            }
            "totals" => {
                let counts = summary(json, tally)?;
                // Of several exports none states the whole.
                tally.stated_total(if is_first { counts } else { Counts::default() });
            }
            _ => json.skip()?,
        }
    }
    Ok(())
}

fn of_file(json: &mut Json<'_>, tally: &mut Tally) -> Result<(), Stop> {
    tally.begin_part();
    let begins_at = json.line();
    if !json.enter_object()? {
        return Ok(());
    }
    let (mut file, mut counts) = (None, Counts::default());
    while let Some(key) = json.next_key()? {
        match key {
            "filename" => file = json.string()?.map(|path| tally.file(path, None)),
            "summary" => counts = summary(json, tally)?,
            _ => json.skip()?,
        }
    }
    match file {
        Some(file) => tally.stated_of_file(file, counts),
        None => tally.summary.problems.push_with(|| {
            Problem::new("missing, the file was left out").at_line(begins_at).in_field("filename")
        }),
    }
    tally.end_part();
    Ok(())
}

fn summary(json: &mut Json<'_>, tally: &mut Tally) -> Result<Counts, Stop> {
    let mut counts = Counts::default();
    if !json.enter_object()? {
        return Ok(counts);
    }
    while let Some(key) = json.next_key()? {
        match key {
            "lines" => counts.lines = share(json, tally)?,
            "branches" => counts.branches = share(json, tally)?,
            "functions" => counts.functions = share(json, tally)?,
            _ => json.skip()?,
        }
    }
    Ok(counts)
}

fn share(json: &mut Json<'_>, tally: &mut Tally) -> Result<Option<Share>, Stop> {
    let (mut covered, mut valid) = (None, None);
    if !json.enter_object()? {
        return Ok(None);
    }
    while let Some(key) = json.next_key()? {
        match key {
            "covered" => covered = number(json, tally, numbers::count, "covered")?,
            "count" => valid = number(json, tally, numbers::count, "count")?,
            _ => json.skip()?,
        }
    }
    Ok(Share::of(covered, valid))
}
