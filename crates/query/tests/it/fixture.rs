//! A source of rows for tests: records in memory and in Parquet files of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::record_batch::RecordBatch;
use manometer_model::{Clock, ColumnKind, Limits, Record, Table, Timestamp, Value};
use manometer_query::{
    Access, Engine, EngineOptions, QueryError, QueryRequest, QueryResult, RelationData, RollupUse,
    SegmentFile, Source, SourceError, format,
};
use manometer_store::arrow_schema;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

/// A clock that stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing(pub(crate) Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Parses RFC 3339.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// Rows for tests.
#[derive(Debug)]
pub(crate) struct Rows {
    folder: TempDir,
    relations: BTreeMap<&'static str, RelationData>,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), relations: BTreeMap::new() }
    }

    /// Adds records to memory, as one batch a table.
    pub(crate) fn memory(mut self, records: impl IntoIterator<Item = Record>) -> Self {
        for (table, rows) in by_table(records) {
            let batch = batch(Table::named(table).unwrap(), &rows);
            self.relations.entry(table).or_default().batches.push(batch);
        }
        self
    }

    /// Adds records of fact tables as one Parquet file a table, in row groups of 64.
    pub(crate) fn segment(self, records: impl IntoIterator<Item = Record>) -> Self {
        self.add_segment(records, true)
    }

    /// The same as it was before segments had filters of identities.
    pub(crate) fn segment_without_filters(self, records: impl IntoIterator<Item = Record>) -> Self {
        self.add_segment(records, false)
    }

    fn add_segment(mut self, records: impl IntoIterator<Item = Record>, identities: bool) -> Self {
        for (table, rows) in by_table(records) {
            let known = Table::named(table).unwrap();
            assert!(!known.is_entity(), "{table} has no segments");
            let data = self.relations.entry(table).or_default();
            let path = self.folder.path().join(format!("{table}-{}.parquet", data.segments.len()));
            data.segments.push(write_segment(known, &rows, path, identities));
        }
        self
    }

    /// The files of a table.
    pub(crate) fn files(&self, table: &str) -> Vec<PathBuf> {
        self.relations
            .get(table)
            .into_iter()
            .flat_map(|data| &data.segments)
            .map(|file| file.path.clone())
            .collect()
    }
}

impl Source for Rows {
    fn read(&self, relation: &str) -> Result<RelationData, SourceError> {
        Ok(self.relations.get(relation).cloned().unwrap_or_default())
    }
}

fn by_table(records: impl IntoIterator<Item = Record>) -> BTreeMap<&'static str, Vec<Record>> {
    let mut tables: BTreeMap<&'static str, Vec<Record>> = BTreeMap::new();
    for record in records {
        tables.entry(record.row().table_of().name).or_default().push(record);
    }
    tables
}

static IDS: AtomicU64 = AtomicU64::new(1);

fn write_segment(table: &'static Table, rows: &[Record], path: PathBuf, identities: bool) -> SegmentFile {
    let written = batch(table, rows);
    let mut properties = WriterProperties::builder().set_max_row_group_row_count(Some(64));
    for column in table.columns.iter().filter(|column| identities && column.kind == ColumnKind::TestId) {
        properties = properties.set_column_bloom_filter_fpp(column.name.into(), 0.001);
    }
    let properties = properties.build();
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, written.schema(), Some(properties)).unwrap();
    writer.write(&written).unwrap();
    writer.close().unwrap();
    let times: Vec<i64> = rows.iter().map(|row| time_of(table, row)).collect();
    let mut projects: Vec<String> = rows.iter().map(|row| text_of(table, row, "project")).collect();
    projects.sort();
    projects.dedup();
    SegmentFile {
        id: i64::try_from(IDS.fetch_add(1, Ordering::Relaxed)).unwrap(),
        rolls_up: None,
        size_bytes: path.metadata().unwrap().len(),
        path,
        rows: rows.len() as u64,
        min_at: Timestamp::from_micros(*times.iter().min().unwrap()),
        max_at: Timestamp::from_micros(*times.iter().max().unwrap()),
        projects: Some(projects),
    }
}

