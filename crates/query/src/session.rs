//! The DataFusion session: one that holds what all queries share, and a light copy of it for each query.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::catalog::CatalogProviderList;
use datafusion::common::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::context::ExecutionProps;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::prelude::SessionConfig;
use manometer_model::Timestamp;

use crate::catalog::{CATALOG, SCHEMA};
use crate::rollup::{RollupUse, UseRollups};
use crate::table::unpacked::{UNPACKED_CACHE_BYTES, UnpackedCache};
use crate::{exact, functions, share};

/// What every query starts from: functions and settings, no tables.
pub(crate) fn shared(threads: usize, environment: RuntimeEnv, rollups: RollupUse) -> SessionState {
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
        .with_config(config(threads))
        .with_runtime_env(Arc::new(environment))
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregates)
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_table_functions(table_functions)
        .with_optimizer_rules(optimizer_rules(rollups))
        .with_query_planner(Arc::new(exact::Planner))
        .build()
}

/// The optimizer's own rules, and ours as soon as filters have reached the tables: what it makes is optimized further.
fn optimizer_rules(rollups: RollupUse) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    rules.push(Arc::new(share::CountOnce));
    rules.push(Arc::new(exact::ReadAgain));
    if rollups != RollupUse::Never {
        let filters_are_down = rules.iter().position(|rule| rule.name() == "push_down_filter");
        let place = filters_are_down.map_or(rules.len(), |position| position + 1);
        rules.insert(place, Arc::new(UseRollups { always: rollups == RollupUse::Always }));
    }
    rules
}

fn config(threads: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_information_schema(true)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_extension(Arc::new(UnpackedCache::new(UNPACKED_CACHE_BYTES)));
    let options = config.options_mut();
    options.sql_parser.dialect = Dialect::PostgreSQL;
    options.execution.time_zone = Some("UTC".to_owned());
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
    environment: Arc<RuntimeEnv>,
    catalogs: Arc<dyn CatalogProviderList>,
    now: Timestamp,
) -> Result<SessionState, DataFusionError> {
    let start: DateTime<Utc> = DateTime::from_timestamp_micros(now.as_micros())
        .ok_or_else(|| DataFusionError::Execution(format!("the clock says {now}, which is no date")))?;
    Ok(SessionStateBuilder::new_from_existing(shared.clone())
        .with_runtime_env(environment)
        .with_catalog_list(catalogs)
        .with_execution_props(ExecutionProps::new().with_query_execution_start_time(start))
        .build())
}

/// A session that plans and never runs.
pub(crate) fn for_planning(shared: &SessionState, catalogs: Arc<dyn CatalogProviderList>) -> SessionState {
    SessionStateBuilder::new_from_existing(shared.clone()).with_catalog_list(catalogs).build()
}
