//! The page of `cargo build --timings`: the data that its charts are drawn from.
//!
//! ```text
//! <td>Build start:</td><td>2026-11-21T10:17:20Z</td>   <td>Total time:</td><td>75.3s (1m 15.3s)</td>
//! const UNIT_DATA = [{"name": "tax", "version": "0.3.1", "target": " build-script", "duration": 0.06, …}];
//! ```
//!
//! A unit is named by its package and, where it has one, its target; the version is left out, so that a unit keeps its
//! name. `--timings=json` was unstable and is gone from Cargo: the page is the only form.
//!
//! Memory: at most 1 MiB of the page before its data, then one unit.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Timestamp};

use super::duration;
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::measured::{BuildRow, MeasuredSink, Outlet, Summary};
use crate::text_lines::Utf8Input;

/// Reads a timing report of Cargo.
///
/// # Errors
/// When the input fails, is empty, or holds no data of units.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut utf8 = Utf8Input::new(input)?;
    let Some(head) = read_past(&mut utf8, b"UNIT_DATA = ")? else {
        return Err(ReadError::UnknownFormat {
            found: "no `UNIT_DATA` in it".to_owned(),
            expected: "expected the page of `cargo build --timings`",
        });
    };
    let mut outlet = Outlet::new(sink);
    let at = cell(&head, "Build start:").and_then(|text| Timestamp::parse_lenient(text).ok());
    let total = cell(&head, "Total time:");
    let duration_seconds = total.and_then(duration::seconds);
    if duration_seconds.is_none() {
        let shown: String = total.unwrap_or_default().chars().take(64).collect();
        let message = format!("`{shown}` is no duration, left out");
        outlet.summary.problems.push(Problem::new(message).in_field("Total time"));
    }
    let has_failed = head.contains("class=\"error-text\"");
    outlet.build(BuildRow { name: "cargo", duration_seconds, success: Some(!has_failed), at });
    let mut json = Json::new(utf8, limits.name_bytes);
    match units(&mut json, &mut outlet, at) {
        Ok(()) => {}
        Err(Stop::Io(error)) => return Err(error.into()),
        Err(stop) => {
            outlet.summary.truncated = true;
            outlet.summary.problems.push(stop.into_problem());
        }
    }
    Ok(outlet.summary)
}

/// Is it a page with Cargo's title?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.text.contains("<title>Cargo Build Timings")
}

fn units(json: &mut Json<'_>, outlet: &mut Outlet<'_>, at: Option<Timestamp>) -> Result<(), Stop> {
    if !json.enter_array()? {
        let message = "UNIT_DATA is no array, no unit was read";
        outlet.summary.problems.push(Problem::new(message).in_field("UNIT_DATA"));
        return Ok(());
    }
    let (mut name, mut target) = (String::new(), String::new());
    while json.next_element()? && !outlet.has_enough() {
        name.clear();
        target.clear();
        let mut seconds = None;
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            match key {
                "name" => name.push_str(json.string()?.unwrap_or_default()),
                "target" => target.push_str(json.string()?.unwrap_or_default().trim()),
                "duration" => {
                    let number = json.number()?.and_then(|text| text.parse::<f64>().ok());
                    seconds = number.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
                }
                _ => json.skip()?,
            }
        }
        if name.is_empty() || seconds.is_none() {
            let field = if name.is_empty() { "name" } else { "duration" };
            let message = "missing or no value of its kind, the unit was left out";
            outlet.summary.problems.push_with(|| Problem::new(message).in_field(field));
            continue;
        }
        if !target.is_empty() {
            name.push(' ');
            name.push_str(&target);
        }
        outlet.build(BuildRow { name: &name, duration_seconds: seconds, success: None, at });
    }
    Ok(())
}

/// Text of the page that is kept.
const MOST_HEAD_BYTES: usize = 1 << 20;

/// Reads to the end of the first `needle`; answers the text before it, or `None` where there is none.
fn read_past(input: &mut Utf8Input<'_>, needle: &[u8]) -> Result<Option<String>, ReadError> {
    let mut head = Vec::new();
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return match head.is_empty() {
                true => Err(ReadError::Empty),
                false => Ok(None),
            };
        }
        let searched_from = head.len().saturating_sub(needle.len() - 1);
        let (before, taken) = (head.len(), buffer.len());
        head.extend_from_slice(buffer);
        let found = memchr::memmem::find(head.get(searched_from..).unwrap_or_default(), needle);
        let Some(at) = found else {
            input.consume(taken);
            if head.len() > MOST_HEAD_BYTES {
                return Ok(None);
            }
            continue;
        };
        let end = searched_from + at + needle.len();
        input.consume(end - before);
        head.truncate(end - needle.len());
        return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
    }
}

/// What the table at the top says beside a heading.
fn cell<'a>(head: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(heading)?;
    let (_, rest) = rest.split_once("<td>")?;
    rest.split('<').next().map(str::trim)
}
