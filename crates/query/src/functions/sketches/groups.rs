//! A sketch for each group.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, LargeBinaryBuilder};
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use manometer_stats::Sketch;

use super::answer::{self, Answer};
use super::input::{Encoded, Input, first, merge_encoded};
use crate::functions::numbers;

/// The sketches of all groups, by the number of the group.
#[derive(Debug)]
pub(super) struct SketchGroups {
    input: Input,
    answer: Answer,
    sketches: Vec<Sketch>,
    /// What the sketches hold besides their own struct. Kept up to date: adding it up anew for each batch would cost
    /// more than counting, where groups are many.
    held_bytes: usize,
}

impl SketchGroups {
    pub(super) fn new(input: Input, answer: Answer) -> Self {
        Self { input, answer, sketches: Vec::new(), held_bytes: 0 }
    }

    /// Changes the sketch of a group and keeps account of its memory.
    fn change<T>(&mut self, group: usize, change: impl FnOnce(&mut Sketch) -> T) -> Option<T> {
        let sketch = self.sketches.get_mut(group)?;
        let before = sketch.memory_bytes();
        let result = change(sketch);
        self.held_bytes = self.held_bytes.saturating_add(sketch.memory_bytes()).saturating_sub(before);
        Some(result)
    }

    fn merge(&mut self, column: &ArrayRef, groups: &[usize], filter: Option<&BooleanArray>) -> Result<()> {
        if column.null_count() == column.len() {
            return Ok(());
        }
        let encoded = Encoded::of(column)?;
        for (row, group) in groups.iter().enumerate() {
            if !numbers::passes(filter, row) {
                continue;
            }
            if let Some(bytes) = encoded.row(row) {
                self.change(*group, |sketch| merge_encoded(sketch, bytes)).transpose()?;
            }
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Sketch> {
        let taken = emit_to.take_needed(&mut self.sketches);
        let left: usize = taken.iter().map(|sketch| sketch.memory_bytes() - size_of::<Sketch>()).sum();
        self.held_bytes = self.held_bytes.saturating_sub(left);
        taken
    }
}

impl GroupsAccumulator for SketchGroups {
    fn update_batch(
        &mut self,
        arguments: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.sketches.resize_with(group_count.max(self.sketches.len()), Sketch::new);
        let (sketches, numbers) = self.input.of(arguments)?;
        if let Some(sketches) = sketches {
            self.merge(sketches, groups, filter)?;
        }
        if let Some(numbers) = numbers {
            numbers::for_each_stretch(numbers, groups, filter, |group, values| {
                self.change(group, |sketch| sketch.extend(values));
            });
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], group_count: usize) -> Result<()> {
        self.sketches.resize_with(group_count.max(self.sketches.len()), Sketch::new);
        self.merge(first(states)?, groups, None)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sketches = self.take(emit_to);
        self.answer.of(&sketches)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let sketches = self.take(emit_to);
        Ok(vec![answer::state(&sketches)])
    }

    fn convert_to_state(
        &self,
        arguments: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let (sketches, values) = self.input.of(arguments)?;
        let sketches = sketches.map(Encoded::of).transpose()?;
        let mut states = LargeBinaryBuilder::new();
        for row in 0..first(arguments)?.len() {
            let passes = numbers::passes(filter, row);
            let sketch = sketches.as_ref().filter(|_| passes).and_then(|sketches| sketches.row(row));
            let values = values.filter(|values| passes && values.is_valid(row));
            match (sketch, values.and_then(|values| answer::state_of(values.value(row)))) {
                (Some(sketch), _) => states.append_value(sketch),
                (None, of_value) => states.append_option(of_value),
            }
        }
        Ok(vec![Arc::new(states.finish())])
    }

    fn size(&self) -> usize {
        self.sketches.capacity() * size_of::<Sketch>() + self.held_bytes
    }
}
