//! What a sketch promises: the error, that merging is adding, one encoded form, and nothing from garbage.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use manometer_stats::sketch::RELATIVE_ERROR;
use manometer_stats::{Sample, Sketch, SketchError};
use proptest::prelude::*;

fn sketch(values: &[f64]) -> Sketch {
    let mut sketch = Sketch::new();
    assert_eq!(sketch.extend(values), values.len() as u64);
    sketch
}

/// Values as builds give them, and values as nobody should.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        6 => 1e-6..1e5_f64,
        2 => prop::num::f64::NORMAL,
        1 => -10.0..10.0_f64,
        1 => (0..5_i32).prop_map(f64::from),
        1 => prop::sample::select(vec![0.0, -0.0, f64::MAX, f64::MIN, 5e-324, -5e-324]),
    ];
    prop::collection::vec(value, 1..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_quantile_is_as_near_as_promised(values in values(), probabilities in prop::collection::vec(0.0..=1.0_f64, 1..8)) {
        let exact = Sample::new(values.iter().copied()).unwrap();
        let found = sketch(&values).quantiles(&probabilities).unwrap();
        for (probability, found) in probabilities.iter().zip(found) {
            let position = probability * (values.len() - 1) as f64;
            let around = [position.floor() as usize, position.ceil() as usize].map(|rank| exact.values()[rank].abs());
            let allowed = (RELATIVE_ERROR + 1e-12) * around[0].max(around[1]) + f64::MIN_POSITIVE;
            let error = (found / 2.0 - exact.quantile(*probability) / 2.0).abs() * 2.0;
            prop_assert!(error <= allowed, "{probability}: {found}, exactly {}", exact.quantile(*probability));
        }
    }

    #[test]
    fn the_range_of_a_rank_holds_its_value_and_counts_all_in_it(values in values(), ranks in prop::collection::vec(any::<prop::sample::Index>(), 1..6)) {
        let exact = Sample::new(values.iter().copied()).unwrap();
        let mut ranks: Vec<u64> = ranks.iter().map(|rank| rank.index(values.len()) as u64).collect();
        ranks.sort_unstable();
        let ranges = sketch(&values).rank_ranges(&ranks);
        prop_assert_eq!(ranges.len(), ranks.len());
        for (rank, range) in ranks.iter().zip(ranges) {
            let value = exact.values()[*rank as usize];
            prop_assert!(range.low <= value && value <= range.high, "{value} {range:?}");
            let below = values.iter().filter(|value| **value < range.low).count() as u64;
            let inside = values.iter().filter(|value| (range.low..=range.high).contains(*value)).count() as u64;
            prop_assert_eq!((below, inside), (range.below, range.count));
        }
        prop_assert!(sketch(&values).rank_ranges(&[values.len() as u64]).is_empty());
    }

    #[test]
    fn the_ends_are_exact_and_quantiles_ascend(values in values()) {
        let found = sketch(&values).quantiles(&[0.0, 0.1, 0.5, 0.5, 0.9, 1.0]).unwrap();
        let exact = Sample::new(values.iter().copied()).unwrap();
        prop_assert_eq!((found[0], found[5]), (exact.values()[0], exact.values()[values.len() - 1]));
        prop_assert_eq!(found[2], found[3]);
        prop_assert!(found.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9 * pair[1].abs()), "{found:?}");
    }

    #[test]
    fn parts_put_together_in_any_order_and_grouping_are_the_whole(
        values in values(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        order in Just(()).prop_perturb(|(), mut random| random.random::<u64>()),
    ) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(values.len())).collect();
        places.extend([0, values.len()]);
        places.sort_unstable();
        let mut parts: Vec<Sketch> = places.windows(2).map(|pair| sketch(&values[pair[0]..pair[1]])).collect();
        fastrand::Rng::with_seed(order).shuffle(&mut parts);
        let whole = sketch(&values);

        let mut one_by_one = Sketch::new();
        parts.iter().for_each(|part| one_by_one.merge(part));
        prop_assert_eq!(&one_by_one, &whole);

        while parts.len() > 1 {
            let last = parts.pop().unwrap();
            parts[0].merge(&last);
            parts.rotate_left(1);
        }
        prop_assert_eq!(parts[0].encode(), whole.encode(), "the encoded form does not tell how it came about");
    }

    #[test]
    fn a_sketch_survives_the_way_through_its_encoding(values in values()) {
        let sketch = sketch(&values);
        let bytes = sketch.encode();
        let back = Sketch::decode(&bytes).unwrap();
        prop_assert_eq!(&back, &sketch);
        prop_assert_eq!(back.encode(), bytes.clone());
        let (mut merged, mut put_together) = (sketch.clone(), sketch.clone());
        merged.merge(&sketch);
        put_together.merge_encoded(&bytes).unwrap();
        prop_assert_eq!(put_together, merged);
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 40) {
            prop_assert!(Sketch::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn garbage_is_refused_or_is_the_one_form_of_a_sketch(
        values in values(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        noise in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut bytes = sketch(&values).encode();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        for candidate in [bytes, [&[1][..], &noise].concat(), noise] {
            if let Ok(sketch) = Sketch::decode(&candidate) {
                prop_assert_eq!(sketch.encode(), candidate);
                let ends = sketch.quantiles(&[0.0, 0.5, 1.0]);
                prop_assert_eq!(ends.is_some(), sketch.count() > 0);
            }
        }
    }
}

#[test]
fn an_empty_sketch_has_no_quantiles_and_two_bytes() {
    let mut empty = Sketch::new();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(!empty.add(value));
    }
    assert_eq!((empty.count(), empty.quantile(0.5), empty.min(), empty.max()), (0, None, None, None));
    assert_eq!(empty.encode(), [1, 0]);
    assert_eq!(Sketch::decode(&[1, 0]), Ok(Sketch::new()));
    empty.merge(&Sketch::new());
    assert_eq!(empty, Sketch::new());
}

#[test]
fn newer_versions_and_floods_are_refused_by_name() {
    assert_eq!(Sketch::decode(&[2, 0]), Err(SketchError::Version(2)));
    assert_eq!(Sketch::decode(&[]), Err(SketchError::Truncated));
    assert_eq!(Sketch::decode(&[1, 0, 0]), Err(SketchError::Malformed("bytes behind the end")));
    let mut flood = vec![1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(
        Sketch::decode(&flood),
        Err(SketchError::Truncated),
        "claims more buckets than there are bytes"
    );
    flood[10] = 0x7f;
    assert_eq!(Sketch::decode(&flood), Err(SketchError::Malformed("a number too large")));
}

#[test]
fn a_few_values_take_bytes_and_millions_take_kilobytes() {
    let few = sketch(&[0.5, 1.5, 60.0, 0.01]);
    assert!(few.memory_bytes() < 100, "{}", few.memory_bytes());
    let mut random = fastrand::Rng::with_seed(3);
    let mut many = Sketch::new();
    for _ in 0..1_000_000 {
        many.add(0.001 * (10.0 * random.f64()).exp2());
    }
    assert!(many.memory_bytes() < 20_000, "{}", many.memory_bytes());
    assert!(many.encode().len() < 6_000, "{}", many.encode().len());
    assert_eq!(many.count(), 1_000_000);
}

#[test]
fn counts_larger_than_any_list_are_merged_without_growing() {
    let mut doubling = sketch(&[2.5]);
    for _ in 0..50 {
        let same = doubling.clone();
        doubling.merge(&same);
    }
    assert_eq!(doubling.count(), 1 << 50);
    assert!(doubling.memory_bytes() < 4_000);
    assert_eq!(doubling.quantile(0.3), Some(2.5));
    assert_eq!(Sketch::decode(&doubling.encode()), Ok(doubling));
}

#[test]
fn a_count_goes_on_past_what_a_page_holds() {
    for count in [65_534, 65_535, 65_536, 131_071, 131_072, 200_000] {
        let mut one_by_one = sketch(&vec![1.5; count]);
        one_by_one.extend(&[5.0; 300]);
        let mut merged = sketch(&[5.0; 300]);
        for part in [count / 3, count - count / 3] {
            merged.merge_encoded(&sketch(&vec![1.5; part]).encode()).unwrap();
        }
        assert_eq!(one_by_one.encode(), merged.encode(), "{count}");
        let last = (count + 299) as f64;
        let at_the_border = [(count - 1) as f64 / last, count as f64 / last];
        let found = one_by_one.quantiles(&at_the_border).unwrap();
        for (found, expected) in found.iter().zip([1.5, 5.0]) {
            assert!((found - expected).abs() <= expected / 256.0, "{found} for {expected} of {count}");
        }
    }
}

#[test]
fn counts_that_outgrow_a_page_stand_beside_small_ones() {
    let mut large = sketch(&[1.0, 300.0]);
    for _ in 0..33 {
        let same = large.clone();
        large.merge(&same);
    }
    // Three octaves: one without a large count, and buckets that are counted on after they outgrew.
    let mut whole = sketch(&[1.0, 1.0, 40.0, 300.0]);
    whole.merge(&large);
    whole.extend(&[1.0; 200]);
    let count = (1_u64 << 34) + 204;
    assert_eq!(whole.count(), count);
    let rank = |rank: u64| rank as f64 / (count - 1) as f64;
    let found =
        whole.quantiles(&[0.0, rank(1 << 33), rank((1 << 33) + 202), rank((1 << 33) + 204), 1.0]).unwrap();
    for (found, expected) in found.iter().zip([1.0, 1.0, 40.0, 300.0, 300.0]) {
        assert!((found - expected).abs() <= expected / 256.0, "{found} for {expected}");
    }
    let decoded = Sketch::decode(&whole.encode()).unwrap();
    assert_eq!(decoded, whole);
    assert_eq!(decoded.encode(), whole.encode());
}
