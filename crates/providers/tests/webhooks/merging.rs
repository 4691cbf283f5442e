//! Any order, any repetition and any subset that ends in the final event: the same final row.
//!
//! Orders and repetitions of all deliveries make exactly the same rows. Of a subset with the final delivery in it, each
//! cell that the final delivery states is the same too; what only a lost delivery knew (when something was queued) is
//! missing, and never another value.

use std::collections::BTreeMap;

use manometer_model::EntityKey;
use manometer_providers::Decoded;
use manometer_store::{MergedRow, merged_rows};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::sent::Sent;

type Rows = BTreeMap<EntityKey, MergedRow>;

fn rows_of<'d>(deliveries: impl IntoIterator<Item = &'d Decoded>) -> Rows {
    let entities = deliveries.into_iter().flat_map(|decoded| &decoded.entities);
    merged_rows(entities.map(|entity| entity.row())).expect("rows that fit their tables")
}

/// Checks deliveries of one story, given in the order they happen, the last one final.
pub(crate) fn assert_merges_to_the_same(story: &[Sent]) {
    let decoded: Vec<Decoded> = story.iter().map(Sent::decode).collect();
    for (delivery, sent) in decoded.iter().zip(story) {
        assert!(delivery.known, "{} is not known", String::from_utf8_lossy(&sent.body));
    }
    assert_facts_agree(&decoded);
    let all = rows_of(&decoded);
    let last = decoded.last().expect("at least one delivery");
    let stated = rows_of([last]);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (
        Just((0..decoded.len()).collect::<Vec<_>>()).prop_shuffle(),
        prop::collection::vec(any::<Index>(), 0..6),
        prop::collection::vec(any::<bool>(), decoded.len()),
    );
    proptest!(config, |((order, again, kept) in strategy)| {
        let mut sequence: Vec<usize> = order.clone();
        sequence.extend(again.iter().map(|index| index.index(decoded.len())));
        prop_assert_eq!(&rows_of(sequence.iter().map(|index| &decoded[*index])), &all);

        let some = order.iter().filter(|index| kept[**index] || **index == decoded.len() - 1);
        let subset = rows_of(some.map(|index| &decoded[*index]));
        for (key, row) in &stated {
            for (column, value) in row {
                prop_assert_eq!(subset[key].get(column), Some(value), "{} {}", key, column);
            }
        }
        for (key, row) in &subset {
            for (column, value) in row {
                if let Some(known) = all[key].get(column).filter(|_| stated.contains_key(key)) {
                    prop_assert_eq!(value, known, "{} {}", key, column);
                }
            }
        }
    });
}

/// Whoever tells a group of facts, tells the same ones.
fn assert_facts_agree(decoded: &[Decoded]) {
    let mut known = BTreeMap::new();
    for group in decoded.iter().flat_map(|delivery| &delivery.facts) {
        let first = known.entry(&group.natural_key).or_insert(&group.records);
        assert_eq!(*first, &group.records, "{}", group.natural_key);
    }
}
