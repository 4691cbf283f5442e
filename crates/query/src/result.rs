//! The answer to a query, batch by batch.

use std::time::Duration;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::QueryError;

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its type: `text`, `integer`, `number`, `boolean`, `time`, `date`, `interval`, or Arrow's word for a rarer one.
    #[serde(rename = "type")]
    pub kind: String,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Rows given.
    pub row_count: usize,
    /// Were there more rows than the limit `query_rows`?
    pub truncated: bool,
    /// From the request to the last row, waiting included.
    pub elapsed: Duration,
}

/// What the running query says when it ends well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) truncated: bool,
}

/// A task that ends when its handle is dropped.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) JoinHandle<Result<Ending, QueryError>>);

impl Running {
    pub(crate) async fn outcome(&mut self) -> Result<Ending, QueryError> {
        match (&mut self.0).await {
            Ok(outcome) => outcome,
            Err(error) => {
                Err(QueryError::Internal { message: format!("the query's task ended early: {error}") })
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A running query. Dropping it stops the work.
#[derive(Debug)]
pub struct QueryResult {
    schema: SchemaRef,
    batches: mpsc::Receiver<RecordBatch>,
    running: Running,
    started: Instant,
    rows: usize,
    summary: Option<Summary>,
}

impl QueryResult {
    pub(crate) fn new(
        schema: SchemaRef,
        batches: mpsc::Receiver<RecordBatch>,
        running: Running,
        started: Instant,
    ) -> Self {
        Self { schema, batches, running, started, rows: 0, summary: None }
    }

    /// The columns, as Arrow.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns, in words.
    pub fn columns(&self) -> Vec<ResultColumn> {
        crate::format::columns(&self.schema)
    }

    /// The next rows; `None` when there are no more.
    ///
    /// # Errors
    /// When the query fails or meets a limit other than that of rows. After an error there is nothing more.
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        if self.summary.is_some() {
            return Ok(None);
        }
        if let Some(batch) = self.batches.recv().await {
            self.rows += batch.num_rows();
            return Ok(Some(batch));
        }
        let outcome = self.running.outcome().await;
        self.summary = Some(Summary {
            row_count: self.rows,
            truncated: outcome.as_ref().is_ok_and(|ending| ending.truncated),
            elapsed: self.started.elapsed(),
        });
        outcome.map(|_| None)
    }

    /// How it ended; `None` before the end.
    pub fn summary(&self) -> Option<Summary> {
        self.summary
    }

    /// Rows given so far.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// How it ended, or how far it is when it has not.
    pub fn ending(&self) -> Summary {
        let so_far = Summary { row_count: self.rows, truncated: false, elapsed: self.started.elapsed() };
        self.summary.unwrap_or(so_far)
    }

    /// All rows at once, for answers known to be small.
    ///
    /// # Errors
    /// As [`QueryResult::next_batch`].
    pub async fn collect(mut self) -> Result<(Vec<RecordBatch>, Summary), QueryError> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next_batch().await? {
            batches.push(batch);
        }
        let ending = self.ending();
        Ok((batches, ending))
    }
}
