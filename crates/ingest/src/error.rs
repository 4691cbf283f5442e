//! Why a delivery was not taken. Nothing of it is stored then.

use manometer_model::Problems;
use manometer_store::{CommitError, StoreError, SubmitError};

use crate::context::ContextError;
use crate::decompress::{Exceeded, UnpackError};
use crate::receipt::FileReport;
use crate::save_metrics::DocumentError;

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Nothing was sent.
    #[error("the upload is empty: send at least one report")]
    Empty,
    /// What was said about the run is wrong.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The document of `/save_metrics` is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// It unpacks to more than allowed.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    /// The only part of it cannot be opened.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// No file of it could be read.
    #[error("no file of the upload could be read: {}", first_problem(problems))]
    NothingReadable {
        /// Every file.
        files: Vec<FileReport>,
        /// What is wrong with them.
        problems: Problems,
    },
    /// The sender may not write to that project.
    #[error("{}", forbidden(project.as_deref()))]
    ForbiddenProject {
        /// The project; `None` when a row has none.
        project: Option<String>,
    },
    /// The records could not be written out.
    #[error("failed to write the records: {0}")]
    Write(std::io::Error),
    /// A delivery that should be read again was not kept, or not that long.
    #[error("the delivery {receipt} is not kept as it came: only webhooks are, for the limit `raw_days`")]
    NotKept {
        /// Its receipt.
        receipt: String,
    },
    /// A delivery that was kept cannot be read again.
    #[error("the delivery {receipt} cannot be read again: {why}")]
    UnreadableRaw {
        /// Its receipt.
        receipt: String,
        /// What is wrong.
        why: String,
    },
    /// What was sent could not be written down.
    #[error("failed to write a delivery down: {0}")]
    Envelope(#[from] serde_json::Error),
    /// Reading what was sent failed.
    #[error("failed to read the upload: {0}")]
    Read(#[from] std::io::Error),
    /// The store could not take the rows.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not queue the delivery.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The store did not commit the delivery.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

fn first_problem(problems: &Problems) -> String {
    problems.first.first().map_or_else(|| "it holds none".to_owned(), ToString::to_string)
}

fn forbidden(project: Option<&str>) -> String {
    match project {
        Some(name) => {
            format!("the token may not write to the project `{name}`: use one that is not limited to others")
        }
        None => {
            "the token is limited to some projects, so every row it sends must name its project".to_owned()
        }
    }
}
