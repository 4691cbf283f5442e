//! Cells as text, for the formats that are text.

use datafusion::arrow::array::Array;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// RFC 3339 with `Z`, for times that carry no zone (all times here are UTC).
pub(super) const ZONELESS_AS_UTC: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

const OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_null("")
    .with_timestamp_format(Some(ZONELESS_AS_UTC))
    .with_datetime_format(Some(ZONELESS_AS_UTC));

/// What turns the cells of a column into text; null is empty.
pub(super) fn formatter(column: &dyn Array) -> Result<ArrayFormatter<'_>, ArrowError> {
    ArrayFormatter::try_new(column, &OPTIONS)
}

/// The letter, or a sign in the place of one that would steer a terminal.
pub(super) fn harmless(letter: char) -> char {
    if letter.is_control() { '\u{fffd}' } else { letter }
}
