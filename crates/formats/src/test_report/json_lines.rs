//! Reports that are one JSON object a line, with other lines between them.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use serde_json::{Map, Value};

use super::Summary;
use super::tests_in::TestsIn;
use crate::ReadError;
use crate::text_lines::TextLines;

/// The fields of one line.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// The line they are from.
    pub(crate) line: u64,
}

/// What a format of such reports makes of each line.
pub(crate) trait LineReport<'l, 's> {
    /// What an input lacks that has not one line of the format: `no event of go test`.
    const LACKS: &'static str;
    /// What would have been taken.
    const EXPECTED: &'static str;

    fn tests(&mut self) -> &mut TestsIn<'l, 's>;

    /// A line that is an object.
    fn object(&mut self, fields: Fields<'_>);

    /// A line that was printed between the objects.
    fn other(&mut self, _text: &str, line: u64) {
        self.tests().problem(line, "line", "not a JSON object, left out");
    }

    /// Was there a line of the format?
    fn was_met(&self) -> bool;

    /// Gives what was held, once the lines are over.
    fn end(&mut self);

    fn into_tests(self) -> TestsIn<'l, 's>;
}

/// Reads a report. A line that begins as an object and is none costs itself.
///
/// Memory: one line of at most [`Limits::record_bytes`] and its values, and what the format holds.
pub(crate) fn read_report<'l, 's, R: LineReport<'l, 's>>(
    input: &mut dyn BufRead,
    limits: &Limits,
    mut report: R,
) -> Result<Summary, ReadError> {
    let mut lines = TextLines::open(input, limits)?;
    let mut has_begun = false;
    while let Some((line, text)) = lines.next(report.tests().problems())? {
        has_begun = true;
        if !text.starts_with('{') {
            report.other(text, line);
        } else {
            match serde_json::from_str::<Map<String, Value>>(text) {
                Ok(map) => report.object(Fields { map: &map, line }),
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.split(" at line ").next().unwrap_or_default();
                    report
                        .tests()
                        .problems()
                        .push_with(|| Problem::new(format!("{reason}, the line was left out")).at_line(line));
                }
            }
        }
        if report.tests().is_done {
            break;
        }
    }
    if !has_begun {
        return Err(ReadError::Empty);
    }
    if !report.was_met() {
        return Err(ReadError::UnknownFormat { found: R::LACKS.to_owned(), expected: R::EXPECTED });
    }
    report.end();
    Ok(report.into_tests().finish())
}

impl<'a> Fields<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, what: &str, problems: &mut Problems) {
        problems.push_with(|| Problem::new(format!("not {what}, left out")).at_line(self.line).in_field(key));
    }

    /// Is there such a field?
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text; `None`, with a problem, for another value.
    pub(crate) fn text(&self, key: &str, problems: &mut Problems) -> Option<&'a str> {
        let value = self.get(key)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong(key, "a text", problems);
        }
        text
    }

    /// A finite number, or a text that holds one.
    pub(crate) fn number(&self, key: &str, problems: &mut Problems) -> Option<f64> {
        let value = self.get(key)?;
        let number = value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok())
            .filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.wrong(key, "a number", problems);
        }
        number
    }

    /// A duration in units of which a second has `units`.
    pub(crate) fn duration(&self, key: &str, units: f64, problems: &mut Problems) -> Option<f64> {
        let seconds = self.number(key, problems)? / units;
        if seconds < 0.0 {
            self.wrong(key, "a duration, but negative", problems);
            return None;
        }
        Some(seconds)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// The fields of an object inside.
    pub(crate) fn object(&self, key: &str) -> Option<Fields<'a>> {
        let map = self.get(key)?.as_object()?;
        Some(Fields { map, line: self.line })
    }

    /// The elements of an array; none where there is another value.
    pub(crate) fn array(&self, key: &str) -> &'a [Value] {
        self.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The objects in an array.
    pub(crate) fn objects(&self, key: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        let line = self.line;
        self.array(key).iter().filter_map(Value::as_object).map(move |map| Fields { map, line })
    }
}
