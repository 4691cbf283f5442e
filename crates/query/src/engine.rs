//! The engine: takes queries, runs each on threads of its own under its limits, and hands out the rows.
//!
//! ```text
//!  query() ─► its turn ─► task on the engine's runtime: parse ─► plan ─► run ──(2 batches)──► QueryResult
//!                            ends at the deadline, at a limit, or when the QueryResult is dropped
//! ```

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{ParamValues, ScalarValue, TableReference};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{SendableRecordBatchStream, execute_stream};
use datafusion::prelude::SessionConfig;
use futures::StreamExt;
use manometer_model::near_names::near_names;
use manometer_model::{Clock, Limits, SystemClock};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::catalog::{self, CATALOG, SCHEMA, SnapshotSchema};
use crate::client::ClientCatalog;
use crate::describe::{self, Description};
use crate::own_texts::with_own_texts;
use crate::request::EffectiveLimits;
use crate::result::{Ending, Running};
use crate::rules::Rules;
use crate::runs::by_runs;
use crate::turns::{Turn, Turns};
use crate::yielding::with_pauses;
use crate::{
    Parameter, QueryError, QueryRequest, QueryResult, RollupUse, Source, memory, read_only, session, width,
};

/// Batches that may wait between a query and its reader.
const BATCHES_AHEAD: usize = 2;

/// How an engine is made.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Of these: `query_seconds`, `query_memory_bytes`, `query_rows`.
    pub limits: Limits,
    /// Threads that run queries, and parts a query is cut into.
    pub threads: usize,
    /// Queries that run at once.
    pub running: usize,
    /// Queries that may wait for their turn; past it they are refused.
    pub waiting: usize,
    /// What `now()` asks.
    pub clock: Arc<dyn Clock>,
    /// When roll-ups are read instead of rows.
    pub rollups: RollupUse,
}

impl Default for EngineOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            limits: Limits::default(),
            threads,
            running: threads.max(2) * 2,
            waiting: 64,
            clock: Arc::new(SystemClock),
            rollups: RollupUse::default(),
        }
    }
}

/// Runs queries. Cheap to copy; all copies share threads, limits and caches.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<SessionState>,
    /// The settings for queries of few rows, which one thread answers sooner.
    narrow: SessionConfig,
    rules: Rules,
    /// Made for the first client that speaks PostgreSQL.
    clients: OnceLock<Result<ClientCatalog, QueryError>>,
    turns: Turns,
    limits: Limits,
    clock: Arc<dyn Clock>,
    runtime: Option<Runtime>,
}

impl Inner {
    fn client_catalog(&self) -> Result<&ClientCatalog, QueryError> {
        let made = self.clients.get_or_init(|| {
            ClientCatalog::new(&self.shared).map_err(|error| QueryError::from_datafusion(&error, 0))
        });
        made.as_ref().map_err(Clone::clone)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Engine").field("running", &self.inner.turns.running()).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the engine's threads.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn new(options: EngineOptions) -> Result<Self, QueryError> {
        let threads = options.threads.max(1);
        let environment = memory::shared().map_err(|error| QueryError::from_datafusion(&error, 0))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .max_blocking_threads(threads.max(4) * 4)
            .thread_name("query")
            .enable_time()
            .build()
            .map_err(|error| QueryError::Internal {
                message: format!("failed to start query threads: {error}"),
            })?;
        let shared = session::shared(threads, environment, options.rollups);
        Ok(Self {
            inner: Arc::new(Inner {
                rules: Rules::new(&shared, options.rollups),
                narrow: shared.config().clone().with_target_partitions(1),
                shared: Arc::new(shared),
                clients: OnceLock::new(),
                turns: Turns::new(options.running, options.waiting),
                limits: options.limits,
                clock: options.clock,
                runtime: Some(runtime),
            }),
        })
    }

