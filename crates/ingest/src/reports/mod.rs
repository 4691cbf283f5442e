//! Report files with the run they belong to: one upload, one delivery, one receipt.

mod files;
mod measured;
mod run;
mod tests;

use manometer_model::{Limits, Timestamp};
use manometer_store::{DeliveryInfo, Store};

use crate::admission::Admission;
use crate::content_hash::ContentHash;
use crate::context::{Context, ContextFields};
use crate::decompress::{Allowance, Part, visit_files};
use crate::error::IngestError;
use crate::name::Name;
use crate::prepared::{Fresh, Prepared};

use files::ReportFiles;

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
    let mut context = Context::parse(fields, limits)?;
    admission.check_project(Some(context.project.as_str()))?;
    let packed_bytes: u64 = parts.iter().map(Part::bytes).sum();
    if packed_bytes == 0 {
        return Err(IngestError::Empty);
    }
    let mut hash = ContentHash::new();
    hash.piece(SOURCE.as_bytes());
    hash.fields(fields);
    for part in &mut parts {
        hash.part(part)?;
    }
    let content_hash = hash.finish();
    let key = admission.delivery_key(content_hash);
    if let Some(repetition) = Prepared::of_known(store, &key, content_hash, packed_bytes)? {
        return Ok(repetition);
    }
    context.run_id.get_or_insert_with(|| Name::of_upload(content_hash));

    let allowance = Allowance::new(limits, packed_bytes);
    let mut writer = store.writer();
    let mut files = ReportFiles::new(&context, admission, limits, received_at, &mut writer);
    for part in &mut parts {
        if let Err(error) = visit_files(part, &allowance, &mut files) {
            files.part_failed(&part.name, &error);
        }
        if let Some(exceeded) = allowance.exceeded() {
            return Err(exceeded.into());
        }
    }
    let taken = files.finish()?;
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
