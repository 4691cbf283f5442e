//! `manometer demo`: fills a store with the example organisation, once, and serves it.
//!
//! A marker file in the folder says what it was filled with, so that an interrupted filling begins anew, a finished
//! one is reused, and a folder that is no demo is never touched.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use manometer_demo::{DemoOptions, Organisation, Upload};
use manometer_model::records::TESTS;
use manometer_model::{Clock as _, Problems, Row as _, SystemClock, Timestamp};
use manometer_store::{DeliveryInfo, DeliveryKey, Outcome, PendingReceipt, Store, StoreOptions, SubmitError};
use serde::{Deserialize, Serialize};

use crate::args::DemoArgs;
use crate::commands::serve;
use crate::config::Config;
use crate::exit::usage;
use crate::output::{self, grouped};
use crate::progress;

const MARKER: &str = "demo.json";
/// Deliveries on their way to the committer at one time.
const IN_FLIGHT: usize = 64;
/// After so many days the last day of the example is no longer today.
const STALE_AFTER_DAYS: i32 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    seed: u64,
    days: u32,
    services: u32,
    tests: u64,
    end: Timestamp,
    complete: bool,
}

/// Fills and serves.
pub(crate) fn run(arguments: &DemoArgs, config: &Config) -> anyhow::Result<()> {
    let listen = crate::config::listen_address(&arguments.listen)?;
    let mut marker = Marker {
        seed: arguments.seed,
        days: arguments.days,
        services: arguments.services,
        tests: arguments.tests,
        end: SystemClock.now(),
        complete: false,
    };
    if let Some(filled) = already_filled(&arguments.data, &marker)? {
        output::note(format!(
            "{} holds this example already, filled up to {}; remove the folder to fill it anew",
            arguments.data.display(),
            filled.end
        ));
    } else {
        std::fs::create_dir_all(&arguments.data)
            .with_context(|| format!("failed to create {}", arguments.data.display()))?;
        write_marker(&arguments.data, &marker)?;
        fill(&arguments.data, &marker, config)?;
        marker.complete = true;
        write_marker(&arguments.data, &marker)?;
    }
    guide(&arguments.data, arguments.no_serve);
    if arguments.no_serve {
        return Ok(());
    }
    serve::serve(StoreOptions::new(&arguments.data), listen, config)
}

/// The marker of a folder that holds just what is asked for. An older or unfinished example is removed; any other
/// folder with something in it is refused.
fn already_filled(data: &Path, wanted: &Marker) -> anyhow::Result<Option<Marker>> {
    let is_empty = std::fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none());
    if is_empty {
        return Ok(None);
    }
    let found = std::fs::read_to_string(data.join(MARKER))
        .ok()
        .and_then(|text| serde_json::from_str::<Marker>(&text).ok())
        .ok_or_else(|| {
            usage(format!("{} is not empty and no demo: choose another folder with --data", data.display()))
        })?;
    let same = Marker { end: wanted.end, complete: true, ..found.clone() }
        == Marker { complete: true, ..wanted.clone() };
    let age_days = wanted.end.day() - found.end.day();
    if found.complete && same && age_days < STALE_AFTER_DAYS {
        return Ok(Some(found));
    }
    // Opening takes the folder's lock: an example that is being served is refused here, not removed.
    Store::open(StoreOptions::new(data))?.close();
    output::note(format!(
        "removing the example in {}: it is {}",
        data.display(),
        match (found.complete, same) {
            (false, _) => "unfinished",
            (true, false) => "of other size or seed",
            (true, true) => "some days old",
        }
    ));
    std::fs::remove_dir_all(data).with_context(|| format!("failed to remove {}", data.display()))?;
    Ok(None)
}

fn write_marker(data: &Path, marker: &Marker) -> anyhow::Result<()> {
    let path = data.join(MARKER);
    std::fs::write(&path, serde_json::to_string_pretty(marker)?)
        .with_context(|| format!("failed to write {}", path.display()))
}

fn fill(data: &Path, marker: &Marker, config: &Config) -> anyhow::Result<()> {
    let began = Instant::now();
    let organisation = Organisation::new(DemoOptions {
        seed: marker.seed,
        days: marker.days,
        services: marker.services as usize,
        tests_total: marker.tests,
        end: marker.end,
    })
    .map_err(|error| usage(error.to_string()))?;
    output::note(format!(
        "making up {} runs with {} test results over {} days",
        grouped(organisation.total_runs()),
        grouped(organisation.total_tests()),
        organisation.days()
    ));
    let mut options = StoreOptions::new(data);
    options.limits = config.limits.clone();
    let store = Store::open(options)?;
    let bar = progress::bar(organisation.total_tests(), "test results stored");
    let mut in_flight = VecDeque::with_capacity(IN_FLIGHT);
    for upload in organisation.uploads() {
        if in_flight.len() == IN_FLIGHT {
            in_flight.pop_front().map_or(Ok(()), confirm)?;
        }
        in_flight.push_back(deliver(&store, &upload)?);
        bar.inc(upload.tests());
    }
    in_flight.into_iter().try_for_each(confirm)?;
    bar.finish_and_clear();
    let stored = began.elapsed();
    let tidying = progress::spinner("sorting and compressing");
    store.flush()?;
    store.compact()?;
    tidying.finish_and_clear();
    store.close();
    output::note(format!(
        "stored {} test results durably in {:.1} s, sorted and compressed in {:.1} s",
        grouped(organisation.total_tests()),
        stored.as_secs_f64(),
        (began.elapsed() - stored).as_secs_f64()
    ));
    Ok(())
}

fn deliver(store: &Store, upload: &Upload<'_>) -> anyhow::Result<PendingReceipt> {
    loop {
        let mut writer = store.writer();
        for record in &upload.records {
            let row = record.row();
            writer.append(row.table_of(), &row.cells())?;
        }
        upload.try_for_each_test(|test| writer.append(&TESTS, &test.values()))?;
        let delivery = writer.finish(DeliveryInfo {
            key: DeliveryKey { scope: "demo".to_owned(), key: upload.key.clone() },
            body_hash: 0,
            source: "demo".to_owned(),
            kind: "records".to_owned(),
            project: None,
            received_at: upload.at,
            size_bytes: 0,
            problems: Problems::new(),
            permanent: false,
        })?;
        match store.submit(delivery) {
            Ok(pending) => return Ok(pending),
            Err(SubmitError::Overloaded { .. }) => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => return Err(error.into()),
        }
    }
}

fn confirm(pending: PendingReceipt) -> anyhow::Result<()> {
    match pending.wait()? {
        Outcome::Committed(_) | Outcome::Known(_) => Ok(()),
        Outcome::Conflict(receipt) => anyhow::bail!("the example names two deliveries alike: {}", receipt.id),
    }
}

fn guide(data: &Path, no_serve: bool) {
    let pages = if no_serve {
        format!("manometer serve --data {} then shows its pages.", data.display())
    } else {
        "Its pages are at the address below. What to look at:".to_owned()
    };
    output::note(format!(
        "
The example is a company with a monorepo and a few other repositories. {pages}
  inventory   a test that fails about 30 % of the time, only on Wednesdays: open it, see `by weekday`
  lint        a step of every build that takes 10 minutes longer since one commit: services, p50 and trend
  payments    tests slower since the merge of a validation library: its duration chart, or
              manometer ask compare --data {} --service payments --measure test-duration --commit \"validation library\"
  …           all planted facts, each with the SQL that shows it, are in docs/DEMO.md
",
        data.display()
    ));
}
