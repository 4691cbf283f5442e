//! Why a query has no answer, said so that its author can mend it.

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;

use crate::SourceError;

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// The text is not SQL.
    #[error("SQL is not understood: {message}")]
    Syntax {
        /// Where and why.
        message: String,
    },
    /// The statement would change something, or there is not exactly one.
    #[error(
        "{what} is refused: queries only read; allowed is one statement, of SELECT, WITH, VALUES, EXPLAIN, SHOW TABLES, SHOW COLUMNS, DESCRIBE"
    )]
    Refused {
        /// What was found.
        what: String,
    },
    /// A table or view of that name does not exist.
    #[error("table `{name}` does not exist{}", suggestion(.near))]
    UnknownTable {
        /// The name as written.
        name: String,
        /// Names that are near it, nearest first; all names where none is.
        near: Vec<String>,
    },
    /// The statement is SQL, but does not fit the tables or the types.
    #[error("query does not fit the data: {message}")]
    Plan {
        /// What does not fit.
        message: String,
    },
    /// The query failed while running, for a reason in the query or the data: a division by zero, a text that is no number.
    #[error("query failed: {message}")]
    Execution {
        /// What failed.
        message: String,
    },
    /// It took too long.
    #[error(
        "query stopped after {seconds} s, the limit `query_seconds`: narrow the time range, or raise the limit in section [limits] of the settings"
    )]
    TimeLimit {
        /// The limit that held, in seconds.
        seconds: f64,
    },
    /// It needed too much memory.
    #[error(
        "query stopped at {bytes} bytes of memory, the limit `query_memory_bytes`: narrow the time range or group less finely, or raise the limit in section [limits] of the settings ({detail})"
    )]
    MemoryLimit {
        /// The limit that held, in bytes.
        bytes: usize,
        /// Which operators held the memory.
        detail: String,
    },
    /// Too many queries at once.
    #[error(
        "{running} queries run and {waiting} wait, which is the limit: try again in {retry_after_seconds} s"
    )]
    Overloaded {
        /// Queries running.
        running: usize,
        /// Queries waiting for their turn.
        waiting: usize,
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// The store could not be read.
    #[error("failed to read the store: {message}")]
    Storage {
        /// What could not be read.
        message: String,
    },
    /// A fault of the engine, not of the query.
    #[error("the engine failed on this query: {message}")]
    Internal {
        /// For the report of the fault.
        message: String,
    },
}

impl QueryError {
    /// A fixed word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::Refused { .. } => "refused",
            Self::UnknownTable { .. } => "unknown_table",
            Self::Plan { .. } => "plan",
            Self::Execution { .. } => "execution",
            Self::TimeLimit { .. } => "time_limit",
            Self::MemoryLimit { .. } => "memory_limit",
            Self::Overloaded { .. } => "overloaded",
            Self::Storage { .. } => "storage",
            Self::Internal { .. } => "internal",
        }
    }

    /// Is the query itself to blame (HTTP 400), rather than load, limits or this program?
    pub const fn is_the_querys_fault(&self) -> bool {
        matches!(
            self,
            Self::Syntax { .. }
                | Self::Refused { .. }
                | Self::UnknownTable { .. }
                | Self::Plan { .. }
                | Self::Execution { .. }
        )
    }

    /// The error of a DataFusion call made for a query under a memory limit.
    pub(crate) fn from_datafusion(error: &DataFusionError, memory_bytes: usize) -> Self {
        let root = error.find_root();
        let message = plain(root);
        match root {
            DataFusionError::SQL(..) => Self::Syntax { message },
            DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Configuration(_) => Self::Plan { message },
            DataFusionError::ResourcesExhausted(_) => {
                Self::MemoryLimit { bytes: memory_bytes, detail: message }
            }
            DataFusionError::Execution(_) => Self::Execution { message },
            DataFusionError::ArrowError(arrow, _) => match arrow.as_ref() {
                ArrowError::IoError(..) | ArrowError::ParquetError(_) | ArrowError::IpcError(_) => {
                    Self::Storage { message }
                }
                _ => Self::Execution { message },
            },
            DataFusionError::ParquetError(_)
            | DataFusionError::ObjectStore(_)
            | DataFusionError::IoError(_) => Self::Storage { message },
            DataFusionError::External(cause) if cause.downcast_ref::<SourceError>().is_some() => {
                Self::Storage { message }
            }
            DataFusionError::External(cause) => {
                cause.downcast_ref::<Self>().cloned().unwrap_or(Self::Internal { message })
            }
            _ => Self::Internal { message },
        }
    }
}

fn suggestion(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [only] => format!("; did you mean `{only}`?"),
        several => format!("; there are {}", several.join(", ")),
    }
}

/// The message without the engine's own prefixes and its advice to report a bug to its authors.
fn plain(error: &DataFusionError) -> String {
    let full = error.strip_backtrace();
    let first = full.split("\nThis issue was likely caused by").next().unwrap_or_default();
    let mut message = first;
    for prefix in [
        "SQL error: ",
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
        "This feature is not implemented: ",
        "Invalid or Unsupported Configuration: ",
        "Resources exhausted: ",
        "Arrow error: ",
        "Parquet error: ",
        "External error: ",
        "Internal error: ",
    ] {
        message = message.strip_prefix(prefix).unwrap_or(message);
    }
    message.trim().to_owned()
}
