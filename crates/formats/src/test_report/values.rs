//! Attribute values on their way into fields, and the problems of those that cannot go there.

use manometer_model::{Problem, Problems, TestStatus, Timestamp};

use super::duration::Durations;
use crate::xml::{Attribute, Flaws, Place, Tag};

/// Takes an attribute that is well formed; reports one that is not.
pub(crate) fn well_formed<'a>(
    attribute: Result<Attribute<'a>, String>,
    tag: &Tag<'_>,
    problems: &mut Problems,
) -> Option<Attribute<'a>> {
    match attribute {
        Ok(attribute) => Some(attribute),
        Err(message) => {
            problems.push_with(|| {
                Problem::new(format!("malformed attribute left out: {message}"))
                    .at_line(tag.line())
                    .in_field(clipped(tag.name()))
            });
            None
        }
    }
}

/// Puts an attribute's value into an empty field. A repeated attribute keeps its first value.
pub(crate) fn keep(
    attribute: &Attribute<'_>,
    out: &mut String,
    limit: usize,
    problems: &mut Problems,
    field: &str,
    place: Place<'_>,
) {
    if !out.is_empty() {
        problems.push_with(|| {
            Problem::new("given twice, the first counts").at_line(place.line()).in_field(field)
        });
        return;
    }
    let flaws = attribute.append_to(out, limit);
    report(problems, flaws, limit, field, place);
}

/// A duration; `None`, and a problem, where there is none in the value.
pub(crate) fn duration(
    attribute: &Attribute<'_>,
    durations: &mut Durations,
    problems: &mut Problems,
    field: &str,
    place: Place<'_>,
) -> Option<f64> {
    match durations.read(attribute.raw()) {
        Ok(seconds) => Some(seconds),
        Err(error) => {
            bad_value(problems, attribute, &error.to_string(), field, place);
            None
        }
    }
}

/// A time; `None` for the epoch, which writers give for never, and with a problem for what is no time.
pub(crate) fn timestamp(
    attribute: &Attribute<'_>,
    problems: &mut Problems,
    field: &str,
    place: Place<'_>,
) -> Option<Timestamp> {
    match Timestamp::parse_lenient(attribute.raw()) {
        Ok(at) => Some(at).filter(|at| at.as_micros() != 0),
        Err(_) => {
            bad_value(problems, attribute, "not a time", field, place);
            None
        }
    }
}

/// Reports the flaws of a text, if it has any.
pub(crate) fn report(problems: &mut Problems, flaws: Flaws, limit: usize, field: &str, place: Place<'_>) {
    if flaws.any() {
        problems.push_with(|| Problem::new(flaws.describe(limit)).at_line(place.line()).in_field(field));
    }
}

/// Reports a value that is left out.
pub(crate) fn bad_value(
    problems: &mut Problems,
    attribute: &Attribute<'_>,
    reason: &str,
    field: &str,
    place: Place<'_>,
) {
    problems.push_with(|| {
        Problem::new(format!("`{}` is {reason}, left out", clipped(attribute.raw())))
            .at_line(place.line())
            .in_field(field)
    });
}

/// What googletest, CTest and others say in the attributes `status` and `result`.
pub(crate) fn stated_status(word: &str) -> Option<TestStatus> {
    const WORDS: &[(&str, TestStatus)] = &[
        ("fail", TestStatus::Failed),
        ("failed", TestStatus::Failed),
        ("failure", TestStatus::Failed),
        ("timeout", TestStatus::Failed),
        ("error", TestStatus::Error),
        ("broken", TestStatus::Error),
        ("notrun", TestStatus::Skipped),
        ("disabled", TestStatus::Skipped),
        ("skipped", TestStatus::Skipped),
        ("ignored", TestStatus::Skipped),
        ("pending", TestStatus::Skipped),
        ("suppressed", TestStatus::Skipped),
    ];
    let word = word.trim();
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, status)| *status)
}

/// A line end between two texts that are joined in one field.
pub(crate) fn separate(out: &mut String, limit: usize) {
    if !out.is_empty() && !out.ends_with('\n') && out.len() < limit {
        out.push('\n');
    }
}

/// Enough of a text to recognise it in a message.
pub(crate) fn clipped(text: &str) -> String {
    text.get(..text.floor_char_boundary(64)).unwrap_or_default().to_owned()
}
