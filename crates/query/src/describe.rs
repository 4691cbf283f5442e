//! What a query with placeholders wants and gives, before it has values.

use std::collections::HashMap;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan};

/// Most placeholders of a query.
const PLACEHOLDERS: usize = 1_000;

/// A query with placeholders.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    /// The type of each placeholder, in order: declared, or found in its surroundings, or text.
    pub(crate) parameters: Vec<DataType>,
    /// The columns that come out.
    pub(crate) schema: SchemaRef,
}

/// Describes a plan. `declared` are types that are known already, in order.
pub(crate) fn description(plan: LogicalPlan, declared: &[Option<DataType>]) -> Result<Description> {
    let mut found = plan.get_parameter_types()?;
    for (name, cast_to) in
        cast_types(&plan)?.into_iter().chain(array_types(&plan)?).chain(limit_types(&plan)?)
    {
        let known = found.entry(name).or_default();
        if known.is_none() {
            *known = Some(cast_to);
        }
    }
    let parameters = in_order(&found, declared)?;
    if parameters.is_empty() {
        return Ok(Description { parameters, schema: plan.schema().inner().clone() });
    }
    let nulls = parameters.iter().map(ScalarValue::try_from).collect::<Result<Vec<_>>>()?;
    let bound = plan.with_param_values(ParamValues::from(nulls))?;
    Ok(Description { parameters, schema: bound.schema().inner().clone() })
}

/// The types that placeholders are cast to where they stand: `$1::bigint`.
fn cast_types(plan: &LogicalPlan) -> Result<Vec<(String, DataType)>> {
    let mut types = Vec::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::Cast(cast) = part
                    && let Expr::Placeholder(placeholder) = cast.expr.as_ref()
                {
                    types.push((placeholder.id.clone(), cast.field.data_type().clone()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(types)
}

/// The types of placeholders in which a column is looked for: `name = ANY($1)`, which is `array_has($1, name)` here.
fn array_types(plan: &LogicalPlan) -> Result<Vec<(String, DataType)>> {
    let mut types = Vec::new();
    plan.apply_with_subqueries(|node| {
        let schema =
            node.inputs().first().map_or_else(|| node.schema().clone(), |input| input.schema().clone());
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(function) = part
                    && function.name() == "array_has"
                    && let [Expr::Placeholder(placeholder), wanted] = function.args.as_slice()
                {
                    let element = wanted.get_type(&*schema)?;
                    types.push((placeholder.id.clone(), DataType::new_list(element, true)));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(types)
}

/// Placeholders that say how many rows: `LIMIT $1 OFFSET $2`.
fn limit_types(plan: &LogicalPlan) -> Result<Vec<(String, DataType)>> {
    let mut types = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = node {
            for expression in limit.skip.iter().chain(&limit.fetch) {
                expression.apply(|part| {
                    if let Expr::Placeholder(placeholder) = part {
                        types.push((placeholder.id.clone(), DataType::Int64));
                    }
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(types)
}

fn in_order(
    found: &HashMap<String, Option<DataType>>,
    declared: &[Option<DataType>],
) -> Result<Vec<DataType>> {
    let mut numbered: Vec<(usize, Option<&DataType>)> = Vec::new();
    for (name, kind) in found {
        let number =
            name.strip_prefix('$').and_then(|digits| digits.parse().ok()).filter(|number| *number > 0);
        let Some(number) = number else {
            return Err(DataFusionError::Plan(format!("`{name}` is no placeholder: they are $1, $2, …")));
        };
        numbered.push((number, kind.as_ref()));
    }
    let count = numbered.iter().map(|(number, _)| *number).chain([declared.len()]).max().unwrap_or(0);
    if count > PLACEHOLDERS {
        return Err(DataFusionError::Plan(format!("a query has at most {PLACEHOLDERS} placeholders")));
    }
    let types = (1..=count).map(|position| {
        let known = declared.get(position - 1).cloned().flatten();
        let inferred =
            || numbered.iter().find(|(number, _)| *number == position).and_then(|(_, kind)| *kind).cloned();
        match known.or_else(inferred) {
            Some(DataType::Null) | None => DataType::Utf8View,
            Some(kind) => kind,
        }
    });
    Ok(types.collect())
}
