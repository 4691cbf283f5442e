//! What a segment and each of its companions have in common: how many rows, how many values, and their sketch.
//!
//! Bytes are guarded by checksums; this guards what was made of them: a companion that misses rows, or has some twice,
//! or of another segment, has other totals.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use manometer_model::rollup::ROW_COUNT;
use manometer_model::{Table, rollup_named, rollups_of};
use manometer_stats::Sketch;

/// Counts and sketch of the measure over all rows of a segment, or of a companion.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    rows: i64,
    values: i64,
    /// `None` of a companion without sketches.
    sketch: Option<Sketch>,
}

impl Totals {
    /// Are they of the same rows, as far as both can tell?
    pub(crate) fn agree(&self, other: &Self) -> bool {
        let same_sketch =
            self.sketch.as_ref().zip(other.sketch.as_ref()).is_none_or(|(ours, theirs)| ours == theirs);
        (self.rows, self.values) == (other.rows, other.values) && same_sketch
    }

    /// Adds a batch of a fact table that has roll-ups, or of a roll-up; of other tables nothing.
    ///
    /// # Errors
    /// When the batch has no such columns, or a sketch that cannot be read.
    pub(crate) fn add(&mut self, table: &Table, batch: &RecordBatch) -> Result<(), String> {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| format!("has no column {name}"));
        if let Some(rollup) = rollup_named(table.name) {
            let whole = |name: &str| {
                let numbers = column(name)?.as_primitive_opt::<Int64Type>();
                numbers.map(|numbers| arrow::compute::sum(numbers).unwrap_or(0)).ok_or_else(|| no_kind(name))
            };
            self.rows = self.rows.saturating_add(whole(ROW_COUNT)?);
            self.values = self.values.saturating_add(whole(rollup.measure.count)?);
            let Some(name) = rollup.measure.sketch else { return Ok(()) };
            let sketch = self.sketch.get_or_insert_default();
            let sketches = column(name)?.as_binary_opt::<i32>();
            for bytes in sketches.ok_or_else(|| no_kind(name))?.iter().flatten() {
                sketch.merge_encoded(bytes).map_err(|error| format!("has {error}"))?;
            }
            return Ok(());
        }
        let Some(rollup) = rollups_of(table).next() else { return Ok(()) };
        let name = rollup.measure.column;
        let measure = column(name)?.as_primitive_opt::<Float64Type>().ok_or_else(|| no_kind(name))?;
        self.rows = self.rows.saturating_add(i64::try_from(batch.num_rows()).unwrap_or(i64::MAX));
        self.values =
            self.values.saturating_add(i64::try_from(measure.len() - measure.null_count()).unwrap_or(0));
        let sketch = self.sketch.get_or_insert_default();
        for value in measure.iter().flatten() {
            sketch.add(value);
        }
        Ok(())
    }
}

fn no_kind(name: &str) -> String {
    format!("column {name} has another type than its table")
}
