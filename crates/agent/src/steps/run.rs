//! `manometer step` inside a run: run the command, tell the run.

use std::io;

use manometer_exporters::trace::{SpanId, TraceParent};
use manometer_model::Clock;

use super::{StepEnd, StepFolder, TRACE_VARIABLE, ToldStep};
use crate::run::{CommandLine, Ending, StartError, supervise};

/// A step to be run inside a run that is under way.
#[derive(Debug)]
pub struct StepPlan {
    /// What people call it.
    pub name: String,
    /// Its command.
    pub line: CommandLine,
    /// The trace of the run, with the span this step begins in.
    pub trace: TraceParent,
    /// Where the run collects its steps.
    pub folder: StepFolder,
}

/// Runs a step. That it cannot be told never keeps it from being run.
///
/// # Errors
/// When this process cannot observe a command at all; then none was run.
pub fn run_step(mut plan: StepPlan, clock: &dyn Clock) -> io::Result<(Ending, Option<StartError>)> {
    let identity = uuid::Uuid::new_v4().to_string();
    let span = TraceParent { span_id: SpanId::of_part(plan.trace.span_id, &identity), ..plan.trace };
    plan.line.variables.push((TRACE_VARIABLE, span.to_string().into()));
    let mut told = ToldStep {
        span_id: span.span_id.to_string(),
        parent_span_id: Some(plan.trace.span_id.to_string()),
        name: plan.name,
        command: plan.line.shown(),
        started_at: clock.now(),
        end: None,
    };
    // Not told is not recorded; the command matters more.
    plan.folder.tell(&told).ok();
    let supervised = supervise(&plan.line, &mut None)?;
    told.end = Some(StepEnd {
        duration_seconds: supervised.wall.as_secs_f64(),
        exit_code: supervised.ending.exit_code(),
        user_seconds: supervised.usage.user_seconds,
        system_seconds: supervised.usage.system_seconds,
        largest_process_bytes: supervised.usage.largest_process_bytes,
    });
    plan.folder.tell(&told).ok();
    Ok((supervised.ending, supervised.start_error))
}
