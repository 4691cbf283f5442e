//! The JSON report of coverage.py (`coverage json`, `pytest --cov-report=json`).
//!
//! ```text
//! {"meta": …, "files": {PATH: {"executed_lines": […], "missing_lines": […], "summary": {…},
//!   "executed_branches": [[from, to], …], "missing_branches": …, "functions": {NAME: …}}}, "totals": {…}}
//! ```
//!
//! Versions before 7 list no branches: then the counts of `summary` stand. Functions are listed since 7.6; code
//! outside of functions (the name is empty) is none.

use std::io::BufRead;

use manometer_model::Limits;
use xxhash_rust::xxh3::xxh3_64;

use super::json_report::{self, StatedNames, number, stated};
use super::numbers;
use super::tally::{FileAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::measured::{Counts, MeasuredSink, Summary};

/// Reads a report of coverage.py.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    json_report::read(input, limits, sink, "expected the JSON report of coverage.py", walk)
}

/// Is it JSON with the fields only coverage.py writes?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.text.starts_with('{')
        && (look.text.contains("\"executed_lines\"") || look.text.contains("\"show_contexts\""))
}

const STATED: StatedNames = [
    "covered_lines",
    "num_statements",
    "covered_branches",
    "num_branches",
    "covered_functions",
    "num_functions",
];

fn walk(json: &mut Json<'_>, tally: &mut Tally) -> Result<bool, Stop> {
    if !json.enter_object()? {
        return Ok(false);
    }
    let mut has_files = false;
    while let Some(key) = json.next_key()? {
        match key {
            "files" => {
                has_files = true;
                if !files(json, tally)? {
                    return Ok(true);
                }
            }
            "totals" => {
                let counts = stated(json, tally, &STATED)?;
                tally.stated_total(counts);
            }
            _ => json.skip()?,
        }
    }
    Ok(has_files)
}

/// Answers whether there is room for more.
fn files(json: &mut Json<'_>, tally: &mut Tally) -> Result<bool, Stop> {
    if !json.enter_object()? {
        return Ok(true);
    }
    while let Some(path) = json.next_key()? {
        tally.begin_part();
        let file = tally.file(path, None);
        of_file(json, tally, file)?;
        tally.end_part();
        if tally.is_full() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn of_file(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(key) = json.next_key()? {
        match key {
            "executed_lines" => lines(json, tally, file, true)?,
            "missing_lines" => lines(json, tally, file, false)?,
            "executed_branches" => branches(json, tally, file, true)?,
            "missing_branches" => branches(json, tally, file, false)?,
            "summary" => {
                let counts = stated(json, tally, &STATED)?;
                tally.stated_of_file(file, Counts { functions: None, ..counts });
            }
            "functions" => functions(json, tally, file)?,
            _ => json.skip()?,
        }
    }
    Ok(())
}

fn lines(json: &mut Json<'_>, tally: &mut Tally, file: FileAt, were_executed: bool) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        if let Some(line) = number(json, tally, numbers::line_number, "lines")? {
            tally.line(file, line, were_executed);
        }
    }
    Ok(())
}

/// `[[3, 4], [3, -1]]`: from a line to a line, or out of the function.
fn branches(json: &mut Json<'_>, tally: &mut Tally, file: FileAt, were_taken: bool) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        if !json.enter_array()? {
            continue;
        }
        let mut identity = 0_u64;
        while json.next_element()? {
            if let Some(line) = json.number()? {
                identity = identity.rotate_left(32) ^ xxh3_64(line.as_bytes());
            }
        }
        tally.branches(file, identity, u32::from(were_taken), 1);
    }
    Ok(())
}

fn functions(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(name) = json.next_key()? {
        let identity = (!name.is_empty()).then(|| xxh3_64(name.as_bytes()));
        let (mut was_executed, mut has_lines) = (false, false);
        if json.enter_object()? {
            while let Some(key) = json.next_key()? {
                match key {
                    "executed_lines" => was_executed = has_elements(json)?,
                    "missing_lines" => has_lines |= has_elements(json)?,
                    _ => json.skip()?,
                }
            }
        }
        if let Some(identity) = identity.filter(|_| has_lines || was_executed) {
            tally.function(file, identity, was_executed);
        }
    }
    Ok(())
}

fn has_elements(json: &mut Json<'_>) -> Result<bool, Stop> {
    let mut has_elements = false;
    if json.enter_array()? {
        while json.next_element()? {
            has_elements = true;
            json.skip()?;
        }
    }
    Ok(has_elements)
}
