//! What senders of other systems write: line protocol, remote-write, StatsD.
//!
//! They know no receipts, so repetitions are recognised without them: a body whose every value has a time is the
//! same delivery when it comes again (a client that asks again after a timeout loses and doubles nothing); one with
//! values that get the time of receipt is new each time.

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_formats::dialects::{Sender, line_protocol, remote_write, statsd};
use manometer_model::records::Sample;
use manometer_model::{Limits, Problem, Problems, Record, Timestamp, Value};
use manometer_store::{DeliveryInfo, DeliveryWriter, Store};

use crate::admission::Admission;
use crate::content_hash::ContentHash;
use crate::decompress::{Allowance, FileVisitor, Part, visit_files};
use crate::error::IngestError;
use crate::prepared::{Fresh, Prepared};

pub use manometer_formats::dialects::line_protocol::{Precision, UnknownPrecision};
pub use manometer_formats::dialects::remote_write::RequestError;

/// Largest remote-write request, unpacked. Prometheus sends a hundredth of it.
pub const REMOTE_WRITE_BYTES: usize = 64 * 1024 * 1024;

/// What reading came to.
#[derive(Debug)]
pub struct Reading {
    /// The delivery; `None` when no row came of it.
    pub prepared: Option<Prepared>,
    /// Lines or samples that could be used.
    pub taken: u64,
    /// Lines or samples that could not.
    pub refused: u64,
    /// Why not, and what else there is to say.
    pub problems: Problems,
}

/// Reads a body of line protocol sent to the database or bucket `project`.
///
/// # Errors
/// When it is too large, cannot be unpacked, or holds rows the sender may not write. Lines that are wrong are no
/// error.
pub fn prepare_line_protocol(
    store: &Store,
    mut part: Part,
    project: &str,
    precision: Precision,
    admission: &Admission,
    limits: &Limits,
    received_at: Timestamp,
) -> Result<Reading, IngestError> {
    let size_bytes = part.bytes();
    let mut rows = Rows::new(store, admission, "influxdb", received_at);
    rows.hash.piece(project.as_bytes());
    rows.hash.piece(&[precision as u8]);
    rows.hash.part(&mut part)?;
    let allowance = Allowance::new(limits, size_bytes);
    let mut lines = Lines {
        rows: &mut rows,
        sender: Sender { provider: "influxdb", project, received_at },
        precision,
        limits,
        taken: 0,
        refused: 0,
        problems: Problems::new(),
        failure: None,
    };
    visit_files(&mut part, &allowance, &mut lines)?;
    if let Some(exceeded) = allowance.exceeded() {
        return Err(exceeded.into());
    }
    let Lines { taken, refused, problems, failure, .. } = lines;
    if let Some(failure) = failure {
        return Err(failure);
    }
    rows.finish(taken, refused, problems, size_bytes)
}

