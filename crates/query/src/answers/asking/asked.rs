//! Pairs of names and values, checked against the parameters a question knows.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::AnswerError;
use manometer_model::near_names::near_names;

/// One parameter of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterDoc {
    /// Its name, that of the flag too.
    pub name: &'static str,
    /// What stands for its value in help: `WHEN`.
    pub value: &'static str,
    /// What it says, what it takes, and what holds without it.
    pub doc: &'static str,
}

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    values: BTreeMap<String, String>,
}

const SHOWN_LETTERS: usize = 64;

impl Asked {
    /// Takes pairs whose names are known; of an empty value the name counts as not given, as forms send it.
    ///
    /// # Errors
    /// When a name is unknown or given twice.
    pub fn of(
        pairs: impl IntoIterator<Item = (String, String)>,
        known: &[ParameterDoc],
    ) -> Result<Self, AnswerError> {
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if !known.iter().any(|parameter| parameter.name == name) {
                let names: Vec<String> = known.iter().map(|parameter| parameter.name.to_owned()).collect();
                let near = near_names(&name, &names).join(", ");
                let shown = clipped(&name);
                return Err(AnswerError::asked(format!("`{shown}` is no parameter here; there are {near}")));
            }
            if value.trim().is_empty() {
                continue;
            }
            if values.insert(name.clone(), value).is_some() {
                return Err(AnswerError::asked(format!("{name}: given twice")));
            }
        }
        Ok(Self { values })
    }

    /// The value of a parameter that was given, without spaces around it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.trim())
    }

    /// The same as a text of its own.
    pub fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A whole number in a range.
    ///
    /// # Errors
    /// When it is none.
    pub fn whole(&self, name: &str, usual: u32, range: RangeInclusive<u32>) -> Result<u32, AnswerError> {
        let Some(text) = self.text(name) else { return Ok(usual) };
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let (first, last) = (range.start(), range.end());
            Self::refused(name, text, &format!("a whole number from {first} to {last}"))
        })
    }

    /// Yes or no.
    ///
    /// # Errors
    /// When it is neither.
    pub fn truth(&self, name: &str) -> Result<bool, AnswerError> {
        match self.text(name) {
            None | Some("false" | "no" | "0") => Ok(false),
            Some("true" | "yes" | "1" | "on") => Ok(true),
            Some(other) => Err(Self::refused(name, other, "true or false")),
        }
    }

    /// One of several words.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn choice<T: Copy>(
        &self,
        name: &str,
        usual: T,
        words: &[(&'static str, T)],
    ) -> Result<T, AnswerError> {
        let Some(text) = self.text(name) else { return Ok(usual) };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Self::refused(name, text, &format!("one of {}", all.join(", ")))
        })
    }

    /// The refusal of a value.
    pub fn refused(name: &str, value: &str, takes: &str) -> AnswerError {
        AnswerError::asked(format!("{name}: `{}` is not {takes}", clipped(value)))
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(SHOWN_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[ParameterDoc] = &[
        ParameterDoc { name: "service", value: "NAME", doc: "" },
        ParameterDoc { name: "limit", value: "COUNT", doc: "" },
    ];

    fn asked(pairs: &[(&str, &str)]) -> Result<Asked, AnswerError> {
        Asked::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())), KNOWN)
    }

    #[test]
    fn a_name_that_is_none_gets_the_near_ones_and_a_second_value_is_refused() {
        let message = asked(&[("servcie", "a")]).unwrap_err().to_string();
        assert!(message.contains("`servcie`") && message.contains("service"), "{message}");
        assert!(asked(&[("limit", "1"), ("limit", "2")]).unwrap_err().to_string().contains("twice"));
        assert_eq!(asked(&[("service", " "), ("service", "a")]).unwrap().text("service"), Some("a"));
    }

    #[test]
    fn values_that_are_none_are_answered_with_what_is_one() {
        let found = asked(&[("limit", "many"), ("service", "maybe")]).unwrap();
        assert!(found.whole("limit", 5, 1..=9).unwrap_err().to_string().contains("1 to 9"));
        assert!(found.truth("service").unwrap_err().to_string().contains("true or false"));
        assert!(found.choice("service", 1, &[("a", 1), ("b", 2)]).unwrap_err().to_string().contains("a, b"));
        assert_eq!(Asked::default().whole("limit", 5, 1..=9), Ok(5));
    }
}
