//! Measures what roll-ups bring: questions about a year of tests, answered from the rows and from roll-ups, in one run.
//!
//! ```text
//! cargo run --release -p manometer-query --example rollup_rate -- [FOLDER] [ROWS_A_DAY]
//! ```
//! The tests are those of 20 services on 8 branches, of 2 jobs each, over 365 days; rows come a day at a time and are
//! flushed and merged as a server would. A folder that is there is used as it is.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use manometer_model::records::Test;
use manometer_model::{Clock, Problems, Row, TestId, TestStatus, Timestamp, rollups_of};
use manometer_query::{Access, Engine, EngineOptions, QueryRequest, RollupUse, Source};
use manometer_store::{DeliveryInfo, DeliveryKey, FlushPolicy, Snapshot, Store, StoreOptions};

type Failure = Box<dyn Error + Send + Sync>;

const DAYS: u64 = 365;
const FIRST_DAY: i64 = 1_767_225_600;
const SERVICES: u64 = 20;
const BRANCHES: u64 = 8;
const TESTS: u64 = 500;
const ROUNDS: usize = 15;

/// A clock that stands, at noon of the day after the last.
#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(FIRST_DAY + DAYS as i64 * 86_400 + 43_200)
    }
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder =
        arguments.next().map_or_else(|| std::env::temp_dir().join("manometer-rollup-rate"), PathBuf::from);
    let rows_a_day: u64 = arguments.next().map_or(Ok(20_000), |text| text.parse())?;
    if !folder.exists() {
        fill(&folder, rows_a_day)?;
    }
    let store = Store::open(options(&folder))?;
    let snapshot = store.snapshot();
    print_sizes(&snapshot);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(compare(&snapshot))?;
    store.close();
    Ok(())
}

fn options(folder: &Path) -> StoreOptions {
    let flush = FlushPolicy { background: false, ..FlushPolicy::default() };
    StoreOptions { flush, clock: Arc::new(Standing), ..StoreOptions::new(folder) }
}

fn fill(folder: &Path, rows_a_day: u64) -> Result<(), Failure> {
    let store = Store::open(options(folder))?;
    let started = Instant::now();
    for day in 0..DAYS {
        let mut writer = store.writer();
        for number in 0..rows_a_day {
            writer.append(Test::table(), &executed(day, number, rows_a_day).values())?;
        }
        store.submit(writer.finish(info(day))?)?.wait()?;
        store.flush()?;
    }
    println!("{} rows taken in {:.0} s", DAYS * rows_a_day, started.elapsed().as_secs_f64());
    store.compact()?;
    store.close();
    Ok(())
}

fn executed(day: u64, number: u64, rows_a_day: u64) -> Test {
    let chance = mixed(day * rows_a_day + number);
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
        at: Timestamp::from_seconds(FIRST_DAY + (day * 86_400 + number * 86_400 / rows_a_day) as i64),
        ..Test::default()
    }
}

fn info(day: u64) -> DeliveryInfo {
    DeliveryInfo {
        key: DeliveryKey { scope: "measure".to_owned(), key: day.to_string() },
        body_hash: 0,
        source: "reports".to_owned(),
        kind: "junit".to_owned(),
        project: None,
        received_at: Timestamp::from_seconds(FIRST_DAY),
        size_bytes: 0,
        problems: Problems::new(),
        permanent: false,
    }
}

/// A well-mixed next number (the finaliser of SplitMix64).
const fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn print_sizes(snapshot: &Snapshot) {
    let tables = std::iter::once(Test::table()).chain(rollups_of(Test::table()).map(|rollup| rollup.table));
    for table in tables {
        let segments = snapshot.segments(table);
        let bytes: u64 = segments.iter().map(|segment| segment.size_bytes()).sum();
        let rows = snapshot.rows(table);
        println!(
            "{:<24} {rows:>10} rows {:>8.1} MB {:>6.1} bytes a row {:>4} files",
            table.name,
            bytes as f64 / 1e6,
            bytes as f64 / rows.max(1) as f64,
            segments.len()
        );
    }
}

