//! Rows that agree, added up in memory until they are written.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, Float64Array, Int64Array, RecordBatch,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::take_arrays;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use manometer_model::rollup::{FIRST_AT, LAST_AT, ROW_COUNT};
use manometer_model::{Rollup, TableKind};
use manometer_stats::Sketch;
use xxhash_rust::xxh3::xxh3_64;

use super::alike::Alike;
use crate::hashing::OneHash;
use crate::schema::{arrow_schema, arrow_type};

/// Beyond so many groups they are written, whatever comes after: bounds memory, at about 1 KiB a group with its sketch.
const MOST_GROUPS: usize = 32_768;
/// The same of groups without sketches.
const MOST_GROUPS_WITHOUT_SKETCH: usize = 4 * MOST_GROUPS;

/// A sketch of more values than this takes as much memory as [`PAGED_WEIGHT`] others.
const PAGED_COUNT: u64 = 128;
const PAGED_WEIGHT: usize = 16;

/// What is known of the rows of one group.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) rows: i64,
    pub(super) first_at: i64,
    pub(super) last_at: i64,
    /// Rows with a value.
    pub(super) values: i64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) sketch: Sketch,
}

impl State {
    fn empty() -> Self {
        Self {
            rows: 0,
            first_at: i64::MAX,
            last_at: i64::MIN,
            values: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sketch: Sketch::new(),
        }
    }

    #[inline]
    fn add_row(&mut self, at: i64, value: Option<f64>, has_sketch: bool) {
        self.rows += 1;
        self.first_at = self.first_at.min(at);
        self.last_at = self.last_at.max(at);
        let Some(value) = value else { return };
        self.values += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if has_sketch {
            self.sketch.add(value);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        self.values += other.values;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sketch.merge(&other.sketch);
    }
}

/// No further group of the same hash.
const LAST: u32 = u32::MAX;

/// The groups of one roll-up.
#[derive(Debug)]
pub(super) struct Groups {
    rollup: &'static Rollup,
    /// How many of the dimensions come before the beginning of the bucket in a key: those that lead the roll-up. So
    /// its rows lie in the order of time behind them, and a range of time is a few pages of its file.
    leading: usize,
    /// Makes keys of the dimensions and the beginning of the bucket.
    converter: RowConverter,
    keys: Rows,
    states: Vec<State>,
    /// The first group of a hash, and of each group the next one of its hash.
    first: HashMap<u64, u32, BuildHasherDefault<OneHash>>,
    next: Vec<u32>,
    paged: usize,
}

/// What was put together, in the order of the roll-up or as its files have it.
pub(super) struct Emitted {
    /// Rows of the roll-up's table.
    pub(super) batch: RecordBatch,
    /// The same as states, row by row.
    pub(super) states: Vec<State>,
}

impl Groups {
    /// Groups for batches of `columns`, which are those of the facts or of the roll-up this one is made of.
    pub(super) fn new(
        rollup: &'static Rollup,
        columns: &'static manometer_model::Table,
    ) -> Result<Self, ArrowError> {
        let dimensions = rollup.dimensions.iter().filter_map(|name| columns.position(name));
        let mut fields: Vec<SortField> = dimensions
            .filter_map(|position| columns.columns.get(position))
            .map(|column| SortField::new(arrow_type(column.kind)))
            .collect();
        let leading = match rollup.table.kind {
            TableKind::Fact { order } => order.len().min(fields.len()),
            TableKind::Entity { .. } => fields.len(),
        };
        fields.insert(leading, SortField::new(DataType::Int64));
        let converter = RowConverter::new(fields)?;
        let keys = converter.empty_rows(0, 0);
        Ok(Self {
            rollup,
            leading,
            converter,
            keys,
            states: Vec::new(),
            first: HashMap::default(),
            next: Vec::new(),
            paged: 0,
        })
    }

    /// Is it time to write them?
    pub(super) fn are_many(&self) -> bool {
        let most = if self.has_sketch() { MOST_GROUPS } else { MOST_GROUPS_WITHOUT_SKETCH };
        self.states.len() + self.paged * PAGED_WEIGHT > most
    }

