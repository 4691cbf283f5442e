//! Finds tests by a part of their name.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::Answers;
use crate::{Parameter, QueryError};

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
        let wanted = request.text.trim().to_lowercase();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT project, service, test_id, min(suite) AS suite, min(classname) AS classname, min(name) AS name,
                min(parameters) AS parameters,
                count(*) FILTER (WHERE status <> 'skipped') AS executions,
                count(*) FILTER (WHERE status IN ('failed', 'error')) AS failures,
                max(at) AS last_at
            FROM tests
            WHERE (contains(lower(name), $1) OR contains(lower(classname), $1) OR contains(lower(suite), $1)
                    OR contains(lower(parameters), $1))
                AND ($2 IS NULL OR project = $2) AND ($3 IS NULL OR service = $3) AND at >= $4 AND at <= $5
            GROUP BY project, service, test_id
            ORDER BY failures DESC, name, project, service, test_id LIMIT {}",
            request.limit.min(1_000)
        );
        let parameters: Vec<Parameter> = vec![
            wanted.into(),
            request.project.clone().into(),
            request.service.clone().into(),
            request.now.plus_seconds(-86_400.0 * f64::from(request.days)).into(),
            request.now.into(),
        ];
        self.rows(&sql, parameters).await?.map(|row| {
            Ok(FoundTest {
                project: row.text("project")?,
                service: row.optional_text("service")?,
                test_id: row.test_id("test_id")?,
                suite: row.optional_text("suite")?,
                classname: row.optional_text("classname")?,
                name: row.text("name")?,
                parameters: row.optional_text("parameters")?,
                executions: row.count("executions")?,
                failures: row.count("failures")?,
                last_at: row.optional_time("last_at")?,
            })
        })
    }
}
