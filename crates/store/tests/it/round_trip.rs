//! Whatever a sender may write comes back unchanged from the journal, from segments and from merged segments.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use manometer_model::records::Sample;
use manometer_model::{Labels, Row, Timestamp};
use manometer_store::Snapshot;
use proptest::prelude::*;

use crate::world::{all_batches, info, open};

/// What is compared of a sample: service, name, value as bits, tags, attempt, time.
type Shown = (Option<String>, String, u64, Option<Labels>, i64, i64);

fn sample() -> impl Strategy<Value = Sample> {
    let text = || {
        prop_oneof![
            Just(String::new()),
            Just("ram".to_owned()),
            any::<String>(),
            Just("Ω\0\n\"".repeat(5_000))
        ]
    };
    let value = prop_oneof![
        Just(f64::NAN),
        Just(-0.0),
        Just(0.0),
        Just(f64::NEG_INFINITY),
        any::<u64>().prop_map(f64::from_bits),
    ];
    let at = prop_oneof![Just(0), Just(-1), Just(i64::MIN), Just(i64::MAX), 0_i64..1_000_000_000_000_000];
    let tags = prop::collection::btree_map(text(), text(), 0..3);
    (prop::option::of(text()), text(), value, tags, any::<i64>(), at).prop_map(
        |(service, name, value, tags, run_attempt, at)| Sample {
            provider: "ci".to_owned(),
            project: "p".to_owned(),
            service,
            run_attempt,
            name,
            value,
            tags,
            at: Timestamp::from_micros(at),
            ..Sample::default()
        },
    )
}

fn of(sample: &Sample) -> Shown {
    let tags = (!sample.tags.is_empty()).then(|| sample.tags.clone());
    (
        sample.service.clone(),
        sample.name.clone(),
        sample.value.to_bits(),
        tags,
        sample.run_attempt,
        sample.at.as_micros(),
    )
}

fn shown(snapshot: &Snapshot) -> Vec<Shown> {
    let mut rows = Vec::new();
    for batch in all_batches(snapshot, Sample::table()) {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let (service, name, tags) = (
            column("service").as_string_view(),
            column("name").as_string_view(),
            column("tags").as_string_view(),
        );
        let values = column("value").as_primitive::<Float64Type>();
        let attempts = column("run_attempt").as_primitive::<Int64Type>();
        let times = column("at").as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let known_service = service.iter().nth(row).unwrap().map(str::to_owned);
            let known_tags = tags.iter().nth(row).unwrap().map(|json| serde_json::from_str(json).unwrap());
            rows.push((
                known_service,
                name.value(row).to_owned(),
                values.value(row).to_bits(),
                known_tags,
                attempts.value(row),
                times.value(row),
            ));
        }
    }
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn samples_come_back_from_every_place_they_are_kept_in(
        first in prop::collection::vec(sample(), 1..8),
        second in prop::collection::vec(sample(), 1..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let mut expected: Vec<Shown> = first.iter().chain(&second).map(of).collect();
        expected.sort();
        for (key, part) in [("first", &first), ("second", &second)] {
            let mut writer = store.writer();
            for sample in part {
                writer.append(Sample::table(), &sample.values()).unwrap();
            }
            store.submit(writer.finish(info(key)).unwrap()).unwrap().wait().unwrap();
            if key == "first" {
                store.flush().unwrap();
            }
        }
        prop_assert_eq!(&shown(&store.snapshot()), &expected, "half in segments, half in the journal");
        drop(store);
        let store = open(folder.path());
        prop_assert_eq!(&shown(&store.snapshot()), &expected, "after a restart");
        store.flush().unwrap();
        prop_assert_eq!(&shown(&store.snapshot()), &expected, "in segments");
        store.compact().unwrap();
        prop_assert_eq!(&shown(&store.snapshot()), &expected, "in merged segments");
    }
}
