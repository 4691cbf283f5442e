//! The functions as SQL knows them, and the first pass as the engine runs it.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::take_function_args;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;

use super::accumulator::{Accumulated, Input};
use super::question::{Kind, Probabilities, Question};
use crate::functions::{numbers, probabilities};

/// What is held between the parts of a query, and what a first pass answers.
const HELD: DataType = DataType::LargeBinary;

/// Is there a second pass?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pass {
    /// No: all values are held, and this pass gives the answer.
    Only,
    /// Yes: it gives what it held, which is bounded.
    First(Input),
}

/// One of the functions, for one kind of pass.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ExactPercentile {
    kind: Kind,
    pass: Pass,
    signature: Signature,
    aliases: Vec<String>,
}

/// A function for one kind of pass.
pub(super) fn udaf(kind: Kind, pass: Pass) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    let aliases = match (kind, pass) {
        (Kind::Continuous, Pass::Only) => vec!["quantile_cont".to_owned()],
        _ => Vec::new(),
    };
    Arc::new(AggregateUDF::from(ExactPercentile { kind, pass, signature, aliases }))
}

/// Which of the functions it is; `None` of any other, and of a first pass.
pub(super) fn kind_of(function: &AggregateUDF) -> Option<Kind> {
    let ours = function.inner().downcast_ref::<ExactPercentile>()?;
    (ours.pass == Pass::Only).then_some(ours.kind)
}

/// The function that makes of roll-ups and rows what this first pass makes of rows; `None` of any other.
pub(super) fn first_pass_of_both(function: &AggregateUDF) -> Option<Arc<AggregateUDF>> {
    let ours = function.inner().downcast_ref::<ExactPercentile>()?;
    (ours.pass == Pass::First(Input::Values)).then(|| udaf(ours.kind, Pass::First(Input::Both)))
}

/// The probabilities an argument says.
pub(super) fn probabilities_of(
    kind: Kind,
    argument: &Arc<dyn PhysicalExpr>,
    is_list: bool,
) -> Result<Probabilities> {
    if is_list {
        return Ok(Probabilities::List(probabilities::list(kind.name(), argument)?));
    }
    Ok(Probabilities::One(probabilities::one(kind.name(), argument)?))
}

impl ExactPercentile {
    fn accumulated(&self, args: &AccumulatorArgs<'_>) -> Result<Accumulated> {
        let name = self.kind.name();
        if args.is_distinct {
            return Err(DataFusionError::Plan(format!(
                "{name} of DISTINCT values is not supported: select them in a subquery"
            )));
        }
        if let Pass::First(input) = self.pass {
            return Ok(Accumulated::first(input));
        }
        let ([_, argument], [_, field]) = (args.exprs, args.expr_fields) else {
            return Err(DataFusionError::Internal(format!("{name} without its arguments")));
        };
        let is_list = matches!(field.data_type(), DataType::List(_));
        Ok(Accumulated::only(Question {
            kind: self.kind,
            probabilities: probabilities_of(self.kind, argument, is_list)?,
            descending: args.order_bys.first().is_some_and(|order| order.options.descending),
        }))
    }
}

impl AggregateUDFImpl for ExactPercentile {
    fn name(&self) -> &str {
        match (self.pass, self.kind) {
            (Pass::Only, kind) => kind.name(),
            (Pass::First(_), Kind::Continuous) => "percentile_cont_first_pass",
            (Pass::First(_), Kind::Discrete) => "percentile_disc_first_pass",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        if self.pass == Pass::First(Input::Both) {
            return Ok(arguments.to_vec());
        }
        let name = self.kind.name();
        let [values, wanted] = take_function_args(name, arguments)?;
        let is_exact_as_float = !matches!(values, DataType::Int64 | DataType::UInt64) && !values.is_decimal();
        if self.kind == Kind::Discrete && values.is_numeric() && !is_exact_as_float {
            return Err(DataFusionError::Plan(format!(
                "percentile_disc of {values} is not supported: cast to double precision, which holds whole numbers up to 2^53 exactly"
            )));
        }
        let wanted = match wanted {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                probabilities::list_type(name, wanted)?
            }
            one => probabilities::one_type(name, one)?,
        };
        Ok(vec![numbers::as_float(name, values)?, wanted])
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match (self.pass, arguments) {
            (Pass::First(_), _) => HELD,
            (Pass::Only, [_, DataType::List(_)]) => DataType::new_list(DataType::Float64, true),
            (Pass::Only, _) => DataType::Float64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "held"), HELD, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let mut accumulated = self.accumulated(&args)?;
        accumulated.make_room(1);
        Ok(Box::new(accumulated))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.accumulated(&args)?))
    }

    /// The order says from which end ranks are counted; the rows may come in any.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }
}
