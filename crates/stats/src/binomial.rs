//! The binomial distribution, for any number of trials.

/// Probability that of `trials` trials, each of which succeeds with `probability`, at most `successes` succeed.
///
/// It is the regularised incomplete beta function I(1−p; n−k, k+1): Abramowitz, Stegun (1964), equation 26.5.24.
pub fn cumulative(successes: u64, trials: u64, probability: f64) -> f64 {
    if successes >= trials || probability <= 0.0 {
        return 1.0;
    }
    if probability >= 1.0 {
        return 0.0;
    }
    incomplete_beta(1.0 - probability, (trials - successes) as f64, successes as f64 + 1.0)
}

/// I(x; a, b) for 0 < x < 1, by the continued fraction of Didonato and Morris as given in the NIST Digital Library of
/// Mathematical Functions, 8.17.22, on the side where it converges quickly.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction, by the modified method of Lentz (1976).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const ENOUGH: f64 = 1e-14;
    // Steps grow with the root of a and b; these suffice for 10^12 trials.
    const MOST_STEPS: u32 = 2_000_000;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..=MOST_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < ENOUGH {
            break;
        }
    }
    value
}

/// ln Γ(x) for x ≥ 1, by Stirling's series (Abramowitz, Stegun, equation 6.1.41) after moving x to where it is exact
/// to 15 digits.
fn ln_gamma(x: f64) -> f64 {
    const FAR: f64 = 12.0;
    let mut shifted = x;
    let mut product = 1.0;
    while shifted < FAR {
        product *= shifted;
        shifted += 1.0;
    }
    let inverse = 1.0 / shifted;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (shifted - 0.5) * shifted.ln() - shifted + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_trials_are_as_counted() {
        for (trials, probability) in [(1_u64, 0.5_f64), (7, 0.01), (25, 0.5), (60, 0.95)] {
            let mut sum = 0.0;
            for successes in 0..=trials {
                let ways =
                    (0..successes).fold(1.0, |ways, step| ways * (trials - step) as f64 / (step + 1) as f64);
                sum += ways
                    * probability.powi(successes as i32)
                    * (1.0 - probability).powi((trials - successes) as i32);
                let found = cumulative(successes, trials, probability);
                assert!(
                    (found - sum).abs() < 1e-12,
                    "{successes} of {trials} at {probability}: {found} {sum}"
                );
            }
        }
        assert_eq!(cumulative(0, 5, 0.0), 1.0);
        assert_eq!(cumulative(4, 5, 1.0), 0.0);
    }

    #[test]
    fn many_trials_are_as_scipy_has_them() {
        // scipy.stats.binom.cdf
        for (successes, trials, probability, expected) in [
            (984_u64, 1_000_u64, 0.99, 0.047_870_585_757_947_75),
            (9_920, 10_000, 0.99, 0.982_983_639_027_258_8),
            (499_020, 1_000_000, 0.5, 0.025_056_366_266_390_226),
            (37, 3_000, 0.01, 0.912_062_677_055_513_8),
        ] {
            let found = cumulative(successes, trials, probability);
            assert!((found - expected).abs() < 1e-9, "{successes} of {trials}: {found}");
        }
    }
}