fn time_of(table: &Table, record: &Record) -> i64 {
    match record.row().cells()[table.position("at").unwrap()] {
        Value::Time(time) => time.as_micros(),
        ref other => panic!("{other:?} is no time"),
    }
}

fn text_of(table: &Table, record: &Record, column: &str) -> String {
    match record.row().cells()[table.position(column).unwrap()] {
        Value::Text(text) => text.to_owned(),
        ref other => panic!("{other:?} is no text"),
    }
}

pub(crate) fn batch(table: &'static Table, rows: &[Record]) -> RecordBatch {
    let columns = table
        .columns
        .iter()
        .enumerate()
        .map(|(position, column)| {
            let records: Vec<_> = rows.iter().map(|record| record.row().cells()).collect();
            array(column.kind, records.iter().map(|cells| cells[position]))
        })
        .collect();
    RecordBatch::try_new(arrow_schema(table), columns).unwrap()
}

fn array<'a>(kind: ColumnKind, cells: impl Iterator<Item = Value<'a>>) -> ArrayRef {
    match kind {
        ColumnKind::Text | ColumnKind::Labels | ColumnKind::TestId => {
            let mut builder = StringViewBuilder::new();
            for cell in cells {
                match cell {
                    Value::Null => builder.append_null(),
                    Value::Text(text) => builder.append_value(text),
                    Value::Labels(labels) => builder.append_value(serde_json::to_string(labels).unwrap()),
                    Value::TestId(id) => builder.append_value(id.to_string()),
                    other => panic!("{other:?} is no text"),
                }
            }
            Arc::new(builder.finish())
        }
        ColumnKind::Time => {
            let mut builder = TimestampMicrosecondBuilder::new();
            for cell in cells {
                match cell {
                    Value::Time(time) => builder.append_value(time.as_micros()),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish().with_timezone("UTC"))
        }
        ColumnKind::Float => {
            let mut builder = Float64Builder::new();
            for cell in cells {
                match cell {
                    Value::Float(number) => builder.append_value(number),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        ColumnKind::Int => {
            let mut builder = Int64Builder::new();
            for cell in cells {
                match cell {
                    Value::Int(number) => builder.append_value(number),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        ColumnKind::Sketch => panic!("no record has a sketch"),
        ColumnKind::Bool => {
            let mut builder = BooleanBuilder::new();
            for cell in cells {
                match cell {
                    Value::Bool(truth) => builder.append_value(truth),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
    }
}

/// The moment of `now()` in tests: a Tuesday.
pub(crate) fn noon() -> Timestamp {
    at("2026-03-10T12:00:00Z")
}

/// An engine of two threads whose clock stands at [`noon`].
pub(crate) fn engine() -> Engine {
    engine_with(Limits::default())
}

/// The same under other limits.
pub(crate) fn engine_with(limits: Limits) -> Engine {
    Engine::new(EngineOptions {
        limits,
        threads: 2,
        running: 4,
        waiting: 4,
        clock: Arc::new(Standing(noon())),
        rollups: RollupUse::default(),
    })
    .unwrap()
}

/// Asks, as one who may see everything.
pub(crate) async fn ask(source: &Arc<Rows>, sql: &str) -> Result<QueryResult, QueryError> {
    ask_as(source, sql, Access::All).await
}

/// Asks.
pub(crate) async fn ask_as(source: &Arc<Rows>, sql: &str, access: Access) -> Result<QueryResult, QueryError> {
    let shared: Arc<dyn Source> = source.clone();
    engine().query(shared, QueryRequest::new(sql, access)).await
}

/// The answer as CSV without its head.
pub(crate) async fn csv(source: &Arc<Rows>, sql: &str) -> String {
    csv_as(source, sql, Access::All).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The answer as CSV without its head.
pub(crate) async fn csv_as(source: &Arc<Rows>, sql: &str, access: Access) -> Result<String, String> {
    let result = ask_as(source, sql, access).await.map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    format::write(result, format::Format::Csv, &mut text).await.map_err(|error| error.to_string())?;
    let whole = String::from_utf8(text).unwrap();
    Ok(whole.split_once('\n').unwrap().1.trim_end().to_owned())
}
