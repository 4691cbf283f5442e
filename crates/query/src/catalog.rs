//! The catalog of one query: `manometer.public` with the tables of one snapshot and the views.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProviderList, SchemaProvider, TableProvider,
};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::TableType;

use crate::table::{SnapshotTable, relation, segments::SegmentReader};
use crate::{Access, Source, VIEWS, View, session, views};

/// Name of the one catalog.
pub(crate) const CATALOG: &str = "manometer";
/// Name of its one schema.
pub(crate) const SCHEMA: &str = "public";

/// Every name a query can select from.
pub(crate) fn names() -> Vec<String> {
    let tables = relation::relations().iter().map(|table| table.name.to_owned());
    tables.chain(VIEWS.iter().map(|view| view.name.to_owned())).collect()
}

#[derive(Debug)]
pub(crate) struct SnapshotCatalog {
    pub(crate) schema: Arc<SnapshotSchema>,
}

impl CatalogProvider for SnapshotCatalog {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        (name == SCHEMA).then(|| Arc::clone(&self.schema) as Arc<dyn SchemaProvider>)
    }
}

/// The tables and views over one snapshot, for one access.
pub(crate) struct SnapshotSchema {
    source: Arc<dyn Source>,
    access: Access,
    reader: SegmentReader,
    /// Where the session that plans views comes from; without it there are no views.
    planner: Option<Arc<SessionState>>,
}

impl fmt::Debug for SnapshotSchema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SnapshotSchema").field("access", &self.access).finish_non_exhaustive()
    }
}

impl SnapshotSchema {
    pub(crate) fn new(source: Arc<dyn Source>, access: Access, shared: Arc<SessionState>) -> Self {
        let reader = SegmentReader::new(shared.runtime_env());
        Self { source, access, reader, planner: Some(shared) }
    }

    /// The same tables without views: what a view is planned over.
    fn tables_only(&self) -> Self {
        let source = Arc::clone(&self.source);
        Self { source, access: self.access.clone(), reader: self.reader.clone(), planner: None }
    }

    async fn plan_view(&self, view: &View, shared: &SessionState) -> Result<ViewTable> {
        let session = session::for_planning(shared, catalogs(self.tables_only()));
        let plan = session.create_logical_plan(view.sql).await?;
        Ok(ViewTable::new(plan, Some(view.sql.to_owned())))
    }
}

/// The one catalog with the one schema.
pub(crate) fn catalogs(schema: SnapshotSchema) -> Arc<dyn CatalogProviderList> {
    let list = MemoryCatalogProviderList::new();
    list.register_catalog(CATALOG.to_owned(), Arc::new(SnapshotCatalog { schema: Arc::new(schema) }));
    Arc::new(list)
}

#[async_trait]
impl SchemaProvider for SnapshotSchema {
    fn table_names(&self) -> Vec<String> {
        names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if let Some(found) = relation::relations().iter().find(|candidate| candidate.name == name) {
            let table =
                SnapshotTable::new(found, Arc::clone(&self.source), self.access.clone(), self.reader.clone());
            return Ok(Some(Arc::new(table)));
        }
        let (Some(view), Some(shared)) = (views::named(name), &self.planner) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(self.plan_view(view, shared).await?)))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        if views::named(name).is_some() {
            return Ok(Some(TableType::View));
        }
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        views::named(name).is_some() || relation::relations().iter().any(|candidate| candidate.name == name)
    }
}
