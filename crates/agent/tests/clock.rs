//! A machine's clock that is set while a command runs.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicI64, Ordering};

use manometer_agent::exec::{Plan, records, run, run_record};
use manometer_agent::run::CommandLine;
use manometer_agent::surroundings::Surroundings;
use manometer_model::{Clock, Record, Timestamp};

/// Goes back by an hour whenever it is asked.
#[derive(Debug)]
struct SteppingClock(AtomicI64);

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.fetch_sub(3_600, Ordering::SeqCst))
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_negative_duration() {
    let clock = SteppingClock(AtomicI64::new(1_795_219_200));
    let begin = Timestamp::from_seconds(1_795_219_200);
    let plan = Plan {
        line: CommandLine { program: "true".into(), arguments: Vec::new(), variables: Vec::new() },
        kind: "build".to_owned(),
        name: "build".to_owned(),
        artifacts: Vec::new(),
        reports: Vec::new(),
        tags: std::collections::BTreeMap::new(),
        sample_interval: None,
        folder: std::env::temp_dir(),
        trace: None,
    };
    let around = || Surroundings {
        provider: "local".to_owned(),
        project: "p".to_owned(),
        attempt: 1,
        ..Surroundings::default()
    };
    let (measured, _signals) = run(plan, around, &clock).unwrap();
    let record = run_record(&measured);
    assert!((0.0..60.0).contains(&record.duration.unwrap()));
    assert_eq!(measured.started_at, begin);
    assert!(measured.finished_at() >= begin && record.timestamp == measured.finished_at());
    let records = records(&measured);
    let Some(Record::Run(run)) = records.first() else { panic!("{records:?}") };
    assert!(run.finished_at.unwrap() >= run.started_at.unwrap());
}
