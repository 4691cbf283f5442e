//! The judgement of one metric.

use manometer_stats::{Alternative, Sample, ShiftInterval, Spread, rank_test, shift, shift_interval};

use super::{ALPHA, FEWEST, MetricHistory};
use crate::comparison::percent_of;
use crate::metric::{Unit, Worse};

/// What came out for one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Beyond the threshold and beyond noise, for the worse.
    Worse,
    /// The same, for the better.
    Better,
    /// Beyond the threshold, but runs differ that much by themselves.
    Noise,
    /// Within the threshold.
    Same,
    /// Fewer than [`FEWEST`] earlier values.
    TooFew,
}

impl Verdict {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Noise => "noise",
            Self::Same => "same",
            Self::TooFew => "too few runs",
        }
    }
}

/// What a metric is judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Change that matters, as a share: 0.2 is 20 %.
    pub threshold: f64,
    /// Which way is worse.
    pub worse: Worse,
}

/// A metric and everything its verdict rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// What came out.
    pub verdict: Verdict,
    /// Median of the runs in question.
    pub value: f64,
    /// How many runs in question have the metric.
    pub value_count: usize,
    /// Median of the earlier runs; `None` where there is none.
    pub median: Option<f64>,
    /// How many earlier runs have the metric.
    pub earlier_count: usize,
    /// Spread of the earlier runs.
    pub spread: Spread,
    /// By how much the metric moved (Hodges-Lehmann; of one run its distance from the median).
    pub change: f64,
    /// The same in percent of the median; `None` from zero.
    pub change_percent: Option<f64>,
    /// Where the true change lies with 90 % confidence; `None` where there are too few runs to say.
    pub interval: Option<ShiftInterval>,
    /// How often chance alone gives an order this extreme, in the direction of the change.
    pub p: f64,
    /// The smallest `p` that so few runs can give.
    pub smallest_p: f64,
}

impl Assessment {
    /// Judges a metric. `None` where the runs in question have no value of it.
    pub fn of(history: &MetricHistory, judgement: Judgement) -> Option<Self> {
        let current = Sample::new(history.current.iter().copied())?;
        let value = current.median();
        let Some(earlier) = Sample::new(history.earlier.iter().copied()) else {
            return Some(Self::without_history(value, current.len()));
        };
        let median = earlier.median();
        let change = shift(&current, &earlier);
        let alternative = if change >= 0.0 { Alternative::Greater } else { Alternative::Less };
        let test = rank_test(&current, &earlier, alternative);
        let mut assessment = Self {
            verdict: Verdict::Same,
            value,
            value_count: current.len(),
            median: Some(median),
            earlier_count: earlier.len(),
            spread: Spread::of(&earlier),
            change,
            change_percent: percent_of(change, median),
            interval: shift_interval(&current, &earlier, 1.0 - ALPHA),
            p: test.p,
            smallest_p: test.smallest_p,
        };
        assessment.verdict = assessment.judge(judgement, Unit::of(&history.name));
        Some(assessment)
    }

    fn without_history(value: f64, value_count: usize) -> Self {
        Self {
            verdict: Verdict::TooFew,
            value,
            value_count,
            median: None,
            earlier_count: 0,
            spread: Spread { sigma: 0.0, far_out: 0.0 },
            change: 0.0,
            change_percent: None,
            interval: None,
            p: 1.0,
            smallest_p: 1.0,
        }
    }

    fn judge(&self, judgement: Judgement, unit: Unit) -> Verdict {
        if self.earlier_count < FEWEST {
            return Verdict::TooFew;
        }
        let matters = match self.change_percent {
            Some(percent) => percent.abs() > judgement.threshold * 100.0,
            // From zero every change is beyond any share of it.
            None => self.change.abs() > unit.smallest_worth_telling(),
        };
        if !matters || judgement.worse == Worse::Never {
            return Verdict::Same;
        }
        if !self.is_beyond_noise() {
            return Verdict::Noise;
        }
        let is_worse = match judgement.worse {
            Worse::Higher => self.change > 0.0,
            Worse::Lower => self.change < 0.0,
            Worse::Either | Worse::Never => true,
        };
        if is_worse { Verdict::Worse } else { Verdict::Better }
    }

    fn is_beyond_noise(&self) -> bool {
        let needs_distance = self.value_count == 1 || self.smallest_p > ALPHA;
        let is_far_out = self.change.abs() > self.spread.far_out * self.spread.sigma;
        // Rounding in the counting must not turn "as extreme as can be" into a refusal.
        let is_rare = self.p <= ALPHA.max(self.smallest_p) * (1.0 + 1e-9);
        is_rare && (is_far_out || !needs_distance)
    }

    /// Could chance alone have brought this verdict more often than [`ALPHA`], just because there are few runs?
    pub fn rests_on_few_runs(&self) -> bool {
        matches!(self.verdict, Verdict::Worse | Verdict::Better) && self.smallest_p > ALPHA * (1.0 + 1e-9)
    }
}