    /// Starts one query over one moment of the store. Returns when its columns are known.
    ///
    /// # Errors
    /// When the query is refused, does not fit the tables, fails, or meets a limit before its first row.
    pub async fn query(
        &self,
        source: Arc<dyn Source>,
        request: QueryRequest,
    ) -> Result<QueryResult, QueryError> {
        let started = Instant::now();
        let limits = EffectiveLimits::of(&self.inner.limits, request.limits);
        let deadline = started + limits.time;
        let turn = self.turn(deadline).await?;
        let Some(runtime) = &self.inner.runtime else {
            return Err(QueryError::Internal { message: "the engine has ended".to_owned() });
        };
        let (columns_out, columns) = oneshot::channel();
        let (rows_out, rows) = mpsc::channel(BATCHES_AHEAD);
        let work =
            Work { engine: self.clone(), source, request, limits, columns: columns_out, rows: rows_out };
        let mut running = Running(runtime.spawn(async move {
            let outcome = timeout_at(deadline, work.run()).await;
            drop(turn);
            outcome.unwrap_or(Err(QueryError::TimeLimit { seconds: limits.time.as_secs_f64() }))
        }));
        match columns.await {
            Ok(schema) => Ok(QueryResult::new(schema, rows, running, started)),
            Err(_) => match running.outcome().await {
                Err(error) => Err(error),
                Ok(_) => Err(QueryError::Internal { message: "a query ended without columns".to_owned() }),
            },
        }
    }

    /// Plans a query with placeholders without running it: which types they have, and which columns come out.
    /// `declared` are the types that are known already, in order.
    pub(crate) async fn describe(
        &self,
        source: Arc<dyn Source>,
        request: QueryRequest,
        declared: Vec<Option<DataType>>,
    ) -> Result<Description, QueryError> {
        let limits = EffectiveLimits::of(&self.inner.limits, request.limits);
        let Some(runtime) = &self.inner.runtime else {
            return Err(QueryError::Internal { message: "the engine has ended".to_owned() });
        };
        let inner = Arc::clone(&self.inner);
        let mut task = AbortOnDrop(runtime.spawn(async move {
            let planned =
                timeout_at(Instant::now() + limits.time, plan(&inner, source, request, limits.memory_bytes));
            let plan = match planned.await {
                Ok(planned) => planned?.plan,
                Err(_) => return Err(QueryError::TimeLimit { seconds: limits.time.as_secs_f64() }),
            };
            describe::description(plan, &declared).map_err(|error| QueryError::from_datafusion(&error, 0))
        }));
        let ended = (&mut task.0).await;
        ended.unwrap_or_else(|error| {
            Err(QueryError::Internal { message: format!("planning ended early: {error}") })
        })
    }

    /// Waits for this query's turn, until its time is over.
    async fn turn(&self, deadline: Instant) -> Result<Turn, QueryError> {
        let turns = &self.inner.turns;
        let overloaded =
            |waiting| QueryError::Overloaded { running: turns.running(), waiting, retry_after_seconds: 1 };
        match timeout_at(deadline, turns.take()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(full)) => Err(overloaded(full.waiting)),
            Err(_) => Err(overloaded(turns.waiting())),
        }
    }

    /// Queries running now.
    pub fn running(&self) -> usize {
        self.inner.turns.running()
    }

    /// The longest a query may run.
    pub fn time_limit(&self) -> Duration {
        Duration::from_secs(self.inner.limits.query_seconds)
    }
}

/// A task that ends when it is dropped.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One query on its way.
struct Work {
    engine: Engine,
    /// Held to the end: the segments stay while the query reads them.
    source: Arc<dyn Source>,
    request: QueryRequest,
    limits: EffectiveLimits,
    columns: oneshot::Sender<SchemaRef>,
    rows: mpsc::Sender<RecordBatch>,
}

impl Work {
    async fn run(self) -> Result<Ending, QueryError> {
        let Self { engine, source, request, limits, columns, rows } = self;
        let stream = start(&engine.inner, Arc::clone(&source), request, limits.memory_bytes).await?;
        if columns.send(stream.schema()).is_err() {
            return Ok(Ending { truncated: false });
        }
        let outcome = send_rows(stream, limits, &rows).await;
        drop(source);
        outcome
    }
}

/// A query as the planner left it.
struct Planned {
    state: SessionState,
    plan: LogicalPlan,
}

