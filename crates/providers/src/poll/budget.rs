//! How many requests an hour a provider is asked at the most.

use manometer_model::Timestamp;

/// A token bucket whose promise holds for every hour, wherever it begins: a tenth of the requests may come at once,
/// the others are spread. Who finds it empty is asked to come back when it is full, so that work of several requests
/// gets through.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    burst: f64,
    per_second: f64,
    tokens: f64,
    counted_at: Option<Timestamp>,
}

impl Budget {
    /// At most this many requests in any hour; fewer than two are two.
    pub fn per_hour(requests: u32) -> Self {
        let requests = f64::from(requests.max(2));
        let burst = (requests / 10.0).max(10.0).min(requests / 2.0).floor();
        Self { burst, per_second: (requests - burst) / 3_600.0, tokens: burst, counted_at: None }
    }

    /// Requests there are at this moment, without taking one.
    pub fn left(&self, now: Timestamp) -> u32 {
        self.tokens_at(now) as u32
    }

    fn tokens_at(&self, now: Timestamp) -> f64 {
        let passed = self.counted_at.map_or(0.0, |before| now.seconds_since(before)).max(0.0);
        (self.tokens + passed * self.per_second).min(self.burst)
    }

    /// Takes one request.
    ///
    /// # Errors
    /// The time at which there are as many as there can be, where there is none now.
    pub fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        self.tokens = self.tokens_at(now);
        self.counted_at = Some(self.counted_at.map_or(now, |before| before.max(now)));
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // A millisecond more, so that rounding never brings the asker back too early.
        Err(now.plus_seconds((self.burst - self.tokens) / self.per_second + 0.001))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_is_a_tenth_and_then_requests_are_spread() {
        let mut budget = Budget::per_hour(100);
        let start = Timestamp::from_seconds(1_700_000_000);
        assert_eq!((0..20).filter(|_| budget.take(start).is_ok()).count(), 10);
        let next = budget.take(start).unwrap_err();
        assert!((399.0..401.0).contains(&next.seconds_since(start)), "{next}");
        assert_eq!((0..20).filter(|_| budget.take(next).is_ok()).count(), 10);
    }

    #[test]
    fn a_clock_that_is_put_back_gives_nothing_away() {
        let mut budget = Budget::per_hour(10);
        let start = Timestamp::from_seconds(1_700_000_000);
        while budget.take(start).is_ok() {}
        assert!(budget.take(start.plus_seconds(-7_200.0)).is_err());
        assert!(budget.take(start).is_err());
    }

    proptest! {
        #[test]
        fn no_hour_has_more_than_was_promised(
            per_hour in 2_u32..200,
            gaps in prop::collection::vec(0_u32..600, 1..600),
        ) {
            let mut budget = Budget::per_hour(per_hour);
            let mut now = Timestamp::from_seconds(1_700_000_000);
            let mut taken: Vec<Timestamp> = Vec::new();
            for gap in gaps {
                now = now.plus_seconds(f64::from(gap));
                while budget.take(now).is_ok() {
                    taken.push(now);
                }
            }
            let mut first_in_hour = 0;
            for (position, at) in taken.iter().enumerate() {
                while taken.get(first_in_hour).is_some_and(|first| at.seconds_since(*first) >= 3_600.0) {
                    first_in_hour += 1;
                }
                let in_hour = position + 1 - first_in_hour;
                prop_assert!(in_hour <= per_hour as usize, "{in_hour} of {per_hour}");
            }
        }
    }
}
