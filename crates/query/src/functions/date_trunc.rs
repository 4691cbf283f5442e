//! `date_trunc` of times in UTC, which all our columns are, by arithmetic.
//!
//! The engine's own goes through the calendar of a time zone for each value, although in UTC a day is a number of
//! microseconds: it takes most of the time of a query that groups by day. This one truncates times in UTC to seconds,
//! minutes, hours and days itself, by one division for each stretch of times in one of them (rows lie in the order of
//! time within a test or a step); to larger units it hands them to the engine's as times without a zone, and everything
//! else as it is.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::functions::datetime::date_trunc::DateTruncFunc;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

/// The function; takes the place of the engine's own.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct DateTrunc {
    general: DateTruncFunc,
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &str {
        self.general.name()
    }

    fn aliases(&self) -> &[String] {
        self.general.aliases()
    }

    fn signature(&self) -> &Signature {
        self.general.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.general.return_type(arguments)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.general.return_field_from_args(args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let [ColumnarValue::Scalar(unit), ColumnarValue::Array(times)] = args.args.as_slice()
            && let Some(length) = unit.try_as_str().flatten().and_then(micros_of)
            && is_utc(times.data_type())
        {
            return Ok(ColumnarValue::Array(Arc::new(truncated(times.as_primitive(), length))));
        }
        let zone = match args.args.get_mut(1) {
            Some(ColumnarValue::Array(times)) => without_utc(times),
            _ => None,
        };
        let truncated = self.general.invoke_with_args(args)?;
        match (zone, truncated) {
            (Some(zone), ColumnarValue::Array(times)) => {
                let times = times.as_primitive::<TimestampMicrosecondType>().clone().with_timezone(zone);
                Ok(ColumnarValue::Array(Arc::new(times)))
            }
            (_, truncated) => Ok(truncated),
        }
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.general.output_ordering(input)
    }
}

/// How long a unit is that is always equally long.
fn micros_of(unit: &str) -> Option<i64> {
    match unit.to_ascii_lowercase().as_str() {
        "second" => Some(1_000_000),
        "minute" => Some(60_000_000),
        "hour" => Some(3_600_000_000),
        "day" => Some(86_400_000_000),
        _ => None,
    }
}

fn is_utc(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if matches!(zone.as_ref(), "UTC" | "+00:00"))
}

fn truncated(
    times: &PrimitiveArray<TimestampMicrosecondType>,
    length: i64,
) -> PrimitiveArray<TimestampMicrosecondType> {
    // The unit that the last time lies in, from its start to its end; none where it begins before time does.
    let mut unit = 0..0;
    let mut starts: Vec<i64> = Vec::with_capacity(times.len());
    for micros in times.values() {
        if !unit.contains(micros) {
            unit = match micros.checked_sub(micros.rem_euclid(length)) {
                Some(start) => start..start.saturating_add(length),
                None => i64::MIN..i64::MIN,
            };
        }
        starts.push(unit.start);
    }
    PrimitiveArray::new(starts.into(), times.nulls().cloned()).with_data_type(times.data_type().clone())
}

/// Takes the zone off times in UTC, and gives it.
fn without_utc(times: &mut ArrayRef) -> Option<Arc<str>> {
    if !is_utc(times.data_type()) {
        return None;
    }
    let DataType::Timestamp(_, Some(zone)) = times.data_type() else { return None };
    let zone = Arc::clone(zone);
    let plain = times.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<Arc<str>>);
    *times = Arc::new(plain);
    Some(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_truncated_whatever_lies_before_them() {
        let day = 86_400_000_000;
        let times: Vec<Option<i64>> = [
            0,
            1,
            -1,
            day - 1,
            day,
            day,
            2 * day + 5,
            2 * day - 1,
            -day,
            -day - 1,
            -day + 1,
            i64::MAX,
            i64::MIN,
            i64::MAX,
            0,
            i64::MIN + 1,
            i64::MIN + day - 1,
            i64::MIN + day,
            i64::MAX - 1,
            7,
            7,
        ]
        .into_iter()
        .map(Some)
        .chain([None, Some(3), None])
        .collect();
        let array: PrimitiveArray<TimestampMicrosecondType> = times.iter().copied().collect();
        let array = array.with_timezone("UTC");
        for unit in ["second", "Minute", "HOUR", "day"] {
            let length = micros_of(unit).unwrap();
            let found: Vec<Option<i64>> = truncated(&array, length).iter().collect();
            let expected: Vec<Option<i64>> = times
                .iter()
                .map(|time| time.map(|micros| micros.saturating_sub(micros.rem_euclid(length))))
                .collect();
            assert_eq!(found, expected, "{unit}");
        }
        assert_eq!(truncated(&array, day).data_type(), array.data_type());
        assert!(truncated(&array.slice(0, 0), day).is_empty());
        assert_eq!([micros_of("week"), micros_of("month"), micros_of("quarter")], [None; 3]);
    }
}
