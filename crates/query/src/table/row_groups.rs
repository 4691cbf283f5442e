//! Which row groups of a file a query needs, known before it is opened.
//!
//! DataFusion finds out when it opens a file, too late to share the work: what one service or one test needs lies side
//! by side in one place of a file, and one thread would read all of it. Ranges of values come from the footer, which
//! the cache holds; Bloom filters from `lookups`.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::physical_plan::parquet::{
    ParquetAccessPlan, ParquetFileMetrics, RowGroupAccess, RowGroupAccessPlanFilter,
};
use datafusion::error::Result;
use datafusion::physical_optimizer::pruning::PruningPredicate;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use parquet::file::metadata::PageIndexPolicy;

use super::footers::LookedInto;
use super::lookups::may_hold;
use super::pruning::Lookup;

/// What skips row groups; nothing of it is needed for a right answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) lookups: &'a [Lookup],
    pub(super) ranges: Option<&'a PruningPredicate>,
}

/// The row groups of a file that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) row_groups: Vec<RowGroup>,
    /// How many the file has.
    pub(crate) of: usize,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowGroup {
    pub(crate) number: usize,
    pub(crate) rows: u64,
    /// Compressed, of all columns.
    pub(crate) bytes: u64,
}

impl Needed {
    /// Splits them into parts of at least so many bytes, in the order of the file.
    pub(super) fn parts(self, least_bytes: u64) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        for group in self.row_groups {
            match parts.last_mut() {
                Some(part) if part.bytes() < least_bytes => part.row_groups.push(group),
                _ => parts.push(Self { row_groups: vec![group], of: self.of }),
            }
        }
        parts
    }

    pub(super) fn bytes(&self) -> u64 {
        self.row_groups.iter().map(|group| group.bytes).sum()
    }

    /// As DataFusion takes it.
    pub(super) fn plan(&self) -> ParquetAccessPlan {
        let mut access = vec![RowGroupAccess::Skip; self.of];
        for group in &self.row_groups {
            if let Some(place) = access.get_mut(group.number) {
                *place = RowGroupAccess::Scan;
            }
        }
        ParquetAccessPlan::new(access)
    }
}

/// The row groups that may hold a row the rules let through; `None` where the file cannot be looked into, as whoever
/// reads it will find and say.
pub(super) async fn needed(file: LookedInto<'_>, schema: &SchemaRef, rules: Rules<'_>) -> Option<Needed> {
    let held = may_hold(file, rules.lookups).await;
    if let Some(held) = &held
        && !held.contains(&true)
    {
        return Some(Needed { row_groups: Vec::new(), of: held.len() });
    }
    match in_range(file, schema, rules.ranges).await {
        Ok(mut needed) => {
            if let Some(held) = held {
                needed.row_groups.retain(|group| held.get(group.number).copied().unwrap_or(true));
            }
            Some(needed)
        }
        Err(error) => {
            tracing::debug!(file = %file.file.location, %error, "a file cannot be looked into");
            None
        }
    }
}

async fn in_range(
    file: LookedInto<'_>,
    schema: &SchemaRef,
    ranges: Option<&PruningPredicate>,
) -> Result<Needed> {
    let footer = file.footer(PageIndexPolicy::Optional).await?;
    let groups = footer.row_groups();
    let mut filter = RowGroupAccessPlanFilter::new(ParquetAccessPlan::new_all(groups.len()));
    if let Some(ranges) = ranges {
        let columns = footer.file_metadata().schema_descr();
        let uncounted = ParquetFileMetrics::new(0, "", &ExecutionPlanMetricsSet::new());
        filter.prune_by_statistics(schema, columns, groups, ranges, &uncounted);
    }
    let row_groups = filter
        .row_group_indexes()
        .map(|number| {
            let (rows, bytes) =
                groups.get(number).map_or((0, 0), |group| (group.num_rows(), group.compressed_size()));
            let counted = |number| u64::try_from(number).unwrap_or(0);
            RowGroup { number, rows: counted(rows), bytes: counted(bytes) }
        })
        .collect();
    Ok(Needed { row_groups, of: groups.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_consecutive_and_leave_nothing_out() {
        let row_groups: Vec<RowGroup> =
            (0..10).map(|number| RowGroup { number: number * 2, rows: 10, bytes: 100 }).collect();
        let needed = Needed { row_groups: row_groups.clone(), of: 20 };
        for (least_bytes, count) in
            [(0, 10), (1, 10), (100, 10), (101, 5), (250, 4), (1_000, 1), (u64::MAX, 1)]
        {
            let parts = needed.clone().parts(least_bytes);
            assert_eq!(parts.len(), count, "{least_bytes}");
            let together: Vec<RowGroup> = parts.iter().flat_map(|part| part.row_groups.clone()).collect();
            assert_eq!(together, row_groups);
            let scanned: usize = parts.iter().map(|part| part.plan().row_group_indexes().len()).sum();
            assert_eq!(scanned, 10);
        }
        assert!(Needed { row_groups: Vec::new(), of: 20 }.parts(1).is_empty());
    }
}
