//! In which order rows are written: by day, then by the columns their table is sorted by.
//!
//! Rows of a test say the same in run after run. So each distinct text of a column gets a rank, the ranks of a row
//! become one number, and rows are compared by numbers: long names are looked at once each, not in every comparison.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use arrow::array::{Array, AsArray, DynComparator, StringViewArray, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use manometer_model::Timestamp;

use super::joined::{Joined, JoinedColumn};
use super::sort::{gather_rare_days, sort_columns};
use crate::hashing::OneHash;

/// Where a row lies, and what it sorts by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) day: i32,
    pub(super) row: u32,
    /// What the leading columns come to: sorts as they do.
    rank: u128,
}

/// The rows in the order they are written, which is that of [`super::sort::row_converter`] within a day.
pub(super) fn sorted_places(rows: &Joined) -> Result<Vec<Place>, ArrowError> {
    let columns: Vec<&JoinedColumn> =
        sort_columns(rows.table).into_iter().filter_map(|position| rows.column(position)).collect();
    let mut places = unsorted_places(rows);
    gather_rare_days(&mut places);
    let ranked = rank_leading_texts(rows, &columns, &mut places);
    let others = columns.iter().skip(ranked).map(|column| Comparison::new(rows, column));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    places.sort_unstable_by(|left, right| {
        (left.day, left.rank).cmp(&(right.day, right.rank)).then_with(|| {
            let (left, right) = (left.row as usize, right.row as usize);
            let differing = others.iter().map(|column| column.compare(left, right)).find(|order| order.is_ne());
            differing.unwrap_or_else(|| left.cmp(&right))
        })
    });
    Ok(places)
}

fn unsorted_places(rows: &Joined) -> Vec<Place> {
    let day_of = |micros| Timestamp::from_micros(micros).day();
    let mut places: Vec<Place> =
        (0..rows.rows()).map(|row| Place { day: day_of(0), row: row as u32, rank: 0 }).collect();
    let Some(at) = rows.table.position("at").and_then(|position| rows.column(position)) else { return places };
    let times = at.values().as_primitive::<TimestampMicrosecondType>();
    for (place, index) in places.iter_mut().zip(rows.places(at)) {
        if times.is_valid(index) {
            place.day = day_of(times.value(index));
        }
    }
    places
}

/// Ranks rows by their first columns, as many as hold texts and fit into one number; returns how many.
fn rank_leading_texts(rows: &Joined, columns: &[&JoinedColumn], places: &mut [Place]) -> usize {
    let mut possible = 1_u128;
    for (number, column) in columns.iter().enumerate() {
        let Some(texts) = column.values().as_string_view_opt() else { return number };
        let Ranks { ranks, count } = Ranks::of(texts);
        let Some(product) = possible.checked_mul(count) else { return number };
        possible = product;
        for (place, index) in places.iter_mut().zip(rows.places(column)) {
            place.rank = place.rank * count + ranks.get(index).copied().map_or(0, u128::from);
        }
    }
    columns.len()
}

/// Numbers that sort as the texts of a column do.
struct Ranks {
    /// For each text; 0 stands for null.
    ranks: Vec<u32>,
    /// All ranks are below this.
    count: u128,
}

impl Ranks {
    fn of(texts: &StringViewArray) -> Self {
        let mut found: HashMap<&[u8], u32, BuildHasherDefault<OneHash>> = HashMap::default();
        let mut distinct: Vec<&[u8]> = Vec::new();
        let mut last: (Option<&str>, u32) = (None, 0);
        // Numbers in the order of appearance, from 1.
        let mut ranks: Vec<u32> = Vec::with_capacity(texts.len());
        for text in texts {
            if text != last.0 {
                let number = text.map_or(0, |text| {
                    *found.entry(text.as_bytes()).or_insert_with(|| {
                        distinct.push(text.as_bytes());
                        distinct.len() as u32
                    })
                });
                last = (text, number);
            }
            ranks.push(last.1);
        }
        let rank_of = ranks_of_distinct(&distinct);
        for rank in &mut ranks {
            *rank = rank_of.get(*rank as usize).copied().unwrap_or(0);
        }
        Self { ranks, count: distinct.len() as u128 + 1 }
    }
}

/// For each number of a text, from 1, its rank, from 1; before them that of null.
fn ranks_of_distinct(texts: &[&[u8]]) -> Vec<u32> {
    let shared = shared_length(texts);
    let mut sorted: Vec<(u128, &[u8], u32)> =
        texts.iter().zip(1..).map(|(text, number)| (leading_bytes(text, shared), *text, number)).collect();
    sorted.sort_unstable();
    let mut rank_of = vec![0; texts.len() + 1];
    for ((_, _, number), rank) in sorted.into_iter().zip(1..) {
        if let Some(place) = rank_of.get_mut(number as usize) {
            *place = rank;
        }
    }
    rank_of
}

/// How many first bytes all texts have in common.
fn shared_length(texts: &[&[u8]]) -> usize {
    let Some((first, others)) = texts.split_first() else { return 0 };
    others.iter().fold(first.len(), |shared, text| {
        text.iter().zip(*first).take(shared).take_while(|(left, right)| left == right).count()
    })
}

/// The sixteen bytes after the first `skipped` ones, as a number that sorts as they do: settles nearly every
/// comparison without a look at the text.
fn leading_bytes(text: &[u8], skipped: usize) -> u128 {
    let mut bytes = [0_u8; 16];
    let rest = text.get(skipped..).unwrap_or_default();
    for (place, byte) in bytes.iter_mut().zip(rest) {
        *place = *byte;
    }
    u128::from_be_bytes(bytes)
}

/// Compares rows by one column.
struct Comparison<'r> {
    rows: &'r Joined,
    column: &'r JoinedColumn,
    values: DynComparator,
}

impl<'r> Comparison<'r> {
    fn new(rows: &'r Joined, column: &'r JoinedColumn) -> Result<Self, ArrowError> {
        let options = SortOptions { descending: false, nulls_first: true };
        let values = make_comparator(column.values(), column.values(), options)?;
        Ok(Self { rows, column, values })
    }

    fn compare(&self, left: usize, right: usize) -> Ordering {
        (self.values)(self.rows.place(self.column, left), self.rows.place(self.column, right))
    }
}
