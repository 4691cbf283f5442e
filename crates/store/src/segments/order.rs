//! In which order rows are written: by day, then by the columns their table is sorted by.
//!
//! Rows of a test say the same in run after run. So each distinct text of a column gets a rank, the ranks of a row
//! become one number, and rows are compared by numbers: long names are looked at once each, not in every comparison.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use arrow::array::{Array, AsArray, DynComparator, StringViewArray, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use manometer_model::Timestamp;

use super::joined::{Joined, JoinedColumn};
use super::sort::sort_columns;
use crate::hashing::OneHash;

/// Most days that get a segment of their own from one flush; rows of further days share one, so that a
/// sender with odd clocks cannot make a file a row.
const MOST_DAYS: usize = 128;

/// The day of rows whose days are too many. Sorts after every other.
pub(super) const MIXED_DAY: i32 = i32::MAX;

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
            let differing =
                others.iter().map(|column| column.compare(left, right)).find(|order| order.is_ne());
            differing.unwrap_or_else(|| left.cmp(&right))
        })
    });
    Ok(places)
}

fn unsorted_places(rows: &Joined) -> Vec<Place> {
    let day_of = |micros| Timestamp::from_micros(micros).day();
    let mut places: Vec<Place> =
        (0..rows.rows()).map(|row| Place { day: day_of(0), row: row as u32, rank: 0 }).collect();
    let Some(at) = rows.table.position("at").and_then(|position| rows.column(position)) else {
        return places;
    };
    let times = at.values().as_primitive::<TimestampMicrosecondType>();
    for (place, index) in places.iter_mut().zip(rows.places(at)) {
        if times.is_valid(index) {
            place.day = day_of(times.value(index));
        }
    }
    places
}

