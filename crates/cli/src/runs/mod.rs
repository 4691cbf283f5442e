//! Measured runs, wherever they are: the store of this machine or a server, behind one trait.

pub(crate) mod headline;
pub(crate) mod key_metrics;
mod local;
pub(crate) mod name;
pub(crate) mod regression_report;
mod server;
pub(crate) mod sheet;
mod sql;
pub(crate) mod words;
pub(crate) mod writing;

use std::ops::ControlFlow;
use std::path::PathBuf;

use manometer_agent::local::{LocalStore, RunRecord};
use manometer_model::Timestamp;

use crate::args::{SelectionArgs, SourceArgs, StoreArgs};
use crate::env;
use crate::remote::Remote;

/// Which runs; what is `None` is not asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct RunFilter {
    /// Of this type.
    pub(crate) kind: Option<String>,
    /// Of this operation.
    pub(crate) operation: Option<String>,
    /// Whose id begins so.
    pub(crate) id_prefix: Option<String>,
    /// From then on.
    pub(crate) since: Option<Timestamp>,
    /// Before then.
    pub(crate) until: Option<Timestamp>,
}

impl RunFilter {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// When a time is none.
    pub(crate) fn from_args(selection: &SelectionArgs, now: Timestamp) -> anyhow::Result<Self> {
        let time = |flag: &str, text: &Option<String>| {
            text.as_deref().map(|text| words::moment(flag, text, now)).transpose()
        };
        Ok(Self {
            kind: selection.kind.clone(),
            operation: selection.operation.clone(),
            id_prefix: None,
            since: time("--since", &selection.since)?,
            until: time("--until", &selection.until)?,
        })
    }

    /// Is this one of the runs? Times are the source's affair.
    fn matches(&self, run: &RunRecord) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == run.kind)
            && self.operation.as_ref().is_none_or(|operation| run.operation.as_ref() == Some(operation))
            && self.id_prefix.as_ref().is_none_or(|prefix| run.run_id.starts_with(prefix.as_str()))
    }
}

/// What is done with a run: go on, break off, or fail.
pub(crate) type Visit<'a> = dyn FnMut(RunRecord) -> anyhow::Result<ControlFlow<()>> + 'a;

/// Measured runs somewhere.
pub(crate) trait RunSource {
    /// Hands over runs, newest first, until told to break off. Never holds more than a few hundred of them. What could
    /// not be read is warned of.
    ///
    /// # Errors
    /// When the source cannot be read, or the visit fails.
    fn visit(&self, filter: &RunFilter, visit: &mut Visit<'_>) -> anyhow::Result<()>;

    /// What it is, for messages: `the local store /src/shop/.manometer`.
    fn description(&self) -> String;
}

/// The source that the arguments name.
///
/// # Errors
/// When they name none that can be.
pub(crate) fn source(arguments: &SourceArgs) -> anyhow::Result<Box<dyn RunSource>> {
    let remote = if arguments.local { None } else { Remote::from_args(&arguments.remote)? };
    Ok(match remote {
        Some(remote) => Box::new(server::Server::new(remote, arguments.project.as_deref())),
        None => Box::new(local::Local::new(store(&arguments.store)?)),
    })
}

/// The local store that the arguments name.
///
/// # Errors
/// When the current folder is gone.
pub(crate) fn store(arguments: &StoreArgs) -> anyhow::Result<LocalStore> {
    let older_name =
        || std::env::var_os(env::PANTHER_PATH).filter(|value| !value.is_empty()).map(PathBuf::from);
    let explicit = arguments.path.clone().or_else(older_name);
    Ok(LocalStore::locate(explicit.as_deref(), &std::env::current_dir()?))
}
