//! Groups found by runs are the groups of the engine's own aggregates.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, StringViewArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::by_runs;
use super::starts::Starts;

/// Rows that agree in everything but their value: how many, and their group columns.
type Run = (usize, Option<i64>, Option<usize>, Option<bool>, f64);

const NAMES: [&str; 4] =
    ["", "short", "a name that is longer than twelve", "a name that is longer than others"];
const REALS: [f64; 5] = [0.0, -0.0, f64::NAN, 1.5, f64::INFINITY];

fn batch(runs: &[Run], first_value: f64) -> RecordBatch {
    let rows = || runs.iter().flat_map(|run| std::iter::repeat_n(run, run.0));
    let times: TimestampMicrosecondArray = rows().map(|run| run.1).collect();
    let names: StringViewArray = rows().map(|run| run.2.and_then(|name| NAMES.get(name))).collect();
    let flags: BooleanArray = rows().map(|run| run.3).collect();
    let reals: Float64Array = rows().map(|run| Some(run.4)).collect();
    let values: Float64Array = rows()
        .enumerate()
        .map(|(row, _)| (row % 7 != 3).then_some(first_value + (row % 11) as f64))
        .collect();
    let plain: StringArray = rows().map(|run| run.2.and_then(|name| NAMES.get(name))).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("time", Arc::new(times.with_timezone("UTC")) as ArrayRef, true),
        ("name", Arc::new(names) as ArrayRef, true),
        ("flag", Arc::new(flags) as ArrayRef, true),
        ("real", Arc::new(reals) as ArrayRef, true),
        ("value", Arc::new(values) as ArrayRef, true),
        ("plain", Arc::new(plain) as ArrayRef, true),
    ])
    .unwrap()
}

fn session(batches: Vec<RecordBatch>, environment: RuntimeEnv) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(2).with_batch_size(64);
    config.options_mut().execution.skip_partial_aggregation_probe_rows_threshold = 500;
    let session = SessionContext::new_with_config_rt(config, Arc::new(environment));
    let schema = batches[0].schema();
    let (left, right) = batches.split_at(batches.len() / 2);
    let table = MemTable::try_new(schema, vec![left.to_vec(), right.to_vec()]).unwrap();
    session.register_table("rows", Arc::new(table)).unwrap();
    session
}

async fn plan(session: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    session.sql(sql).await.unwrap().create_physical_plan().await.unwrap()
}

async fn answer(session: &SessionContext, plan: Arc<dyn ExecutionPlan>) -> String {
    pretty_format_batches(&collect(plan, session.task_ctx()).await.unwrap()).unwrap().to_string()
}

fn is_by_runs(plan: &Arc<dyn ExecutionPlan>) -> bool {
    displayable(plan.as_ref()).indent(false).to_string().contains("By runs")
}

fn run() -> impl Strategy<Value = Run> {
    let time = prop::option::weighted(0.9, 0_i64..4);
    let name = prop::option::weighted(0.9, 0_usize..NAMES.len());
    let real = prop::sample::select(REALS.to_vec());
    (1_usize..40, time, name, prop::option::of(any::<bool>()), real)
}

const QUESTIONS: [&str; 8] = [
    "SELECT time, count(*), count(value), sum(value), min(value) FROM rows GROUP BY time ORDER BY time",
    "SELECT name, avg(value), count(*) FILTER (WHERE flag) FROM rows GROUP BY name ORDER BY name",
    "SELECT time, name, flag, max(value), count(*) FROM rows GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "SELECT real, count(*), bool_and(flag) FROM rows GROUP BY real ORDER BY real",
    "SELECT plain, count(*), max(name) FROM rows GROUP BY plain ORDER BY plain",
    "SELECT name || '!' AS n, flag, count(DISTINCT value) FROM rows GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT DISTINCT name, time FROM rows ORDER BY 1, 2",
    "SELECT flag, last_value(value ORDER BY value NULLS FIRST) FROM rows GROUP BY flag ORDER BY flag",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn answers_are_those_of_the_engine(batches in prop::collection::vec(prop::collection::vec(run(), 1..30), 2..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let batches = batches.iter().enumerate().map(|(number, runs)| batch(runs, number as f64)).collect();
            let session = session(batches, RuntimeEnv::default());
            for question in QUESTIONS {
                let plan = plan(&session, question).await;
                let changed = by_runs(Arc::clone(&plan)).unwrap();
                assert!(is_by_runs(&changed), "{question}");
                assert_eq!(answer(&session, changed).await, answer(&session, plan).await, "{question}");
            }
        });
    }
}

