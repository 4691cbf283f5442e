//! What was wrong with an input that was otherwise taken.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing a reader could not use, said so that its sender can mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file inside the upload, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line of the input, counted from 1, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The field or attribute, where one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what was done about it.
    pub message: String,
}

impl Problem {
    /// A problem with a message alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self { file: None, line: None, field: None, message: message.into() }
    }

    /// The same at a line.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same, blaming a field.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same, in a file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{file}: ")?;
        }
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, "{field}: ")?;
        }
        formatter.write_str(&self.message)
    }
}

/// The problems of one input: all are counted, the first [`Problems::KEPT`] are kept, so that a file of
/// ten million bad values costs no memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// How many there were.
    pub total: u64,
    /// The first of them.
    pub first: Vec<Problem>,
}

impl Problems {
    /// How many problems of one input are kept with their text.
    pub const KEPT: usize = 100;

    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a problem, and keeps it while there is room. `make` runs only when it is kept.
    pub fn push_with(&mut self, make: impl FnOnce() -> Problem) {
        self.total += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(make());
        }
    }

    /// Counts a problem, and keeps it while there is room.
    pub fn push(&mut self, problem: Problem) {
        self.push_with(|| problem);
    }

    /// Were there none?
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Adds the problems of a part of the input, naming the file they are from.
    pub fn absorb(&mut self, part: Problems, file: Option<&str>) {
        self.total += part.total;
        let room = Self::KEPT.saturating_sub(self.first.len());
        self.first.extend(part.first.into_iter().take(room).map(|mut problem| {
            if problem.file.is_none() {
                problem.file = file.map(str::to_owned);
            }
            problem
        }));
    }
}
