//! Reports that are one JSON object a line, with other lines between them.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use serde_json::{Map, Value};

use crate::ReadError;
use crate::text_lines::{TextLines, Utf8Input};

/// What a line is.
pub(crate) enum JsonLine<'a> {
    /// An object.
    Object(Fields<'a>),
    /// Something else that was printed between the objects.
    Other(&'a str),
}

/// The fields of one line.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// The line they are from.
    pub(crate) line: u64,
}

/// Reads the lines of an input, giving each with its number and a place for problems to `take`, which answers whether
/// it wants more. A line that begins as an object and is none costs itself.
///
/// Memory: one line of at most [`Limits::record_bytes`] and its values.
pub(crate) fn read_lines<R>(
    input: &mut dyn BufRead,
    limits: &Limits,
    reader: &mut R,
    problems: fn(&mut R) -> &mut Problems,
    mut take: impl FnMut(&mut R, JsonLine<'_>, u64) -> bool,
) -> Result<(), ReadError> {
    let mut utf8 = Utf8Input::new(input)?;
    let mut lines = TextLines::new(&mut utf8, limits);
    let mut has_begun = false;
    while let Some((number, text)) = lines.next(problems(reader))? {
        has_begun = true;
        let goes_on = if text.starts_with('{') {
            match serde_json::from_str::<Map<String, Value>>(text) {
                Ok(map) => take(reader, JsonLine::Object(Fields { map: &map, line: number }), number),
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
                    problems(reader).push_with(|| {
                        Problem::new(format!("{reason}, the line was left out")).at_line(number)
                    });
                    true
                }
            }
        } else {
            take(reader, JsonLine::Other(text), number)
        };
        if !goes_on {
            break;
        }
    }
    if has_begun { Ok(()) } else { Err(ReadError::Empty) }
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
