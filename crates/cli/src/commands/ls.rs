//! `manometer ls`: measured runs, newest first.

use std::ops::ControlFlow;

use manometer_model::{Clock as _, SystemClock};

use crate::args::{ExportFormat, ListFormat, LsArgs};
use crate::commands::export::write_runs;
use crate::output;
use crate::runs::headline::time;
use crate::runs::sheet::{Cell, Sheet, Side};
use crate::runs::writing::Destination;
use crate::runs::{self, RunFilter, key_metrics};

/// Lists.
pub(crate) fn run(arguments: &LsArgs) -> anyhow::Result<()> {
    let source = runs::source(&arguments.source)?;
    let filter = RunFilter::from_args(&arguments.selection, SystemClock.now())?;
    let format = match arguments.format {
        ListFormat::Json => ExportFormat::Json,
        ListFormat::Csv => ExportFormat::Csv,
        ListFormat::Table => {
            let columns = [
                ("Run ID", Side::Left),
                ("Type", Side::Left),
                ("Timestamp", Side::Left),
                ("Key Metrics", Side::Left),
            ];
            let mut sheet = Sheet::new(&columns).with_gap(1);
            let mut count = 0;
            if arguments.limit > 0 {
                source.visit(&filter, &mut |run| {
                    sheet.push(vec![
                        Cell::new(&run.run_id),
                        Cell::new(&run.kind),
                        Cell::new(time(run.timestamp)),
                        Cell::new(key_metrics::line(&run)),
                    ]);
                    count += 1;
                    Ok(if count == arguments.limit {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    })
                })?;
            }
            if count == 0 {
                output::note(format!("no such runs in {}", source.description()));
            }
            return Ok(output::data(&sheet.plain(false))?);
        }
    };
    write_runs(source.as_ref(), &filter, Some(arguments.limit), format, &Destination::Stdout)
}
