//! Attributes and texts of the formats that are XML, on their way into fields.

use manometer_model::Timestamp;

use super::duration::Durations;
use super::tests_in::TestsIn;
use super::values;
use crate::xml::{Attribute, Flaws, Tag, Text};

/// The attributes of a tag that are well formed; the walk reports the others.
pub(crate) fn attributes<'a>(tag: &Tag<'a>) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
    tag.attributes().flatten()
}

/// The value of an attribute, as far as it fits into a name.
pub(crate) fn name_of(tests: &mut TestsIn<'_, '_>, tag: &Tag<'_>, name: &str) -> String {
    let mut out = String::new();
    if let Some(attribute) = attributes(tag).find(|attribute| attribute.name == name) {
        let limit = tests.limits.name_bytes;
        let flaws = attribute.append_to(&mut out, limit);
        values::report(tests.problems(), flaws, limit, &format!("{}.{name}", tag.name()), tag.place);
    }
    out
}

/// Which text of a test is meant.
pub(crate) type Field = fn(&mut super::case::Case) -> &mut String;

/// Puts an attribute into a field that is a name.
pub(crate) fn keep_name(tests: &mut TestsIn<'_, '_>, tag: &Tag<'_>, attribute: &Attribute<'_>, field: Field) {
    let limit = tests.limits.name_bytes;
    keep(tests, tag, attribute, field, limit);
}

fn keep(tests: &mut TestsIn<'_, '_>, tag: &Tag<'_>, attribute: &Attribute<'_>, field: Field, limit: usize) {
    let flaws = attribute.append_to(field(&mut tests.case), limit);
    report(tests, tag, attribute, flaws, limit);
}

fn report(tests: &mut TestsIn<'_, '_>, tag: &Tag<'_>, attribute: &Attribute<'_>, flaws: Flaws, limit: usize) {
    if flaws.any() {
        let field = format!("{}.{}", tag.name(), attribute.name);
        values::report(tests.problems(), flaws, limit, &field, tag.place);
    }
}

/// Appends a piece of text to what the failure said; `name` is that of the element, as a problem names it.
pub(crate) fn append_message(tests: &mut TestsIn<'_, '_>, text: &Text<'_>, name: &str) {
    let limit = tests.limits.message_bytes;
    append_text(tests, text, |case| &mut case.main.message, limit, name);
}

/// The same with the stack trace.
pub(crate) fn append_details(tests: &mut TestsIn<'_, '_>, text: &Text<'_>, name: &str) {
    let limit = tests.limits.details_bytes;
    append_text(tests, text, |case| &mut case.main.details, limit, name);
}

/// The same with what the test printed.
pub(crate) fn append_output(tests: &mut TestsIn<'_, '_>, text: &Text<'_>, name: &str) {
    let limit = tests.limits.details_bytes;
    append_text(tests, text, |case| &mut case.main.output, limit, name);
}

/// White space before a text is layout.
fn append_text(tests: &mut TestsIn<'_, '_>, text: &Text<'_>, field: Field, limit: usize, name: &str) {
    let out = field(&mut tests.case);
    if text.is_blank() && out.is_empty() {
        return;
    }
    let was_full = out.len() >= limit;
    let flaws = text.append_to(out, limit);
    if !was_full {
        values::report(tests.problems(), flaws, limit, name, text.place);
    }
}

/// A duration in seconds, in any locale.
pub(crate) fn seconds(
    tests: &mut TestsIn<'_, '_>,
    tag: &Tag<'_>,
    attribute: &Attribute<'_>,
    durations: &mut Durations,
) -> Option<f64> {
    let field = format!("{}.{}", tag.name(), attribute.name);
    values::duration(attribute, durations, tests.problems(), &field, tag.place)
}

/// A time.
pub(crate) fn time(
    tests: &mut TestsIn<'_, '_>,
    tag: &Tag<'_>,
    attribute: &Attribute<'_>,
) -> Option<Timestamp> {
    let field = format!("{}.{}", tag.name(), attribute.name);
    values::timestamp(attribute, tests.problems(), &field, tag.place)
}

/// A time whose day and clock are told apart; `None` where no day is told, and with a problem for what is no time.
pub(crate) fn day_and_clock(
    tests: &mut TestsIn<'_, '_>,
    tag: &Tag<'_>,
    day: &str,
    clock: &str,
    field: &str,
) -> Option<Timestamp> {
    if day.is_empty() {
        return None;
    }
    match Timestamp::parse_lenient(format!("{day} {clock}").trim()) {
        Ok(at) => Some(at),
        Err(error) => {
            tests.problem(tag.line(), field, &error.to_string());
            None
        }
    }
}

/// A whole number; 0 or less is none.
pub(crate) fn line_number(
    tests: &mut TestsIn<'_, '_>,
    tag: &Tag<'_>,
    attribute: &Attribute<'_>,
) -> Option<i64> {
    match attribute.raw().trim().parse() {
        Ok(line) => Some(line).filter(|line| *line > 0),
        Err(_) => {
            let field = format!("{}.{}", tag.name(), attribute.name);
            values::bad_value(tests.problems(), attribute, "not a whole number", &field, tag.place);
            None
        }
    }
}
