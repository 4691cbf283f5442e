//! One Parquet file being written.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use manometer_model::rollup::ROLLUP_VERSION;
use manometer_model::{ColumnKind, Table, TableKind, rollup_named};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{BloomFilterPosition, EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use xxhash_rust::xxh3::Xxh3Default;

use crate::catalog::segments::SegmentEntry;
use crate::companions::Companions;
use crate::error::StoreError;
use crate::filesystem::DurableFile;
use crate::folders::segment_file;
use crate::schema::arrow_schema;
use crate::segments::{SegmentDraft, SegmentSpace};

/// Version of the segment files, in their metadata.
const SEGMENT_VERSION: &str = "1";

const ROW_GROUP_ROWS: usize = 128 * 1_024;
const ROW_GROUP_BYTES: usize = 64 << 20;

/// Most bytes of a dictionary of times. Where each row has another time, one of all of them would still fit the usual
/// megabyte, and cost twice what the times take as differences, to store and to read.
const TIMES_DICTIONARY_BYTES: usize = 128 << 10;

/// Rows of a row group of a roll-up with sketches. A query keeps those that it needs decoded: few, where it asks for a
/// service.
const ROLLUP_ROW_GROUP_ROWS: usize = 4 * 1_024;

/// Rows of a page of a roll-up. A question takes a few days of one service out of the months of all, and what is skipped
/// are whole pages.
const ROLLUP_PAGE_ROWS: usize = 512;

/// Of the row groups that cannot hold an identity, so many are read for it all the same.
const MISTAKEN_FOR: f64 = 0.001;

/// Projects listed of one segment; more, and it counts as holding any.
const LISTED_PROJECTS: usize = 64;

/// Quickly at first, well when merged.
fn zstd_level(level: u8) -> i32 {
    if level == 0 { 1 } else { 3 }
}

/// An I/O failure at a path; a full disk under its own name.
pub(crate) fn io_error(path: &Path, source: io::Error) -> StoreError {
    if is_full(&source) {
        return StoreError::DiskFull { path: path.to_owned() };
    }
    StoreError::Io { path: path.to_owned(), source }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn parquet_error(path: &Path, source: ParquetError) -> StoreError {
    if let ParquetError::External(inner) = &source
        && let Some(cause) = inner.downcast_ref::<io::Error>()
        && is_full(cause)
    {
        return StoreError::DiskFull { path: path.to_owned() };
    }
    StoreError::Parquet { path: path.to_owned(), source }
}

/// A file that counts and hashes what passes.
struct Hashing {
    file: Box<dyn DurableFile>,
    hasher: Box<Xxh3Default>,
    size_bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        if let Some(passed) = bytes.get(..written) {
            self.hasher.update(passed);
        }
        self.size_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A segment being written to `tmp/`; rows must come in the order of the table.
pub(crate) struct SegmentFile {
    table: &'static Table,
    partition: String,
    level: u8,
    id: i64,
    space: Arc<SegmentSpace>,
    writer: Option<ArrowWriter<Hashing>>,
    rows: u64,
    min_at: i64,
    max_at: i64,
    projects: Option<BTreeSet<String>>,
    companions: Option<Companions>,
}

impl SegmentFile {
    pub(crate) fn create(
        space: &Arc<SegmentSpace>,
        table: &'static Table,
        partition: &str,
        level: u8,
    ) -> Result<Self, StoreError> {
        let companions = Companions::new(space, table, partition, level)?;
        let id = space.number();
        let path = space.tmp_file(id);
        let file = space.filesystem.create_new(&path).map_err(|error| io_error(&path, error))?;
        let mut segment = Self {
            table,
            partition: partition.to_owned(),
            level,
            id,
            space: Arc::clone(space),
            writer: None,
            rows: 0,
            min_at: i64::MAX,
            max_at: i64::MIN,
            projects: Some(BTreeSet::new()),
            companions,
        };
        let hashing = Hashing { file, hasher: Box::default(), size_bytes: 0 };
        let writer = ArrowWriter::try_new(hashing, arrow_schema(table), Some(properties(table, level)));
        match writer {
            Ok(writer) => segment.writer = Some(writer),
            Err(error) => return Err(parquet_error(&path, error)),
        }
        Ok(segment)
    }

    /// The companions, where there are any: to tell them of scattered rows apart.
    pub(crate) const fn companions(&mut self) -> Option<&mut Companions> {
        self.companions.as_mut()
    }

    /// Adds rows, which must not sort before those added so far.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.observe(batch);
        if let Some(companions) = &mut self.companions {
            companions.add(batch)?;
        }
        let path = self.space.tmp_file(self.id);
        match &mut self.writer {
            Some(writer) => writer.write(batch).map_err(|error| parquet_error(&path, error)),
            None => Err(StoreError::Closed),
        }
    }

    fn observe(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        if let Some(column) = batch.column_by_name("at") {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            if let (Some(min), Some(max)) = (arrow::compute::min(times), arrow::compute::max(times)) {
                self.min_at = self.min_at.min(min);
                self.max_at = self.max_at.max(max);
            }
        }
        let Some(column) = batch.column_by_name("project") else { return };
        let Some(projects) = &mut self.projects else { return };
        let mut last = "";
        for project in column.as_string_view().iter().flatten() {
            if project != last && !projects.contains(project) {
                projects.insert(project.to_owned());
            }
            last = project;
        }
        if projects.len() > LISTED_PROJECTS {
            self.projects = None;
        }
    }

    /// Completes the file and those of its companions, and returns when they are on disk, still in `tmp/`. The
    /// segment itself comes first.
    pub(crate) fn finish_durable(mut self) -> Result<Vec<SegmentDraft>, StoreError> {
        let path = self.space.tmp_file(self.id);
        let Some(mut writer) = self.writer.take() else { return Err(StoreError::Closed) };
        let finished = writer
            .finish()
            .map_err(|error| parquet_error(&path, error))
            .and_then(|_| writer.inner_mut().file.sync_durable().map_err(|error| io_error(&path, error)));
        if let Err(error) = finished {
            self.writer = Some(writer);
            return Err(error);
        }
        let entry = SegmentEntry {
            id: self.id,
            file: segment_file(self.table.name, &self.partition, self.id),
            table_name: self.table.name.to_owned(),
            partition: self.partition.clone(),
            level: self.level,
            rows: self.rows,
            size_bytes: writer.inner().size_bytes,
            min_at: self.min_at,
            max_at: self.max_at,
            checksum: writer.inner().hasher.digest(),
            projects: self.projects.take().map(|projects| projects.into_iter().collect()),
            rolls_up: None,
            rollup_version: ROLLUP_VERSION,
        };
        let mut drafts = vec![SegmentDraft::written(entry, self.table, Arc::clone(&self.space))];
        if let Some(companions) = self.companions.take() {
            drafts.extend(companions.finish_durable(self.id)?);
        }
        Ok(drafts)
    }
}

impl Drop for SegmentFile {
    fn drop(&mut self) {
        if self.writer.is_none() {
            return;
        }
        let path = self.space.tmp_file(self.id);
        if let Err(error) = self.space.filesystem.remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "an unfinished segment file stays until the next start");
        }
    }
}

