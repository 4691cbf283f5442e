//! Finding a run by what people call it.

use std::ops::ControlFlow;

use manometer_agent::local::RunRecord;

use super::{RunFilter, RunSource};
use crate::exit::usage;

const LATEST: &str = "latest";
/// How many runs are named when a beginning fits several.
const NAMED: usize = 5;

/// The run with this id, the only one whose id begins so, or `latest` and `latest~N`.
///
/// # Errors
/// When there is none, or more than one.
pub(crate) fn find(source: &dyn RunSource, name: &str) -> anyhow::Result<RunRecord> {
    match steps_back(name) {
        Some(steps) => nth_newest(source, &RunFilter::default(), steps)?.ok_or_else(|| {
            usage(format!("there is no run `{name}` in {}: it has too few", source.description()))
        }),
        None => by_prefix(source, name),
    }
}

/// The run that many places behind the newest of those the filter lets through.
///
/// # Errors
/// When the source cannot be read.
pub(crate) fn nth_newest(
    source: &dyn RunSource,
    filter: &RunFilter,
    steps: usize,
) -> anyhow::Result<Option<RunRecord>> {
    let mut seen = 0;
    let mut found = None;
    source.visit(filter, &mut |run| {
        if seen == steps {
            found = Some(run);
            return Ok(ControlFlow::Break(()));
        }
        seen += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn steps_back(name: &str) -> Option<usize> {
    match name.strip_prefix(LATEST)? {
        "" => Some(0),
        rest => rest.strip_prefix('~')?.parse().ok(),
    }
}

fn by_prefix(source: &dyn RunSource, prefix: &str) -> anyhow::Result<RunRecord> {
    if prefix.is_empty() {
        return Err(usage("name a run by the beginning of its id, or say `latest`"));
    }
    let filter = RunFilter { id_prefix: Some(prefix.to_owned()), ..RunFilter::default() };
    let mut found: Vec<RunRecord> = Vec::new();
    source.visit(&filter, &mut |run| {
        if run.run_id == prefix {
            found = vec![run];
            return Ok(ControlFlow::Break(()));
        }
        if found.iter().all(|other| other.run_id != run.run_id) {
            found.push(run);
        }
        Ok(if found.len() > NAMED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if found.len() > 1 {
        let ids: Vec<&str> = found.iter().take(NAMED).map(|run| run.run_id.as_str()).collect();
        let more = if found.len() > NAMED { ", …" } else { "" };
        return Err(usage(format!("more than one run begins with `{prefix}`: {}{more}", ids.join(", "))));
    }
    found.pop().ok_or_else(|| usage(format!("no run begins with `{prefix}` in {}", source.description())))
}
