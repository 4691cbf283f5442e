//! What `EXPLAIN` answers, for a terminal: plans are trees of several lines, and no cell of a table.

use bytes::Bytes;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;

use super::{Encoder, cell, failed_to_encode};
use crate::{QueryError, Summary};

/// The columns of such an answer: which plan it is, and its text.
const COLUMNS: [&str; 2] = ["plan_type", "plan"];
/// Before each line of a plan.
const INDENT: &str = "  ";

/// Writes each plan below its name, with the lines it has.
pub(super) struct Plans;

impl Plans {
    /// Is this the answer to `EXPLAIN`?
    pub(super) fn are(schema: &Schema) -> bool {
        schema.fields().iter().map(|field| field.name().as_str()).eq(COLUMNS)
    }
}

impl Encoder for Plans {
    fn start(&mut self) -> Result<Bytes, QueryError> {
        Ok(Bytes::new())
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError> {
        let [names, plans] = batch.columns() else { return Ok(Bytes::new()) };
        let failed = |error| failed_to_encode("a plan", error);
        let names = cell::formatter(names).map_err(failed)?;
        let plans = cell::formatter(plans).map_err(failed)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            push_lines(&mut text, "", &names.value(row).to_string());
            push_lines(&mut text, INDENT, &plans.value(row).to_string());
        }
        Ok(text.into())
    }

    fn finish(&mut self, _summary: &Summary) -> Result<Bytes, QueryError> {
        Ok(Bytes::new())
    }
}

/// Whatever a plan quotes of a query, nothing of it steers the terminal.
fn push_lines(text: &mut String, indent: &str, lines: &str) {
    for line in lines.lines() {
        text.push_str(indent);
        text.extend(line.chars().map(cell::harmless));
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines_and_control_characters_do_not_reach_the_terminal() {
        let mut text = String::new();
        push_lines(&mut text, INDENT, "Sort: a\n  Filter: b = '\u{1b}[31m'\n");
        assert_eq!(text, "  Sort: a\n    Filter: b = '\u{fffd}[31m'\n");
    }
}
