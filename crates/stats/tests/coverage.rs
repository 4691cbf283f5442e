//! Do intervals of 95 % hold the truth 95 times in a hundred? By simulation, with values as builds and tests give
//! them: heavy tails, and groups whose values resemble each other.
#![allow(clippy::unwrap_used, reason = "tests")]

use manometer_stats::Distribution;
use manometer_stats::difference::{Estimate, Groups, difference, quantile_estimate, share_estimate};

/// Box, Muller (1958).
fn normal(random: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}

/// How a group draws its values.
type Draw = fn(&mut fastrand::Rng, f64) -> f64;

/// Pareto's distribution with a tail so heavy that it has no variance.
fn pareto(random: &mut fastrand::Rng, _: f64) -> f64 {
    (1.0 - random.f64()).powf(-1.0 / 1.5)
}

/// A lognormal value around what its group has in common.
fn lognormal(random: &mut fastrand::Rng, common: f64) -> f64 {
    (1.2 * normal(random) + 0.4 * common).exp()
}

fn quantile_of(random: &mut fastrand::Rng, draw: Draw, groups: usize, size: usize, wanted: f64) -> Estimate {
    let drawn: Vec<Vec<f64>> = (0..groups)
        .map(|_| {
            let common = normal(random);
            (0..size).map(|_| draw(random, common)).collect()
        })
        .collect();
    let distribution = Distribution::new(drawn.iter().flatten().map(|value| (*value, 1))).unwrap();
    let quantile = distribution.quantile(wanted);
    let mut sums = Groups::default();
    for group in &drawn {
        sums.add(group.len() as f64, group.iter().filter(|value| **value <= quantile).count() as f64);
    }
    quantile_estimate(&distribution, wanted, &sums)
}

/// How often the interval of the difference between two samples of one population holds 0.
fn coverage(draw: Draw, groups: usize, size: usize, wanted: f64) -> f64 {
    let mut random = fastrand::Rng::with_seed(20_261_125);
    let rounds = 600;
    let held = (0..rounds)
        .filter(|_| {
            let first = quantile_of(&mut random, draw, groups, size, wanted);
            let second = quantile_of(&mut random, draw, groups, size, wanted);
            let interval = difference(&first, &second).change.interval.unwrap();
            interval.low <= 0.0 && 0.0 <= interval.high
        })
        .count();
    held as f64 / f64::from(rounds)
}

#[test]
fn intervals_of_quantiles_hold_the_truth_for_heavy_tails() {
    for (groups, wanted) in [(60, 0.5), (200, 0.5), (300, 0.95), (900, 0.99)] {
        let held = coverage(pareto, groups, 1, wanted);
        assert!((0.935..=0.995).contains(&held), "{groups} values, {wanted}: {held}");
    }
}

#[test]
fn intervals_of_quantiles_hold_the_truth_for_values_that_come_in_groups() {
    for (groups, size, wanted) in [(12, 25, 0.5), (40, 30, 0.5), (40, 30, 0.95), (60, 60, 0.99)] {
        let held = coverage(lognormal, groups, size, wanted);
        assert!((0.925..=0.995).contains(&held), "{groups} groups of {size}, {wanted}: {held}");
    }
}

#[test]
fn intervals_of_shares_hold_the_truth_for_hits_that_come_in_groups() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut side = || {
        let mut sums = Groups::default();
        for _ in 0..50 {
            let chance = 0.1 + 0.3 * random.f64();
            sums.add(20.0, (0..20).filter(|_| random.f64() < chance).count() as f64);
        }
        share_estimate(&sums).unwrap()
    };
    let rounds = 1_000;
    let held = (0..rounds)
        .filter(|_| {
            let interval = difference(&side(), &side()).change.interval.unwrap();
            interval.low <= 0.0 && 0.0 <= interval.high
        })
        .count();
    let share = held as f64 / f64::from(rounds);
    assert!((0.935..=0.985).contains(&share), "{share}");
}
