//! Which of the deliveries a provider lists it should be asked to send again.

use std::collections::{BTreeMap, BTreeSet};

use super::Redeliveries;

/// How often a delivery is asked for again.
pub(super) const MOST_REDELIVERIES: u32 = 3;

/// A delivery of a hook, as a list shows it.
pub(super) struct HookDelivery {
    /// Names this attempt.
    pub(super) id: u64,
    /// The same for every attempt of one delivery.
    pub(super) key: String,
    /// Was it taken?
    pub(super) arrived: bool,
}

/// The deliveries no attempt of which arrived and that may be asked for once more, by their key, each with its newest
/// attempt. `deliveries` are newest first; what arrived or is listed no more is forgotten in `done`.
pub(super) fn due(deliveries: &[HookDelivery], done: &mut Redeliveries) -> BTreeMap<String, u64> {
    let arrived: BTreeSet<&str> =
        deliveries.iter().filter(|one| one.arrived).map(|one| one.key.as_str()).collect();
    let mut failed: BTreeMap<String, u64> = BTreeMap::new();
    for delivery in deliveries.iter().filter(|one| !arrived.contains(one.key.as_str())) {
        failed.entry(delivery.key.clone()).or_insert(delivery.id);
    }
    done.retain(|key, _| failed.contains_key(key));
    failed.retain(|key, _| done.get(key).copied().unwrap_or_default() < MOST_REDELIVERIES);
    failed
}