fn properties(table: &Table, level: u8) -> WriterProperties {
    let zstd = ZstdLevel::try_new(zstd_level(level)).unwrap_or_default();
    let metadata = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(zstd))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_bloom_filter_position(BloomFilterPosition::End)
        .set_key_value_metadata(Some(vec![
            metadata("manometer.table", table.name),
            metadata("manometer.segment_version", SEGMENT_VERSION),
        ]))
        .set_sorting_columns(Some(sorting_columns(table)));
    // Where a dictionary does not pay (it is tried first), times are close to their neighbours and the bytes
    // of real numbers compress better apart.
    for column in table.columns {
        let path = ColumnPath::from(column.name);
        builder = match column.kind {
            ColumnKind::Time => builder
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_dictionary_page_size_limit(path, TIMES_DICTIONARY_BYTES),
            ColumnKind::Float => builder.set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT),
            // Rows lie in the order of names, an identity is a hash of them: it may lie in any row group, and only a
            // filter of its own tells in which. Made for a row group of as many tests as rows, folded to what it holds.
            ColumnKind::TestId => builder
                .set_column_bloom_filter_max_ndv(path.clone(), ROW_GROUP_ROWS as u64)
                .set_column_bloom_filter_fpp(path, MISTAKEN_FOR),
            _ => builder,
        };
    }
    // Only where neighbours are alike can a query skip single pages.
    let alike = match (rollup_named(table.name), table.kind) {
        (Some(rollup), _) => [rollup.dimensions, &["at"]].concat(),
        (None, TableKind::Fact { order }) => order.to_vec(),
        (None, TableKind::Entity { .. }) => Vec::new(),
    };
    for name in alike {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Page);
    }
    if let Some(rollup) = rollup_named(table.name) {
        builder =
            builder.set_data_page_row_count_limit(ROLLUP_PAGE_ROWS).set_write_batch_size(ROLLUP_PAGE_ROWS);
        if let Some(sketch) = rollup.measure.sketch.map(ColumnPath::from) {
            builder = builder.set_max_row_group_row_count(Some(ROLLUP_ROW_GROUP_ROWS));
            // Every sketch is another, and nobody looks for one.
            builder = builder
                .set_column_dictionary_enabled(sketch.clone(), false)
                .set_column_statistics_enabled(sketch, EnabledStatistics::None);
        }
    }
    builder.build()
}

fn sorting_columns(table: &Table) -> Vec<SortingColumn> {
    let TableKind::Fact { order } = table.kind else { return Vec::new() };
    let positions: HashMap<&str, usize> =
        table.columns.iter().enumerate().map(|(position, column)| (column.name, position)).collect();
    order
        .iter()
        .filter_map(|name| i32::try_from(*positions.get(name)?).ok())
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true })
        .collect()
}
