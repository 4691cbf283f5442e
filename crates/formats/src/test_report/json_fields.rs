//! Fields of reports that are one JSON document, and how such a report begins and ends.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems, Timestamp};

use super::tests_in::TestsIn;
use super::{Summary, TestSink, texts};
use crate::ReadError;
use crate::json::{Json, Kind, Stop};

/// Reads a document. `walk` leads the cursor through it and answers whether it was of the format; `give_held` gives
/// what it still held where the text broke off.
pub(crate) fn read_document<'l, 's, W>(
    input: &mut dyn BufRead,
    limits: &'l Limits,
    sink: &'s mut dyn TestSink,
    expected: &'static str,
    walker: &mut W,
    walk: fn(&mut W, &mut Json<'_>, &mut TestsIn<'l, 's>) -> Result<bool, Stop>,
    give_held: fn(&mut W, &mut TestsIn<'l, 's>),
) -> Result<Summary, ReadError> {
    let mut json = Json::open(input, limits.details_bytes)?;
    let mut tests = TestsIn::new(limits, sink);
    let outcome = walk(walker, &mut json, &mut tests);
    give_held(walker, &mut tests);
    match outcome {
        Ok(true) => {}
        Ok(false) => {
            return Err(ReadError::UnknownFormat { found: "JSON of another shape".to_owned(), expected });
        }
        Err(Stop::Io(error)) => return Err(error.into()),
        Err(stop) if tests.has_tests() => {
            tests.note_truncated();
            tests.problems().push(stop.into_problem());
        }
        Err(stop) => return Err(stop.into_error(expected)),
    }
    Ok(tests.finish())
}

/// Appends the next value to `out` where it is a text; `null` is none, and another value is a problem.
pub(crate) fn text(
    json: &mut Json<'_>,
    out: &mut String,
    limit: usize,
    problems: &mut Problems,
    field: &str,
) -> Result<(), Stop> {
    let line = json.line();
    match json.kind()? {
        Kind::Null => return json.skip(),
        Kind::String => {}
        Kind::Number => {
            if let Some(number) = json.number()? {
                texts::append_noting(out, number, limit, problems, field, line);
            }
            return Ok(());
        }
        Kind::Object | Kind::Array | Kind::Bool => {
            problems.push_with(|| Problem::new("not a text, left out").at_line(line).in_field(field));
            return json.skip();
        }
    }
    let was_full = out.len() >= limit;
    let was_cut = match json.string()? {
        Some(text) => texts::append(out, text, limit),
        None => false,
    };
    if (was_cut || json.was_clipped()) && !was_full {
        texts::cut_off(problems, limit, field, line);
    }
    Ok(())
}

/// A short text, of at most `limit` bytes; `None` for `null` and, with a problem, for what is no text.
pub(crate) fn short_text(
    json: &mut Json<'_>,
    limit: usize,
    problems: &mut Problems,
    field: &str,
) -> Result<Option<String>, Stop> {
    let mut out = String::new();
    text(json, &mut out, limit, problems, field)?;
    Ok(Some(out).filter(|text| !text.is_empty()))
}

/// A finite number; `None` for `null` and, with a problem, for what is none.
pub(crate) fn number(json: &mut Json<'_>, problems: &mut Problems, field: &str) -> Result<Option<f64>, Stop> {
    let line = json.line();
    if json.kind()? == Kind::Null {
        json.skip()?;
        return Ok(None);
    }
    let number =
        json.number()?.and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite());
    if number.is_none() {
        problems.push_with(|| Problem::new("not a number, left out").at_line(line).in_field(field));
    }
    Ok(number)
}

/// A duration in units of which a second has `units`.
pub(crate) fn duration(
    json: &mut Json<'_>,
    units: f64,
    problems: &mut Problems,
    field: &str,
) -> Result<Option<f64>, Stop> {
    let line = json.line();
    let seconds = number(json, problems, field)?.map(|number| number / units);
    if seconds.is_some_and(|seconds| seconds < 0.0) {
        problems.push_with(|| Problem::new("negative, left out").at_line(line).in_field(field));
        return Ok(None);
    }
    Ok(seconds)
}

/// A whole number.
pub(crate) fn whole(json: &mut Json<'_>, problems: &mut Problems, field: &str) -> Result<Option<i64>, Stop> {
    Ok(number(json, problems, field)?.filter(|number| number.abs() < 9e15).map(|number| number as i64))
}

/// A time in units since the epoch of which a second has `units`; 0 is none.
pub(crate) fn epoch(
    json: &mut Json<'_>,
    units: f64,
    problems: &mut Problems,
    field: &str,
) -> Result<Option<Timestamp>, Stop> {
    Ok(number(json, problems, field)?.and_then(|number| from_epoch(number / units)))
}

/// The time so many seconds after the epoch; the epoch itself means never.
pub(crate) fn from_epoch(seconds: f64) -> Option<Timestamp> {
    const YEAR_9999: f64 = 253_402_300_799.0;
    (seconds > 0.0 && seconds <= YEAR_9999).then(|| Timestamp::from_micros((seconds * 1e6).round() as i64))
}

/// A time as text.
pub(crate) fn time(
    json: &mut Json<'_>,
    problems: &mut Problems,
    field: &str,
) -> Result<Option<Timestamp>, Stop> {
    let line = json.line();
    let Some(text) = short_text(json, 64, problems, field)? else { return Ok(None) };
    match Timestamp::parse_lenient(&text) {
        Ok(at) => Ok(Some(at).filter(|at| at.as_micros() != 0)),
        Err(error) => {
            problems.push_with(|| Problem::new(format!("{error}, left out")).at_line(line).in_field(field));
            Ok(None)
        }
    }
}
