//! The DataFusion session: one that holds what all queries share, and a light copy of it for each query.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::catalog::CatalogProviderList;
use datafusion::common::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::context::ExecutionProps;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::prelude::SessionConfig;
use manometer_model::Timestamp;

use crate::catalog::{CATALOG, SCHEMA};
use crate::kept::Kept;
use crate::rollup::RollupUse;
use crate::{exact, functions, rules};

/// What every query starts from: functions and settings, no tables.
pub(crate) fn shared(threads: usize, environment: RuntimeEnv, rollups: RollupUse) -> SessionState {
    let kept = Kept::new(&environment, threads);
    let mut scalar = SessionStateDefaults::default_scalar_functions();
    scalar.extend(functions::scalar());
    let mut aggregates = functions::aggregates();
    // Where both have a name, an alias of the engine's would bring its function back when the session is copied.
    let is_ours = |name: &str| functions::aggregates().iter().any(|ours| ours.name() == name);
    aggregates.extend(
        SessionStateDefaults::default_aggregate_functions()
            .into_iter()
            .filter(|function| !is_ours(function.name())),
    );
    let table_functions = SessionStateDefaults::default_table_functions()
        .into_iter()
        .map(|function| (function.name().to_owned(), function))
        .collect();
    SessionStateBuilder::new()
        .with_config(config(threads).with_extension(Arc::new(kept)))
        .with_runtime_env(Arc::new(environment))
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregates)
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_table_functions(table_functions)
        .with_optimizer_rules(rules::all(rollups))
        .with_query_planner(Arc::new(exact::Planner))
        .build()
}

fn config(threads: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_information_schema(true)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(CATALOG, SCHEMA);
    let options = config.options_mut();
    options.sql_parser.dialect = Dialect::PostgreSQL;
    options.execution.time_zone = Some("UTC".to_owned());
    // Of `max(x), min(y + 1)` the engine would skip rows by `max(x)` alone, and miss the least `y`.
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    let parquet = &mut options.execution.parquet;
    parquet.pushdown_filters = true;
    parquet.reorder_filters = true;
    parquet.enable_page_index = true;
    parquet.pruning = true;
    config
}

/// The session of one query. `now` is what `now()` answers, the same wherever the query says it.
pub(crate) fn for_query(
    shared: &SessionState,
    catalogs: Arc<dyn CatalogProviderList>,
    now: Timestamp,
) -> Result<SessionState, DataFusionError> {
    let start: DateTime<Utc> = DateTime::from_timestamp_micros(now.as_micros())
        .ok_or_else(|| DataFusionError::Execution(format!("the clock says {now}, which is no date")))?;
    // A copy: to build a session registers some hundred functions anew.
    let mut session = shared.clone();
    session.register_catalog_list(catalogs);
    *session.execution_props_mut() = ExecutionProps::new().with_query_execution_start_time(start);
    Ok(session)
}

/// What a plan of a session runs with: the memory of its query. Plans hold their functions themselves.
pub(crate) fn task(session: &SessionState, environment: Arc<RuntimeEnv>) -> Arc<TaskContext> {
    Arc::new(TaskContext::new(
        None,
        session.session_id().to_owned(),
        session.config().clone(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        environment,
    ))
}

/// A session that plans and never runs.
pub(crate) fn for_planning(shared: &SessionState, catalogs: Arc<dyn CatalogProviderList>) -> SessionState {
    let mut session = shared.clone();
    session.register_catalog_list(catalogs);
    session
}
