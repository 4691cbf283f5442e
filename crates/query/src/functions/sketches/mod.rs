//! Percentiles from sketches: any number of them in one pass, in memory that does not grow with the rows.
//!
//! ```text
//!  quantile, quantiles, p50 … p99, sketch       numbers ─┐
//!                                                        ├─► a Sketch for each group ─► state: encoded sketches
//!  sketch_quantile, …_quantiles, …_merge       sketches ─┤             │                 (merged where parts meet)
//!  where roll-ups stand for rows ([`of_both`]) both ─────┘             └─► a number, a list of numbers, or the sketch
//! ```
//!
//! An answer lies at most [`RELATIVE_ERROR`](manometer_stats::sketch::RELATIVE_ERROR) (0.4 %) from what
//! `percentile_cont` answers. Nulls are left out, as are NaN and infinite numbers; of no rows there is no answer (null).

mod answer;
mod groups;
mod input;
mod whole;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, Signature, Volatility,
};

use self::answer::Answer;
use self::groups::SketchGroups;
pub(crate) use self::input::Encoded;
use self::input::Input;
use self::whole::WholeSketch;
use super::probabilities;

/// Encoded sketches between the parts of a query: offsets of 64 bits, as the sketches of a million groups may be longer
/// together than those of 32 reach.
const STATE: DataType = DataType::LargeBinary;

/// One function of the family.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SketchFunction {
    name: &'static str,
    input: Input,
    form: Form,
    signature: Signature,
}

/// What a function answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    /// The percentile in its name.
    Percentile(u8),
    /// The quantile of its second argument.
    One,
    /// The quantiles of its second argument, a list.
    Many,
    /// These quantiles, as bits.
    These(Vec<u64>),
    /// The encoded sketch.
    Encoded,
}

/// All of them.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let family = [
        ("quantile", Input::Numbers, Form::One),
        ("quantiles", Input::Numbers, Form::Many),
        ("p50", Input::Numbers, Form::Percentile(50)),
        ("p75", Input::Numbers, Form::Percentile(75)),
        ("p90", Input::Numbers, Form::Percentile(90)),
        ("p95", Input::Numbers, Form::Percentile(95)),
        ("p99", Input::Numbers, Form::Percentile(99)),
        ("sketch", Input::Numbers, Form::Encoded),
        ("sketch_quantile", Input::Sketches, Form::One),
        ("sketch_quantiles", Input::Sketches, Form::Many),
        ("sketch_merge", Input::Sketches, Form::Encoded),
    ];
    family.into_iter().map(|(name, input, form)| udaf(name, input, form)).collect()
}

/// The function that answers of sketches and of numbers, two columns of which a row has one, what this call answers of
/// numbers; `None` of any other call.
pub(crate) fn of_both(call: &AggregateFunction) -> Option<Arc<AggregateUDF>> {
    let function = call.func.inner().downcast_ref::<SketchFunction>()?;
    (function.input == Input::Numbers).then(|| udaf(function.name, Input::Both, function.form.clone()))
}

/// The function that answers several probabilities of what this call asks one of, the arguments of both, and that one.
pub(crate) fn several(call: &AggregateFunction) -> Option<(Arc<AggregateUDF>, Vec<Expr>, f64)> {
    let function = call.func.inner().downcast_ref::<SketchFunction>()?;
    let (values, further) = call.params.args.split_at_checked(function.input.arguments())?;
    let probability = match (&function.form, further) {
        (Form::Percentile(percent), []) => f64::from(*percent) / 100.0,
        (Form::One, [Expr::Literal(ScalarValue::Float64(Some(probability)), _)]) => *probability,
        _ => return None,
    };
    let name = match function.input {
        Input::Numbers | Input::Both => "quantiles",
        Input::Sketches => "sketch_quantiles",
    };
    Some((udaf(name, function.input, Form::Many), values.to_vec(), probability))
}

/// The function that answers what this one of [`several`] answers with these probabilities, of the values alone: an
/// argument, though constant, is laid out again for each row, and lists take longer than the sketch.
pub(crate) fn with_probabilities(several: &AggregateUDF, probabilities: &[f64]) -> Option<Arc<AggregateUDF>> {
    let function = several.inner().downcast_ref::<SketchFunction>()?;
    let bits = probabilities.iter().map(|probability| probability.to_bits()).collect();
    Some(udaf(function.name, function.input, Form::These(bits)))
}

fn udaf(name: &'static str, input: Input, form: Form) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::from(SketchFunction { name, input, form, signature }))
}

impl SketchFunction {
    fn answer(&self, args: &AccumulatorArgs<'_>) -> Result<Answer> {
        if args.is_distinct {
            return Err(DataFusionError::Plan(format!(
                "{}(DISTINCT …) is not supported: select the distinct values in a subquery",
                self.name
            )));
        }
        match (&self.form, args.exprs) {
            (Form::Percentile(percent), _) => Ok(Answer::One(Some(f64::from(*percent) / 100.0))),
            (Form::These(bits), _) => {
                let checked = bits
                    .iter()
                    .map(|bits| probabilities::checked(self.name, f64::from_bits(*bits)).map(Some));
                Ok(Answer::Many(Some(checked.collect::<Result<_>>()?)))
            }
            (Form::Encoded, _) => Ok(Answer::Encoded),
            (Form::One, [.., argument]) => Ok(Answer::One(probabilities::one(self.name, argument)?)),
            (Form::Many, [.., argument]) => Ok(Answer::Many(probabilities::list(self.name, argument)?)),
            _ => Err(DataFusionError::Internal(format!("{} without its arguments", self.name))),
        }
    }
}

impl AggregateUDFImpl for SketchFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let further = match self.form {
            Form::Percentile(_) | Form::These(_) | Form::Encoded => 0,
            Form::One | Form::Many => 1,
        };
        let values = self.input.arguments();
        if arguments.len() != values + further {
            return Err(DataFusionError::Plan(format!(
                "{} takes {} arguments, found {}",
                self.name,
                values + further,
                arguments.len()
            )));
        }
        let (values, further) = arguments.split_at(values);
        let mut types = self.input.coerced(self.name, values)?;
        for probabilities in further {
            types.push(match self.form {
                Form::Many => probabilities::list_type(self.name, probabilities)?,
                _ => probabilities::one_type(self.name, probabilities)?,
            });
        }
        Ok(types)
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.form {
            Form::Percentile(_) | Form::One => DataType::Float64,
            Form::Many | Form::These(_) => DataType::new_list(DataType::Float64, true),
            Form::Encoded => DataType::Binary,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "sketch"), STATE, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(WholeSketch::new(self.input, self.answer(&args)?)))
    }

    fn create_sliding_accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Err(DataFusionError::Plan(format!(
            "{} over a frame that moves is not supported, for a sketch cannot forget a value: begin the frame at UNBOUNDED PRECEDING, or join each row with those of its frame and group",
            self.name
        )))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(SketchGroups::new(self.input, self.answer(&args)?)))
    }
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
