//! A large batch as several of the size that plans pass on.

use datafusion::arrow::array::RecordBatch;

/// The batch in pieces of so many rows, which share its memory; none of no rows.
pub(crate) fn in_pieces(batch: RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> {
    let rows = rows.max(1);
    let begins = (0..batch.num_rows()).step_by(rows);
    begins.map(move |begin| batch.slice(begin, rows.min(batch.num_rows() - begin)))
}
