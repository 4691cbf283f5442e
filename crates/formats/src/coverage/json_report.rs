//! What the coverage formats that are JSON have in common: how they begin and end, and how numbers are read.

use std::io::BufRead;

use manometer_model::{Limits, Problem};

use super::numbers::{self, NumberError};
use super::tally::Tally;
use crate::ReadError;
use crate::json::{Json, Kind, Stop};
use crate::measured::{Counts, MeasuredSink, Share, Summary};

/// Leads the cursor through a whole report; answers whether it was one.
pub(super) type Walk = fn(&mut Json<'_>, &mut Tally) -> Result<bool, Stop>;

/// Reads a report. Where its text breaks off, the files before that stand.
pub(super) fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
    expected: &'static str,
    walk: Walk,
) -> Result<Summary, ReadError> {
    // A little more than is kept of a name, so that the tally sees what it has to cut.
    let mut json = Json::open(input, limits.name_bytes + 4)?;
    let mut tally = Tally::new(limits);
    match walk(&mut json, &mut tally) {
        Ok(true) => {}
        Ok(false) => {
            return Err(ReadError::UnknownFormat { found: "JSON of another shape".to_owned(), expected });
        }
        Err(Stop::Io(error)) => return Err(error.into()),
        Err(stop) if tally.has_files() => {
            tally.ended_early(stop.into_problem());
        }
        Err(stop) => return Err(stop.into_error(expected)),
    }
    Ok(tally.finish(sink))
}

/// A number; `None`, and a problem, where there is another value. `null` is no problem: the tool did not count.
pub(super) fn number<T>(
    json: &mut Json<'_>,
    tally: &mut Tally,
    number: fn(&str) -> Result<T, NumberError>,
    field: &str,
) -> Result<Option<T>, Stop> {
    if json.kind()? == Kind::Null {
        json.skip()?;
        return Ok(None);
    }
    let line = json.line();
    let outcome = match json.number()? {
        Some(text) => number(text).map_err(|error| numbers::problem(text, error)),
        None => Err(Problem::new("not a number, left out")),
    };
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(problem) => {
            tally.summary.problems.push_with(|| problem.at_line(line).in_field(field));
            Ok(None)
        }
    }
}

/// The names under which a format states six counts: executed and all, of lines, branches and functions.
pub(super) type StatedNames = [&'static str; 6];

/// The counts that an object states in its own numbers.
pub(super) fn stated(json: &mut Json<'_>, tally: &mut Tally, names: &StatedNames) -> Result<Counts, Stop> {
    let mut values = [None; 6];
    if !json.enter_object()? {
        return Ok(Counts::default());
    }
    while let Some(key) = json.next_key()? {
        match names.iter().position(|name| *name == key) {
            Some(at) => {
                let name = names.get(at).copied().unwrap_or_default();
                let value = number(json, tally, numbers::count, name)?;
                if let Some(place) = values.get_mut(at) {
                    *place = value;
                }
            }
            None => json.skip()?,
        }
    }
    let [lines_covered, lines, branches_covered, branches, functions_covered, functions] = values;
    Ok(Counts {
        lines: Share::of(lines_covered, lines),
        branches: Share::of(branches_covered, branches),
        functions: Share::of(functions_covered, functions),
    })
}
