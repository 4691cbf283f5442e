//! The optimizer's rules: all of them, and the few that say something about a plain question.
//!
//! Every rule walks through the whole plan, in every pass. A panel of a dashboard asks one table, and is answered in less
//! time than most rules take to find out that there is no join in it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::common::alias::AliasGenerator;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};

use crate::rollup::{RollupUse, UseRollups};
use crate::{exact, share};

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// Rules about joins and subqueries.
const ABOUT_JOINS: &[&str] = &[
    "rewrite_set_comparison",
    "unions_to_filter",
    "eliminate_join",
    "decorrelate_predicate_subquery",
    "scalar_subquery_to_join",
    "decorrelate_lateral_join",
    "extract_equijoin_predicate",
    "eliminate_cross_join",
    "filter_null_join_keys",
    "eliminate_outer_join",
];

/// Passes over a plain question: the rules stand in such an order that a second one would find nothing left to do.
const PASSES: usize = 1;

/// The optimizer's own rules, and ours as soon as filters have reached the tables: what it makes is optimized further.
pub(crate) fn all(rollups: RollupUse) -> Vec<Rule> {
    let mut rules = Optimizer::new().rules;
    rules.push(Arc::new(share::CountOnce));
    let use_rollups =
        (rollups != RollupUse::Never).then_some(UseRollups { always: rollups == RollupUse::Always });
    rules.push(Arc::new(exact::ReadAgain { rollups: use_rollups }));
    if let Some(use_rollups) = use_rollups {
        let filters_are_down = rules.iter().position(|rule| rule.name() == "push_down_filter");
        let place = filters_are_down.map_or(rules.len(), |position| position + 1);
        rules.insert(place, Arc::new(use_rollups));
    }
    rules
}

/// Optimizes plans with as many rules as they need.
#[derive(Debug)]
pub(crate) struct Rules {
    plain: Optimizer,
    options: Arc<ConfigOptions>,
}

impl Rules {
    /// Rules for sessions with the settings of `shared`.
    pub(crate) fn new(shared: &SessionState, rollups: RollupUse) -> Self {
        let says_something = |rule: &Rule| !ABOUT_JOINS.contains(&rule.name());
        let plain = all(rollups).into_iter().filter(says_something).collect();
        let mut options = ConfigOptions::clone(shared.config_options());
        options.optimizer.max_passes = PASSES;
        Self { plain: Optimizer::with_rules(plain), options: Arc::new(options) }
    }

    /// The same plan, with less work to do.
    ///
    /// # Errors
    /// When a rule fails.
    pub(crate) fn optimize(&self, session: &SessionState, plan: &LogicalPlan) -> Result<LogicalPlan> {
        if !is_plain(plan)? {
            return session.optimize(plan);
        }
        let analyzed =
            session.analyzer().execute_and_check(plan.clone(), session.config_options(), |_, _| {})?;
        self.plain.optimize(analyzed, &Plainly { session, options: &self.options }, |_, _| {})
    }
}

/// Does a plan aggregate, filter and sort the rows of one table, and nothing else?
fn is_plain(plan: &LogicalPlan) -> Result<bool> {
    let mut plain = true;
    plan.apply(|node| {
        plain &= matches!(
            node,
            LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::TableScan(_)
        );
        node.apply_expressions(|expression| {
            plain = plain && !expression.exists(|part| Ok(is_subquery(part)))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(if plain { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(plain)
}

const fn is_subquery(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::SetComparison(_)
            | Expr::OuterReferenceColumn(..)
    )
}

/// A session whose optimizer makes fewer passes.
struct Plainly<'a> {
    session: &'a SessionState,
    options: &'a Arc<ConfigOptions>,
}

impl OptimizerConfig for Plainly<'_> {
    fn query_execution_start_time(&self) -> Option<DateTime<Utc>> {
        self.session.query_execution_start_time()
    }

    fn alias_generator(&self) -> &Arc<AliasGenerator> {
        self.session.alias_generator()
    }

    fn options(&self) -> Arc<ConfigOptions> {
        Arc::clone(self.options)
    }

    fn function_registry(&self) -> Option<&dyn FunctionRegistry> {
        Some(self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_left_out_are_rules_there_are() {
        let names: Vec<String> = all(RollupUse::Never).iter().map(|rule| rule.name().to_owned()).collect();
        for left_out in ABOUT_JOINS {
            assert!(names.iter().any(|name| name == left_out), "{left_out}: {names:?}");
        }
        assert!(names.iter().all(|name| name != "use_rollups"));
    }
}
