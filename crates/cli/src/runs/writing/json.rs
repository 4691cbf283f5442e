//! One JSON array of the records as they are stored.

use std::io::Write;

use manometer_agent::local::RunRecord;

use super::RecordWriter;

/// The writer.
pub(super) struct Json<'a> {
    out: Box<dyn Write + Send + 'a>,
    is_begun: bool,
}

impl<'a> Json<'a> {
    pub(super) fn new(out: Box<dyn Write + Send + 'a>) -> Self {
        Self { out, is_begun: false }
    }
}

impl RecordWriter for Json<'_> {
    fn record(&mut self, run: &RunRecord) -> anyhow::Result<()> {
        self.out.write_all(if self.is_begun { b",\n" } else { b"[\n" })?;
        self.is_begun = true;
        self.out.write_all(run.to_line().trim_end().as_bytes())?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        self.out.write_all(if self.is_begun { b"\n]\n" } else { b"[]\n" })?;
        self.out.flush()?;
        Ok(())
    }
}
