//! `information_schema`: tables, columns and views, as the SQL standard and PostgreSQL describe them.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Int32Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::TableType;

use crate::catalog::{CATALOG, SCHEMA, SnapshotSchema};
use crate::wire::types::of_parameter;
use crate::{VIEWS, views};

/// Its name.
pub(super) const INFORMATION_SCHEMA: &str = "information_schema";

/// Tables that have no rows here, with their columns: clients ask, and take none for an answer.
const EMPTY: &[(&str, &[&str])] = &[
    (
        "table_constraints",
        &[
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            "table_catalog",
            "table_schema",
            "table_name",
            "constraint_type",
            "is_deferrable",
            "initially_deferred",
            "enforced",
        ],
    ),
    (
        "key_column_usage",
        &[
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
            "ordinal_position",
            "position_in_unique_constraint",
        ],
    ),
    (
        "constraint_column_usage",
        &[
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
        ],
    ),
    (
        "referential_constraints",
        &[
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            "unique_constraint_catalog",
            "unique_constraint_schema",
            "unique_constraint_name",
            "match_option",
            "update_rule",
            "delete_rule",
        ],
    ),
    (
        "routines",
        &[
            "specific_catalog",
            "specific_schema",
            "specific_name",
            "routine_catalog",
            "routine_schema",
            "routine_name",
            "routine_type",
            "data_type",
            "routine_definition",
        ],
    ),
    (
        "parameters",
        &[
            "specific_catalog",
            "specific_schema",
            "specific_name",
            "ordinal_position",
            "parameter_mode",
            "parameter_name",
            "data_type",
        ],
    ),
    ("sequences", &["sequence_catalog", "sequence_schema", "sequence_name", "data_type"]),
    (
        "triggers",
        &[
            "trigger_catalog",
            "trigger_schema",
            "trigger_name",
            "event_manipulation",
            "event_object_schema",
            "event_object_table",
        ],
    ),
    (
        "table_privileges",
        &[
            "grantor",
            "grantee",
            "table_catalog",
            "table_schema",
            "table_name",
            "privilege_type",
            "is_grantable",
            "with_hierarchy",
        ],
    ),
    (
        "role_table_grants",
        &[
            "grantor",
            "grantee",
            "table_catalog",
            "table_schema",
            "table_name",
            "privilege_type",
            "is_grantable",
            "with_hierarchy",
        ],
    ),
];

/// The schema.
#[derive(Debug)]
pub(super) struct InformationSchema {
    own: Arc<SnapshotSchema>,
}

impl InformationSchema {
    pub(super) fn new(own: Arc<SnapshotSchema>) -> Self {
        Self { own }
    }

    fn tables(&self) -> Result<Arc<dyn TableProvider>> {
        let mut rows = Texts::new(&[
            "table_catalog",
            "table_schema",
            "table_name",
            "table_type",
            "is_insertable_into",
            "is_typed",
        ]);
        for name in self.own.table_names() {
            let kind = if views::named(&name).is_some() { "VIEW" } else { "BASE TABLE" };
            rows.push(&[Some(CATALOG), Some(SCHEMA), Some(&name), Some(kind), Some("NO"), Some("NO")]);
        }
        rows.table(&[])
    }

    fn views(&self) -> Result<Arc<dyn TableProvider>> {
        let mut rows = Texts::new(&[
            "table_catalog",
            "table_schema",
            "table_name",
            "view_definition",
            "check_option",
            "is_updatable",
        ]);
        for view in VIEWS {
            let row = [CATALOG, SCHEMA, view.name, view.sql, "NONE", "NO"];
            rows.push(&row.map(Some));
        }
        rows.table(&[])
    }

    fn schemata(&self) -> Result<Arc<dyn TableProvider>> {
        let mut rows = Texts::new(&["catalog_name", "schema_name", "schema_owner"]);
        for name in [SCHEMA, INFORMATION_SCHEMA, "pg_catalog"] {
            rows.push(&[CATALOG, name, "manometer"].map(Some));
        }
        rows.table(&[])
    }

    async fn columns(&self) -> Result<Arc<dyn TableProvider>> {
        let mut rows = Texts::new(&[
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
            "column_default",
            "is_nullable",
            "data_type",
            "udt_catalog",
            "udt_schema",
            "udt_name",
            "is_identity",
            "is_generated",
            "is_updatable",
            "character_set_name",
            "collation_name",
            "domain_name",
        ]);
        let mut positions = Vec::new();
        let mut precisions = Vec::new();
        for table in self.own.table_names() {
            let Some(provider) = self.own.table(&table).await? else { continue };
            for (field, position) in provider.schema().fields().iter().zip(1_i32..) {
                let kind = of_parameter(field.data_type());
                let nullable = if field.is_nullable() { "YES" } else { "NO" };
                rows.push(&[
                    Some(CATALOG),
                    Some(SCHEMA),
                    Some(&table),
                    Some(field.name()),
                    None,
                    Some(nullable),
                    Some(long_name(kind.name())),
                    Some(CATALOG),
                    Some("pg_catalog"),
                    Some(kind.name()),
                    Some("NO"),
                    Some("NEVER"),
                    Some("NO"),
                    None,
                    None,
                    None,
                ]);
                positions.push(Some(position));
                precisions.push(match kind.name() {
                    "int8" => Some(64),
                    "float8" => Some(53),
                    _ => None,
                });
            }
        }
        let nothing = vec![None; positions.len()];
        rows.table(&[
            ("ordinal_position", positions),
            ("numeric_precision", precisions),
            ("numeric_scale", nothing.clone()),
            ("character_maximum_length", nothing.clone()),
            ("datetime_precision", nothing),
        ])
    }
}

/// The standard's name of a type that PostgreSQL calls otherwise.
fn long_name(name: &str) -> &str {
    match name {
        "int2" => "smallint",
        "int4" => "integer",
        "int8" => "bigint",
        "float4" => "real",
        "float8" => "double precision",
        "bool" => "boolean",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "varchar" => "character varying",
        list if list.starts_with('_') => "ARRAY",
        other => other,
    }
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        let made = ["tables", "columns", "views", "schemata"].into_iter();
        made.chain(EMPTY.iter().map(|(name, _)| *name)).map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        Ok(Some(match name {
            "tables" => self.tables()?,
            "columns" => self.columns().await?,
            "views" => self.views()?,
            "schemata" => self.schemata()?,
            other => match EMPTY.iter().find(|(known, _)| *known == other) {
                Some((_, columns)) => Texts::new(columns).table(&[])?,
                None => return Ok(None),
            },
        }))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::View))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}

/// Columns of text, to be a table.
pub(super) struct Texts {
    names: Vec<&'static str>,
    columns: Vec<Vec<Option<String>>>,
}

impl Texts {
    pub(super) fn new(names: &[&'static str]) -> Self {
        Self { names: names.to_vec(), columns: vec![Vec::new(); names.len()] }
    }

    pub(super) fn push(&mut self, row: &[Option<&str>]) {
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(value.map(str::to_owned));
        }
    }

    /// With columns of numbers behind the texts.
    pub(super) fn table(self, numbers: &[(&str, Vec<Option<i32>>)]) -> Result<Arc<dyn TableProvider>> {
        let mut fields: Vec<Field> =
            self.names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let mut arrays: Vec<ArrayRef> =
            self.columns.into_iter().map(|column| Arc::new(StringArray::from(column)) as ArrayRef).collect();
        for (name, values) in numbers {
            fields.push(Field::new(*name, DataType::Int32, true));
            arrays.push(Arc::new(Int32Array::from(values.clone())));
        }
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
    }
}
