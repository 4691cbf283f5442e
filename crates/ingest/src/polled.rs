//! What a poll of a provider's API found, as a delivery like any other: with a receipt, and without effect when it
//! is told again.

use manometer_model::{Problems, Timestamp};
use manometer_providers::Decoded;
use manometer_store::{DeliveryInfo, DeliveryKey, Store};

use crate::content_hash::ContentHash;
use crate::error::IngestError;
use crate::prepared::{Fresh, Prepared};
use crate::webhooks::append;

/// Makes the delivery of what belongs together: a run with its jobs, or the runners of a project. `poll` is the name of
/// what is polled, `github/acme/shop`; the part before its first `/` is the delivery's source.
///
/// The same content from the same poll is the same delivery. Whatever else is told twice merges, or stands under a
/// natural key.
///
/// # Errors
/// When the store cannot take its rows.
pub fn prepare(
    store: &Store,
    poll: &str,
    told: &[Decoded],
    received_at: Timestamp,
) -> Result<Prepared, IngestError> {
    let mut writer = store.writer();
    let mut hash = ContentHash::new();
    let mut size_bytes = 0;
    let mut problems = Problems::new();
    for decoded in told {
        append(decoded, &mut writer, received_at)?;
        problems.absorb(decoded.problems.clone(), None);
        let facts = decoded.facts.iter().flat_map(|group| &group.records);
        for record in decoded.entities.iter().chain(facts) {
            let text = serde_json::to_vec(record)?;
            size_bytes += text.len() as u64;
            hash.piece(&text);
        }
    }
    let body_hash = hash.finish();
    let info = DeliveryInfo {
        key: DeliveryKey { scope: format!("poll:{poll}"), key: format!("{body_hash:032x}") },
        body_hash,
        source: poll.split('/').next().unwrap_or(poll).to_owned(),
        kind: "poll".to_owned(),
        project: told.iter().find_map(|decoded| decoded.project.clone()),
        received_at,
        size_bytes,
        problems: problems.clone(),
        permanent: false,
    };
    let delivery = writer.finish(info)?;
    Ok(Prepared::Fresh(Box::new(Fresh { delivery, files: Vec::new(), problems })))
}
