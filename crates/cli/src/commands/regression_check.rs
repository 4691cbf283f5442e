//! `manometer regression-check`: is the newest run worse than those before it?

use manometer_agent::local::RunRecord;
use manometer_agent::metric::Worse;
use manometer_agent::regression::{Assessment, Baseline, BaselineOptions, Judgement, Verdict};
use manometer_model::Timestamp;

use crate::args::{RegressionArgs, ReportFormat};
use crate::exit::{gate_failed, usage};
use crate::output;
use crate::runs::regression_report::{Checked, Report};
use crate::runs::{self, RunFilter, RunSource, name, words};

/// Checks, reports, and fails where something is worse.
pub(crate) fn run(arguments: &RegressionArgs) -> anyhow::Result<()> {
    let source = runs::source(&arguments.source)?;
    let current = runs_in_question(source.as_ref(), arguments)?;
    let options = BaselineOptions { last: arguments.last, branch: arguments.baseline_branch.clone() };
    let is_wanted = |name: &str| {
        arguments.metrics.is_empty() || arguments.metrics.iter().any(|pattern| words::fits(pattern, name))
    };
    let Some(mut baseline) = Baseline::of(&current, options, is_wanted) else {
        output::note(format!("nothing to check: no such run in {}", source.description()));
        return Ok(());
    };
    let filter = RunFilter {
        kind: Some(baseline.kind().to_owned()),
        operation: baseline.operation().map(str::to_owned),
        // The end of a range is not part of it, and runs of the same microsecond are comparable.
        until: Some(Timestamp::from_micros(baseline.before().as_micros().saturating_add(1))),
        ..RunFilter::default()
    };
    source.visit(&filter, &mut |run| Ok(baseline.offer(&run)))?;
    let report = report(current, baseline, arguments);
    let text = match arguments.format {
        ReportFormat::Table => report.table(output::is_coloured()),
        ReportFormat::Markdown => report.markdown(),
        ReportFormat::Json => format!("{:#}\n", report.document()),
    };
    output::data(&text)?;
    match report.count(Verdict::Worse) {
        0 => Ok(()),
        1 => Err(gate_failed("1 metric is worse")),
        count => Err(gate_failed(format!("{count} metrics are worse"))),
    }
}

/// The runs named, which must be of one kind, else the newest.
fn runs_in_question(source: &dyn RunSource, arguments: &RegressionArgs) -> anyhow::Result<Vec<RunRecord>> {
    if arguments.runs.is_empty() {
        let filter = RunFilter {
            kind: arguments.kind.clone(),
            operation: arguments.operation.clone(),
            ..RunFilter::default()
        };
        return Ok(name::nth_newest(source, &filter, 0)?.into_iter().collect());
    }
    let mut found: Vec<RunRecord> = Vec::new();
    for named in &arguments.runs {
        let run = name::find(source, named)?;
        if found.iter().any(|other| other.run_id == run.run_id) {
            return Err(usage(format!("`{named}` names run {} a second time", run.run_id)));
        }
        found.push(run);
    }
    let is_other_kind = |pair: &&[RunRecord]| matches!(pair, [one, other] if (&one.kind, &one.operation) != (&other.kind, &other.operation));
    if let Some([one, other]) = found.windows(2).find(is_other_kind) {
        return Err(usage(format!(
            "runs {} and {} cannot be judged together: they differ in type or operation",
            one.run_id, other.run_id
        )));
    }
    Ok(found)
}

fn report(current: Vec<RunRecord>, baseline: Baseline, arguments: &RegressionArgs) -> Report {
    let (runs, failed_runs, other_branches) = (baseline.runs, baseline.failed_runs, baseline.other_branches);
    let checked = baseline
        .into_histories()
        .into_iter()
        .filter_map(|history| {
            let worse = direction(&arguments.directions, &history.name);
            let judgement = Judgement { threshold: arguments.threshold, worse };
            let assessment = Assessment::of(&history, judgement)?;
            Some(Checked { name: history.name, tags: history.tags, worse, assessment })
        })
        .collect();
    Report {
        current,
        checked,
        threshold: arguments.threshold,
        branch: arguments.baseline_branch.clone(),
        baseline_runs: runs,
        failed_runs,
        other_branches,
    }
}

fn direction(named: &[(String, Worse)], metric: &str) -> Worse {
    named
        .iter()
        .rev()
        .find(|(pattern, _)| words::fits(pattern, metric))
        .map_or_else(|| Worse::of(metric), |(_, worse)| *worse)
}
