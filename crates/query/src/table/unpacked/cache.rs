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

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{AsArray, Int64Array, StringViewArray};
    use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use manometer_model::Timestamp;
    use parquet::arrow::ArrowWriter;

    use super::*;

    const ROWS: usize = 10_000;

    fn schema(names: &[(&str, DataType)]) -> SchemaRef {
        let fields = names.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn today() -> SchemaRef {
        schema(&[("count", DataType::Int64), ("name", DataType::Utf8View), ("later", DataType::Float64)])
    }

    fn written(folder: &Path, number: i64) -> SegmentFile {
        let path = folder.join(format!("{number}.parquet"));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(
                (0..ROWS)
                    .map(|row| format!("service {row} of file {number}"))
                    .map(Some)
                    .collect::<StringViewArray>(),
            ),
            Arc::new(Int64Array::from_iter_values((0..ROWS as i64).map(|row| row + number))),
        ];
        let schema = schema(&[("name", DataType::Utf8View), ("count", DataType::Int64)]);
        let mut writer =
            ArrowWriter::try_new(File::create(&path).unwrap(), Arc::clone(&schema), None).unwrap();
        writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
        writer.close().unwrap();
        SegmentFile {
            id: number,
            rolls_up: Some(1),
            size_bytes: path.metadata().unwrap().len(),
            path,
            rows: ROWS as u64,
            min_at: Timestamp::default(),
            max_at: Timestamp::default(),
            projects: None,
        }
    }

    #[test]
    fn columns_come_whole_in_the_order_asked_for_and_once_read_need_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), 7);
        let cache = UnpackedCache::new(1 << 30);
        let first = cache.columns(&file, &today(), &[1]).unwrap();
        assert_eq!(first[0].as_string_view().value(9_999), "service 9999 of file 7");
        let more = cache.columns(&file, &today(), &[2, 1, 0]).unwrap();
        assert_eq!((more[0].null_count(), more[0].data_type()), (ROWS, &DataType::Float64));
        assert!(Arc::ptr_eq(&more[1], &first[0]), "read again");
        assert_eq!(more[2].as_primitive::<Int64Type>().value(0), 7);
        std::fs::remove_file(&file.path).unwrap();
        assert_eq!(cache.columns(&file, &today(), &[0, 1, 2]).unwrap().len(), 3);
        assert!(cache.columns(&written(folder.path(), 8), &today(), &[]).unwrap().is_empty());
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_the_bound_holds() {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<SegmentFile> = (0..4).map(|number| written(folder.path(), number)).collect();
        let of_one = UnpackedCache::new(usize::MAX);
        of_one.columns(&files[0], &today(), &[0, 1]).unwrap();
        let cache = UnpackedCache::new(of_one.bytes() * 5 / 2);
        let read = |file: &SegmentFile| cache.columns(file, &today(), &[0, 1]);
        for number in [0, 1, 0, 2] {
            read(&files[number]).unwrap();
            assert!(cache.bytes() <= of_one.bytes() * 5 / 2);
        }
        files.iter().for_each(|file| std::fs::remove_file(&file.path).unwrap());
        assert!(read(&files[0]).is_ok());
        assert!(read(&files[2]).is_ok());
        assert!(read(&files[1]).is_err());
        assert!(read(&files[3]).is_err());
        let small = UnpackedCache::new(10);
        assert_eq!(small.columns(&written(folder.path(), 9), &today(), &[0]).unwrap()[0].len(), ROWS);
        assert_eq!(small.bytes(), 0);
    }

    #[test]
    fn a_file_that_is_not_what_the_table_says_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = UnpackedCache::new(1 << 30);
        let file = written(folder.path(), 1);
        let other = schema(&[("count", DataType::Utf8View)]);
        let told = cache.columns(&file, &other, &[0]).unwrap_err().to_string();
        assert!(told.contains("1.parquet") && told.contains("count"), "{told}");
        let shorter = SegmentFile { rows: 9_999, ..file.clone() };
        assert!(cache.columns(&shorter, &today(), &[0]).is_err());
        std::fs::write(&file.path, b"no parquet").unwrap();
        assert!(UnpackedCache::new(10).columns(&file, &today(), &[0]).is_err());
    }
}
