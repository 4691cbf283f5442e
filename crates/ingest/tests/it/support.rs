//! A store, packers, and a look at what was stored.

use std::io::Write as _;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::array_value_to_string;
use manometer_ingest::{Admission, ContextFields, IngestError, Ingested, Part, Prepared, reports};
use manometer_model::{Limits, Table, Timestamp};
use manometer_store::{Store, StoreOptions};

/// A store in a folder of its own.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    pub(crate) admission: Admission,
    _folder: tempfile::TempDir,
}

/// When everything here is received.
pub(crate) const RECEIVED: Timestamp = Timestamp::from_seconds(1_700_000_000);

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = StoreOptions::new(folder.path());
        options.flush.background = false;
        let store = Store::open(options).unwrap();
        Self { store, limits: Limits::default(), admission: Admission::open(), _folder: folder }
    }

    /// Prepares an upload of the project `github.com/acme/shop`, with more said of the run.
    pub(crate) fn prepare(&self, said: &[(&str, &str)], parts: Vec<Part>) -> Result<Prepared, IngestError> {
        let mut fields = ContextFields::new();
        fields.set("project", "github.com/acme/shop").unwrap();
        for (name, value) in said {
            fields.set(name, value).unwrap();
        }
        reports::prepare(&self.store, &fields, parts, &self.admission, &self.limits, RECEIVED)
    }

    /// The same, committed.
    pub(crate) fn upload(&self, said: &[(&str, &str)], parts: Vec<Part>) -> Result<Ingested, IngestError> {
        self.prepare(said, parts)?.commit_durable(&self.store)
    }

    /// One column of a table as texts, sorted; null is the empty text.
    pub(crate) fn column(&self, table: &'static str, column: &str) -> Vec<String> {
        let table = Table::named(table).unwrap();
        let mut texts = Vec::new();
        for batch in self.store.snapshot().batches(table).unwrap() {
            let array = batch.column_by_name(column).unwrap();
            let times = array.as_primitive_opt::<TimestampMicrosecondType>();
            texts.extend((0..batch.num_rows()).map(|row| match times {
                Some(times) if times.is_null(row) => String::new(),
                Some(times) => Timestamp::from_micros(times.value(row)).to_string(),
                None => array_value_to_string(array, row).unwrap(),
            }));
        }
        texts.sort();
        texts
    }

    /// The only value of a column.
    pub(crate) fn only(&self, table: &'static str, column: &str) -> String {
        let texts = self.column(table, column);
        assert_eq!(texts.len(), 1, "{table}.{column}: {texts:?}");
        texts.concat()
    }
}

/// A JUnit file with one passed test of each name.
pub(crate) fn junit(names: &[&str]) -> Vec<u8> {
    let cases: String = names
        .iter()
        .map(|name| format!(r#"<testcase classname="cart" name="{name}" time="0.5"/>"#))
        .collect();
    format!(r#"<testsuite name="unit" timestamp="2023-11-14T20:00:00Z" time="2">{cases}</testsuite>"#)
        .into_bytes()
}

/// A part in memory.
pub(crate) fn part(name: &str, content: impl Into<Vec<u8>>) -> Part {
    Part::from_memory(name, content.into())
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(content, 3).unwrap()
}

/// A zip archive of files.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
