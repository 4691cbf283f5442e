//! Rows of a running query, encoded for the wire a few at a time.

use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion_postgres::arrow_pg::row_encoder::RowEncoder;
use pgwire::api::results::FieldInfo;
use pgwire::error::{ErrorInfo, PgWireError};

use super::backend;
use super::failure::Failure;
use super::socket::Socket;

/// Rows of one batch that are still to be sent.
pub(super) struct Rows {
    encoder: RowEncoder,
    left: usize,
}

impl Rows {
    pub(super) fn new(batch: RecordBatch, fields: &Arc<Vec<FieldInfo>>) -> Self {
        let left = batch.num_rows();
        Self { encoder: RowEncoder::new(batch, Arc::clone(fields)), left }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Writes rows until there are `most`, none are left, or the output is full; says how many.
    pub(super) fn write(&mut self, socket: &mut Socket, most: usize) -> Result<usize, Failure> {
        let mut written = 0;
        while self.left > 0 && written < most && !socket.is_full() {
            let Some(row) = self.encoder.next_row() else {
                self.left = 0;
                break;
            };
            let row = row.map_err(|error| encoding(&error))?;
            backend::row(&mut socket.output, row.field_count, &row.data);
            self.left -= 1;
            written += 1;
        }
        Ok(written)
    }
}

fn encoding(error: &PgWireError) -> Failure {
    match error {
        PgWireError::UserError(info) => of_info(info),
        other => Failure::error("XX000", format!("failed to encode a row: {other}")),
    }
}

fn of_info(info: &ErrorInfo) -> Failure {
    let code = if info.code == "22003" { "22003" } else { "XX000" };
    Failure::error(code, info.message.clone())
}
