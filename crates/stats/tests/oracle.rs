//! The same numbers as scipy and numpy, on samples as builds give them. `oracle.py` beside this file made the facts.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use manometer_stats::sample::MAD_TO_SIGMA;
use manometer_stats::{Alternative, Sample, cliffs_delta, rank_test, shift, shift_interval};
use serde_json::Value;

fn facts() -> Value {
    serde_json::from_str(include_str!("oracle.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn sample(value: &Value) -> Sample {
    Sample::new(numbers(value)).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, relative: f64, what: &str) {
    let tolerance = relative * expected.abs().max(1e-300) + 1e-15;
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
}

#[test]
fn quantiles_and_spread_are_those_of_numpy_and_scipy() {
    for pair in facts()["pairs"].as_array().unwrap() {
        let second = sample(&pair["second"]);
        for (probability, expected) in numbers(&pair["probabilities"]).iter().zip(numbers(&pair["quantiles"]))
        {
            assert_close(second.quantile(*probability), expected, 1e-12, "quantile");
        }
        assert_close(second.mad(), pair["mad"].as_f64().unwrap(), 1e-12, "mad");
        assert_close(second.mad() * MAD_TO_SIGMA, pair["scaled_mad"].as_f64().unwrap(), 1e-12, "scaled mad");
    }
}

#[test]
fn exact_probabilities_are_those_of_scipy_with_and_without_ties() {
    let mut compared = 0;
    for pair in facts()["pairs"].as_array().unwrap() {
        let (first, second) = (sample(&pair["first"]), sample(&pair["second"]));
        for (alternative, name) in [
            (Alternative::Greater, "greater"),
            (Alternative::Less, "less"),
            (Alternative::TwoSided, "two-sided"),
        ] {
            let test = rank_test(&first, &second, alternative);
            assert_eq!(test.u, pair["u"].as_f64().unwrap());
            assert!(test.is_exact);
            if let Some(expected) = pair["exact"][name].as_f64() {
                assert_close(test.p, expected, 1e-9, name);
                compared += 1;
            }
        }
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn large_samples_take_the_normal_approximation_with_ties_corrected() {
    let facts = facts();
    let large = &facts["large"];
    let (first, second) = (sample(&large["first"]), sample(&large["second"]));
    for (alternative, name) in [(Alternative::Greater, "greater"), (Alternative::Less, "less")] {
        let test = rank_test(&first, &second, alternative);
        assert!(!test.is_exact);
        assert_close(test.p, large[name].as_f64().unwrap(), 1e-5, name);
    }
}

#[test]
fn shift_interval_and_effect_are_those_found_by_trying() {
    let mut compared = 0;
    for pair in facts()["pairs"].as_array().unwrap() {
        let (first, second) = (sample(&pair["first"]), sample(&pair["second"]));
        assert_close(shift(&first, &second), pair["hodges_lehmann"].as_f64().unwrap(), 1e-9, "shift");
        assert_close(cliffs_delta(&first, &second), pair["cliffs_delta"].as_f64().unwrap(), 1e-12, "delta");
        if pair["interval_90"].is_null() {
            continue;
        }
        let expected = numbers(&pair["interval_90"]);
        let interval = shift_interval(&first, &second, 0.9).unwrap();
        assert_close(interval.low, expected[0], 1e-9, "low end");
        assert_close(interval.high, expected[1], 1e-9, "high end");
        assert!(interval.confidence >= 0.9);
        compared += 1;
    }
    assert!(compared >= 4, "{compared}");
}
