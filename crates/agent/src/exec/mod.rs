//! `manometer exec`: one command, run, measured, recorded and reported.
//!
//! ```text
//! Plan ──► Measured ──► RunRecord ──► local store
//!   run                 Records ────► spool ──► server       Dispatch, bounded in time
//!                                └──► exporters
//! ```
//!
//! **Invariant:** the command's result is the result. Nothing after its end changes it, and nothing takes longer than
//! the time that was given for sending.

mod collect;
mod dispatch;
mod metrics;
mod record;
mod records;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use manometer_exporters::trace::{SpanId, TraceId, TraceParent};
use manometer_model::{Clock, Labels, Problem, Timestamp};

pub use dispatch::{Dispatch, Dispatched, Sending, exporters};
pub use record::run_record;
pub use records::records;

use crate::artifacts::Artifact;
use crate::measure::{CgroupFindings, CgroupWatch, Sampler, Series, Usage};
use crate::reports::Reports;
use crate::run::{CommandLine, Ending, Signals, StartError, supervise};
use crate::steps::{FOLDER_VARIABLE, StepFolder, TRACE_VARIABLE, ToldStep};
use crate::surroundings::Surroundings;

/// What is to be run and measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The command.
    pub line: CommandLine,
    /// Kind of run, by which runs are compared: `build`, `tests`, …
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Patterns of what it produces; `image:NAME` for a container image.
    pub artifacts: Vec<String>,
    /// Patterns of the reports it writes.
    pub reports: Vec<String>,
    /// Key-value pairs of the run.
    pub tags: Labels,
    /// Time between two looks at the process tree; `None` for none.
    pub sample_interval: Option<Duration>,
    /// The folder it runs in.
    pub folder: PathBuf,
    /// The trace it is part of, where somebody said so.
    pub trace: Option<TraceParent>,
}

/// A command that has ended, and all that is known about it.
#[derive(Debug)]
pub struct Measured {
    /// Identity of this execution, a UUID.
    pub run_id: String,
    /// What was to be run.
    pub plan: Plan,
    /// Where.
    pub surroundings: Surroundings,
    /// How it ended.
    pub ending: Ending,
    /// Why it did not even start.
    pub start_error: Option<StartError>,
    /// When it began, by the machine's clock.
    pub started_at: Timestamp,
    /// From start to end, by the monotonic clock, in seconds.
    pub wall_seconds: f64,
    /// How much of that it was stopped by job control, in seconds.
    pub stopped_seconds: f64,
    /// Totals of it and its descendants.
    pub usage: Usage,
    /// Its process tree over time.
    pub series: Series,
    /// What its control group suffered.
    pub cgroup: CgroupFindings,
    /// What it produced.
    pub artifacts: Vec<Artifact>,
    /// What it reported.
    pub reports: Reports,
    /// Its steps, as they told of themselves.
    pub steps: Vec<ToldStep>,
    /// The trace and the span of this execution.
    pub span: TraceParent,
    /// What could not be measured or used, for people.
    pub problems: Vec<Problem>,
}

impl Measured {
    /// When it ended: its beginning and its duration, so that a clock that is set meanwhile changes nothing.
    pub fn finished_at(&self) -> Timestamp {
        self.started_at.plus_seconds(self.wall_seconds)
    }
}

/// Runs the command of a plan and measures it. The signals stay caught until this process ends.
///
/// # Errors
/// When this process cannot observe a command at all; then none was run.
pub fn run(
    plan: Plan,
    surroundings: impl FnOnce() -> Surroundings,
    clock: &dyn Clock,
) -> io::Result<(Measured, Signals)> {
    let run_id = uuid::Uuid::new_v4().to_string();
    let surroundings = surroundings();
    let mut problems: Vec<Problem> = surroundings.problems.iter().map(Problem::new).collect();
    let span = own_span(&run_id, &surroundings, plan.trace);
    let steps = match StepFolder::create(&run_id) {
        Ok(folder) => Some(folder),
        Err(error) => {
            problems.push(Problem::new(format!("failed to make a folder: {error}")).in_field("steps"));
            None
        }
    };
    let mut line = plan.line.clone();
    line.variables.push((TRACE_VARIABLE, span.to_string().into()));
    if let Some(folder) = &steps {
        line.variables.push((FOLDER_VARIABLE, folder.path().into()));
    }
    let cgroup = plan.sample_interval.and_then(|_| CgroupWatch::begin());
    let mut sampler = plan.sample_interval.and_then(Sampler::begin);
    let started_at = clock.now();
    let supervised = match supervise(&line, &mut sampler) {
        Ok(supervised) => supervised,
        Err(error) => {
            if let Some(folder) = steps {
                folder.remove();
            }
            return Err(error);
        }
    };
    let mut measured = Measured {
        run_id,
        surroundings,
        ending: supervised.ending,
        start_error: supervised.start_error,
        started_at,
        wall_seconds: supervised.wall.as_secs_f64(),
        stopped_seconds: supervised.stopped.as_secs_f64(),
        usage: supervised.usage,
        series: sampler.map(Sampler::into_series).unwrap_or_default(),
        cgroup: cgroup.map(|watch| watch.findings()).unwrap_or_default(),
        artifacts: Vec::new(),
        reports: Reports::default(),
        steps: Vec::new(),
        span,
        problems,
        plan,
    };
    collect::collect(&mut measured, steps);
    Ok((measured, supervised.signals))
}

/// The span of this execution: in a run of its own that of the run's only job, as exporters make it too; in CI one
/// more inside the job.
fn own_span(run_id: &str, surroundings: &Surroundings, incoming: Option<TraceParent>) -> TraceParent {
    let known_run = surroundings.run_id.as_deref();
    let (provider, project, attempt) = (&surroundings.provider, &surroundings.project, surroundings.attempt);
    let run = known_run.unwrap_or(run_id);
    let trace_id = incoming
        .map_or_else(|| TraceId::of_run_key(provider, project, run, attempt), |incoming| incoming.trace_id);
    let of_run = SpanId::of_run(provider, project, run, attempt);
    let span_id = of_run.of_part(if known_run.is_some() { run_id } else { records::LOCAL_JOB });
    TraceParent { trace_id, span_id, is_sampled: incoming.is_none_or(|incoming| incoming.is_sampled) }
}