/// How many earlier runs it takes for so many runs in question to show that chance alone would do this no more often than
/// [`ALPHA`]: 9 for one, fewer for several.
pub fn enough_earlier(current: usize) -> usize {
    // C(n + k, k) orders, of which one is the most extreme.
    let orders =
        |earlier: usize| -> f64 { (1..=current).map(|step| (earlier + step) as f64 / step as f64).product() };
    (FEWEST..1000).find(|earlier| 1.0 / orders(*earlier) <= ALPHA * (1.0 + 1e-9)).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use manometer_model::Labels;

    use super::*;

    const BY_A_FIFTH: Judgement = Judgement { threshold: 0.2, worse: Worse::Higher };

    fn assess(current: &[f64], earlier: &[f64], judgement: Judgement) -> Assessment {
        let history = MetricHistory {
            name: "build_seconds".to_owned(),
            tags: Labels::new(),
            current: current.to_vec(),
            earlier: earlier.to_vec(),
        };
        Assessment::of(&history, judgement).unwrap()
    }

    #[test]
    fn a_step_up_in_a_steady_metric_is_worse_and_the_way_back_is_better() {
        let steady = [10.0, 10.1, 9.9, 10.2, 10.0, 9.8, 10.1];
        let up = assess(&[13.0], &steady, BY_A_FIFTH);
        assert_eq!(up.verdict, Verdict::Worse);
        assert_eq!(up.change_percent.map(f64::round), Some(30.0));
        assert!(up.rests_on_few_runs() && (up.smallest_p - 0.125).abs() < 1e-12, "{up:?}");
        assert_eq!(assess(&[7.0], &steady, BY_A_FIFTH).verdict, Verdict::Better);
        assert_eq!(assess(&[11.0], &steady, BY_A_FIFTH).verdict, Verdict::Same, "within the threshold");
    }

    #[test]
    fn what_runs_do_by_themselves_is_noise() {
        let restless = [10.0, 14.0, 9.0, 13.0, 8.0, 15.0, 11.0, 10.0, 12.0];
        assert_eq!(assess(&[15.5], &restless, BY_A_FIFTH).verdict, Verdict::Noise);
        let with_one_wild_run = [10.0, 10.1, 9.9, 10.2, 30.0, 10.0];
        assert_eq!(
            assess(&[13.0], &with_one_wild_run, BY_A_FIFTH).verdict,
            Verdict::Noise,
            "it happened before"
        );
    }

    #[test]
    fn too_few_runs_are_said_to_be_too_few() {
        assert_eq!(assess(&[100.0], &[], BY_A_FIFTH).verdict, Verdict::TooFew);
        assert_eq!(assess(&[100.0], &[1.0, 1.0], BY_A_FIFTH).verdict, Verdict::TooFew);
        assert_eq!(assess(&[100.0], &[1.0, 1.0, 1.0], BY_A_FIFTH).verdict, Verdict::Worse);
    }

    #[test]
    fn nine_earlier_runs_are_enough_for_one_and_three_for_several() {
        assert_eq!([1, 2, 3].map(enough_earlier), [9, 3, 3]);
        let nine = assess(&[13.0], &[10.0, 10.1, 9.9, 10.2, 10.0, 9.8, 10.1, 10.0, 9.9], BY_A_FIFTH);
        assert!(nine.verdict == Verdict::Worse && !nine.rests_on_few_runs());
    }

    #[test]
    fn the_direction_decides_what_is_worse() {
        let earlier = [156.0; 5];
        let fewer = |worse| assess(&[100.0], &earlier, Judgement { threshold: 0.2, worse }).verdict;
        assert_eq!(fewer(Worse::Lower), Verdict::Worse);
        assert_eq!(fewer(Worse::Either), Verdict::Worse);
        assert_eq!(fewer(Worse::Higher), Verdict::Better);
        assert_eq!(fewer(Worse::Never), Verdict::Same);
    }

    #[test]
    fn the_first_failure_after_none_is_worse_and_the_first_milliseconds_are_not() {
        let first = |name: &str, value: f64| {
            let name = name.to_owned();
            let history =
                MetricHistory { name, tags: Labels::new(), current: vec![value], earlier: vec![0.0; 8] };
            let assessment = Assessment::of(&history, BY_A_FIFTH).unwrap();
            (assessment.verdict, assessment.change_percent)
        };
        assert_eq!(first("pytest.failed", 1.0), (Verdict::Worse, None));
        assert_eq!(first("pytest.failed", 0.0), (Verdict::Same, Some(0.0)));
        assert_eq!(first("time.system_seconds", 0.004), (Verdict::Same, None));
        assert_eq!(first("time.system_seconds", 4.0), (Verdict::Worse, None));
    }

    #[test]
    fn several_runs_show_a_step_that_one_run_cannot() {
        let restless = [10.0, 14.0, 9.0, 13.0, 8.0, 15.0, 11.0, 10.5, 12.0];
        let assessment = assess(&[16.0, 15.5, 17.0, 14.5, 16.5], &restless, BY_A_FIFTH);
        assert_eq!(assessment.verdict, Verdict::Worse);
        let interval = assessment.interval.unwrap();
        assert!(interval.low > 0.0 && interval.low < assessment.change && assessment.change < interval.high);
    }

    /// A build time: skewed, with 6 % spread, and in the past now and then far out.
    fn build_seconds(random: &mut fastrand::Rng, wild_share: f64) -> f64 {
        let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        let wild = if random.f64() < wild_share { 1.5 } else { 1.0 };
        60.0 * (0.06 * normal).exp() * wild
    }

    /// Share of 4,000 new runs that are called worse, by how many times slower they are.
    fn share_called_worse(times_slower: f64) -> f64 {
        let mut random = fastrand::Rng::with_seed(20_261_121);
        let is_worse = |_: &u32| {
            let earlier: Vec<f64> = (0..20).map(|_| build_seconds(&mut random, 0.03)).collect();
            let now = build_seconds(&mut random, 0.0) * times_slower;
            assess(&[now], &earlier, BY_A_FIFTH).verdict == Verdict::Worse
        };
        (0..4_000_u32).filter(is_worse).count() as f64 / 4_000.0
    }

    #[test]
    fn steady_builds_raise_no_alarm_and_slower_ones_nearly_always_do() {
        let false_alarms = share_called_worse(1.0);
        assert!(false_alarms < 0.003, "{false_alarms}");
        let detected = share_called_worse(1.5);
        assert!(detected > 0.85, "{detected}");
    }
}