    const fn has_sketch(&self) -> bool {
        self.rollup.measure.sketch.is_some()
    }

    /// Adds rows of the facts.
    pub(super) fn add_facts(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let times = times_of(batch)?;
        let measure = column(batch, self.rollup.measure.column)?.as_primitive::<Float64Type>();
        let (kinds, groups) = self.groups_of(batch, times)?;
        let has_sketch = self.has_sketch();
        for (row, kind) in kinds.into_iter().enumerate() {
            let Some(state) = groups.get(kind as usize).and_then(|group| self.states.get_mut(*group)) else {
                continue;
            };
            let value = measure.is_valid(row).then(|| measure.value(row));
            state.add_row(times.value(row), value, has_sketch);
            if state.sketch.count() == PAGED_COUNT && value.is_some() {
                self.paged += 1;
            }
        }
        Ok(())
    }

    /// Adds rows of this roll-up, as a file has them.
    ///
    /// # Errors
    /// When the batch is not of this roll-up, or the roll-up has sketches.
    pub(super) fn add_rolled_up(&mut self, batch: RecordBatch) -> Result<(), ArrowError> {
        let states = states_of(self.rollup, &batch)?;
        self.add_states(&Emitted { batch, states })
    }

    /// Adds rows of the roll-up this one is made of.
    pub(super) fn add_states(&mut self, emitted: &Emitted) -> Result<(), ArrowError> {
        let (kinds, groups) = self.groups_of(&emitted.batch, times_of(&emitted.batch)?)?;
        for (kind, added) in kinds.into_iter().zip(&emitted.states) {
            let Some(state) = groups.get(kind as usize).and_then(|group| self.states.get_mut(*group)) else {
                continue;
            };
            let was_small = state.sketch.count() < PAGED_COUNT;
            state.merge(added);
            self.paged += usize::from(was_small && state.sketch.count() >= PAGED_COUNT);
        }
        Ok(())
    }

    /// For each row of a batch the number of its kind, and for each kind its group.
    fn groups_of(
        &mut self,
        batch: &RecordBatch,
        times: &TimestampMicrosecondArray,
    ) -> Result<(Vec<u32>, Vec<usize>), ArrowError> {
        let bucket = self.rollup.bucket;
        let starts: Vec<i64> = times.values().iter().map(|micros| bucket.start_of(*micros)).collect();
        let dimensions = self.rollup.dimensions.iter();
        let mut columns: Vec<ArrayRef> =
            dimensions.map(|name| column(batch, name).map(Arc::clone)).collect::<Result<_, _>>()?;
        let Alike { kinds, examples } = Alike::of(&columns, &starts)?;
        columns.insert(self.leading.min(columns.len()), Arc::new(Int64Array::from(starts)));
        let examples = UInt32Array::from(examples);
        let keys = self.converter.convert_columns(&take_arrays(&columns, &examples, None)?)?;
        let groups = keys.iter().map(|key| self.group_of(key)).collect();
        Ok((kinds, groups))
    }

    /// The group of a key, a new one where it is the first of its kind.
    fn group_of(&mut self, key: arrow::row::Row<'_>) -> usize {
        let hash = xxh3_64(key.data());
        let newcomer = self.states.len() as u32;
        let mut group = *self.first.entry(hash).or_insert(newcomer);
        while group != newcomer {
            if self.keys.row(group as usize) == key {
                return group as usize;
            }
            let Some(following) = self.next.get_mut(group as usize) else { break };
            if *following == LAST {
                *following = newcomer;
            }
            group = *following;
        }
        self.keys.push(key);
        self.states.push(State::empty());
        self.next.push(LAST);
        newcomer as usize
    }