/// Reads a request of remote-write 1.0. Stale markers and values that are no numbers are not kept.
///
/// # Errors
/// When it is no such request, too large, or holds rows the sender may not write.
pub fn prepare_remote_write(
    store: &Store,
    body: &[u8],
    project: &str,
    admission: &Admission,
    limits: &Limits,
    received_at: Timestamp,
) -> Result<Result<Reading, RequestError>, IngestError> {
    let mut rows = Rows::new(store, admission, "prometheus", received_at);
    rows.hash.piece(project.as_bytes());
    rows.hash.piece(body);
    let sender = Sender { provider: "prometheus", project, received_at };
    let read = remote_write::read(body, &sender, limits, REMOTE_WRITE_BYTES, &mut |sample| {
        rows.append(sample.into());
    });
    match read {
        Ok(summary) => {
            rows.finish(summary.samples, summary.refused, summary.problems, body.len() as u64).map(Ok)
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Samples of many datagrams, collected until they are worth a delivery.
#[derive(Debug, Default)]
pub struct Datagrams {
    samples: Vec<Sample>,
    bytes: u64,
    /// Lines of all datagrams that could not be used; taken over by the next delivery.
    refused: u64,
    problems: Problems,
}

impl Datagrams {
    /// Reads a datagram sent to `project`.
    pub fn add(
        &mut self,
        datagram: &[u8],
        project: &str,
        limits: &Limits,
        received_at: Timestamp,
    ) -> statsd::Summary {
        let sender = Sender { provider: "statsd", project, received_at };
        let summary = statsd::read(datagram, &sender, limits, &mut |sample| self.samples.push(sample));
        self.bytes += datagram.len() as u64;
        self.refused += summary.refused;
        self.problems.absorb(summary.problems.clone(), None);
        summary
    }

    /// Samples that wait.
    pub fn waiting(&self) -> usize {
        self.samples.len()
    }

    /// Makes the delivery of all that waits, and is empty then. `sequence` sets it apart from others of its moment.
    ///
    /// # Errors
    /// When the store cannot take the rows; they are lost then.
    pub fn prepare(
        &mut self,
        store: &Store,
        received_at: Timestamp,
        sequence: u64,
    ) -> Result<Reading, IngestError> {
        let Self { samples, bytes, refused, problems } = std::mem::take(self);
        let admission = Admission::open();
        let mut rows = Rows::new(store, &admission, "statsd", received_at);
        rows.is_new_each_time = true;
        rows.hash.piece(&sequence.to_le_bytes());
        let taken = samples.len() as u64;
        for sample in samples {
            rows.append(sample.into());
        }
        rows.finish(taken, refused, problems, bytes)
    }
}

/// Writes records as rows of one delivery.
struct Rows<'a> {
    writer: DeliveryWriter,
    admission: &'a Admission,
    source: &'static str,
    received_at: Timestamp,
    hash: ContentHash,
    count: u64,
    project: Option<String>,
    is_new_each_time: bool,
    refusal: Option<IngestError>,
}

impl<'a> Rows<'a> {
    fn new(store: &Store, admission: &'a Admission, source: &'static str, received_at: Timestamp) -> Self {
        let mut hash = ContentHash::new();
        hash.piece(source.as_bytes());
        Self {
            writer: store.writer(),
            admission,
            source,
            received_at,
            hash,
            count: 0,
            project: None,
            is_new_each_time: false,
            refusal: None,
        }
    }

    /// Adds a row; after a refusal nothing more is added.
    fn append(&mut self, record: Record) {
        if self.refusal.is_none()
            && let Err(refusal) = self.try_append(&record)
        {
            self.refusal = Some(refusal);
        }
    }

    fn try_append(&mut self, record: &Record) -> Result<(), IngestError> {
        let row = record.row();
        let table = row.table_of();
        let cells = row.cells();
        let cell = |column: &str| cells.get(table.position(column)?).copied();
        let project = match cell("project") {
            Some(Value::Text(project)) => Some(project),
            _ => None,
        };
        self.admission.check_project(project)?;
        if self.project.is_none() {
            self.project = project.map(str::to_owned);
        }
        // The readers give the time of receipt to what has none of its own.
        self.is_new_each_time |= cell("at") == Some(Value::Time(self.received_at));
        self.writer.append(table, &cells)?;
        self.count += 1;
        Ok(())
    }

    fn finish(
        mut self,
        taken: u64,
        refused: u64,
        problems: Problems,
        size_bytes: u64,
    ) -> Result<Reading, IngestError> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        if self.count == 0 {
            return Ok(Reading { prepared: None, taken, refused, problems });
        }
        if self.is_new_each_time {
            self.hash.piece(&self.received_at.as_micros().to_le_bytes());
        }
        let body_hash = self.hash.finish();
        let info = DeliveryInfo {
            key: self.admission.delivery_key(body_hash),
            body_hash,
            source: self.source.to_owned(),
            kind: self.source.to_owned(),
            project: self.project,
            received_at: self.received_at,
            size_bytes,
            problems: problems.clone(),
            permanent: false,
        };
        let delivery = self.writer.finish(info)?;
        let fresh = Fresh { delivery, files: Vec::new(), problems: problems.clone() };
        Ok(Reading { prepared: Some(Prepared::Fresh(Box::new(fresh))), taken, refused, problems })
    }
}

/// Reads the lines of an upload; more than one file only where the sender packed several into a zip.
struct Lines<'r, 'a> {
    rows: &'r mut Rows<'a>,
    sender: Sender<'a>,
    precision: Precision,
    limits: &'a Limits,
    taken: u64,
    refused: u64,
    problems: Problems,
    failure: Option<IngestError>,
}

impl FileVisitor for Lines<'_, '_> {
    fn file(&mut self, _: &str, content: &mut dyn BufRead) {
        let rows = &mut *self.rows;
        let read = line_protocol::read(content, &self.sender, self.precision, self.limits, &mut |record| {
            rows.append(record);
            if rows.refusal.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match read {
            Ok(summary) => {
                self.taken += summary.lines - summary.refused;
                self.refused += summary.refused;
                self.problems.absorb(summary.problems, None);
            }
            // The rows before are not stored either: the sender is told that the body is broken and sends it anew.
            Err(error) => self.failure = Some(IngestError::Read(std::io::Error::other(error))),
        }
    }

    fn unreadable(&mut self, name: &str, why: String) {
        self.refused += 1;
        self.problems.push(Problem::new(why).in_file(name));
    }
}
