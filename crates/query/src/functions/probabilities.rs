//! The probabilities a percentile is asked for: one, or a list of them, constant in the query.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;

/// The most that one call may ask for.
const MOST: usize = 1_000;

/// The type a single probability is given as.
pub(crate) fn one_type(function: &str, found: &DataType) -> Result<DataType> {
    if found.is_numeric() || found.is_null() {
        return Ok(DataType::Float64);
    }
    Err(DataFusionError::Plan(format!(
        "{function} takes a probability between 0 and 1 as its second argument, as 0.95; found {found}"
    )))
}

/// The type a list of probabilities is given as.
pub(crate) fn list_type(function: &str, found: &DataType) -> Result<DataType> {
    match found {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
            if item.data_type().is_numeric() || item.data_type().is_null() =>
        {
            Ok(DataType::new_list(DataType::Float64, true))
        }
        _ => Err(DataFusionError::Plan(format!(
            "{function} takes a list of probabilities between 0 and 1 as its second argument, as [0.5, 0.95]; found {found}"
        ))),
    }
}

/// The value of an argument that is one probability; `None` where it is null.
pub(crate) fn one(function: &str, argument: &Arc<dyn PhysicalExpr>) -> Result<Option<f64>> {
    let value = constant(function, argument)?;
    let numbers = value.as_primitive_opt::<Float64Type>().ok_or_else(|| not_constant(function))?;
    numbers.is_valid(0).then(|| checked(function, numbers.value(0))).transpose()
}

/// The values of an argument that is a list of probabilities, `None` for a null among them.
pub(crate) fn list(function: &str, argument: &Arc<dyn PhysicalExpr>) -> Result<Option<Vec<Option<f64>>>> {
    let value = constant(function, argument)?;
    let lists = value.as_list_opt::<i32>().ok_or_else(|| not_constant(function))?;
    if lists.is_null(0) {
        return Ok(None);
    }
    let items = lists.value(0);
    let numbers = items.as_primitive_opt::<Float64Type>().ok_or_else(|| not_constant(function))?;
    if numbers.len() > MOST {
        return Err(DataFusionError::Plan(format!(
            "{function} answers at most {MOST} probabilities in one call, found {}",
            numbers.len()
        )));
    }
    let all = numbers.iter().map(|number| number.map(|number| checked(function, number)).transpose());
    Ok(Some(all.collect::<Result<_>>()?))
}

/// The one value of an argument that is the same in every row.
fn constant(function: &str, argument: &Arc<dyn PhysicalExpr>) -> Result<ArrayRef> {
    let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let value = argument.evaluate(&nothing).map_err(|_| not_constant(function))?;
    let array = value.into_array(1)?;
    if array.len() == 1 { Ok(array) } else { Err(not_constant(function)) }
}

fn not_constant(function: &str) -> DataFusionError {
    DataFusionError::Plan(format!(
        "{function} takes probabilities that are written in the query, not columns"
    ))
}

/// A probability as it may be asked for.
pub(crate) fn checked(function: &str, probability: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&probability) {
        return Ok(probability);
    }
    Err(DataFusionError::Plan(format!(
        "{function}: {probability} is no probability between 0 and 1; the 95th percentile is 0.95"
    )))
}
