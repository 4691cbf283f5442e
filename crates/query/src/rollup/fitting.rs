//! Which expressions are the same for all rows behind a roll-up row: those of its dimensions, and those of `at` that do
//! not change inside a bucket. They can be evaluated on the roll-up as on the rows.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, Volatility};
use manometer_model::{Bucket, Rollup};

use crate::table::AT;

/// Is it the same for all rows behind a row of this roll-up?
pub(super) fn fits(expression: &Expr, rollup: &Rollup) -> Result<bool> {
    let mut fits = true;
    expression.apply(|part| {
        if is_constant_in(part, rollup.bucket) {
            return Ok(TreeNodeRecursion::Jump);
        }
        fits = match part {
            Expr::Column(column) => rollup.dimensions.contains(&column.name.as_str()),
            Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Volatile,
            Expr::Literal(..)
            | Expr::Alias(_)
            | Expr::BinaryExpr(_)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Negative(_)
            | Expr::Between(_)
            | Expr::Case(_)
            | Expr::Cast(_)
            | Expr::TryCast(_)
            | Expr::InList(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_) => true,
            _ => false,
        };
        Ok(if fits { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(fits)
}

/// Is it the column `at`, perhaps as another type that shows the same moment of UTC?
pub(super) fn is_at(expression: &Expr) -> bool {
    match expression {
        Expr::Column(column) => column.name == AT,
        Expr::Cast(cast) => is_utc_time(cast.field.data_type()) && is_at(&cast.expr),
        _ => false,
    }
}

fn is_utc_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, None) => true,
        DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, Some(zone)) => {
            matches!(zone.as_ref(), "UTC" | "+00:00")
        }
        _ => false,
    }
}

/// Is it made of `at` in a way that gives the same for all moments of any one bucket?
fn is_constant_in(expression: &Expr, bucket: Bucket) -> bool {
    match expression {
        Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
            ("date_trunc", [Expr::Literal(unit, _), time]) => {
                is_at(time) && text_of(unit).is_some_and(|unit| is_whole_unit(&unit, bucket))
            }
            ("date_bin", [Expr::Literal(width, _), time]) => is_at(time) && is_whole_width(width, bucket),
            ("date_bin", [Expr::Literal(width, _), time, Expr::Literal(origin, _)]) => {
                is_at(time)
                    && is_whole_width(width, bucket)
                    && nanos_of(origin).is_some_and(|nanos| nanos % nanos_in(bucket) == 0)
            }
            ("date_part", [Expr::Literal(part, _), time]) => {
                is_at(time) && text_of(part).is_some_and(|part| is_whole_part(&part, bucket))
            }
            ("floor", [quotient]) => is_epoch_quotient(quotient, bucket),
            _ => false,
        },
        Expr::Cast(cast) => {
            matches!(cast.field.data_type(), DataType::Date32 | DataType::Date64) && is_at(&cast.expr)
        }
        _ => false,
    }
}

fn text_of(value: &ScalarValue) -> Option<String> {
    value.try_as_str().flatten().map(str::to_lowercase)
}

fn is_whole_unit(unit: &str, bucket: Bucket) -> bool {
    matches!(unit, "day" | "week" | "month" | "quarter" | "year")
        || (unit == "hour" && bucket == Bucket::Hour)
}

fn is_whole_part(part: &str, bucket: Bucket) -> bool {
    matches!(part, "day" | "doy" | "dow" | "isodow" | "week" | "month" | "quarter" | "year" | "isoyear")
        || (part == "hour" && bucket == Bucket::Hour)
}

fn nanos_in(bucket: Bucket) -> i128 {
    i128::from(bucket.micros()) * 1_000
}

const DAY_NANOS: i128 = 86_400_000_000_000;

/// Is the width of a bin a whole number of buckets, or of months, which begin with a day?
fn is_whole_width(width: &ScalarValue, bucket: Bucket) -> bool {
    let (months, nanos) = match width {
        ScalarValue::IntervalMonthDayNano(Some(width)) => {
            (width.months, i128::from(width.days) * DAY_NANOS + i128::from(width.nanoseconds))
        }
        ScalarValue::IntervalDayTime(Some(width)) => {
            (0, i128::from(width.days) * DAY_NANOS + i128::from(width.milliseconds) * 1_000_000)
        }
        ScalarValue::IntervalYearMonth(Some(months)) => (*months, 0),
        _ => return false,
    };
    match (months, nanos) {
        (0, nanos) => nanos > 0 && nanos % nanos_in(bucket) == 0,
        (months, 0) => months > 0,
        _ => false,
    }
}

/// `extract(epoch from at) / N`, N a whole number of buckets: its floor is how Grafana's macros make buckets.
fn is_epoch_quotient(expression: &Expr, bucket: Bucket) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }) = expression else { return false };
    let seconds = match right.as_ref() {
        Expr::Literal(ScalarValue::Float64(Some(seconds)), _) => *seconds,
        Expr::Literal(ScalarValue::Int64(Some(seconds)), _) => *seconds as f64,
        _ => return false,
    };
    let bucket_seconds = bucket.micros() as f64 / 1e6;
    seconds >= bucket_seconds && seconds % bucket_seconds == 0.0 && is_epoch(left)
}

fn is_epoch(expression: &Expr) -> bool {
    match expression {
        Expr::Cast(cast) => *cast.field.data_type() == DataType::Float64 && is_epoch(&cast.expr),
        Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
            ("date_part", [Expr::Literal(part, _), time]) => {
                is_at(time) && text_of(part).is_some_and(|part| part == "epoch")
            }
            _ => false,
        },
        _ => false,
    }
}

/// A moment as nanoseconds since 1970; `None` for what is no moment of UTC.
pub(super) fn nanos_of(value: &ScalarValue) -> Option<i128> {
    let (number, factor) = match value {
        ScalarValue::TimestampSecond(Some(number), _) => (*number, 1_000_000_000),
        ScalarValue::TimestampMillisecond(Some(number), _) => (*number, 1_000_000),
        ScalarValue::TimestampMicrosecond(Some(number), _) => (*number, 1_000),
        ScalarValue::TimestampNanosecond(Some(number), _) => (*number, 1),
        _ => return None,
    };
    Some(i128::from(number) * factor)
}
