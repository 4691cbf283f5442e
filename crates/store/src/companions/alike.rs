//! Finds the rows of one batch that agree, without looking at their texts.
//!
//! Equal texts of a batch mostly lie in one place in memory, so that they have equal views. Rows of equal views agree;
//! what few distinct ones there are are then compared by what they say. That is several times as quick as making a key
//! of each row.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

/// What stands for null: no view has it, for no text is that long.
const NULL: u128 = u128::MAX;

/// The rows of a batch by what their columns refer to.
#[derive(Debug)]
pub(super) struct Alike {
    /// For each row the number of its kind.
    pub(super) kinds: Vec<u32>,
    /// For each kind one of its rows.
    pub(super) examples: Vec<u32>,
}

impl Alike {
    /// Finds the kinds of rows: alike are those that have equal views in all columns and the same bucket.
    ///
    /// # Errors
    /// When a column holds neither texts nor truths nor whole numbers.
    pub(super) fn of(columns: &[ArrayRef], starts: &[i64]) -> Result<Self, ArrowError> {
        let mut varying: Vec<Cow<'_, [u128]>> = Vec::with_capacity(columns.len() + 1);
        for column in columns {
            varying.push(codes_of(column)?);
        }
        varying.push(starts.iter().map(|start| u128::from(start.cast_unsigned())).collect());
        varying.retain(|codes| codes.iter().any(|code| Some(code) != codes.first()));
        Ok(Self::of_codes(&varying, starts.len()))
    }

    fn of_codes(columns: &[Cow<'_, [u128]>], rows: usize) -> Self {
        let mut found = Self { kinds: Vec::with_capacity(rows), examples: Vec::new() };
        let mask = (rows * 2).next_power_of_two() - 1;
        let mut table = vec![u32::MAX; mask + 1];
        for row in 0..rows {
            let code = |column: &Cow<'_, [u128]>| column.get(row).copied().unwrap_or(NULL);
            let hash = columns.iter().fold(0_u64, |hash, column| mixed(hash, code(column)));
            let mut place = hash as usize & mask;
            let kind = loop {
                let Some(slot) = table.get_mut(place) else { break 0 };
                let Some(example) = found.examples.get(*slot as usize) else {
                    *slot = found.examples.len() as u32;
                    found.examples.push(row as u32);
                    break *slot;
                };
                let same = |column: &Cow<'_, [u128]>| column.get(*example as usize) == column.get(row);
                if columns.iter().all(same) {
                    break *slot;
                }
                place = (place + 1) & mask;
            };
            found.kinds.push(kind);
        }
        found
    }
}

#[inline]
fn mixed(hash: u64, code: u128) -> u64 {
    let folded = (code as u64) ^ ((code >> 64) as u64).rotate_left(32);
    let mixed = (hash ^ folded).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

/// Numbers of which equal ones mean equal values; different ones may mean equal values too.
fn codes_of(column: &ArrayRef) -> Result<Cow<'_, [u128]>, ArrowError> {
    if let Some(texts) = column.as_string_view_opt() {
        let views = texts.views();
        return Ok(match texts.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => Cow::Borrowed(views.as_ref()),
            Some(nulls) => {
                views.iter().zip(nulls.iter()).map(|(view, known)| if known { *view } else { NULL }).collect()
            }
        });
    }
    if let Some(truths) = column.as_boolean_opt() {
        return Ok(truths.iter().map(|truth| truth.map_or(NULL, u128::from)).collect());
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        return Ok(numbers
            .iter()
            .map(|number| number.map_or(NULL, |number| u128::from(number.cast_unsigned())))
            .collect());
    }
    Err(ArrowError::NotYetImplemented(format!("rolling up by a column of {}", column.data_type())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringViewArray};

    use super::*;

    #[test]
    fn rows_of_one_kind_agree_and_rows_that_do_not_are_of_others() {
        let names = ["a", "a name too long for a view", "a", "b"];
        let texts: ArrayRef = Arc::new(
            (0..1_000).map(|row| (row % 5 > 0).then(|| names[row % 4])).collect::<StringViewArray>(),
        );
        let truths: ArrayRef =
            Arc::new((0..1_000).map(|row| (row % 7 > 0).then_some(row % 2 == 0)).collect::<BooleanArray>());
        let numbers: ArrayRef =
            Arc::new((0..1_000).map(|row| (row % 3 > 0).then_some(row / 500 - 1)).collect::<Int64Array>());
        let starts: Vec<i64> = (0..1_000).map(|row| row / 300).collect();
        let columns = [&texts, &truths, &numbers].map(Arc::clone);
        let alike = Alike::of(&columns, &starts).unwrap();
        let row_of = |row: usize| {
            let text = texts.is_valid(row).then(|| texts.as_string_view().value(row));
            let truth = truths.is_valid(row).then(|| truths.as_boolean().value(row));
            let number = numbers.is_valid(row).then(|| numbers.as_primitive::<Int64Type>().value(row));
            (text, truth, number, starts[row])
        };
        for (row, kind) in alike.kinds.iter().enumerate() {
            assert_eq!(row_of(row), row_of(alike.examples[*kind as usize] as usize), "{row}");
        }
        assert!(alike.examples.len() < 1_000);
    }

    #[test]
    fn nothing_rows_all_alike_and_other_columns_are_no_problem_or_a_clear_one() {
        assert!(Alike::of(&[], &[]).unwrap().examples.is_empty());
        assert_eq!(Alike::of(&[], &[5; 10]).unwrap().examples, [0]);
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        assert!(Alike::of(&[numbers], &[5]).unwrap_err().to_string().contains("Float64"));
    }
}
