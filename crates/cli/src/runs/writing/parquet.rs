//! Apache Parquet, one line a metric.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use manometer_agent::local::RunRecord;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{RecordWriter, flat_metrics};

/// Lines collected before they are handed on.
const BATCH_LINES: usize = 16_384;

/// The writer.
pub(super) struct Parquet<'a> {
    file: ArrowWriter<Box<dyn Write + Send + 'a>>,
    schema: SchemaRef,
    columns: Columns,
}

#[derive(Default)]
struct Columns {
    lines: usize,
    run_id: StringBuilder,
    kind: StringBuilder,
    timestamp: TimestampMicrosecondBuilder,
    git_commit: StringBuilder,
    operation: StringBuilder,
    duration: Float64Builder,
    success: BooleanBuilder,
    metric: StringBuilder,
    value: Float64Builder,
    unit: StringBuilder,
    tags: StringBuilder,
}

impl<'a> Parquet<'a> {
    pub(super) fn begin(out: Box<dyn Write + Send + 'a>) -> anyhow::Result<Self> {
        let text = |name: &str, may_be_null| Field::new(name, DataType::Utf8, may_be_null);
        let schema = Arc::new(Schema::new(vec![
            text("run_id", false),
            text("type", false),
            Field::new("timestamp", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
            text("git_commit", true),
            text("operation", true),
            Field::new("duration", DataType::Float64, true),
            Field::new("success", DataType::Boolean, true),
            text("metric", true),
            Field::new("value", DataType::Float64, true),
            text("unit", true),
            text("tags", true),
        ]));
        let properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?)).build();
        let file = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
        Ok(Self { file, schema, columns: Columns::default() })
    }

    fn hand_on(&mut self) -> anyhow::Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.columns.take())?;
        self.file.write(&batch)?;
        Ok(())
    }
}

impl Columns {
    fn push(&mut self, run: &RunRecord) {
        for metric in flat_metrics(run) {
            self.lines += 1;
            self.run_id.append_value(&run.run_id);
            self.kind.append_value(&run.kind);
            self.timestamp.append_value(run.timestamp.as_micros());
            self.git_commit.append_option(run.git_commit.as_ref());
            self.operation.append_option(run.operation.as_ref());
            self.duration.append_option(run.duration);
            self.success.append_option(run.success);
            self.metric.append_option(metric.as_ref().map(|it| it.name));
            self.value.append_option(metric.as_ref().map(|it| it.value));
            self.unit.append_option(metric.as_ref().map(|it| it.unit));
            self.tags.append_option(metric.and_then(|it| it.tags));
        }
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        self.lines = 0;
        let timestamp = self.timestamp.finish().with_timezone("UTC");
        vec![
            Arc::new(self.run_id.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(timestamp),
            Arc::new(self.git_commit.finish()),
            Arc::new(self.operation.finish()),
            Arc::new(self.duration.finish()),
            Arc::new(self.success.finish()),
            Arc::new(self.metric.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.unit.finish()),
            Arc::new(self.tags.finish()),
        ]
    }
}

impl RecordWriter for Parquet<'_> {
    fn record(&mut self, run: &RunRecord) -> anyhow::Result<()> {
        self.columns.push(run);
        if self.columns.lines >= BATCH_LINES { self.hand_on() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        self.hand_on()?;
        let mut out = self.file.into_inner()?;
        out.flush()?;
        Ok(())
    }
}
