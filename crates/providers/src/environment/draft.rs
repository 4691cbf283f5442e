//! A context being put together: the first word on a field wins, and only words that can be used are taken.

use std::collections::BTreeMap;
use std::path::Path;

use manometer_model::{Labels, Limits, Problem, Problems};

use super::{Field, Surroundings, Told};
use crate::platform;

/// What a system's reader writes into.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    around: &'a Surroundings<'a>,
    pub(super) told: BTreeMap<Field, Told>,
    pub(super) labels: Labels,
    pub(super) problems: Problems,
}

impl<'a> Draft<'a> {
    pub(super) fn new(around: &'a Surroundings<'a>) -> Self {
        Self { around, told: BTreeMap::new(), labels: Labels::new(), problems: Problems::new() }
    }

    /// A variable that says something: not empty, and no macro that its system left unreplaced.
    pub(super) fn variable(&self, name: &str) -> Option<&'a str> {
        variable(self.around, name)
    }

    /// Is a variable set to this word, in whatever case?
    pub(super) fn is(&self, name: &str, word: &str) -> bool {
        self.variable(name).is_some_and(|value| value.eq_ignore_ascii_case(word))
    }

    /// Takes the first of these variables that can be used.
    pub(super) fn take(&mut self, field: Field, names: &[&str]) {
        for name in names {
            if let Some(value) = self.variable(name) {
                self.set(field, value, name);
            }
        }
    }

    /// Takes the first of these variables for which `read` finds something.
    pub(super) fn take_with<T: Into<String>>(
        &mut self,
        field: Field,
        names: &[&str],
        read: impl Fn(&'a str) -> Option<T>,
    ) {
        for name in names {
            if let Some(value) = self.variable(name).and_then(&read) {
                self.set(field, value, name);
            }
        }
    }

    /// Says one thing, unless it was said before. What no column could hold is refused with a problem.
    pub(super) fn set(&mut self, field: Field, value: impl Into<String>, origin: &str) {
        if self.told.contains_key(&field) {
            return;
        }
        let value = value.into();
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        match check(field, value) {
            Ok(value) => {
                self.told.insert(field, Told { value, origin: origin.to_owned() });
            }
            Err(expected) => self.problems.push(
                Problem::new(format!("`{}` is not {expected}; it is left out", shown(value)))
                    .in_field(format!("{origin} ({})", field.name())),
            ),
        }
    }

    /// Keeps a variable as a label.
    pub(super) fn label(&mut self, key: &str, names: &[&str]) {
        for name in names {
            if let Some(value) = self.variable(name)
                && is_usable(value)
            {
                self.labels.entry(key.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
    }

    /// What was told about a field so far.
    pub(super) fn get(&self, field: Field) -> Option<&str> {
        self.told.get(&field).map(|told| told.value.as_str())
    }

    /// Forgets a field, for a system whose better source came late.
    pub(super) fn forget(&mut self, field: Field) {
        self.told.remove(&field);
    }

    /// Notes what could not be used, and the variable to blame.
    pub(super) fn problem(&mut self, variable: &str, message: String) {
        self.problems.push(Problem::new(message).in_field(variable));
    }

    /// Reads a file of the CI system.
    pub(super) fn file(&self, path: &str, most_bytes: u64) -> Option<Vec<u8>> {
        self.around.files.read(Path::new(path), most_bytes)
    }

    /// What git says.
    pub(super) fn git(&self) -> &'a super::GitFacts {
        &self.around.git
    }
}

/// A variable that says something.
pub(super) fn variable<'a>(around: &'a Surroundings<'_>, name: &str) -> Option<&'a str> {
    let value = around.variables.get(name)?.trim();
    let is_macro = value.starts_with("$(") && value.ends_with(')');
    (!value.is_empty() && !is_macro).then_some(value)
}

/// The value as the field's column takes it, or what it should have been.
fn check(field: Field, value: &str) -> Result<String, &'static str> {
    if !is_usable(value) {
        return Err("a text without control characters of at most 4096 bytes");
    }
    match field {
        Field::Attempt => whole_number(value, 1).ok_or("a whole number from 1"),
        Field::Number => whole_number(value, 0).ok_or("a whole number from 0"),
        Field::IsDefaultBranch => match value.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok("true".to_owned()),
            "false" | "0" => Ok("false".to_owned()),
            _ => Err("true or false"),
        },
        Field::Url if !(value.starts_with("https://") || value.starts_with("http://")) => {
            Err("an http:// or https:// address")
        }
        Field::RunnerOs => platform::os(value).ok_or("the name of an operating system"),
        Field::RunnerArch => platform::arch(value).ok_or("the name of a processor"),
        _ => Ok(value.to_owned()),
    }
}

fn is_usable(value: &str) -> bool {
    value.len() <= Limits::default().name_bytes && !value.contains(char::is_control)
}

fn whole_number(value: &str, least: i64) -> Option<String> {
    value.parse::<i64>().ok().filter(|number| *number >= least).map(|number| number.to_string())
}

fn shown(value: &str) -> String {
    value.chars().take(64).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
