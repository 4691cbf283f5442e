//! SimpleCov (Ruby): `.resultset.json`, which every run leaves, and the `coverage.json` of its JSON formatter.
//!
//! ```text
//! {"RSpec": {"coverage": {PATH: {"lines": [1, null, 0], "branches": {COND: {BRANCH: 1}}}}}}       .resultset.json
//! {"meta": …, "coverage": {PATH: {"lines": [1, null, "ignored"], "branches": [{"coverage": 1, …}]}}}  coverage.json
//! ```
//!
//! Several suites in one result set (`RSpec`, `Minitest`) are merged: a line that one of them executed was executed.
//! Before 0.18 a file is its array of lines alone.

use std::io::BufRead;

use manometer_model::Limits;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::json_report::{self, number};
use super::numbers;
use super::tally::{FileAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Kind, Stop};
use crate::measured::{MeasuredSink, Summary};

/// Reads a result set or a report of SimpleCov.
///
/// # Errors
/// When the input fails, is empty, or is neither.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    json_report::read(input, limits, sink, "expected SimpleCov's .resultset.json or coverage.json", walk)
}

/// Does it name SimpleCov, or begin as a result set does?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    if !look.text.starts_with('{') {
        return false;
    }
    if look.text.contains("\"simplecov_version\"") {
        return true;
    }
    // `{"RSpec":{"coverage":{`, with any white space between.
    let mut parts = look.text.splitn(5, '"');
    let is = |part: Option<&str>, expected: &str| {
        part.is_some_and(|part| part.split_whitespace().collect::<String>() == expected)
    };
    is(parts.next(), "{") && parts.next().is_some() && is(parts.next(), ":{") && is(parts.next(), "coverage")
}

fn walk(json: &mut Json<'_>, tally: &mut Tally) -> Result<bool, Stop> {
    if !json.enter_object()? {
        return Ok(false);
    }
    let mut has_coverage = false;
    while let Some(key) = json.next_key()? {
        match key {
            "coverage" => {
                has_coverage = true;
                files(json, tally)?;
            }
            "meta" | "groups" | "total" | "errors" => json.skip()?,
            _ => has_coverage |= suite(json, tally)?,
        }
        if tally.is_full() {
            return Ok(true);
        }
    }
    Ok(has_coverage)
}

/// One suite of a result set; answers whether it was one.
fn suite(json: &mut Json<'_>, tally: &mut Tally) -> Result<bool, Stop> {
    let mut has_coverage = false;
    if !json.enter_object()? {
        return Ok(false);
    }
    while let Some(key) = json.next_key()? {
        if key != "coverage" {
            json.skip()?;
            continue;
        }
        has_coverage = true;
        files(json, tally)?;
        if tally.is_full() {
            break;
        }
    }
    Ok(has_coverage)
}

fn files(json: &mut Json<'_>, tally: &mut Tally) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(path) = json.next_key()? {
        tally.begin_part();
        let file = tally.file(path, None);
        match json.kind()? {
            Kind::Array => lines(json, tally, file)?,
            _ => of_file(json, tally, file)?,
        }
        tally.end_part();
        if tally.is_full() {
            break;
        }
    }
    Ok(())
}

fn of_file(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(key) = json.next_key()? {
        match key {
            "lines" => lines(json, tally, file)?,
            "branches" => match json.kind()? {
                Kind::Array => listed_branches(json, tally, file)?,
                _ => branches(json, tally, file)?,
            },
            _ => json.skip()?,
        }
    }
    Ok(())
}

/// One element a line; what cannot be executed is `null`, what was excluded is `"ignored"`.
fn lines(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    let mut line = 0_u32;
    while json.next_element()? {
        line = line.saturating_add(1);
        if json.kind()? == Kind::String {
            json.skip()?;
        } else if let Some(was_executed) = number(json, tally, numbers::was_executed, "lines")? {
            tally.line(file, line, was_executed);
            if tally.is_full() {
                break;
            }
        }
    }
    Ok(())
}

/// `{"[:if, 0, 4, 4, 8, 7]": {"[:then, 1, …]": 0, "[:else, 2, …]": 1}}`
fn branches(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(condition) = json.next_key()? {
        let seed = xxh3_64_with_seed(condition.as_bytes(), 0);
        if !json.enter_object()? {
            continue;
        }
        while let Some(branch) = json.next_key()? {
            let identity = xxh3_64_with_seed(branch.as_bytes(), seed);
            if let Some(was_taken) = number(json, tally, numbers::was_executed, "branches")? {
                tally.branches(file, identity, u32::from(was_taken), 1);
            }
        }
    }
    Ok(())
}

/// `[{"type": "then", "start_line": 4, "end_line": 4, "coverage": 0, "inline": false}]`
fn listed_branches(json: &mut Json<'_>, tally: &mut Tally, file: FileAt) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    let mut place = 0_u64;
    while json.next_element()? {
        place += 1;
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            if key != "coverage" || json.kind()? == Kind::String {
                json.skip()?;
            } else if let Some(was_taken) = number(json, tally, numbers::was_executed, "branches.coverage")? {
                tally.branches(file, place, u32::from(was_taken), 1);
            }
        }
    }
    Ok(())
}
