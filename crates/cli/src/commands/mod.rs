//! One file a command.

pub(crate) mod compare;
pub(crate) mod config;
pub(crate) mod context;
#[cfg(feature = "server")]
pub(crate) mod demo;
pub(crate) mod exec;
pub(crate) mod export;
#[cfg(feature = "server")]
pub(crate) mod ingest;
pub(crate) mod ls;
pub(crate) mod prune;
#[cfg(feature = "server")]
pub(crate) mod query;
#[cfg(feature = "server")]
pub(crate) mod reference;
pub(crate) mod regression_check;
#[cfg(feature = "server")]
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod show;
pub(crate) mod spool;
pub(crate) mod step;
#[cfg(feature = "server")]
pub(crate) mod store;
#[cfg(feature = "server")]
pub(crate) mod token;
