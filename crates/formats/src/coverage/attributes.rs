//! Attributes of the coverage formats that are XML.

use manometer_model::{Problem, Problems};

use super::numbers::{self, NumberError};
use crate::xml::Tag;

/// Puts the value of the first of the named attributes that the tag has into `out`, which is emptied before.
pub(super) fn text_of(
    tag: &Tag<'_>,
    names: &[&str],
    out: &mut String,
    limit: usize,
    problems: &mut Problems,
) {
    out.clear();
    append_text_of(tag, names, out, limit, problems);
}

/// The same, appending.
pub(super) fn append_text_of(
    tag: &Tag<'_>,
    names: &[&str],
    out: &mut String,
    limit: usize,
    problems: &mut Problems,
) {
    for name in names {
        let Some(attribute) = tag.attributes().flatten().find(|attribute| attribute.name == *name) else {
            continue;
        };
        let flaws = attribute.append_to(out, limit);
        if flaws.any() {
            problems.push_with(|| {
                Problem::new(flaws.describe(limit))
                    .at_line(tag.line())
                    .in_field(format!("{}.{name}", tag.name()))
            });
        }
        return;
    }
}

/// The numbers that stand in the named attributes, in their order.
pub(super) fn numbers_of<T: Copy, const N: usize>(
    tag: &Tag<'_>,
    names: [&str; N],
    number: fn(&str) -> Result<T, NumberError>,
    problems: &mut Problems,
) -> [Option<T>; N] {
    let mut values = [None; N];
    for attribute in tag.attributes().flatten() {
        let value = names.iter().position(|name| *name == attribute.name).and_then(|at| values.get_mut(at));
        let Some(value) = value else { continue };
        *value = number_of(tag, attribute.name, attribute.raw(), number, problems);
    }
    values
}

/// The number in one attribute; a problem where it is none.
pub(super) fn number_of<T>(
    tag: &Tag<'_>,
    name: &str,
    raw: &str,
    number: fn(&str) -> Result<T, NumberError>,
    problems: &mut Problems,
) -> Option<T> {
    match number(raw) {
        Ok(value) => Some(value),
        Err(error) => {
            problems.push_with(|| {
                numbers::problem(raw, error).at_line(tag.line()).in_field(format!("{}.{name}", tag.name()))
            });
            None
        }
    }
}
