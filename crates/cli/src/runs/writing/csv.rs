//! Comma-separated values, one line a metric: RFC 4180.

use std::io::{self, Write};

use manometer_agent::local::RunRecord;

use super::{RecordWriter, flat_metrics};

const HEADER: &str = "run_id,type,timestamp,git_commit,operation,duration,success,metric,value,unit,tags\r\n";

/// The writer.
pub(super) struct Csv<'a> {
    out: Box<dyn Write + Send + 'a>,
}

impl<'a> Csv<'a> {
    pub(super) fn begin(mut out: Box<dyn Write + Send + 'a>) -> io::Result<Self> {
        out.write_all(HEADER.as_bytes())?;
        Ok(Self { out })
    }
}

impl RecordWriter for Csv<'_> {
    fn record(&mut self, run: &RunRecord) -> anyhow::Result<()> {
        let of_run = [
            quoted(&run.run_id),
            quoted(&run.kind),
            run.timestamp.to_string(),
            quoted(run.git_commit.as_deref().unwrap_or_default()),
            quoted(run.operation.as_deref().unwrap_or_default()),
            run.duration.map_or_else(String::new, |seconds| seconds.to_string()),
            run.success.map_or_else(String::new, |success| success.to_string()),
        ]
        .join(",");
        for metric in flat_metrics(run) {
            let of_metric = metric.map_or_else(
                || ",,,".to_owned(),
                |it| {
                    let tags = it.tags.unwrap_or_default();
                    format!("{},{},{},{}", quoted(it.name), it.value, it.unit, quoted(&tags))
                },
            );
            write!(self.out, "{of_run},{of_metric}\r\n")?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        self.out.flush()?;
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
