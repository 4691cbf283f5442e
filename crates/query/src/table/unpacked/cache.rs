//! The columns of small files that were read lately, kept as arrays.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use parking_lot::Mutex;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::SegmentFile;

/// Columns of files, the least lately used of which go when they are too many bytes. Files never change under their
/// name, so what is kept is never stale; what is kept of a file that is gone goes in its turn.
#[derive(Debug)]
pub(crate) struct UnpackedCache {
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<PathBuf, Columns>,
    bytes: usize,
    /// Counts uses.
    uses: u64,
}

/// The columns of one file, by their position in the table.
#[derive(Debug, Default)]
struct Columns {
    arrays: HashMap<usize, ArrayRef>,
    bytes: usize,
    last_use: u64,
}

impl UnpackedCache {
    /// A cache of at most this many bytes.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, kept: Mutex::default() }
    }

    /// Whole columns of a file, in the order of `positions`, as the table with this schema has them.
    ///
    /// # Errors
    /// When the file cannot be read, or a column has another type.
    pub(super) fn columns(
        &self,
        file: &SegmentFile,
        schema: &SchemaRef,
        positions: &[usize],
    ) -> Result<Vec<ArrayRef>> {
        let mut found = self.found(&file.path, positions);
        let missing: Vec<usize> =
            positions.iter().copied().filter(|position| !found.contains_key(position)).collect();
        if !missing.is_empty() {
            let read = read(file, schema, &missing)?;
            self.keep(&file.path, &read);
            found.extend(read);
        }
        Ok(positions.iter().filter_map(|position| found.get(position).map(Arc::clone)).collect())
    }

    fn found(&self, path: &Path, positions: &[usize]) -> HashMap<usize, ArrayRef> {
        let mut kept = self.kept.lock();
        kept.uses += 1;
        let now = kept.uses;
        let Some(columns) = kept.files.get_mut(path) else { return HashMap::new() };
        columns.last_use = now;
        let known = |position: &usize| Some((*position, Arc::clone(columns.arrays.get(position)?)));
        positions.iter().filter_map(known).collect()
    }

    fn keep(&self, path: &Path, read: &[(usize, ArrayRef)]) {
        let mut kept = self.kept.lock();
        kept.uses += 1;
        let now = kept.uses;
        let columns = kept.files.entry(path.to_owned()).or_default();
        columns.last_use = now;
        let mut more = 0;
        for (position, array) in read {
            // Another query may have read it at the same time.
            if columns.arrays.insert(*position, Arc::clone(array)).is_none() {
                more += array.get_array_memory_size();
            }
        }
        columns.bytes += more;
        kept.bytes += more;
        while kept.bytes > self.most_bytes {
            let oldest = kept.files.iter().min_by_key(|(_, columns)| columns.last_use);
            let Some(oldest) = oldest.map(|(path, _)| path.clone()) else { break };
            let freed = kept.files.remove(&oldest).map_or(0, |columns| columns.bytes);
            kept.bytes = kept.bytes.saturating_sub(freed);
        }
    }

    /// Bytes kept now.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.kept.lock().bytes
    }
}

fn read(file: &SegmentFile, schema: &SchemaRef, positions: &[usize]) -> Result<Vec<(usize, ArrayRef)>> {
    let failed = |error| DataFusionError::ParquetError(Box::new(error));
    let opened = File::open(&file.path)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(failed)?;
    let rows = usize::try_from(file.rows).unwrap_or(usize::MAX);
    let in_file = Arc::clone(builder.schema());
    let names = |position: &usize| schema.fields().get(*position).map(|field| field.name());
    let places = positions.iter().filter_map(names).filter_map(|name| in_file.index_of(name).ok());
    let mask = ProjectionMask::roots(builder.parquet_schema(), places);
    let reader = builder.with_projection(mask).with_batch_size(rows.max(1)).build().map_err(failed)?;
    let batches = reader.collect::<Result<Vec<RecordBatch>, _>>()?;
    let mut columns = Vec::with_capacity(positions.len());
    for position in positions {
        let field = schema.field(*position);
        let parts: Vec<&dyn Array> = batches
            .iter()
            .filter_map(|batch| batch.column_by_name(field.name()))
            .map(AsRef::as_ref)
            .collect();
        let array = match parts.as_slice() {
            // Files of before the column was there have none.
            [] => new_null_array(field.data_type(), rows),
            parts => concat(parts)?,
        };
        if array.data_type() != field.data_type() || array.len() != rows {
            let told = format!(
                "{}: column {} holds {} times {} instead of {rows} times {}",
                file.path.display(),
                field.name(),
                array.len(),
                array.data_type(),
                field.data_type()
            );
            return Err(DataFusionError::Execution(told));
        }
        columns.push((*position, array));
    }
    Ok(columns)
}
