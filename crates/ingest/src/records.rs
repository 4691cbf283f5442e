//! Records as NDJSON: rows as they are.

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::{Limits, Problem, Problems, Record, Table, Timestamp, Value};
use manometer_store::{DeliveryInfo, Store};

use crate::admission::Admission;
use crate::content_hash::ContentHash;
use crate::decompress::{Allowance, FileVisitor, Part, visit_files};
use crate::error::IngestError;
use crate::prepared::{Fresh, Prepared};
use crate::receipt::FileReport;
use crate::rows::RowSink;

/// The door these deliveries come through, in the table `deliveries`.
const SOURCE: &str = "records";

/// Reads records and makes the delivery of their rows.
///
/// # Errors
/// Why the upload is refused; nothing of it is stored.
pub fn prepare(
    store: &Store,
    mut part: Part,
    admission: &Admission,
    limits: &Limits,
    received_at: Timestamp,
) -> Result<Prepared, IngestError> {
    let packed_bytes = part.bytes();
    if packed_bytes == 0 {
        return Err(IngestError::Empty);
    }
    let mut hash = ContentHash::new();
    hash.piece(SOURCE.as_bytes());
    hash.part(&mut part)?;
    let content_hash = hash.finish();
    let key = admission.delivery_key(content_hash);
    if let Some(repetition) = Prepared::of_known(store, &key, content_hash, packed_bytes)? {
        return Ok(repetition);
    }
    let allowance = Allowance::new(limits, packed_bytes);
    let mut writer = store.writer();
    let mut files = RecordFiles {
        admission,
        limits,
        received_at,
        writer: &mut writer,
        reports: Vec::new(),
        problems: Problems::new(),
        project: None,
        refusal: None,
    };
    visit_files(&mut part, &allowance, &mut files)?;
    if let Some(exceeded) = allowance.exceeded() {
        return Err(exceeded.into());
    }
    let RecordFiles { reports, problems, project, refusal, .. } = files;
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    if !reports.iter().any(|report| report.taken) {
        return Err(IngestError::NothingReadable { files: reports, problems });
    }
    let info = DeliveryInfo {
        key,
        body_hash: content_hash,
        source: SOURCE.to_owned(),
        kind: SOURCE.to_owned(),
        project,
        received_at,
        size_bytes: packed_bytes,
        problems: problems.clone(),
        permanent: false,
    };
    let delivery = writer.finish(info)?;
    Ok(Prepared::Fresh(Box::new(Fresh { delivery, files: reports, problems })))
}

struct RecordFiles<'a> {
    admission: &'a Admission,
    limits: &'a Limits,
    received_at: Timestamp,
    writer: &'a mut dyn RowSink,
    reports: Vec<FileReport>,
    problems: Problems,
    project: Option<String>,
    refusal: Option<IngestError>,
}

impl RecordFiles<'_> {
    fn note(&mut self, name: &str, records: u64, problems: Problems) {
        self.reports.push(FileReport {
            name: name.to_owned(),
            kind: SOURCE.to_owned(),
            records,
            problems: problems.total,
            taken: records > 0,
            ..FileReport::default()
        });
        self.problems.absorb(problems, Some(name));
    }
}

impl FileVisitor for RecordFiles<'_> {
    fn file(&mut self, name: &str, content: &mut dyn BufRead) {
        if self.refusal.is_some() {
            return;
        }
        let rows = RecordRows::new(self.admission, self.received_at, self.writer);
        match rows.read(content, self.limits) {
            Ok(taken) => {
                self.project = self.project.take().or(taken.project);
                self.note(name, taken.records, taken.problems);
            }
            Err(refusal) => self.refusal = Some(refusal),
        }
    }

    fn unreadable(&mut self, name: &str, why: String) {
        let mut problems = Problems::new();
        problems.push(Problem::new(why));
        self.note(name, 0, problems);
    }
}

/// Writes each record it is given as a row.
pub(crate) struct RecordRows<'a> {
    admission: &'a Admission,
    received_at: Timestamp,
    writer: &'a mut dyn RowSink,
}

/// What a file of records was made of.
pub(crate) struct TakenRecords {
    pub(crate) records: u64,
    pub(crate) problems: Problems,
    /// The project of the first record that names one.
    pub(crate) project: Option<String>,
}

impl<'a> RecordRows<'a> {
    pub(crate) fn new(admission: &'a Admission, received_at: Timestamp, writer: &'a mut dyn RowSink) -> Self {
        Self { admission, received_at, writer }
    }

    /// Reads a file to its end.
    pub(crate) fn read(
        mut self,
        content: &mut dyn BufRead,
        limits: &Limits,
    ) -> Result<TakenRecords, IngestError> {
        let mut taken = TakenRecords { records: 0, problems: Problems::new(), project: None };
        let mut refusal = None;
        let outcome = manometer_formats::records::read(content, limits, &mut |record| {
            match self.append(&record) {
                Ok(project) => {
                    taken.records += 1;
                    if taken.project.is_none() {
                        taken.project = project.map(str::to_owned);
                    }
                }
                Err(error) => {
                    refusal = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        if let Some(error) = refusal {
            return Err(error);
        }
        match outcome {
            Ok(summary) => taken.problems.absorb(summary.problems, None),
            Err(error) if taken.records == 0 => taken.problems.push(Problem::new(error.to_string())),
            Err(error) => taken
                .problems
                .push(Problem::new(format!("{error}; the {} records before that were kept", taken.records))),
        }
        Ok(taken)
    }

    /// Writes one record; answers its project.
    fn append<'r>(&mut self, record: &'r Record) -> Result<Option<&'r str>, IngestError> {
        let row = record.row();
        let table = row.table_of();
        let mut cells = row.cells();
        let project = match cell(table, &cells, "project") {
            Some(Value::Text(project)) => Some(project),
            _ => None,
        };
        self.admission.check_project(project)?;
        set_time(table, &mut cells, self.received_at);
        self.writer.append(table, &cells)?;
        Ok(project)
    }
}

fn cell<'r>(table: &Table, cells: &[Value<'r>], column: &str) -> Option<Value<'r>> {
    cells.get(table.position(column)?).copied()
}

/// A fact without a time gets its end, else its start, else the time of receipt.
pub(crate) fn set_time(table: &Table, cells: &mut [Value<'_>], received_at: Timestamp) {
    let Some(position) = table.position("at").filter(|_| !table.is_entity()) else { return };
    if cells.get(position) != Some(&Value::Time(Timestamp::default())) {
        return;
    }
    let known =
        ["finished_at", "started_at"].into_iter().find_map(|column| match cell(table, cells, column) {
            Some(Value::Time(time)) => Some(time),
            _ => None,
        });
    if let Some(at) = cells.get_mut(position) {
        *at = Value::Time(known.unwrap_or(received_at));
    }
}
