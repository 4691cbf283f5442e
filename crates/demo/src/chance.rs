//! Seeded randomness of our own, so that a seed keeps its meaning whatever happens to libraries.
//!
//! Two machines may differ in the last binary digit of a duration, where their `exp` does.

use manometer_model::Timestamp;

/// A stream of random numbers. The generator is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): eight bytes of
/// state, any seed is a good one, and independent streams cost one multiplication.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn finalise(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Folds numbers into one seed; another order makes another seed.
pub(crate) fn mix(seed: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(finalise(seed.wrapping_add(GOLDEN)), |mixed, part| {
        finalise(mixed.rotate_left(17) ^ part.wrapping_mul(GOLDEN).wrapping_add(GOLDEN))
    })
}

/// A number for a text: FNV-1a, 64 bits.
pub(crate) fn number_of(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Forty hexadecimal digits that look like a commit.
pub(crate) fn sha_of(seed: u64) -> String {
    let mut chance = Chance::new(seed);
    let tail = chance.next() >> 32;
    format!("{:016x}{:016x}{tail:08x}", chance.next(), chance.next())
}

impl Chance {
    /// The stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        finalise(self.state)
    }

    /// A real number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number below `limit`; 0 when there is none.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// One of several; `None` of none.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// True with that probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A real number in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A moment up to `seconds` after `from`.
    pub(crate) fn moment(&mut self, from: Timestamp, seconds: f64) -> Timestamp {
        from.plus_seconds(seconds * self.unit())
    }

    /// Nearly a standard normal: the sum of four uniform numbers cut from one draw, so never beyond 3.5.
    pub(crate) fn normal(&mut self) -> f64 {
        let bits = self.next();
        let sum = (bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48);
        (sum as f64 / 65_536.0 - 2.0) * 3.0_f64.sqrt()
    }

    /// A log-normal number: half of them lie below `median`.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// How many of many rare events happen when `mean` are expected: Poisson, by Knuth's product for small means
    /// and by its normal limit for large ones.
    pub(crate) fn count(&mut self, mean: f64) -> usize {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as usize;
        }
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            count += 1;
            product *= self.unit();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        // First outputs of SplitMix64 for seed 1234567, as published with its reference code.
        let mut chance = Chance::new(1_234_567);
        assert_eq!([chance.next(), chance.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn means_and_spreads_are_what_their_names_say() {
        let mut chance = Chance::new(7);
        let many = 100_000;
        let normal: Vec<f64> = (0..many).map(|_| chance.normal()).collect();
        let mean = normal.iter().sum::<f64>() / f64::from(many);
        let variance = normal.iter().map(|value| value * value).sum::<f64>() / f64::from(many);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        for expected in [0.05, 3.0, 80.0] {
            let total: usize = (0..20_000).map(|_| chance.count(expected)).sum();
            assert!((total as f64 / 20_000.0 / expected - 1.0).abs() < 0.05, "{expected}");
        }
        assert!((0..1000).all(|_| chance.below(3) < 3));
        assert_eq!(chance.below(0), 0);
    }
}
