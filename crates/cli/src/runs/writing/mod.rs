//! Measured runs written out, one after the other, in the forms programs read.

mod csv;
mod json;
#[cfg(feature = "parquet")]
mod parquet;

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use manometer_agent::local::RunRecord;

use crate::args::ExportFormat;
use crate::exit::usage;

/// Takes records and writes them in one form.
pub(crate) trait RecordWriter {
    /// Writes one.
    ///
    /// # Errors
    /// When the output is closed or full.
    fn record(&mut self, run: &RunRecord) -> anyhow::Result<()>;

    /// Writes what belongs at the end. Without it the output is not complete.
    ///
    /// # Errors
    /// As above.
    fn finish(self: Box<Self>) -> anyhow::Result<()>;
}

/// A writer of this form.
///
/// # Errors
/// When this build does not know the form, or the beginning cannot be written.
pub(crate) fn writer<'a>(
    format: ExportFormat,
    out: Box<dyn Write + Send + 'a>,
) -> anyhow::Result<Box<dyn RecordWriter + 'a>> {
    match format {
        ExportFormat::Json => Ok(Box::new(json::Json::new(out))),
        ExportFormat::Csv => Ok(Box::new(csv::Csv::begin(out)?)),
        #[cfg(feature = "parquet")]
        ExportFormat::Parquet => Ok(Box::new(parquet::Parquet::begin(out)?)),
        #[cfg(not(feature = "parquet"))]
        ExportFormat::Parquet => {
            Err(usage("this small build writes no Parquet: use --format csv, or the full manometer"))
        }
    }
}

/// One value of one metric as a line of CSV or Parquet; of a run without metrics one line with none.
#[derive(Debug, Clone, PartialEq)]
struct FlatMetric<'a> {
    name: &'a str,
    value: f64,
    unit: &'static str,
    /// A JSON object; `None` where there are no tags.
    tags: Option<String>,
}

fn flat_metrics(run: &RunRecord) -> Vec<Option<FlatMetric<'_>>> {
    if run.metrics.is_empty() {
        return vec![None];
    }
    let flat = run.metrics.iter().map(|(name, value)| {
        Some(FlatMetric {
            name,
            value: *value,
            unit: manometer_agent::metric::Unit::of(name).word(),
            tags: run.tags.get(name).and_then(|tags| serde_json::to_string(tags).ok()),
        })
    });
    flat.collect()
}

/// Where an export goes. A file gets its name when it is complete: a half export is never mistaken for a whole one.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl Destination {
    /// What `--output` says.
    ///
    /// # Errors
    /// When binary data would go to a terminal.
    pub(crate) fn new(output: Option<&Path>, format: ExportFormat) -> anyhow::Result<Self> {
        match output {
            Some(path) => Ok(Self::File(path.to_owned())),
            None if format == ExportFormat::Parquet && io::stdout().is_terminal() => {
                Err(usage("Parquet is not for a terminal: add --output FILE"))
            }
            None => Ok(Self::Stdout),
        }
    }

    /// Lets `fill` write.
    ///
    /// # Errors
    /// When it fails, or the file cannot be made; then there is no file.
    pub(crate) fn write(
        &self,
        fill: impl FnOnce(Box<dyn Write + Send + '_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Self::File(path) = self else {
            return fill(Box::new(BufWriter::new(io::stdout())));
        };
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial)
            .map_err(|error| usage(format!("failed to create {}: {error}", partial.display())))?;
        let outcome = fill(Box::new(BufWriter::new(file)));
        if outcome.is_err() {
            fs::remove_file(&partial).ok();
            return outcome;
        }
        fs::rename(&partial, path).with_context(|| format!("failed to create {}", path.display()))
    }
}
