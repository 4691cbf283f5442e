//! Types: PostgreSQL's for Arrow's in answers, Arrow's for PostgreSQL's in parameters.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, Schema, TimeUnit};
use datafusion_postgres::arrow_pg::datatypes::field_into_pg_type;
use pgwire::api::Type;
use pgwire::api::results::{FieldFormat, FieldInfo};
use postgres_types::Kind;

use super::failure::Failure;

/// The columns of an answer. `formats` is none (all text), one for all, or one each; `names` are what PostgreSQL would
/// call the columns.
pub(super) fn fields(
    schema: &Schema,
    formats: &[i16],
    names: Option<&[String]>,
) -> Result<Arc<Vec<FieldInfo>>, Failure> {
    let columns = schema.fields();
    if formats.len() > 1 && formats.len() != columns.len() {
        let message = format!("{} result formats for {} columns", formats.len(), columns.len());
        return Err(Failure::error("08P01", message));
    }
    if columns.len() > usize::from(u16::MAX >> 1) {
        return Err(Failure::error(
            "54011",
            format!("{} columns are more than the protocol can carry", columns.len()),
        ));
    }
    let names = names.filter(|known| known.len() == columns.len());
    let described = columns.iter().enumerate().map(|(position, field)| {
        let code = formats.get(position).or(formats.first()).copied().unwrap_or(0);
        let kind = of_field(field)?;
        let size = size(&kind);
        let name = names.and_then(|known| known.get(position)).unwrap_or(field.name());
        Ok(FieldInfo::new(name.clone(), None, None, kind, FieldFormat::from(code)).with_type_size(size))
    });
    Ok(Arc::new(described.collect::<Result<_, Failure>>()?))
}

fn of_field(field: &Arc<Field>) -> Result<Type, Failure> {
    if let DataType::Null = field.data_type() {
        return Ok(Type::TEXT);
    }
    field_into_pg_type(field).map_err(|_| {
        let message = format!(
            "column `{}` has the type {}, which the Postgres wire cannot carry",
            field.name(),
            field.data_type()
        );
        Failure::error("0A000", message).with_hint("cast it to text")
    })
}

/// PostgreSQL's type for the values of a parameter.
pub(crate) fn of_parameter(data_type: &DataType) -> Type {
    of_field(&Arc::new(Field::new("parameter", data_type.clone(), true))).unwrap_or(Type::TEXT)
}

/// Bytes of a value; -1 where they vary.
fn size(kind: &Type) -> i16 {
    match *kind {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::FLOAT4 | Type::DATE | Type::OID => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => 8,
        Type::INTERVAL => 16,
        Type::NAME => 64,
        _ => -1,
    }
}

/// Arrow's type for a parameter that the client declared.
pub(super) fn arrow(kind: &Type) -> Result<DataType, Failure> {
    if let Kind::Array(element) = kind.kind() {
        return Ok(DataType::List(Arc::new(Field::new_list_field(arrow(element)?, true))));
    }
    Ok(match *kind {
        Type::BOOL => DataType::Boolean,
        Type::INT2 => DataType::Int16,
        Type::INT4 | Type::OID => DataType::Int32,
        Type::INT8 => DataType::Int64,
        Type::FLOAT4 => DataType::Float32,
        Type::FLOAT8 => DataType::Float64,
        Type::NUMERIC => DataType::Decimal128(38, 9),
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::UNKNOWN
        | Type::CHAR
        | Type::JSON
        | Type::JSONB
        | Type::UUID
        | Type::XML => DataType::Utf8View,
        Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::DATE => DataType::Date32,
        Type::TIME => DataType::Time64(TimeUnit::Microsecond),
        Type::INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        Type::BYTEA => DataType::Binary,
        _ => {
            return Err(Failure::error(
                "0A000",
                format!("a parameter cannot be of the type {}", kind.name()),
            ));
        }
    })
}
