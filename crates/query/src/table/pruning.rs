//! Skips segments that a filter rules out, by what the catalog knows of each: the range of `at` and its projects.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, StringViewArray, TimestampMicrosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::PROJECT;
use crate::SegmentFile;

const AT: &str = "at";

/// The segments that may hold a row for which all filters are true.
pub(super) fn prune(
    state: &dyn Session,
    schema: &SchemaRef,
    filters: &[Expr],
    segments: Vec<SegmentFile>,
) -> Result<Vec<SegmentFile>> {
    if segments.is_empty() {
        return Ok(segments);
    }
    let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(segments) };
    let physical = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(schema))?)?;
    let predicate =
        match PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).try_build(physical) {
            Ok(predicate) if !predicate.always_true() => predicate,
            Ok(_) => return Ok(segments),
            Err(error) => {
                tracing::debug!(%error, "a filter does not prune");
                return Ok(segments);
            }
        };
    let may_match = predicate.prune(&Catalogued(&segments))?;
    Ok(segments.into_iter().zip(may_match).filter_map(|(segment, kept)| kept.then_some(segment)).collect())
}

/// What the catalog knows of some segments.
struct Catalogued<'a>(&'a [SegmentFile]);

impl Catalogued<'_> {
    fn times(&self, of: impl Fn(&SegmentFile) -> i64) -> ArrayRef {
        let times: TimestampMicrosecondArray = self.0.iter().map(|segment| Some(of(segment))).collect();
        Arc::new(times.with_timezone("UTC"))
    }

    fn projects(&self, of: impl Fn(&[String]) -> Option<&String>) -> ArrayRef {
        let names: StringViewArray =
            self.0.iter().map(|segment| segment.projects.as_deref().and_then(&of)).collect();
        Arc::new(names)
    }
}

impl PruningStatistics for Catalogued<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        match column.name() {
            AT => Some(self.times(|segment| segment.min_at.as_micros())),
            PROJECT => Some(self.projects(|names| names.iter().min())),
            _ => None,
        }
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        match column.name() {
            AT => Some(self.times(|segment| segment.max_at.as_micros())),
            PROJECT => Some(self.projects(|names| names.iter().max())),
            _ => None,
        }
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let none: UInt64Array = self.0.iter().map(|_| Some(0)).collect();
        (column.name() == AT).then(|| Arc::new(none) as ArrayRef)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows: UInt64Array = self.0.iter().map(|segment| Some(segment.rows)).collect();
        Some(Arc::new(rows))
    }

    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        if column.name() != PROJECT {
            return None;
        }
        let wanted: HashSet<&str> = values.iter().filter_map(|value| value.try_as_str().flatten()).collect();
        let verdicts = self.0.iter().map(|segment| match segment.projects.as_deref() {
            None => None,
            Some([only]) if wanted.contains(only.as_str()) => Some(true),
            Some(names) if names.iter().any(|name| wanted.contains(name.as_str())) => None,
            Some(_) => Some(false),
        });
        Some(verdicts.collect())
    }
}
