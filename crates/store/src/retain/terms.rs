//! Which day something is to be done about a segment: from its range of times where one term holds for all its rows,
//! from the rows themselves where it does not.

use std::fs::File;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringViewArray};
use arrow::datatypes::TimestampMicrosecondType;
use manometer_model::retention::TableRetention;
use manometer_model::{Keep, Table, Timestamp};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::StoreError;
use crate::segment::Segment;

/// A day that never comes.
const NEVER: i32 = i32::MAX;

/// Rows looked at at once.
const BATCH_ROWS: usize = 8_192;

/// The two days of a segment, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// From this day on some of its rows have been over for so long that the file is written anew without them.
    pub(crate) rewrite_on: i32,
    /// From this day on all of its rows are over.
    pub(crate) drop_on: i32,
}

impl Terms {
    /// Of no rows.
    pub(crate) const fn none() -> Self {
        Self { rewrite_on: NEVER, drop_on: i32::MIN }
    }

    fn add(&mut self, day: i32, keep: Keep) {
        let (rewrite_on, drop_on) = days_of(day, keep);
        self.rewrite_on = self.rewrite_on.min(rewrite_on);
        self.drop_on = self.drop_on.max(drop_on);
    }
}

fn days_of(day: i32, keep: Keep) -> (i32, i32) {
    keep.ends_on(day).map_or((NEVER, NEVER), |end| (end.saturating_add(keep.slack_days()), end))
}

/// What is to be done about a segment today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// All of its rows are over.
    Drop,
    /// Whether rows are over is known only from the rows.
    Examine,
    /// Rows are over that waited for long enough.
    Rewrite,
}

/// What is to be done about a segment; `examined` are its terms, where its rows were looked at.
pub(crate) fn due(policy: &TableRetention, segment: &Segment, examined: Option<Terms>, today: i32) -> Due {
    let (earliest, _) = days_of(segment.min_at().day(), policy.shortest());
    let (_, latest) = days_of(segment.max_at().day(), policy.longest());
    // A companion describes its segment as a whole, and goes as a whole.
    if segment.rolls_up().is_some() {
        return if today >= latest { Due::Drop } else { Due::Nothing };
    }
    let terms = match examined {
        _ if policy.rules.is_empty() => Terms { rewrite_on: earliest, drop_on: latest },
        Some(terms) => terms,
        None if today >= latest => return Due::Drop,
        None if today >= earliest => return Due::Examine,
        None => return Due::Nothing,
    };
    if today >= terms.drop_on {
        Due::Drop
    } else if today >= terms.rewrite_on {
        Due::Rewrite
    } else {
        Due::Nothing
    }
}

/// A number that tells policies apart, those of different tables too.
pub(crate) fn policy_number(policy: &TableRetention, table: &Table) -> u64 {
    xxh3_64(format!("{}: {}", table.name, policy.described(table)).as_bytes())
}

/// Positions of the columns that decide about a row: `at`, and those of the rules.
pub(crate) fn deciding_columns(policy: &TableRetention, table: &Table) -> Vec<usize> {
    let of_rules = policy.rules.iter().flat_map(|rule| rule.conditions.iter().map(|(position, _)| *position));
    let mut columns: Vec<usize> = of_rules.chain(table.position("at")).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Tells which rows of a batch are needed, and what the terms of those are.
pub(crate) fn needed_rows(
    policy: &TableRetention,
    table: &Table,
    batch: &RecordBatch,
    today: i32,
    terms: &mut Terms,
) -> BooleanArray {
    let times = batch.column_by_name("at").map(|column| column.as_primitive::<TimestampMicrosecondType>());
    let columns: Vec<(usize, &StringViewArray)> = policy
        .rules
        .iter()
        .flat_map(|rule| &rule.conditions)
        .filter_map(|(position, _)| {
            let name = table.columns.get(*position)?.name;
            Some((*position, batch.column_by_name(name)?.as_string_view_opt()?))
        })
        .collect();
    let needed = (0..batch.num_rows()).map(|row| {
        let micros = times.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row));
        let keep = policy.keep_of(|position| {
            let (_, texts) = columns.iter().find(|(known, _)| *known == position)?;
            texts.is_valid(row).then(|| texts.value(row))
        });
        let day = Timestamp::from_micros(micros).day();
        let is_needed = keep.ends_on(day).is_none_or(|end| today < end);
        if is_needed {
            terms.add(day, keep);
        }
        Some(is_needed)
    });
    needed.collect()
}

/// What looking at a segment's rows told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Examined {
    pub(crate) terms: Terms,
    /// Rows that are over today.
    pub(crate) over: u64,
}

/// Looks at the rows of a segment: their times, and the columns the policy asks for. `goes_on` is asked between
/// batches; `None` when it said no.
pub(crate) fn examine(
    policy: &TableRetention,
    segment: &Segment,
    file: File,
    today: i32,
    goes_on: &mut dyn FnMut() -> Result<bool, StoreError>,
) -> Result<Option<Examined>, StoreError> {
    let table = segment.table();
    let failed = |source| StoreError::Parquet { path: segment.path().to_owned(), source };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let columns = deciding_columns(policy, table);
    let names = columns.iter().filter_map(|position| table.columns.get(*position)).map(|column| column.name);
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(failed)?;
    let mut examined = Examined { terms: Terms::none(), over: 0 };
    for read in reader {
        if !goes_on()? {
            return Ok(None);
        }
        let batch = read.map_err(|error| StoreError::Corrupt {
            what: format!("segment {}: {error}", segment.path().display()),
        })?;
        // The terms of all rows, also of those that are over: they are in the file until it is written anew.
        needed_rows(policy, table, &batch, i32::MIN, &mut examined.terms);
        let needed = needed_rows(policy, table, &batch, today, &mut Terms::none());
        examined.over += needed.false_count() as u64;
    }
    Ok(Some(examined))
}
