//! Values of parameters, from text or from PostgreSQL's binary form.
//!
//! Binary forms: numbers are big-endian; times count microseconds, dates days, from 2000-01-01; a `numeric` is digits
//! of base 10,000 with a weight; an array is its dimensions and then its values, each behind its length.

use bytes::Bytes;
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::ScalarValue;
use pgwire::api::Type;
use postgres_types::Kind;

use super::failure::Failure;
use super::frontend::Reader;
use super::types;

/// Microseconds from 1970 to 2000.
const MICROSECONDS_TO_2000: i64 = 946_684_800_000_000;
/// Days from 1970 to 2000.
const DAYS_TO_2000: i32 = 10_957;
/// Digits of a decimal.
const DIGITS: usize = 38;

/// Reads a value of this type; then, where the query wants another Arrow type, casts it to that.
pub(super) fn read(
    value: Option<Bytes>,
    is_binary: bool,
    kind: &Type,
    wanted: Option<&DataType>,
) -> Result<ScalarValue, Failure> {
    let arrow = types::arrow(kind)?;
    let Some(bytes) = value else {
        return ScalarValue::try_from(wanted.unwrap_or(&arrow))
            .map_err(|error| unreadable(kind, &error.to_string()));
    };
    let scalar = if is_binary {
        let mut reader = Reader::new(bytes);
        let scalar = binary(&mut reader, kind)?;
        if !reader.is_empty() {
            return Err(unreadable(kind, "it is longer than its type"));
        }
        scalar
    } else {
        let text =
            std::str::from_utf8(&bytes).map_err(|_| Failure::error("22021", "a parameter is not UTF-8"))?;
        self::text(text, kind)?
    };
    match wanted {
        Some(wanted) if *wanted != scalar.data_type() => {
            scalar.cast_to(wanted).map_err(|error| unreadable(kind, &error.to_string()))
        }
        _ => Ok(scalar),
    }
}

fn unreadable(kind: &Type, why: &str) -> Failure {
    let first = why.lines().next().unwrap_or_default();
    Failure::error("22P02", format!("a parameter is no {}: {first}", kind.name()))
}

fn text(text: &str, kind: &Type) -> Result<ScalarValue, Failure> {
    if let Kind::Array(element) = kind.kind() {
        let values = array_elements(text)
            .ok_or_else(|| unreadable(kind, "an array is written {1,2} or {\"a\",NULL}, of one dimension"))?
            .into_iter()
            .map(|value| match value {
                Some(value) => self::text(&value, element),
                None => null_of(element),
            })
            .collect::<Result<Vec<_>, _>>()?;
        return list(values, element);
    }
    match *kind {
        Type::NUMERIC => decimal(text).ok_or_else(|| unreadable(kind, "it has no digits, or more than 38")),
        Type::BOOL => match text.trim().to_lowercase().as_str() {
            "t" | "true" | "yes" | "on" | "1" => Ok(ScalarValue::Boolean(Some(true))),
            "f" | "false" | "no" | "off" | "0" => Ok(ScalarValue::Boolean(Some(false))),
            _ => Err(unreadable(kind, "true or false is wanted")),
        },
        Type::BYTEA => text
            .strip_prefix("\\x")
            .and_then(hex)
            .map(|bytes| ScalarValue::Binary(Some(bytes)))
            .ok_or_else(|| unreadable(kind, "it is written \\x and hexadecimal digits")),
        _ => {
            let words = ScalarValue::Utf8View(Some(text.to_owned()));
            words.cast_to(&types::arrow(kind)?).map_err(|error| unreadable(kind, &error.to_string()))
        }
    }
}

fn null_of(kind: &Type) -> Result<ScalarValue, Failure> {
    ScalarValue::try_from(&types::arrow(kind)?).map_err(|error| unreadable(kind, &error.to_string()))
}

fn list(values: Vec<ScalarValue>, element: &Type) -> Result<ScalarValue, Failure> {
    let mut inner = types::arrow(element)?;
    let mut values = values;
    if let Type::NUMERIC = *element {
        // Each was read with its own scale; a list has one.
        inner = DataType::Decimal128(38, 9);
        values = values
            .into_iter()
            .map(|value| value.cast_to(&inner).map_err(|error| unreadable(element, &error.to_string())))
            .collect::<Result<_, _>>()?;
    }
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(&values, &inner)))
}

