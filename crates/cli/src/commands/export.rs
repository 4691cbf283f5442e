//! `manometer export`: measured runs for other programs.

use std::ops::ControlFlow;

use manometer_model::{Clock as _, SystemClock};

use crate::args::{ExportArgs, ExportFormat};
use crate::runs::writing::{Destination, writer};
use crate::runs::{self, RunFilter, RunSource, words};

/// Exports.
pub(crate) fn run(arguments: &ExportArgs) -> anyhow::Result<()> {
    let source = runs::source(&arguments.source)?;
    let now = SystemClock.now();
    let mut filter = RunFilter::from_args(&arguments.selection, now)?;
    if let Some(date) = &arguments.date {
        let (begin, end) = words::day(date, now).map_err(|error| error.of_flag("--date"))?;
        (filter.since, filter.until) = (Some(begin), Some(end));
    }
    let destination = Destination::new(arguments.output.as_deref(), arguments.format)?;
    write_runs(source.as_ref(), &filter, arguments.limit, arguments.format, &destination)
}

/// Writes the newest runs that a filter lets through.
pub(crate) fn write_runs(
    source: &dyn RunSource,
    filter: &RunFilter,
    limit: Option<usize>,
    format: ExportFormat,
    destination: &Destination,
) -> anyhow::Result<()> {
    destination.write(|out| {
        let mut writer = writer(format, out)?;
        let mut left = limit.unwrap_or(usize::MAX);
        if left > 0 {
            source.visit(filter, &mut |run| {
                writer.record(&run)?;
                left -= 1;
                Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
        }
        writer.finish()
    })
}
