//! `POST /save_metrics`: one finished pipeline as a single JSON document.
//!
//! The document is read strictly: what is wrong is refused with the field's name, nothing is left out in
//! silence. Its natural key is (project, pipeline_id), for ever: a pipeline is saved once.

mod document;
mod rows;

use manometer_model::{Limits, Problems, Timestamp};
use manometer_store::{Delivery, DeliveryInfo, DeliveryKey, Store};

pub use document::{Document, DocumentError};

use crate::admission::Admission;
use crate::content_hash::ContentHash;
use crate::error::IngestError;

/// The provider of what arrives here.
pub const PROVIDER: &str = "save_metrics";

/// Reads the document and makes the delivery of its rows.
///
/// # Errors
/// When the document is not as it should be (the field is named), or not allowed for this sender.
pub fn prepare(
    store: &Store,
    body: &[u8],
    admission: &Admission,
    limits: &Limits,
    received_at: Timestamp,
) -> Result<Delivery, IngestError> {
    let document = Document::parse(body, limits)?;
    admission.check_project(Some(document.project.as_str()))?;
    let mut writer = store.writer();
    rows::append(&document, &mut writer)?;
    let mut hash = ContentHash::new();
    hash.piece(body);
    let info = DeliveryInfo {
        key: DeliveryKey {
            scope: PROVIDER.to_owned(),
            key: format!("{}\u{1f}{}", document.project, document.pipeline_id),
        },
        body_hash: hash.finish(),
        source: PROVIDER.to_owned(),
        kind: PROVIDER.to_owned(),
        project: Some(document.project.as_str().to_owned()),
        received_at,
        size_bytes: body.len() as u64,
        problems: Problems::new(),
        permanent: true,
    };
    Ok(writer.finish(info)?)
}