fn binary(reader: &mut Reader, kind: &Type) -> Result<ScalarValue, Failure> {
    if let Kind::Array(element) = kind.kind() {
        return binary_array(reader, kind, element);
    }
    let arrow = types::arrow(kind)?;
    Ok(match *kind {
        Type::BOOL => ScalarValue::Boolean(Some(reader.bytes(1)?.first() == Some(&1))),
        Type::INT2 => ScalarValue::Int16(Some(reader.i16()?)),
        Type::INT4 | Type::OID => ScalarValue::Int32(Some(reader.i32()?)),
        Type::INT8 => ScalarValue::Int64(Some(reader.i64()?)),
        Type::FLOAT4 => ScalarValue::Float32(Some(f32::from_bits(reader.u32()?))),
        Type::FLOAT8 => ScalarValue::Float64(Some(f64::from_bits(reader.i64()?.cast_unsigned()))),
        Type::TIMESTAMPTZ | Type::TIMESTAMP => {
            let since_2000 = reader.i64()?;
            let micros = since_2000
                .checked_add(MICROSECONDS_TO_2000)
                .filter(|_| since_2000 != i64::MIN)
                .ok_or_else(|| unreadable(kind, "infinity is no time here"))?;
            let zone = if let DataType::Timestamp(_, zone) = &arrow { zone.clone() } else { None };
            ScalarValue::TimestampMicrosecond(Some(micros), zone)
        }
        Type::DATE => {
            let days = reader
                .i32()?
                .checked_add(DAYS_TO_2000)
                .ok_or_else(|| unreadable(kind, "infinity is no date here"))?;
            ScalarValue::Date32(Some(days))
        }
        Type::TIME => ScalarValue::Time64Microsecond(Some(reader.i64()?)),
        Type::INTERVAL => {
            let (micros, days, months) = (reader.i64()?, reader.i32()?, reader.i32()?);
            let nanoseconds = micros.checked_mul(1000).ok_or_else(|| unreadable(kind, "it is too long"))?;
            ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months, days, nanoseconds }))
        }
        Type::NUMERIC => {
            let written = numeric(reader, kind)?;
            decimal(&written)
                .ok_or_else(|| Failure::error("22003", format!("{written} has more than {DIGITS} digits")))?
        }
        Type::BYTEA => ScalarValue::Binary(Some(reader.body.split_off(0).to_vec())),
        Type::UUID => ScalarValue::Utf8View(Some(uuid(&reader.bytes(16)?))),
        Type::JSONB => {
            reader.bytes(1)?;
            ScalarValue::Utf8View(Some(remaining_text(reader)?))
        }
        _ => ScalarValue::Utf8View(Some(remaining_text(reader)?)),
    })
}

