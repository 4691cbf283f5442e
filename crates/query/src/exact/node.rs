//! The node of exact percentiles in a logical plan, and how it becomes one of a physical plan.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DFSchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::exec::ExactPercentilesExec;
use super::question::Question;

/// Exact percentiles of the groups of an aggregate; see [`ExactPercentilesExec`].
#[derive(Debug, Clone)]
pub(super) struct ExactPercentiles {
    pub(super) first: LogicalPlan,
    pub(super) again: LogicalPlan,
    pub(super) schema: DFSchemaRef,
    pub(super) group_count: usize,
    pub(super) questions: Arc<Vec<(usize, Question)>>,
}

impl PartialEq for ExactPercentiles {
    fn eq(&self, other: &Self) -> bool {
        (&self.first, &self.again, &self.schema, self.group_count, &self.questions)
            == (&other.first, &other.again, &other.schema, other.group_count, &other.questions)
    }
}

// Probabilities lie between 0 and 1: none is NaN, so equality holds for all.
impl Eq for ExactPercentiles {}

impl PartialOrd for ExactPercentiles {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Hash for ExactPercentiles {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.first, &self.schema, self.group_count).hash(state);
    }
}

impl UserDefinedLogicalNodeCore for ExactPercentiles {
    fn name(&self) -> &str {
        "ExactPercentiles"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.first, &self.again]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ExactPercentiles: columns={}", self.questions.len())
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let [first, again] = <[_; 2]>::try_from(inputs)
            .map_err(|_| DataFusionError::Internal("exact percentiles have two inputs".to_owned()))?;
        Ok(Self { first, again, ..self.clone() })
    }
}

/// Plans queries as the engine does, and the nodes of exact percentiles in them.
#[derive(Debug)]
pub(crate) struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Nodes)])
            .create_physical_plan(plan, session)
            .await
    }
}

struct Nodes;

#[async_trait]
impl ExtensionPlanner for Nodes {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [first, again]) =
            (node.as_any().downcast_ref::<ExactPercentiles>(), physical_inputs)
        else {
            return Ok(None);
        };
        let percentiles = ExactPercentilesExec::try_new(
            Arc::clone(first),
            Arc::clone(again),
            Arc::clone(node.schema.inner()),
            node.group_count,
            Arc::clone(&node.questions),
        )?;
        Ok(Some(Arc::new(percentiles)))
    }
}