    /// Takes all groups, in the order of the roll-up; `None` when there are none.
    pub(super) fn take(&mut self) -> Result<Option<Emitted>, ArrowError> {
        if self.states.is_empty() {
            return Ok(None);
        }
        let mut order: Vec<usize> = (0..self.states.len()).collect();
        order.sort_unstable_by(|left, right| self.keys.row(*left).cmp(&self.keys.row(*right)));
        let mut dimensions = self.converter.convert_rows(order.iter().map(|group| self.keys.row(*group)))?;
        if self.leading >= dimensions.len() {
            return Err(ArrowError::ComputeError("a roll-up without a bucket".to_owned()));
        }
        let starts = dimensions.remove(self.leading);
        let mut taken: Vec<Option<State>> = std::mem::take(&mut self.states).into_iter().map(Some).collect();
        let states: Vec<State> =
            order.iter().filter_map(|group| taken.get_mut(*group).and_then(Option::take)).collect();
        self.keys.clear();
        self.first.clear();
        self.next.clear();
        self.paged = 0;
        let batch = as_batch(self.rollup, &starts, dimensions, &states)?;
        Ok(Some(Emitted { batch, states }))
    }
}

fn as_batch(
    rollup: &Rollup,
    starts: &ArrayRef,
    dimensions: Vec<ArrayRef>,
    states: &[State],
) -> Result<RecordBatch, ArrowError> {
    let time = |values: Vec<i64>| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
    };
    let whole = |of: fn(&State) -> i64| states.iter().map(of).collect::<Vec<i64>>();
    let real = |of: fn(&State) -> f64| -> ArrayRef {
        Arc::new(states.iter().map(|state| (state.values > 0).then(|| of(state))).collect::<Float64Array>())
    };
    let starts = starts.as_primitive::<Int64Type>().values().to_vec();
    let mut columns = vec![time(starts)];
    columns.extend(dimensions);
    columns.extend([
        Arc::new(Int64Array::from(whole(|state| state.rows))) as ArrayRef,
        time(whole(|state| state.first_at)),
        time(whole(|state| state.last_at)),
        Arc::new(Int64Array::from(whole(|state| state.values))),
        real(|state| state.sum),
        real(|state| state.min),
        real(|state| state.max),
    ]);
    if rollup.measure.sketch.is_some() {
        let mut sketches = BinaryBuilder::new();
        for state in states {
            sketches.append_option((state.values > 0).then(|| state.sketch.encode()));
        }
        columns.push(Arc::new(sketches.finish()));
    }
    RecordBatch::try_new(arrow_schema(rollup.table), columns)
}

/// The states that rows of a roll-up without sketches stand for.
fn states_of(rollup: &Rollup, batch: &RecordBatch) -> Result<Vec<State>, ArrowError> {
    let measure = rollup.measure;
    if measure.sketch.is_some() {
        return Err(ArrowError::NotYetImplemented(format!("reading the sketches of {}", rollup.table.name)));
    }
    let whole = |name| Ok::<_, ArrowError>(column(batch, name)?.as_primitive::<Int64Type>());
    let time = |name| Ok::<_, ArrowError>(column(batch, name)?.as_primitive::<TimestampMicrosecondType>());
    let real = |name| Ok::<_, ArrowError>(column(batch, name)?.as_primitive::<Float64Type>());
    let (rows, values) = (whole(ROW_COUNT)?, whole(measure.count)?);
    let (first_at, last_at) = (time(FIRST_AT)?, time(LAST_AT)?);
    let (sum, min, max) = (real(measure.sum)?, real(measure.min)?, real(measure.max)?);
    let state = |row: usize| {
        let mut state = State {
            rows: rows.value(row),
            first_at: first_at.value(row),
            last_at: last_at.value(row),
            values: values.value(row),
            ..State::empty()
        };
        if state.values > 0 {
            (state.sum, state.min, state.max) = (sum.value(row), min.value(row), max.value(row));
        }
        state
    };
    Ok((0..batch.num_rows()).map(state).collect())
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, ArrowError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| ArrowError::SchemaError(format!("rows to be rolled up have no column {name}")))
}

fn times_of(batch: &RecordBatch) -> Result<&TimestampMicrosecondArray, ArrowError> {
    Ok(column(batch, "at")?.as_primitive::<TimestampMicrosecondType>())
}
