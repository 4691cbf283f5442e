//! Rows of coverage, builds and sizes, each with the run it belongs to laid beside.

use std::ops::ControlFlow;

use manometer_formats::measured::{Measured, MeasuredSink};
use manometer_model::{Record, Timestamp, Value};

use crate::context::Context;
use crate::error::IngestError;
use crate::name::Name;
use crate::rows::RowSink;

/// Writes each measurement it is given as a row.
pub(super) struct MeasuredRows<'a> {
    context: &'a Context,
    fallback_at: Timestamp,
    writer: &'a mut dyn RowSink,
    rows: u64,
    error: Option<IngestError>,
}

impl<'a> MeasuredRows<'a> {
    pub(super) fn new(context: &'a Context, received_at: Timestamp, writer: &'a mut dyn RowSink) -> Self {
        let fallback_at = context.started_at.unwrap_or(received_at);
        Self { context, fallback_at, writer, rows: 0, error: None }
    }

    /// How many rows were written.
    pub(super) fn finish(self) -> Result<u64, IngestError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.rows),
        }
    }
}

/// Writes a measurement as a row of the run; one without a time gets that of the run.
pub(super) fn append(
    measured: &Measured<'_>,
    context: &Context,
    fallback_at: Timestamp,
    writer: &mut dyn RowSink,
) -> Result<(), IngestError> {
    let record = Record::from(measured);
    let row = record.row();
    let table = row.table_of();
    let mut cells = row.cells();
    for (column, cell) in table.columns.iter().zip(&mut cells) {
        if column.name == "at" && *cell == Value::Time(Timestamp::default()) {
            *cell = Value::Time(fallback_at);
        } else if let Some(value) = cell_of_run(context, column.name) {
            *cell = value;
        }
    }
    writer.append(table, &cells)
}

impl MeasuredSink for MeasuredRows<'_> {
    fn row(&mut self, row: &Measured<'_>) -> ControlFlow<()> {
        match append(row, self.context, self.fallback_at, self.writer) {
            Ok(()) => {
                self.rows += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// What a column says of the run; `None` for a column that says something else.
fn cell_of_run<'a>(context: &'a Context, column: &str) -> Option<Value<'a>> {
    let text = |name: &'a Option<Name>| name.as_ref().map_or(Value::Null, |name| Value::Text(name.as_str()));
    Some(match column {
        "provider" => Value::Text(context.provider.as_str()),
        "project" => Value::Text(context.project.as_str()),
        "service" => Value::Text(context.service.as_str()),
        "pipeline" => text(&context.pipeline),
        "run_id" => Value::Text(context.run_id.as_ref().map_or("", Name::as_str)),
        "run_attempt" => Value::Int(context.attempt),
        "job_id" => text(&context.job_id),
        "job_name" => text(&context.job_name),
        "branch" => text(&context.branch),
        "is_default_branch" => context.is_default_branch.map_or(Value::Null, Value::Bool),
        "commit_sha" => text(&context.commit_sha),
        _ => return None,
    })
}
