//! One sketch over all rows: a query without groups, or a window.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use manometer_stats::Sketch;

use super::answer::{self, Answer};
use super::input::{Encoded, Input, first, merge_encoded};
use crate::functions::numbers;

/// One sketch.
#[derive(Debug)]
pub(super) struct WholeSketch {
    input: Input,
    answer: Answer,
    sketch: Sketch,
}

impl WholeSketch {
    pub(super) fn new(input: Input, answer: Answer) -> Self {
        Self { input, answer, sketch: Sketch::new() }
    }

    fn merge(&mut self, column: &ArrayRef) -> Result<()> {
        let encoded = Encoded::of(column)?;
        (0..column.len())
            .filter_map(|row| encoded.row(row))
            .try_for_each(|bytes| merge_encoded(&mut self.sketch, bytes))
    }
}

impl Accumulator for WholeSketch {
    fn update_batch(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        let (sketches, values) = self.input.of(arguments)?;
        if let Some(sketches) = sketches {
            self.merge(sketches)?;
        }
        let Some(values) = values else { return Ok(()) };
        match numbers::kept(values, None) {
            None => {
                self.sketch.extend(values.values());
            }
            Some(kept) => {
                for (start, end) in kept.valid_slices() {
                    self.sketch.extend(values.values().get(start..end).unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.merge(first(states)?)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let column = answer::state(std::slice::from_ref(&self.sketch));
        Ok(vec![ScalarValue::try_from_array(&column, 0)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.answer.of(std::slice::from_ref(&self.sketch))?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sketch.memory_bytes()
    }
}
