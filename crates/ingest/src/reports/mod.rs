//! Report files with the run they belong to: one upload, one delivery, one receipt.

mod files;
mod measured;
mod run;
mod test_rows;

use manometer_model::{Limits, Problems, Timestamp};
use manometer_store::{DeliveryInfo, Store};

use crate::admission::Admission;
use crate::content_hash::ContentHash;
use crate::context::{Context, ContextFields};
use crate::decompress::{Allowance, Part, visit_files};
use crate::error::IngestError;
use crate::name::Name;
use crate::prepared::{Fresh, Prepared};
use crate::receipt::FileReport;
use crate::rows::RowSink;

use files::{ReportFiles, Taken};

/// The door these deliveries come through, in the table `deliveries`.
const SOURCE: &str = "reports";

/// Reads an upload of report files and makes the delivery of its rows.
///
/// The kind of each file is found from its content. A file that cannot be read is a problem of that file; the
/// upload is refused when none could be read, when it breaks a limit, or when its context is wrong.
///
/// # Errors
/// Why the upload is refused; nothing of it is stored.
pub fn prepare(
    store: &Store,
    fields: &ContextFields,
    mut parts: Vec<Part>,
    admission: &Admission,
    limits: &Limits,
    received_at: Timestamp,
) -> Result<Prepared, IngestError> {
    let Upload { mut context, content_hash, packed_bytes } = Upload::of(fields, &mut parts, limits)?;
    admission.check_project(Some(context.project.as_str()))?;
    let key = admission.delivery_key(content_hash);
    if let Some(repetition) = Prepared::of_known(store, &key, content_hash, packed_bytes)? {
        return Ok(repetition);
    }
    context.run_id.get_or_insert_with(|| Name::of_upload(content_hash));

    let mut writer = store.writer();
    let taken = read_parts(&context, &mut parts, packed_bytes, admission, limits, received_at, &mut writer)?;
    let info = DeliveryInfo {
        key,
        body_hash: content_hash,
        source: SOURCE.to_owned(),
        kind: taken.kinds(),
        project: Some(context.project.as_str().to_owned()),
        received_at,
        size_bytes: packed_bytes,
        problems: taken.problems.clone(),
        permanent: false,
    };
    let delivery = writer.finish(info)?;
    Ok(Prepared::Fresh(Box::new(Fresh { delivery, files: taken.reports, problems: taken.problems })))
}

/// What a dry run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// Each file.
    pub files: Vec<FileReport>,
    /// What could not be used.
    pub problems: Problems,
}

/// Reads an upload of report files as [`prepare`] does and gives its rows to `rows`; nothing is stored.
///
/// # Errors
/// Why the upload would be refused, or that `rows` did not take a row. What it took before stays with it.
pub fn dry_run(
    fields: &ContextFields,
    mut parts: Vec<Part>,
    limits: &Limits,
    received_at: Timestamp,
    rows: &mut dyn RowSink,
) -> Result<DryRun, IngestError> {
    let Upload { mut context, content_hash, packed_bytes } = Upload::of(fields, &mut parts, limits)?;
    context.run_id.get_or_insert_with(|| Name::of_upload(content_hash));
    let admission = Admission::open();
    let taken = read_parts(&context, &mut parts, packed_bytes, &admission, limits, received_at, rows)?;
    Ok(DryRun { files: taken.reports, problems: taken.problems })
}

/// What is known of an upload before it is read.
struct Upload {
    context: Context,
    content_hash: u128,
    packed_bytes: u64,
}

impl Upload {
    fn of(fields: &ContextFields, parts: &mut [Part], limits: &Limits) -> Result<Self, IngestError> {
        let context = Context::parse(fields, limits)?;
        let packed_bytes: u64 = parts.iter().map(Part::bytes).sum();
        if packed_bytes == 0 {
            return Err(IngestError::Empty);
        }
        let mut hash = ContentHash::new();
        hash.piece(SOURCE.as_bytes());
        hash.fields(fields);
        for part in parts {
            hash.part(part)?;
        }
        Ok(Self { context, content_hash: hash.finish(), packed_bytes })
    }
}

fn read_parts(
    context: &Context,
    parts: &mut [Part],
    packed_bytes: u64,
    admission: &Admission,
    limits: &Limits,
    received_at: Timestamp,
    rows: &mut dyn RowSink,
) -> Result<Taken, IngestError> {
    let allowance = Allowance::new(limits, packed_bytes);
    let mut files = ReportFiles::new(context, admission, limits, received_at, rows);
    for part in parts {
        if let Err(error) = visit_files(part, &allowance, &mut files) {
            files.part_failed(&part.name, &error);
        }
        if let Some(exceeded) = allowance.exceeded() {
            return Err(exceeded.into());
        }
    }
    files.finish()
}
