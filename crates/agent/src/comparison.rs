//! Two runs side by side, metric by metric.

use std::collections::BTreeSet;

use crate::local::RunRecord;
use crate::metric::{Unit, Worse};

/// One metric of two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedMetric {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// Which way is worse.
    pub worse: Worse,
    /// The value in the first run.
    pub before: Option<f64>,
    /// The value in the second run.
    pub after: Option<f64>,
}

impl ComparedMetric {
    /// After less before.
    pub fn difference(&self) -> Option<f64> {
        Some(self.after? - self.before?)
    }

    /// The difference in percent of before; `None` from zero, where no percentage says anything.
    pub fn percent(&self) -> Option<f64> {
        percent_of(self.difference()?, self.before?)
    }

    /// Is the change for the worse (`Some(true)`), for the better, or neither?
    pub fn is_worse(&self) -> Option<bool> {
        let difference = self.difference().filter(|difference| *difference != 0.0)?;
        match self.worse {
            Worse::Higher => Some(difference > 0.0),
            Worse::Lower => Some(difference < 0.0),
            Worse::Either | Worse::Never => None,
        }
    }
}

/// Every metric that at least one of two runs has, by name.
pub fn compare(before: &RunRecord, after: &RunRecord) -> Vec<ComparedMetric> {
    let (before, after) = (before.all_metrics(), after.all_metrics());
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .map(|name| ComparedMetric {
            name: name.clone(),
            unit: Unit::of(name),
            worse: Worse::of(name),
            before: before.get(name).copied(),
            after: after.get(name).copied(),
        })
        .collect()
}

/// A difference in percent of where it started; `None` from zero.
pub(crate) fn percent_of(difference: f64, from: f64) -> Option<f64> {
    if difference == 0.0 {
        return Some(0.0);
    }
    (from != 0.0).then(|| difference / from.abs() * 100.0)
}

#[cfg(test)]
mod tests {
    use manometer_model::Timestamp;

    use super::*;

    fn run(metrics: &[(&str, f64)], duration: Option<f64>) -> RunRecord {
        let mut record = RunRecord::new("build", Timestamp::from_seconds(0));
        for (name, value) in metrics {
            record.measure(*name, *value);
        }
        record.duration = duration;
        record
    }

    #[test]
    fn what_only_one_run_has_is_listed_without_a_difference() {
        let rows = compare(
            &run(&[("a_mb", 10.0), ("old", 1.0), ("failed", 0.0), ("delta", -4.0)], Some(2.0)),
            &run(&[("a_mb", 12.5), ("new", 1.0), ("failed", 3.0), ("delta", -2.0)], Some(1.0)),
        );
        let found: Vec<_> =
            rows.iter().map(|row| (row.name.as_str(), row.percent(), row.is_worse())).collect();
        assert_eq!(
            found,
            [
                ("a_mb", Some(25.0), Some(true)),
                ("delta", Some(50.0), None),
                ("duration", Some(-50.0), Some(false)),
                ("failed", None, Some(true)),
                ("new", None, None),
                ("old", None, None),
            ]
        );
    }
}
