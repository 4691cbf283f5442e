//! The records: one struct a table, each defined exactly once.
//!
//! The `record!` macro turns a struct with documented fields into the struct itself (with its JSON form)
//! and the [`Table`] that SQL shows. Facts carry the run they belong to in their own columns, so that a
//! question about tests needs no join; such columns cost next to nothing in a columnar store.

use crate::table::Table;

/// Defines a record and its table. Required fields have plain types, optional ones `Option<…>`.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $record:literal => $table:literal, $name:ident, $static_name:ident, $kind:expr;
        $($(#[doc = $field_doc:literal])* $(#[serde($($field_serde:tt)*)])? $field:ident: $type:ty,)*
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(
                $(#[doc = $field_doc])*
                $(#[serde($($field_serde)*)])?
                #[serde(skip_serializing_if = "crate::value::Field::is_null")]
                pub $field: $type,
            )*
        }

        #[doc = concat!("The table `", $table, "`.")]
        pub static $static_name: crate::Table = crate::Table {
            name: $table,
            record: $record,
            doc: concat!($($doc),*),
            kind: $kind,
            columns: &[$(crate::Column {
                name: stringify!($field),
                kind: <$type as crate::value::Field>::KIND,
                nullable: <$type as crate::value::Field>::NULLABLE,
                doc: concat!($($field_doc),*),
            }),*],
        };

        impl crate::Row for $name {
            fn table() -> &'static crate::Table {
                &$static_name
            }
            fn values(&self) -> Vec<crate::Value<'_>> {
                vec![$(crate::value::Field::value(&self.$field)),*]
            }
        }

        impl $name {
            /// The record of a row's cells, in the order of the columns; `None` when a cell does not fit.
            pub(super) fn of_values(values: &[crate::Value<'_>]) -> Option<Self> {
                let mut cells = values.iter();
                Some(Self { $($field: crate::value::Field::of(*cells.next()?)?),* })
            }
        }
    };
}

mod pipeline;
mod results;
mod telemetry;

pub use pipeline::*;
pub use results::*;
pub use telemetry::*;

macro_rules! all_records {
    ($($name:ident / $static_name:ident),* $(,)?) => {
        /// Every table that records make, in the order the documentation lists them.
        pub static TABLES: &[&Table] = &[$(&$static_name),*];

        /// Any record. In JSON an object with its kind in `"type"`: `{"type":"run","provider":"github",…}`.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[allow(clippy::large_enum_variant, reason = "records are built, handed on and dropped, never kept in bulk")]
        pub enum Record {
            $(#[doc = concat!("A row of `", stringify!($static_name), "`.")] $name($name),)*
        }

        impl Record {
            /// The record as a row.
            pub fn row(&self) -> &dyn RowDyn {
                match self { $(Self::$name(row) => row),* }
            }

            /// The record of a stored row: its cells, in the order of the table's columns. `None` when a cell does
            /// not fit its column.
            pub fn of_values(table: &Table, values: &[crate::Value<'_>]) -> Option<Self> {
                match table.name {
                    $(name if name == $static_name.name => $name::of_values(values).map(Self::$name),)*
                    _ => None,
                }
            }
        }

        $(impl From<$name> for Record {
            fn from(row: $name) -> Self {
                Self::$name(row)
            }
        })*

        $(impl RowDyn for $name {
            fn table_of(&self) -> &'static Table { <Self as crate::Row>::table() }
            fn cells(&self) -> Vec<crate::Value<'_>> { crate::Row::values(self) }
        })*
    };
}

/// [`crate::Row`] for a record whose kind is known only at run time.
pub trait RowDyn {
    /// The table the record belongs to.
    fn table_of(&self) -> &'static Table;
    /// The cells, in the order of the table's columns.
    fn cells(&self) -> Vec<crate::Value<'_>>;
}

all_records! {
    Run / RUNS,
    Job / JOBS,
    Step / STEPS,
    Test / TESTS,
    Coverage / COVERAGE,
    Artifact / ARTIFACTS,
    Build / BUILDS,
    Sample / SAMPLES,
    Deployment / DEPLOYMENTS,
    Incident / INCIDENTS,
    Commit / COMMITS,
    Runner / RUNNERS,
    Cache / CACHES,
    Span / SPANS,
    Log / LOGS,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Row, Timestamp, Value};

    #[test]
    fn every_column_and_table_is_documented_and_units_are_in_names() {
        for table in TABLES {
            assert!(!table.doc.trim().is_empty(), "{}", table.name);
            for column in table.columns {
                assert!(!column.doc.trim().is_empty(), "{}.{}", table.name, column.name);
                let is_time = column.kind == crate::ColumnKind::Time;
                let named_as_time = column.name.ends_with("_at") || column.name == "at";
                assert_eq!(is_time, named_as_time, "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn keys_orders_and_partitions_name_columns_that_exist() {
        for table in TABLES {
            let named = match table.kind {
                crate::TableKind::Entity { key } => key,
                crate::TableKind::Fact { order } => {
                    assert!(table.position("at").is_some(), "{} has no partition", table.name);
                    order
                }
            };
            for column in named {
                assert!(table.position(column).is_some(), "{}.{column}", table.name);
            }
        }
    }

    #[test]
    fn a_record_survives_the_way_through_json() {
        let run = Run {
            provider: "github".into(),
            project: "github.com/acme/shop".into(),
            run_id: "42".into(),
            attempt: 2,
            started_at: Some(Timestamp::from_seconds(1)),
            ..Run::default()
        };
        let record = Record::from(run.clone());
        let text = serde_json::to_string(&record).unwrap();
        assert!(text.starts_with(r#"{"type":"run","provider":"github""#), "{text}");
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        let position = RUNS.position("attempt").unwrap();
        assert_eq!(run.values()[position], Value::Int(2));
    }

    #[test]
    fn a_record_survives_the_way_through_the_cells_of_its_row() {
        let run = Run {
            provider: "github".into(),
            project: "p".into(),
            run_id: "42".into(),
            attempt: 2,
            conclusion: Some(crate::Conclusion::Failure),
            duration_seconds: Some(1.5),
            labels: [("team".to_owned(), "pay".to_owned())].into(),
            ..Run::default()
        };
        let test = Test { run_id: "42".into(), status: crate::TestStatus::Failed, ..Test::default() };
        for record in [Record::from(run), Record::from(test)] {
            let row = record.row();
            assert_eq!(Record::of_values(row.table_of(), &row.cells()), Some(record.clone()));
            assert_eq!(Record::of_values(row.table_of(), &[Value::Bool(true)]), None);
        }
    }

    #[test]
    fn attempts_begin_at_one() {
        let line = r#"{"type":"run","provider":"ci","project":"p","run_id":"1"}"#;
        let Record::Run(run) = serde_json::from_str(line).unwrap() else { panic!("not a run") };
        assert_eq!(run.attempt, 1);
    }
}