const QUESTIONS: &[(&str, &str)] = &[
    (
        "p95 by day, 1 year, all services",
        "SELECT date_trunc('day', at) AS day, p95(duration_seconds) FROM tests GROUP BY 1 ORDER BY 1",
    ),
    (
        "p95 by day, 1 year, one service on main",
        "SELECT date_trunc('day', at) AS day, p95(duration_seconds) FROM tests
         WHERE service = 'service-07' AND branch = 'main' GROUP BY 1 ORDER BY 1",
    ),
    (
        "p95 by day, 1 year, one service",
        "SELECT date_trunc('day', at) AS day, p95(duration_seconds) FROM tests
         WHERE service = 'service-07' GROUP BY 1 ORDER BY 1",
    ),
    (
        "failures by service, 1 year",
        "SELECT service, count(*), count(*) FILTER (WHERE status = 'failed') FROM tests GROUP BY 1 ORDER BY 1",
    ),
];

/// The panels of a dashboard of 30 days, as Grafana writes them: ranges begin at any second.
fn panels() -> Vec<String> {
    let time = "at BETWEEN now() - INTERVAL '30 days 1357 seconds' AND now()";
    let bucket = "floor(extract(epoch FROM at) / 86400) * 86400";
    let service = "service = 'service-07'";
    let of = |columns: &str, condition: &str, groups: &str| {
        format!("SELECT {columns} FROM tests WHERE {time} AND {condition} GROUP BY {groups}")
    };
    vec![
        of(&format!("{bucket} AS time, p50(duration_seconds), p95(duration_seconds)"), service, "1"),
        of(&format!("{bucket} AS time, count(*)"), service, "1"),
        of(&format!("{bucket} AS time, status, count(*)"), service, "1, 2"),
        of(&format!("{bucket} AS time, avg(duration_seconds)"), service, "1"),
        of("branch, count(*), p95(duration_seconds)", service, "1"),
        of("job_name, p99(duration_seconds)", service, "1"),
        of("date_trunc('hour', at), count(*) FILTER (WHERE status = 'failed')", service, "1"),
        of("extract(dow FROM at), avg(duration_seconds)", service, "1"),
        of("service, count(*), p95(duration_seconds)", "is_default_branch", "1"),
        of(&format!("{bucket} AS time, p95(duration_seconds)"), "is_default_branch", "1"),
        of("service, avg(CASE WHEN status = 'failed' THEN 1.0 ELSE 0.0 END)", "is_final", "1"),
        format!("SELECT DISTINCT service FROM tests WHERE {time}"),
    ]
}

async fn compare(snapshot: &Arc<Snapshot>) -> Result<(), Failure> {
    let engine = |rollups| {
        Engine::new(EngineOptions {
            threads: 2,
            clock: Arc::new(Standing),
            rollups,
            ..EngineOptions::default()
        })
    };
    let dashboard = panels();
    let from_rollups = engine(RollupUse::WhereSmaller)?;
    let cold = ask_all(&from_rollups, snapshot, &dashboard).await?;
    let warm = median(&from_rollups, snapshot, &dashboard).await?;
    let from_rows = engine(RollupUse::Never)?;
    let of_rows = median(&from_rows, snapshot, &dashboard).await?;
    println!(
        "{:<42} first {cold:>7.1} ms  then {warm:>7.1} ms  from rows {of_rows:>8.1} ms",
        "12 panels, 30 days"
    );
    for (what, sql) in QUESTIONS {
        let question = [(*sql).to_owned()];
        let rolled_up = median(&from_rollups, snapshot, &question).await?;
        let of_rows = median(&from_rows, snapshot, &question).await?;
        println!(
            "{what:<42} {rolled_up:>19.1} ms  from rows {of_rows:>8.1} ms  {:>6.1} times",
            of_rows / rolled_up
        );
    }
    Ok(())
}

async fn median(engine: &Engine, snapshot: &Arc<Snapshot>, questions: &[String]) -> Result<f64, Failure> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        times.push(ask_all(engine, snapshot, questions).await?);
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(ROUNDS / 2).copied().unwrap_or_default())
}

/// Milliseconds until all are answered, one after the other.
async fn ask_all(engine: &Engine, snapshot: &Arc<Snapshot>, questions: &[String]) -> Result<f64, Failure> {
    let started = Instant::now();
    for sql in questions {
        let source: Arc<dyn Source> = Arc::clone(snapshot) as Arc<dyn Source>;
        let result = engine.query(source, QueryRequest::new(sql.as_str(), Access::All)).await?;
        result.collect().await?;
    }
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}