async fn plan(
    inner: &Inner,
    source: Arc<dyn Source>,
    request: QueryRequest,
    memory_bytes: usize,
) -> Result<Planned, QueryError> {
    let fault = |error: DataFusionError| QueryError::from_datafusion(&error, memory_bytes);
    let statement = read_only::parse(&request.sql, &request.access)?;
    let now = inner.clock.now();
    let state = match &request.client {
        Some(client) => {
            let catalog = inner.client_catalog()?;
            catalog.session(source, request.access, now, client).map_err(fault)?
        }
        None => {
            let schema = SnapshotSchema::new(source, request.access, Arc::clone(&inner.shared));
            session::for_query(&inner.shared, catalog::catalogs(schema), now).map_err(fault)?
        }
    };
    let named = state.resolve_table_references(&statement).map_err(fault)?;
    let plan = match state.statement_to_plan(statement).await {
        Ok(plan) => plan,
        Err(error) => return Err(unknown_table(&state, &named).unwrap_or_else(|| fault(error))),
    };
    read_only::verify_plan(&plan)?;
    Ok(Planned { state, plan })
}

async fn start(
    inner: &Inner,
    source: Arc<dyn Source>,
    mut request: QueryRequest,
    memory_bytes: usize,
) -> Result<SendableRecordBatchStream, QueryError> {
    let fault = |error: DataFusionError| QueryError::from_datafusion(&error, memory_bytes);
    let mut values = std::mem::take(&mut request.values);
    values.extend(std::mem::take(&mut request.parameters).into_iter().map(Parameter::into_scalar));
    let Planned { mut state, plan } = plan(inner, source, request, memory_bytes).await?;
    let bound = bind(plan, values).map_err(fault)?;
    let optimized = inner.rules.optimize(&state, &bound).map_err(fault)?;
    if width::is_narrow(&optimized).map_err(fault)? {
        *state.config_mut() = inner.narrow.clone();
    }
    let planner = Arc::clone(state.query_planner());
    let physical = planner.create_physical_plan(&optimized, &state).await.map_err(fault)?;
    let physical = by_runs(physical).and_then(with_pauses).and_then(with_own_texts).map_err(fault)?;
    let environment = memory::for_query(inner.shared.runtime_env(), memory_bytes).map_err(fault)?;
    execute_stream(physical, session::task(&state, environment)).map_err(fault)
}

fn bind(plan: LogicalPlan, values: Vec<ScalarValue>) -> Result<LogicalPlan, DataFusionError> {
    if values.is_empty() {
        return Ok(plan);
    }
    plan.with_param_values(ParamValues::from(values))
}

/// The first name that is no table, where one is: the planner's own error knows no near names.
fn unknown_table(state: &SessionState, named: &[TableReference]) -> Option<QueryError> {
    let known = catalog::names();
    named.iter().find_map(|reference| {
        let ours = reference.catalog().is_none_or(|name| name == CATALOG)
            && reference.schema().is_none_or(|name| name == SCHEMA);
        let name = reference.table();
        let exists =
            known.iter().any(|candidate| candidate == name) || state.table_functions().contains_key(name);
        (ours && !exists)
            .then(|| QueryError::UnknownTable { name: name.to_owned(), near: near_names(name, &known) })
    })
}

async fn send_rows(
    mut stream: SendableRecordBatchStream,
    limits: EffectiveLimits,
    rows: &mpsc::Sender<RecordBatch>,
) -> Result<Ending, QueryError> {
    let mut room = limits.rows;
    while let Some(next) = stream.next().await {
        let batch = next.map_err(|error| QueryError::from_datafusion(&error, limits.memory_bytes))?;
        let truncated = batch.num_rows() > room;
        let given = if truncated { batch.slice(0, room) } else { batch };
        room -= given.num_rows();
        if given.num_rows() > 0 && rows.send(given).await.is_err() {
            return Ok(Ending { truncated: false });
        }
        if truncated {
            return Ok(Ending { truncated: true });
        }
    }
    Ok(Ending { truncated: false })
}