/// Beyond [`MOST_DAYS`] days, the days with the fewest rows go together.
fn gather_rare_days(places: &mut [Place]) {
    let mut rows_of_day: HashMap<i32, usize> = HashMap::new();
    for place in places.iter() {
        *rows_of_day.entry(place.day).or_default() += 1;
    }
    if rows_of_day.len() <= MOST_DAYS {
        return;
    }
    let mut days: Vec<(usize, i32)> = rows_of_day.into_iter().map(|(day, rows)| (rows, day)).collect();
    days.sort_unstable_by(|left, right| right.cmp(left));
    let rare: HashSet<i32> = days.into_iter().skip(MOST_DAYS).map(|(_, day)| day).collect();
    for place in places.iter_mut() {
        if rare.contains(&place.day) {
            place.day = MIXED_DAY;
        }
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::UInt32Array;
    use manometer_model::records::TESTS;
    use manometer_model::{Table, TestId, Value};
    use proptest::prelude::*;

    use super::*;
    use crate::batch::CompactBatch;
    use crate::columns::TableBuilder;
    use crate::segments::{keys_of, row_converter};

    /// What a row sorts by: project, service, suite, classname, name, test id, seconds.
    type Cells = (String, Option<String>, Option<String>, Option<String>, String, u8, i64);

    fn value<'c>(column: &str, cells: &'c Cells) -> Value<'c> {
        let text = |text: &'c Option<String>| text.as_deref().map_or(Value::Null, Value::Text);
        match column {
            "project" => Value::Text(&cells.0),
            "service" => text(&cells.1),
            "suite" => text(&cells.2),
            "classname" => text(&cells.3),
            "name" => Value::Text(&cells.4),
            "test_id" => Value::TestId(TestId::from_u128(u128::from(cells.5) << 100)),
            "at" => Value::Time(Timestamp::from_micros(cells.6 * 1_000_000)),
            "provider" | "run_id" | "status" => Value::Text("x"),
            "run_attempt" | "attempt" => Value::Int(1),
            "is_final" => Value::Bool(true),
            _ => Value::Null,
        }
    }

    fn batch(table: &'static Table, rows: &[Cells]) -> Arc<CompactBatch> {
        let mut builder = TableBuilder::new(table);
        for cells in rows {
            let values: Vec<Value<'_>> =
                table.columns.iter().map(|column| value(column.name, cells)).collect();
            builder.append(&values).unwrap();
        }
        Arc::new(builder.take().unwrap().unwrap())
    }

    /// Gathered in the order found, rows stand by day and then as their keys do, each once, with their own cells.
    fn check(batches: &[Vec<Cells>]) {
        let compact: Vec<_> = batches.iter().map(|rows| batch(&TESTS, rows)).collect();
        let joined = Joined::new(&TESTS, &compact).unwrap();
        let places = sorted_places(&joined).unwrap();
        let numbers: Vec<u32> = places.iter().map(|place| place.row).collect();
        let rows = joined.gather(&UInt32Array::from(numbers.clone())).unwrap();
        let keys = keys_of(&row_converter(&TESTS).unwrap(), &TESTS, &rows).unwrap();
        for (place, next) in (0..).zip(1..rows.num_rows()) {
            let (left, right) = (&places[place], &places[next]);
            let before = (left.day, keys.row(place), left.row) < (right.day, keys.row(next), right.row);
            assert!(before, "rows {} and {} change places", left.row, right.row);
        }
        let all: Vec<&Cells> = batches.iter().flatten().collect();
        assert_eq!(numbers.len(), all.len());
        let column = |name: &str| rows.column_by_name(name).unwrap();
        for (place, number) in numbers.iter().enumerate() {
            let cells = all[*number as usize];
            assert_eq!(column("name").as_string_view().value(place), cells.4);
            let services = column("service").as_string_view();
            assert_eq!(services.is_valid(place).then(|| services.value(place)), cells.1.as_deref());
            let at = column("at").as_primitive::<TimestampMicrosecondType>().value(place);
            assert_eq!(at, cells.6 * 1_000_000);
            assert!(column("file").is_null(place));
        }
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            Just("\0".to_owned()),
            "[ab]{0,3}",
            "the same beginning of more than sixteen bytes [ab]{0,2}",
            any::<String>(),
        ]
    }

    fn cells() -> impl Strategy<Value = Cells> {
        let known = || proptest::option::of(text());
        (text(), known(), known(), known(), text(), any::<u8>(), -200_000..200_000_i64)
    }

    /// Batches of which some say the same in all their rows.
    fn batches() -> impl Strategy<Value = Vec<Vec<Cells>>> {
        let rows = (any::<bool>(), prop::collection::vec(cells(), 1..9)).prop_map(|(is_steady, mut rows)| {
            let first = rows[0].clone();
            for row in &mut rows {
                if is_steady {
                    (row.0, row.1, row.2) = (first.0.clone(), first.1.clone(), first.2.clone());
                }
            }
            rows
        });
        prop::collection::vec(rows, 1..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_stand_in_the_order_of_their_keys(batches in batches()) {
            check(&batches);
        }
    }

    #[test]
    fn null_comes_first_and_many_values_of_all_columns_keep_their_order() {
        let texts = StringViewArray::from_iter_values((0..300).rev().map(|number| format!("{number:03}")));
        let Ranks { ranks, count } = Ranks::of(&texts);
        assert_eq!((ranks[0], ranks[299], count), (300, 1, 301));
        let none: StringViewArray = vec![None::<&str>; 2].into();
        let Ranks { ranks, count } = Ranks::of(&none);
        assert_eq!((ranks, count), (vec![0, 0], 1));
        // Every row another project, service, suite, class and name: 2^16 and one values each.
        let many = |row: u32| Some(format!("{:05}", row.wrapping_mul(40_503) & 0xffff));
        let rows: Vec<Cells> = (0..1 << 16)
            .map(|row| (many(row).unwrap_or_default(), many(row), many(row), many(row), String::new(), 0, 0))
            .collect();
        check(&[rows]);
    }

    #[test]
    fn no_rows_are_no_problem() {
        assert_eq!(shared_length(&[]), 0);
        assert_eq!(shared_length(&[b"abc", b"ab"]), 2);
        assert_eq!(ranks_of_distinct(&[]), [0]);
        assert_eq!(ranks_of_distinct(&[b"b", b"a", b"a\0"]), [0, 3, 1, 2]);
    }
}
