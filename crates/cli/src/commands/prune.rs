//! `manometer prune`: removes old days from the local store.

use manometer_model::{Clock as _, SystemClock};

use crate::args::PruneArgs;
use crate::output;
use crate::runs::{self, words};

/// Prunes.
pub(crate) fn run(arguments: &PruneArgs) -> anyhow::Result<()> {
    let store = runs::store(&arguments.store)?;
    let before = words::moment("--older-than", &arguments.older_than, SystemClock.now())?;
    let days = if arguments.dry_run { store.days_before(before)? } else { store.prune(before)? };
    for day in &days {
        output::data(&format!("{}\n", day.path.display()))?;
    }
    let size = output::bytes(days.iter().map(|day| day.size_bytes).sum());
    let what = if arguments.dry_run { "would be removed" } else { "removed" };
    output::note(format!("{} days ({size}) {what} from {}", days.len(), store.folder().display()));
    Ok(())
}
