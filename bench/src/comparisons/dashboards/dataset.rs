//! The rows that are asked about: tests of 20 services on 8 branches, of 2 jobs each, some thousand executions a day.
//!
//! Rows come a day at a time and are flushed and merged as a server would.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use manometer_model::records::Test;
use manometer_model::{Clock, Row as _, TestId, TestStatus, Timestamp};
use manometer_store::{FlushPolicy, Store, StoreOptions};

use crate::filled::{FIRST_SECOND, delivery_of_day, filled};

pub(super) const DAYS: u64 = 365;
const ROWS_A_DAY: u64 = 20_000;
const SERVICES: u64 = 20;
const BRANCHES: u64 = 8;
const TESTS: u64 = 500;
/// Of this file: another version makes other rows.
const VERSION: u32 = 3;

/// A clock that stands.
#[derive(Debug)]
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The data folder with a year of rows; filled when it is not there yet.
pub(super) fn year(folder: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("manometer-bench-dashboards-v{VERSION}");
    filled(folder, &name, DAYS * ROWS_A_DAY, |data| fill(data, FIRST_SECOND, DAYS))
}

/// Fills so many days from `first`, a midnight in seconds since 1970.
pub(super) fn fill(data: &Path, first: i64, days: u64) -> anyhow::Result<()> {
    let mut options = StoreOptions::new(data);
    options.flush = FlushPolicy { background: false, ..FlushPolicy::default() };
    options.clock = Arc::new(Standing(Timestamp::from_seconds(first + days as i64 * 86_400)));
    let store = Store::open(options)?;
    for day in 0..days {
        let mut writer = store.writer();
        for number in 0..ROWS_A_DAY {
            writer.append(Test::table(), &executed(first, day, number).values())?;
        }
        store.submit(writer.finish(delivery_of_day(day, Timestamp::from_seconds(first)))?)?.wait()?;
        store.flush()?;
    }
    store.compact()?;
    store.clean_up()?;
    store.close();
    Ok(())
}

fn executed(first: i64, day: u64, number: u64) -> Test {
    let chance = mixed(day * ROWS_A_DAY + number);
    let (service, test) = (chance % SERVICES, (chance >> 8) % TESTS);
    let branch = (chance >> 20) % BRANCHES;
    let name = format!("case_{test:03}");
    let classname = format!("com.acme.service{service:02}.SomeTest");
    // Most take some hundredths of a second, a few take many.
    let milliseconds =
        5 + (chance >> 32) % 200 + if chance.is_multiple_of(97) { (chance >> 40) % 20_000 } else { 0 };
    Test {
        provider: "github".to_owned(),
        project: "github.com/acme/shop".to_owned(),
        service: Some(format!("service-{service:02}")),
        pipeline: Some("build".to_owned()),
        run_id: (day * 1_000 + number / 500).to_string(),
        run_attempt: 1,
        job_name: Some(if test % 10 == 0 { "end to end" } else { "unit tests" }.to_owned()),
        branch: Some(if branch == 0 { "main".to_owned() } else { format!("feature/{}-{branch}", day / 7) }),
        is_default_branch: Some(branch == 0),
        test_id: TestId::new("", &classname, &name, "", 0),
        classname: Some(classname),
        name,
        status: if chance.is_multiple_of(50) { TestStatus::Failed } else { TestStatus::Passed },
        duration_seconds: Some(milliseconds as f64 / 1_000.0),
        attempt: 1,
        is_final: true,
        at: Timestamp::from_seconds(first + (day * 86_400 + number * 86_400 / ROWS_A_DAY) as i64),
        ..Test::default()
    }
}

/// A well-mixed next number (the finaliser of SplitMix64).
const fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
