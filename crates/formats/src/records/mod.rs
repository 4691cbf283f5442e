//! Records as NDJSON: one JSON object a line, its kind in `"type"`.
//!
//! ```text
//! {"type":"run","provider":"github","project":"github.com/acme/shop","run_id":"42"}
//! {"type":"test","provider":"github","project":"github.com/acme/shop","run_id":"42","name":"adds","status":"passed"}
//! ```
//!
//! Every record type of the model is read. A line that cannot be used costs that line; a field the model
//! does not know costs that field. Both are problems that name the line and the field.
//!
//! Memory: one line, at most [`Limits::record_bytes`].

mod line;

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::{Limits, Problem, Problems, Record};

use crate::ReadError;
use crate::detect::Look;
use crate::lines::{Line, Lines};

/// What an input of records was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordsSummary {
    /// Lines that are not blank.
    pub lines: u64,
    /// Records given to the sink.
    pub records: u64,
    /// Lines that could not be used.
    pub refused: u64,
    /// What was wrong with them, and fields that are not known.
    pub problems: Problems,
}

/// Reads records, giving each to `sink`; `Break` ends the reading.
///
/// A test without a `test_id` gets the one made of its suite, class name, name and parameters.
///
/// # Errors
/// When the input fails or has no line that is not blank. Records given before an input failed are not taken
/// back.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<RecordsSummary, ReadError> {
    let mut summary = RecordsSummary::default();
    let mut lines = Lines::new(input, limits.record_bytes);
    while let Some((number, content)) = lines.next()? {
        let bytes = match content {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => continue,
            Line::Whole(bytes) => bytes.trim_ascii(),
            Line::TooLong => {
                summary.lines += 1;
                summary.refused += 1;
                let limit = limits.record_bytes;
                summary.problems.push_with(|| {
                    Problem::new(format!(
                        "longer than {limit} bytes (limit `record_bytes`), the line was left out"
                    ))
                    .at_line(number)
                });
                continue;
            }
        };
        summary.lines += 1;
        match line::read(bytes, number, limits, &mut summary.problems) {
            Ok(record) => {
                summary.records += 1;
                if sink(record).is_break() {
                    return Ok(summary);
                }
            }
            Err(problem) => {
                summary.refused += 1;
                summary.problems.push(problem.at_line(number));
            }
        }
    }
    if summary.lines == 0 {
        return Err(ReadError::Empty);
    }
    Ok(summary)
}

/// Is it a line of JSON with a `type`?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let first_line = look.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    // A line longer than what is looked at gets the benefit of the doubt.
    first_line.starts_with('{') && (first_line.contains("\"type\"") || !look.text.trim_start().contains('\n'))
}
