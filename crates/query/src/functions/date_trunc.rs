//! `date_trunc` of times in UTC, which all our columns are, by arithmetic.
//!
//! The engine's own goes through the calendar of a time zone for each value, although in UTC a day is a number of
//! microseconds: it takes most of the time of a query that groups by day. This one hands times in UTC to it as times
//! without a zone, and everything else as it is.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
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

/// Takes the zone off times in UTC, and gives it.
fn without_utc(times: &mut ArrayRef) -> Option<Arc<str>> {
    let DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) = times.data_type() else { return None };
    let zone = Arc::clone(zone);
    if !matches!(zone.as_ref(), "UTC" | "+00:00") {
        return None;
    }
    let plain = times.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<Arc<str>>);
    *times = Arc::new(plain);
    Some(zone)
}