fn remaining_text(reader: &mut Reader) -> Result<String, Failure> {
    let bytes = reader.body.split_off(0);
    String::from_utf8(bytes.to_vec()).map_err(|_| Failure::error("22021", "a parameter is not UTF-8"))
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

fn binary_array(reader: &mut Reader, kind: &Type, element: &Type) -> Result<ScalarValue, Failure> {
    let dimensions = reader.i32()?;
    let (_has_nulls, oid) = (reader.i32()?, reader.u32()?);
    if oid != element.oid() {
        return Err(unreadable(kind, "its elements are of another type"));
    }
    let mut values = Vec::new();
    match dimensions {
        0 => {}
        1 => {
            let (count, _lower_bound) = (reader.i32()?, reader.i32()?);
            for _ in 0..count {
                values.push(match reader.value()? {
                    None => null_of(element)?,
                    Some(bytes) => read(Some(bytes), true, element, None)?,
                });
            }
        }
        _ => return Err(unreadable(kind, "arrays have one dimension here")),
    }
    list(values, element)
}

/// A binary `numeric`, written out.
fn numeric(reader: &mut Reader, kind: &Type) -> Result<String, Failure> {
    let (count, weight, sign, scale) = (reader.i16()?, reader.i16()?, reader.i16()?, reader.i16()?);
    let sign = match sign.cast_unsigned() {
        0x0000 => "",
        0x4000 => "-",
        _ => return Err(unreadable(kind, "it is not finite")),
    };
    if !(0..=32).contains(&count) || !(-32..=32).contains(&weight) || !(0..=128).contains(&scale) {
        return Err(Failure::error("22003", "a numeric parameter is out of range"));
    }
    let groups: Vec<i16> = (0..count).map(|_| reader.i16()).collect::<Result<_, _>>()?;
    let group = |position: i16| -> i16 {
        let index = weight - position;
        usize::try_from(index).ok().and_then(|index| groups.get(index)).copied().unwrap_or(0)
    };
    let whole: String = (0..=weight.max(0)).rev().map(|position| format!("{:04}", group(position))).collect();
    let fraction: String = (1..=(scale + 3) / 4).map(|position| format!("{:04}", group(-position))).collect();
    let whole = whole.trim_start_matches('0');
    let kept = fraction.get(..usize::try_from(scale).unwrap_or(0)).unwrap_or(&fraction);
    let point = if kept.is_empty() { "" } else { "." };
    Ok(format!("{sign}{}{point}{kept}", if whole.is_empty() { "0" } else { whole }))
}

/// A decimal with the scale it is written with.
fn decimal(text: &str) -> Option<ScalarValue> {
    let trimmed = text.trim();
    let (is_negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').len();
    if all.is_empty()
        || significant > DIGITS
        || fraction.len() > DIGITS
        || !all.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let value: i128 = if significant == 0 { 0 } else { all.parse().ok()? };
    let scale = i8::try_from(fraction.len()).ok()?;
    Some(ScalarValue::Decimal128(Some(if is_negative { -value } else { value }), 38, scale))
}

/// The elements of an array of one dimension, as PostgreSQL writes it.
fn array_elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    if inner.trim().is_empty() {
        return Some(elements);
    }
    let mut letters = inner.chars();
    let (mut current, mut was_quoted, mut in_quotes) = (String::new(), false, false);
    loop {
        match letters.next() {
            Some('\\') => current.push(letters.next()?),
            Some('"') => {
                // Spaces before a quoted element are not part of it.
                if !was_quoted && current.trim().is_empty() {
                    current.clear();
                }
                in_quotes = !in_quotes;
                was_quoted = true;
            }
            Some('{' | '}') if !in_quotes => return None,
            next @ (None | Some(',')) if !in_quotes => {
                let plain = std::mem::take(&mut current);
                elements.push(match plain.trim() {
                    word if !was_quoted && word.eq_ignore_ascii_case("null") => None,
                    "" if !was_quoted => return None,
                    word if !was_quoted => Some(word.to_owned()),
                    _ => Some(plain),
                });
                was_quoted = false;
                if next.is_none() {
                    return Some(elements);
                }
            }
            None => return None,
            // Nor those after it.
            Some(letter) if was_quoted && !in_quotes && letter.is_whitespace() => {}
            Some(letter) => current.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_text(value: &str, kind: &Type) -> Result<ScalarValue, Failure> {
        read(Some(Bytes::copy_from_slice(value.as_bytes())), false, kind, None)
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (written, value, scale) in
            [("12.50", 1250, 2), ("-0.001", -1, 3), ("0", 0, 0), ("+7", 7, 0), ("1000000", 1_000_000, 0)]
        {
            let wanted = ScalarValue::Decimal128(Some(value), 38, scale);
            assert_eq!(from_text(written, &Type::NUMERIC).unwrap(), wanted, "{written}");
        }
        for wrong in ["", ".", "1e5", "NaN", "1.2.3", &"9".repeat(39)] {
            assert_eq!(from_text(wrong, &Type::NUMERIC).unwrap_err().code, "22P02", "{wrong}");
        }
    }

    #[test]
    fn a_binary_numeric_is_written_out() {
        for (groups, weight, sign, scale, written) in [
            (vec![1, 2345, 6000], 1_i16, 0_u16, 1_i16, "12345.6"),
            (vec![12], 0, 0x4000, 0, "-12"),
            (vec![5], -1, 0, 4, "0.0005"),
            (vec![1], 2, 0, 0, "100000000"),
            (vec![], 0, 0, 2, "0.00"),
        ] {
            let mut bytes = Vec::new();
            for number in [groups.len() as i16, weight, sign as i16, scale].into_iter().chain(groups) {
                bytes.extend(number.to_be_bytes());
            }
            let mut reader = Reader::new(Bytes::from(bytes));
            assert_eq!(numeric(&mut reader, &Type::NUMERIC).unwrap(), written);
        }
    }

    #[test]
    fn arrays_are_read_with_quotes_and_nulls() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(array_elements("{}").unwrap(), Vec::<Option<String>>::new());
        assert_eq!(
            array_elements(r#"{a, "b,c" ,NULL,"NULL","q\"\\"}"#).unwrap(),
            [some("a"), some("b,c"), None, some("NULL"), some(r#"q"\"#)]
        );
        for wrong in ["", "a", "{a", "{{1},{2}}", "{,}", "{\"a}"] {
            assert_eq!(array_elements(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_value_too_long_or_too_short_for_its_type_is_refused() {
        for bytes in [&b"\0"[..], b"\0\0\0\0\0"] {
            let failure = read(Some(Bytes::copy_from_slice(bytes)), true, &Type::INT4, None).unwrap_err();
            assert!(matches!(failure.code, "22P02" | "08P01"), "{failure:?}");
        }
    }
}
