//! Which columns count as numbers, and what of them an aggregate takes.

use std::ops::Range;

use datafusion::arrow::array::{Array, BooleanArray, Float64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};

/// Checks that a function is given numbers, which it then gets as `Float64`.
///
/// # Errors
/// When the type is not one of numbers.
pub(crate) fn as_float(function: &str, found: &DataType) -> Result<DataType> {
    if found.is_numeric() || found.is_null() {
        return Ok(DataType::Float64);
    }
    Err(DataFusionError::Plan(format!(
        "{function} takes numbers, found {found}; of times take a difference in seconds, as extract(epoch FROM finished_at - started_at)"
    )))
}

/// Goes over stretches of values that are there, pass the filter and belong to one group.
///
/// Rows lie sorted in segments, so stretches are long, and what is done once for each costs little.
pub(crate) fn for_each_stretch(
    values: &Float64Array,
    groups: &[usize],
    filter: Option<&BooleanArray>,
    mut visit: impl FnMut(usize, &[f64]),
) {
    let numbers = values.values();
    let mut visit_rows = |rows: Range<usize>| {
        let (Some(groups), Some(numbers)) = (groups.get(rows.clone()), numbers.get(rows)) else { return };
        let mut rest = numbers;
        for stretch in groups.chunk_by(|left, right| left == right) {
            let (here, behind) = rest.split_at(stretch.len());
            if let Some(group) = stretch.first() {
                visit(*group, here);
            }
            rest = behind;
        }
    };
    match kept(values, filter) {
        None => visit_rows(0..numbers.len()),
        Some(kept) => kept.valid_slices().for_each(|(start, end)| visit_rows(start..end)),
    }
}

/// Does a row pass the filter?
pub(crate) fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

/// Which values are there and pass the filter; `None`: all.
pub(crate) fn kept(values: &Float64Array, filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let passing = filter.map(|filter| {
        let passes = NullBuffer::new(filter.values().clone());
        NullBuffer::union(Some(&passes), filter.nulls()).unwrap_or(passes)
    });
    NullBuffer::union(passing.as_ref(), values.nulls()).filter(|kept| kept.null_count() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretches(
        values: &Float64Array,
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Vec<(usize, Vec<f64>)> {
        let mut found = Vec::new();
        for_each_stretch(values, groups, filter, |group, values| found.push((group, values.to_vec())));
        found
    }

    #[test]
    fn stretches_end_at_another_group_a_null_and_a_filtered_row() {
        let values = Float64Array::from(vec![Some(1.0), Some(2.0), None, Some(3.0), Some(4.0), Some(5.0)]);
        let groups = [7, 7, 7, 7, 8, 8];
        assert_eq!(
            stretches(&values, &groups, None),
            [(7, vec![1.0, 2.0]), (7, vec![3.0]), (8, vec![4.0, 5.0])]
        );
        let filter =
            BooleanArray::from(vec![Some(false), Some(true), Some(true), Some(true), None, Some(true)]);
        assert_eq!(
            stretches(&values, &groups, Some(&filter)),
            [(7, vec![2.0]), (7, vec![3.0]), (8, vec![5.0])]
        );
        assert_eq!(stretches(&values.slice(0, 0), &[], None), []);
    }
}
