//! What is held of all groups, and from it the answers.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, LargeBinaryBuilder};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::held::{Held, values_of};
use super::question::Question;
use crate::functions::numbers::{for_each_stretch, kept, passes};
use crate::functions::sketches::Encoded;

/// Bytes of values held one by one before the large groups become histograms, where there is a second pass.
const MOST_HELD_BYTES: usize = 8 << 20;
/// Values of a group that stay: fewer take no more memory than its histogram would.
const ALWAYS_HELD: usize = 256;

/// What the function is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Input {
    /// A column of values.
    Values,
    /// Of roll-ups encoded sketches and how many values each row stands for, then of rows the values.
    Both,
}

impl Input {
    fn values(self, arguments: &[ArrayRef]) -> Result<&Float64Array> {
        let place = match self {
            Self::Values => 0,
            Self::Both => 2,
        };
        let column = arguments.get(place).ok_or_else(without_input)?;
        Ok(column.as_primitive::<Float64Type>())
    }
}

/// What is held of all groups, by the number of the group.
#[derive(Debug)]
pub(super) struct Accumulated {
    /// What to answer; `None` where that is for the second pass to do.
    question: Option<Question>,
    input: Input,
    groups: Vec<Held>,
    held_bytes: usize,
    /// Has [`MOST_HELD_BYTES`] been passed?
    is_tight: bool,
}

impl Accumulated {
    /// Holds all values and answers.
    pub(super) fn only(question: Question) -> Self {
        Self::new(Some(question), Input::Values)
    }

    /// Holds what is bounded, for a second pass.
    pub(super) fn first(input: Input) -> Self {
        Self::new(None, input)
    }

    fn new(question: Option<Question>, input: Input) -> Self {
        Self { question, input, groups: Vec::new(), held_bytes: 0, is_tight: false }
    }

    pub(super) fn make_room(&mut self, group_count: usize) {
        self.groups.resize_with(group_count.max(self.groups.len()), Held::default);
    }

    fn change<T>(&mut self, group: usize, change: impl FnOnce(&mut Held) -> T) -> Option<T> {
        let held = self.groups.get_mut(group)?;
        let before = held.held_bytes();
        let result = change(held);
        if self.is_tight && held.values_held() > ALWAYS_HELD {
            held.keep_histogram();
        }
        self.held_bytes = self.held_bytes.saturating_add(held.held_bytes()).saturating_sub(before);
        if self.question.is_none() && !self.is_tight && self.held_bytes > MOST_HELD_BYTES {
            self.tighten();
        }
        Some(result)
    }

    #[cold]
    fn tighten(&mut self) {
        self.is_tight = true;
        for held in self.groups.iter_mut().filter(|held| held.values_held() > ALWAYS_HELD) {
            held.keep_histogram();
        }
        self.held_bytes = self.groups.iter().map(Held::held_bytes).sum();
    }

    fn merge(&mut self, states: &[ArrayRef], groups: impl Iterator<Item = usize>) -> Result<()> {
        let states = first(states)?.as_binary::<i64>();
        for (row, group) in groups.enumerate().take(states.len()) {
            if states.is_valid(row) {
                let bytes = states.value(row);
                self.change(group, |held| held.merge_encoded(bytes)).transpose()?;
            }
        }
        Ok(())
    }

    fn answers(&self, groups: &[Held]) -> ArrayRef {
        let Some(question) = &self.question else { return encoded(groups) };
        question.column(groups.iter().map(|held| {
            let Held::Values(values) = held else { return None };
            let count = values.len() as u64;
            let ranks = question.ranks(count);
            let found = values_of(&mut values.clone(), &ranks);
            let value_of = |rank| found.get(ranks.binary_search(&rank).ok()?).copied();
            (count > 0).then(|| question.answers(count, value_of))
        }))
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Held> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.held_bytes = self.held_bytes.saturating_sub(taken.iter().map(Held::held_bytes).sum());
        taken
    }
}

fn first(arguments: &[ArrayRef]) -> Result<&ArrayRef> {
    arguments.first().ok_or_else(without_input)
}

fn without_input() -> DataFusionError {
    DataFusionError::Internal("a percentile without input".to_owned())
}

/// The roll-ups among rows that pass the filter: where they stand, what they count, and their sketches.
fn rolled_up<'a>(
    arguments: &'a [ArrayRef],
    filter: Option<&'a BooleanArray>,
) -> Result<impl Iterator<Item = (usize, u64, Option<&'a [u8]>)>> {
    let [sketches, counts, values, ..] = arguments else { return Err(without_input()) };
    let (sketches, counts) = (Encoded::of(sketches)?, counts.as_primitive::<Int64Type>());
    Ok((0..counts.len()).filter(move |row| values.is_null(*row) && passes(filter, *row)).filter_map(
        move |row| {
            let count = counts.is_valid(row).then(|| counts.value(row))?;
            let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
            Some((row, count, sketches.row(row)))
        },
    ))
}

fn encoded(groups: &[Held]) -> ArrayRef {
    let mut column = LargeBinaryBuilder::new();
    groups.iter().for_each(|held| column.append_option(held.encode()));
    Arc::new(column.finish())
}

impl GroupsAccumulator for Accumulated {
    fn update_batch(
        &mut self,
        arguments: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.make_room(group_count);
        if self.input == Input::Both {
            for (row, count, sketch) in rolled_up(arguments, filter)? {
                let Some(group) = groups.get(row) else { continue };
                self.change(*group, |held| held.add_rolled_up(sketch, count)).transpose()?;
            }
        }
        for_each_stretch(self.input.values(arguments)?, groups, filter, |group, values| {
            self.change(group, |held| held.add(values));
        });
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], group_count: usize) -> Result<()> {
        self.make_room(group_count);
        self.merge(states, groups.iter().copied())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.take(emit_to);
        Ok(self.answers(&groups))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![encoded(&self.take(emit_to))])
    }

    fn convert_to_state(
        &self,
        arguments: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = self.input.values(arguments)?;
        let kept = kept(values, filter);
        let mut held: Vec<Option<Held>> = Vec::with_capacity(values.len());
        held.extend(values.values().iter().enumerate().map(|(row, value)| {
            let is_kept = kept.as_ref().is_none_or(|kept| kept.is_valid(row));
            is_kept.then(|| Held::Values(vec![*value]))
        }));
        if self.input == Input::Both {
            for (row, count, sketch) in rolled_up(arguments, filter)? {
                let mut rolled_up = Held::default();
                rolled_up.add_rolled_up(sketch, count)?;
                if let Some(place) = held.get_mut(row) {
                    *place = Some(rolled_up);
                }
            }
        }
        let mut column = LargeBinaryBuilder::with_capacity(values.len(), values.len() * 9);
        held.into_iter().for_each(|held| column.append_option(held.and_then(|held| held.encode())));
        Ok(vec![Arc::new(column.finish())])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<Held>() + self.held_bytes
    }
}

/// Of all rows as one group: a query without groups, or a window.
impl Accumulator for Accumulated {
    fn update_batch(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; first(arguments)?.len()];
        GroupsAccumulator::update_batch(self, arguments, &groups, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.merge(states, std::iter::repeat(0))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::try_from_array(&encoded(&self.groups), 0)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.answers(&self.groups), 0)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(self)
    }

    /// A frame moves forward, so what leaves it is what came first.
    fn retract_batch(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        let leaving = first(arguments)?;
        let leaving = leaving.len() - leaving.null_count();
        if let Some(Held::Values(values)) = self.groups.first_mut() {
            values.drain(..leaving.min(values.len()));
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        self.question.is_some()
    }
}
