//! A query on its way to a client: started once, fetched in one go or in pieces.

use std::sync::Arc;

use pgwire::api::results::FieldInfo;

use super::conversation::Timing;
use super::failure::Failure;
use super::rows::Rows;
use super::socket::{Socket, Trouble};
use crate::{QueryError, QueryResult};

/// A running query and what was fetched of it.
pub(super) struct Running {
    result: QueryResult,
    pub(super) fields: Arc<Vec<FieldInfo>>,
    rows: Option<Rows>,
    is_done: bool,
    _timing: Timing,
}

/// How fetching ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) rows: usize,
    /// There may be more.
    pub(super) is_suspended: bool,
}

impl Running {
    pub(super) fn new(result: QueryResult, fields: Arc<Vec<FieldInfo>>, timing: Timing) -> Self {
        Self { result, fields, rows: None, is_done: false, _timing: timing }
    }

    /// Sends up to `most` rows; 0 is all of them. Output is sent as it fills, so that a slow client slows the query
    /// and not the memory grows.
    pub(super) async fn fetch(
        &mut self,
        socket: &mut Socket,
        most: usize,
        fault: impl Fn(&QueryError) -> Failure,
    ) -> Result<Fetched, Trouble> {
        let most = if most == 0 { usize::MAX } else { most };
        let mut sent = 0;
        loop {
            if sent == most {
                return Ok(Fetched { rows: sent, is_suspended: !self.is_done });
            }
            if let Some(rows) = &mut self.rows {
                sent += rows.write(socket, most - sent)?;
                if rows.is_empty() {
                    self.rows = None;
                }
                if socket.is_full() {
                    socket.send().await?;
                }
                continue;
            }
            if self.is_done {
                return Ok(Fetched { rows: sent, is_suspended: false });
            }
            let batch = tokio::select! {
                batch = self.result.next_batch() => batch.map_err(|error| fault(&error))?,
                trouble = socket.gone() => return Err(trouble),
            };
            match batch {
                Some(batch) => self.rows = Some(Rows::new(batch, &self.fields)),
                None => {
                    self.is_done = true;
                    if self.result.summary().is_some_and(|summary| summary.truncated) {
                        return Err(cut(self.result.row_count()).into());
                    }
                }
            }
        }
    }
}

/// A cut answer that looks whole would be worse than none.
fn cut(rows: usize) -> Failure {
    let message = format!("the answer has more than {rows} rows, the limit `query_rows`");
    Failure::error("54000", message)
        .with_hint("add LIMIT or narrow the question, or raise the limit in section [limits] of the settings")
}