/// So many rows, each a group of its own.
fn different(rows: usize) -> Vec<RecordBatch> {
    let runs: Vec<Run> = (0..rows).map(|row| (1, Some(row as i64), Some(row % 4), None, 0.0)).collect();
    runs.chunks(100).map(|runs| batch(runs, 0.0)).collect()
}

#[tokio::test]
async fn rows_that_are_groups_of_their_own_pass_through() {
    let session = session(different(4_000), RuntimeEnv::default());
    let plan =
        plan(&session, "SELECT time, sum(value), count(*) FROM rows GROUP BY time ORDER BY time").await;
    let changed = by_runs(Arc::clone(&plan)).unwrap();
    assert_eq!(answer(&session, changed).await, answer(&session, plan).await);
}

#[tokio::test]
async fn without_memory_for_all_groups_they_are_handed_on_early() {
    let sql = "SELECT time % 2000 AS place, count(*), sum(value) FROM \
        (SELECT CAST(time AS BIGINT) AS time, value FROM rows) GROUP BY 1 ORDER BY 1 LIMIT 5";
    let enough = session(different(40_000), RuntimeEnv::default());
    let expected = answer(&enough, plan(&enough, sql).await).await;
    let little = RuntimeEnvBuilder::new().with_memory_limit(400_000, 1.0).build().unwrap();
    let little = session(different(40_000), little);
    let changed = by_runs(plan(&little, sql).await).unwrap();
    assert!(is_by_runs(&changed));
    assert_eq!(answer(&little, changed).await, expected);
}

#[tokio::test]
async fn plans_without_groups_stay_as_they_are() {
    let session = session(different(200), RuntimeEnv::default());
    for sql in [
        "SELECT count(*), max(value) FROM rows",
        "SELECT name, flag, count(*) FROM rows GROUP BY ROLLUP (name, flag)",
        "SELECT name, value FROM rows WHERE flag",
    ] {
        assert!(!is_by_runs(&by_runs(plan(&session, sql).await).unwrap()), "{sql}");
    }
}

#[tokio::test]
async fn of_no_rows_there_are_no_groups() {
    let session = session(vec![batch(&[], 0.0), batch(&[], 0.0)], RuntimeEnv::default());
    // Some of the engine's aggregates have no state of no groups.
    for function in
        ["count(*)", "last_value(value ORDER BY time)", "array_agg(flag)", "string_agg(name, ',')"]
    {
        let sql = format!("SELECT name, {function} FROM rows GROUP BY name");
        let plan = by_runs(plan(&session, &sql).await).unwrap();
        assert!(is_by_runs(&plan), "{function}");
        let batches = collect(plan, session.task_ctx()).await.unwrap();
        assert!(batches.iter().all(|batch| batch.num_rows() == 0), "{function}");
    }
}

#[test]
fn runs_begin_where_any_column_changes_and_at_nulls() {
    let runs: [Run; 5] = [
        (3, Some(1), Some(2), Some(true), 0.0),
        (2, Some(1), Some(3), Some(true), 0.0),
        (4, None, Some(3), Some(true), 0.0),
        (1, None, Some(3), None, 0.0),
        (2, Some(0), Some(3), None, 0.0),
    ];
    let batch = batch(&runs, 0.0);
    let starts = |columns: &[usize]| {
        let columns: Vec<ArrayRef> = columns.iter().map(|place| Arc::clone(batch.column(*place))).collect();
        Starts::default().of(&columns).map(<[u32]>::to_vec)
    };
    assert_eq!(starts(&[0, 2]), Some(vec![0, 5, 9, 10]));
    assert_eq!(starts(&[0]), Some(vec![0, 5, 10]));
    assert_eq!(batch.column(5).data_type(), &DataType::Utf8);
    assert_eq!(starts(&[5]), None, "a type that is not looked at");
    let short: Vec<Run> = (0..10).map(|row| (1, Some(row), None, None, 0.0)).collect();
    let short = self::batch(&short, 0.0);
    assert!(Starts::default().of(&[Arc::clone(short.column(0))]).is_none(), "runs that do not pay");
    assert!(Starts::default().of(&[Arc::new(Float64Array::from(Vec::<f64>::new()))]).is_none());
}
