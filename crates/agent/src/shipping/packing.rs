//! What a run brings, as shipments of bounded size.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use manometer_model::{Problem, Record};

use super::multipart::Form;
use super::{Server, Shipment};

/// Records are sent in batches of at most this many bytes before packing.
const BATCH_BYTES: usize = 4 << 20;
/// Packed reports are collected into one form until it has this size.
const FORM_BYTES: usize = 16 << 20;

/// The records of a run. The keys are made of the run's identity and the number of the batch, so the same run gives
/// the same keys.
pub fn run_records(server: &Server, run_id: &str, records: &[Record]) -> Vec<(Shipment, Vec<u8>)> {
    let mut shipments = Vec::new();
    let mut lines = Vec::new();
    let mut count = 0;
    for (position, record) in records.iter().enumerate() {
        if serde_json::to_writer(&mut lines, record).is_err() {
            continue;
        }
        lines.push(b'\n');
        count += 1;
        if lines.len() >= BATCH_BYTES || position + 1 == records.len() {
            let key = format!("{run_id}-records-{}", shipments.len());
            let mut shipment = Shipment::new(
                &server.address,
                "/api/v1/records",
                key,
                "application/x-ndjson",
                format!("{count} records of run {run_id}"),
            );
            shipment.content_encoding = Some("gzip".to_owned());
            shipments.push((shipment, gzip(&lines)));
            lines.clear();
            count = 0;
        }
    }
    shipments
}

/// Report files of a run with the run they belong to, as forms. A file that cannot be read is a problem.
pub fn reports(
    server: &Server,
    run_id: &str,
    context: &[(String, String)],
    files: &[PathBuf],
    folder: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<(Shipment, Vec<u8>)> {
    let mut shipments = Vec::new();
    let mut form = begin_form(context);
    for path in files {
        let shown = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
        match fs::read(path) {
            Ok(content) => form.file(&shown, &gzip(&content)),
            Err(error) => problems.push(Problem::new(format!("failed to read: {error}")).in_file(shown)),
        }
        if form.len() >= FORM_BYTES {
            let full = std::mem::replace(&mut form, begin_form(context));
            shipments.push(finished(server, run_id, full, shipments.len()));
        }
    }
    if form.files() > 0 {
        shipments.push(finished(server, run_id, form, shipments.len()));
    }
    shipments
}

fn begin_form(context: &[(String, String)]) -> Form {
    let mut form = Form::new();
    for (name, value) in context {
        form.text(name, value);
    }
    form
}

fn finished(server: &Server, run_id: &str, form: Form, number: usize) -> (Shipment, Vec<u8>) {
    let holds = format!("{} reports of run {run_id}", form.files());
    let (content_type, body) = form.finish();
    let key = format!("{run_id}-reports-{number}");
    (Shipment::new(&server.address, "/api/v1/reports", key, &content_type, holds), body)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(content.len() / 4 + 64), Compression::fast());
    // Writing to memory does not fail.
    encoder.write_all(content).ok();
    encoder.finish().unwrap_or_default()
}
