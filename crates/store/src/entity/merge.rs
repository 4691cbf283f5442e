//! Two documents of one entity become one.
//!
//! Each register is settled on its own by the greater of (stamp, value) under a total order, `queued_at` by
//! the earlier time. Taking a greatest element is commutative, associative and idempotent, and so is the
//! merge: deliveries may come late, twice and in any order.

use std::cmp::Ordering;

use crate::entity::cells::Cell;
use crate::entity::doc::{Doc, Register};

/// Of this column the earliest known time is kept: a late "queued" must not be outranked by a later state
/// that repeats another time.
const EARLIEST: &str = "queued_at";

/// Merges two encoded documents.
pub(crate) fn merge_encoded(left: &[u8], right: &[u8]) -> Result<Vec<u8>, &'static str> {
    Ok(merge(&Doc::decode(left)?, &Doc::decode(right)?).encode())
}

/// Merges two documents.
pub(crate) fn merge<'a>(left: &Doc<'a>, right: &Doc<'a>) -> Doc<'a> {
    let mut registers = Vec::with_capacity(left.registers.len().max(right.registers.len()));
    let mut from_left = left.registers.iter().peekable();
    let mut from_right = right.registers.iter().peekable();
    loop {
        let next = match (from_left.peek(), from_right.peek()) {
            (None, None) => return Doc { registers },
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(first), Some(second)) => first.name.cmp(second.name),
        };
        match next {
            Ordering::Less => registers.extend(from_left.next()),
            Ordering::Greater => registers.extend(from_right.next()),
            Ordering::Equal => {
                if let (Some(first), Some(second)) = (from_left.next(), from_right.next()) {
                    registers.push(*stronger(first, second));
                }
            }
        }
    }
}

fn stronger<'r, 'a>(first: &'r Register<'a>, second: &'r Register<'a>) -> &'r Register<'a> {
    let by_weight = || first.stamp.cmp(&second.stamp).then_with(|| first.cell.total_order(&second.cell));
    let order = match (first.cell, second.cell) {
        (Cell::Time(one), Cell::Time(other)) if first.name == EARLIEST => {
            other.cmp(&one).then_with(by_weight)
        }
        _ => by_weight(),
    };
    if order == Ordering::Less { second } else { first }
}

#[cfg(test)]
mod tests {
    use manometer_model::records::RUNS;
    use manometer_model::{Labels, Timestamp, Value};
    use proptest::prelude::*;

    use super::*;
    use crate::entity::{layout_of, observe, row_of};
    use crate::schema::table_index;

    /// What one sender says of a run, from small sets so that ties are frequent.
    #[derive(Debug, Clone)]
    struct Said {
        status: Option<&'static str>,
        conclusion: Option<&'static str>,
        branch: Option<&'static str>,
        queued_at: Option<i64>,
        queue_seconds: Option<f64>,
        number: Option<i64>,
        is_default: Option<bool>,
        labels: Labels,
        updated_at: Option<i64>,
    }

    fn said() -> impl Strategy<Value = Said> {
        let words = prop::sample::select(vec![
            None,
            Some("queued"),
            Some("waiting"),
            Some("running"),
            Some("completed"),
            Some("on fire"),
        ]);
        let numbers = prop::sample::select(vec![None, Some(0.0), Some(-0.0), Some(f64::NAN), Some(1.5)]);
        let labels = prop::sample::select(vec![
            Labels::new(),
            Labels::from([("a".to_owned(), "1".to_owned())]),
            Labels::from([("a".to_owned(), "\"quoted\" and \u{1f} odd".to_owned())]),
        ]);
        (
            words,
            prop::sample::select(vec![None, Some("success"), Some("failure")]),
            prop::sample::select(vec![None, Some(""), Some("main"), Some("feature/äöü")]),
            prop::option::of(-3_i64..3),
            numbers,
            prop::option::of(-1_i64..2),
            prop::option::of(any::<bool>()),
            labels,
            prop::option::of(-2_i64..3),
        )
            .prop_map(
                |(
                    status,
                    conclusion,
                    branch,
                    queued_at,
                    queue_seconds,
                    number,
                    is_default,
                    labels,
                    updated_at,
                )| Said {
                    status,
                    conclusion,
                    branch,
                    queued_at,
                    queue_seconds,
                    number,
                    is_default,
                    labels,
                    updated_at,
                },
            )
    }

