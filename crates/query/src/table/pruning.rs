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
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::physical_expr::utils::{Guarantee, LiteralGuarantee};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};

use super::{AT, PROJECT};
use crate::SegmentFile;

/// What the filters leave to be read.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    /// The segments that may hold a row for which all filters are true.
    pub(super) segments: Vec<SegmentFile>,
    /// What such a row surely holds.
    pub(super) lookups: Vec<Lookup>,
    /// What tells by ranges of values whether there may be such a row.
    pub(super) ranges: Option<PruningPredicate>,
}

/// A column in which a row that passes the filters holds one of these texts.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub(super) column: String,
    pub(super) texts: Vec<String>,
}

/// Leaves out the segments that cannot hold a row for which all filters are true.
pub(super) fn prune(
    state: &dyn Session,
    schema: &SchemaRef,
    filters: &[Expr],
    segments: Vec<SegmentFile>,
) -> Result<Pruned> {
    let all = |segments| Ok(Pruned { segments, ..Pruned::default() });
    if segments.is_empty() {
        return all(segments);
    }
    let Some(filter) = conjunction(filters.iter().cloned()) else { return all(segments) };
    let physical = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(schema))?)?;
    let predicate =
        match PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).try_build(physical) {
            Ok(predicate) if !predicate.always_true() => predicate,
            Ok(_) => return all(segments),
            Err(error) => {
                tracing::debug!(%error, "a filter does not prune");
                return all(segments);
            }
        };
    let may_match = predicate.prune(&Catalogued(&segments))?;
    let segments =
        segments.into_iter().zip(may_match).filter_map(|(segment, kept)| kept.then_some(segment)).collect();
    let lookups = predicate.literal_guarantees().iter().filter_map(lookup).collect();
    Ok(Pruned { segments, lookups, ranges: Some(predicate) })
}

/// Leaves out the segments without a row of the project that is asked for, where one is: what can be told without making
/// a predicate of the filters, which takes longer than to read a small part of a segment.
pub(super) fn of_asked_projects(filters: &[Expr], mut segments: Vec<SegmentFile>) -> Pruned {
    for project in filters.iter().filter_map(asked_project) {
        segments.retain(|segment| {
            segment.projects.as_deref().is_none_or(|names| names.iter().any(|name| name == project))
        });
    }
    Pruned { segments, ..Pruned::default() }
}

/// The project of `project = '…'`.
fn asked_project(filter: &Expr) -> Option<&str> {
    let (_, text) = equality(filter).filter(|(column, _)| column.name == PROJECT)?;
    text.try_as_str().flatten()
}

/// The column and the value of `column = value`, whichever stands first.
pub(crate) fn equality(filter: &Expr) -> Option<(&Column, &ScalarValue)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = filter else { return None };
    match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(column)) => {
            Some((column, value))
        }
        _ => None,
    }
}

fn lookup(guarantee: &LiteralGuarantee) -> Option<Lookup> {
    let texts: Option<Vec<String>> =
        guarantee.literals.iter().map(|literal| Some(literal.try_as_str()??.to_owned())).collect();
    let column = guarantee.column.name().to_owned();
    (guarantee.guarantee == Guarantee::In).then_some(Lookup { column, texts: texts? })
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
