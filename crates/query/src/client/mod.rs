//! The session of clients that speak PostgreSQL: `pg_catalog`, `information_schema`, and the functions they ask with.
//!
//! It is made once, at the first such client, beside the plain session of all other doors. What these schemas tell is
//! of names and types alone, which everyone may know; rows stay behind the guard inside the tables.

mod functions;
mod information_schema;
mod overlay;

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::setup_pg_catalog;
use manometer_model::Timestamp;

use self::information_schema::{INFORMATION_SCHEMA, InformationSchema};
use self::overlay::Overlay;
use crate::catalog::{CATALOG, SCHEMA, SnapshotSchema};
use crate::wire::session::ClientSession;
use crate::{Access, RelationData, Source, SourceError, session};

/// Name of the schema of PostgreSQL's own tables.
const PG_CATALOG: &str = "pg_catalog";

/// What the sessions of all such clients share.
pub(crate) struct ClientCatalog {
    shared: Arc<SessionState>,
    pg_catalog: Arc<dyn SchemaProvider>,
    information: Arc<InformationSchema>,
}

impl fmt::Debug for ClientCatalog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientCatalog").finish_non_exhaustive()
    }
}

impl ClientCatalog {
    /// Reads PostgreSQL's tables and lays them over the names of ours.
    pub(crate) fn new(plain: &Arc<SessionState>) -> Result<Self> {
        let names = || Arc::new(SnapshotSchema::new(Arc::new(Nothing), Access::All, Arc::clone(plain)));
        let information = Arc::new(InformationSchema::new(names()));
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, names())?;
        catalog.register_schema(INFORMATION_SCHEMA, Arc::clone(&information) as Arc<dyn SchemaProvider>)?;
        let list = MemoryCatalogProviderList::new();
        list.register_catalog(CATALOG.to_owned(), Arc::new(catalog));

        let config = plain.config().clone().with_information_schema(false);
        let state = SessionStateBuilder::new_from_existing(plain.as_ref().clone())
            .with_config(config)
            .with_catalog_list(Arc::new(list))
            .build();
        let context = SessionContext::new_with_state(state);
        setup_pg_catalog(&context, CATALOG, EmptyContextProvider).map_err(|error| *error)?;
        functions::register(&context);
        let pg_catalog = context
            .catalog(CATALOG)
            .and_then(|catalog| catalog.schema(PG_CATALOG))
            .ok_or_else(|| DataFusionError::Internal("pg_catalog was not made".to_owned()))?;
        Ok(Self { shared: Arc::new(context.state()), pg_catalog, information })
    }

    /// The session of one query of such a client.
    pub(crate) fn session(
        &self,
        source: Arc<dyn Source>,
        access: Access,
        now: Timestamp,
        client: &Arc<ClientSession>,
    ) -> Result<SessionState> {
        let own = Arc::new(SnapshotSchema::new(source, access, Arc::clone(&self.shared)));
        let schemas: Vec<(&'static str, Arc<dyn SchemaProvider>)> = vec![
            (SCHEMA, own),
            (PG_CATALOG, Arc::new(Overlay::new(Arc::clone(&self.pg_catalog), Arc::clone(client)))),
            (INFORMATION_SCHEMA, Arc::clone(&self.information) as Arc<dyn SchemaProvider>),
        ];
        let list = MemoryCatalogProviderList::new();
        list.register_catalog(CATALOG.to_owned(), Arc::new(Schemas(schemas)));
        let mut state = session::for_query(&self.shared, Arc::new(list), now)?;
        functions::register_for(&mut state, client)?;
        Ok(state)
    }
}

/// The schemas such a client sees.
#[derive(Debug)]
struct Schemas(Vec<(&'static str, Arc<dyn SchemaProvider>)>);

impl CatalogProvider for Schemas {
    fn schema_names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, schema)| Arc::clone(schema))
    }
}

/// No rows: for who asks for names alone.
#[derive(Debug)]
struct Nothing;

impl Source for Nothing {
    fn read(&self, _relation: &str) -> std::result::Result<RelationData, SourceError> {
        Ok(RelationData::default())
    }
}