    fn encoded(said: &Said) -> Vec<u8> {
        let mut row = vec![Value::Null; RUNS.columns.len()];
        let time =
            |micros: Option<i64>| micros.map_or(Value::Null, |at| Value::Time(Timestamp::from_micros(at)));
        let mut set = |name: &str, value| row[RUNS.position(name).unwrap()] = value;
        for (name, text) in [("provider", "ci"), ("project", "p"), ("run_id", "1")] {
            set(name, Value::Text(text));
        }
        set("attempt", Value::Int(1));
        set("status", said.status.map_or(Value::Null, Value::Text));
        set("conclusion", said.conclusion.map_or(Value::Null, Value::Text));
        set("branch", said.branch.map_or(Value::Null, Value::Text));
        set("queued_at", time(said.queued_at));
        set("queue_seconds", said.queue_seconds.map_or(Value::Null, Value::Float));
        set("number", said.number.map_or(Value::Null, Value::Int));
        set("is_default_branch", said.is_default.map_or(Value::Null, Value::Bool));
        if !said.labels.is_empty() {
            set("labels", Value::Labels(&said.labels));
        }
        set("updated_at", time(said.updated_at));
        let index = table_index(&RUNS).unwrap();
        observe(&RUNS, layout_of(index).unwrap(), &row).unwrap()
    }

    fn all_of(docs: &[Vec<u8>]) -> Vec<u8> {
        docs.iter().skip(1).fold(docs[0].clone(), |sum, doc| merge_encoded(&sum, doc).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_order_grouping_and_repetition_gives_the_same_document(
            all in prop::collection::vec(said(), 1..8),
            order in any::<prop::sample::Index>(),
            split in any::<prop::sample::Index>(),
            again in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let docs: Vec<Vec<u8>> = all.iter().map(encoded).collect();
            let expected = all_of(&docs);

            let mut turned = docs.clone();
            turned.rotate_left(order.index(docs.len()));
            turned.reverse();
            prop_assert_eq!(&all_of(&turned), &expected);

            let cut = split.index(docs.len());
            if cut > 0 {
                let grouped = merge_encoded(&all_of(&docs[cut..]), &all_of(&docs[..cut])).unwrap();
                prop_assert_eq!(&grouped, &expected);
            }

            let mut repeated = docs.clone();
            repeated.extend(again.iter().map(|index| docs[index.index(docs.len())].clone()));
            prop_assert_eq!(&all_of(&repeated), &expected);
            prop_assert_eq!(&merge_encoded(&expected, &expected).unwrap(), &expected);
        }

        #[test]
        fn status_never_moves_back_and_the_earliest_queueing_stays(all in prop::collection::vec(said(), 1..8)) {
            let docs: Vec<Vec<u8>> = all.iter().map(encoded).collect();
            let merged = all_of(&docs);
            let row = row_of(&RUNS, &merged).unwrap();
            let furthest = all.iter().filter_map(|said| {
                let word = said.status.or_else(|| said.conclusion.map(|_| "completed"))?;
                let rank = crate::entity::layout::status_rank(Some(word));
                (rank > 0).then_some(rank)
            }).max();
            if let Some(rank) = furthest {
                let Value::Text(status) = row[RUNS.position("status").unwrap()] else { panic!("no status") };
                prop_assert_eq!(crate::entity::layout::status_rank(Some(status)), rank);
            }
            let earliest = all.iter().filter_map(|said| said.queued_at).min();
            let expected = earliest.map_or(Value::Null, |micros| Value::Time(Timestamp::from_micros(micros)));
            prop_assert_eq!(row[RUNS.position("queued_at").unwrap()], expected);
        }

        #[test]
        fn damaged_documents_are_refused_not_believed_to_the_end_of_memory(
            said in said(),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = encoded(&said);
            let position = place.index(bytes.len());
            bytes[position] = byte;
            if let Ok(doc) = Doc::decode(&bytes) {
                prop_assert!(doc.registers.len() <= bytes.len());
            }
            let cut = Doc::decode(&bytes[..position]);
            prop_assert!(cut.is_err());
        }
    }

    #[test]
    fn a_register_of_an_unknown_name_survives_a_merge() {
        let stamp = crate::entity::doc::Stamp { rank: 0, updated_at: 5 };
        let newer = Doc { registers: vec![Register { name: "added_later", stamp, cell: Cell::Int(1) }] };
        let older = Doc { registers: vec![Register { name: "branch", stamp, cell: Cell::Text("main") }] };
        let merged = merge_encoded(&older.encode(), &newer.encode()).unwrap();
        let names: Vec<&str> =
            Doc::decode(&merged).unwrap().registers.iter().map(|register| register.name).collect();
        assert_eq!(names, ["added_later", "branch"]);
    }
}
