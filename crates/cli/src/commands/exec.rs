//! `manometer exec`: the command's result is the result.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use manometer_agent::exec::{Dispatch, Measured, Plan, Sending, exporters, run};
use manometer_agent::local::LocalStore;
use manometer_agent::run::{CommandLine, Signals};
use manometer_agent::settings::Settings;
use manometer_agent::surroundings::Surroundings;
use manometer_model::{Clock, SystemClock};

use crate::args::ExecArgs;
use crate::exit::usage;
use crate::output;
use crate::summary::{self, Telling};

const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

/// Runs, measures, records, and ends this process as the command ended.
pub(crate) fn run_exec(arguments: &ExecArgs) -> anyhow::Result<()> {
    let line = command_line(&arguments.command)?;
    let mut settings = Settings::from_environment();
    if settings.is_disabled {
        return super::step::become_command(&line);
    }
    let sample_interval = if arguments.no_samples {
        None
    } else {
        match arguments.sample_interval {
            Some(seconds) => interval(seconds)?,
            None => settings.sample_interval.unwrap_or(Some(DEFAULT_INTERVAL)),
        }
    };
    let plan = Plan {
        line,
        kind: arguments.kind.clone(),
        name: arguments.name.clone().unwrap_or_else(|| arguments.kind.clone()),
        artifacts: arguments.artifacts.clone(),
        reports: arguments.reports.clone(),
        tags: arguments.tags.iter().cloned().collect(),
        sample_interval,
        folder: std::env::current_dir().context("failed to find the current folder")?,
        trace: settings.trace,
    };
    let around = Around { service: arguments.service.as_deref(), project: arguments.project.as_deref() };
    let telling = if arguments.quiet { Telling::Nothing } else { Telling::Everything };
    run_plan(plan, &around, telling, &mut settings)
}

/// What the command line says about the run, over what is found around it.
#[derive(Debug, Default)]
pub(crate) struct Around<'a> {
    pub(crate) service: Option<&'a str>,
    pub(crate) project: Option<&'a str>,
}

/// Runs a plan and ends this process as its command ended.
pub(crate) fn run_plan(
    plan: Plan,
    around: &Around<'_>,
    telling: Telling,
    settings: &mut Settings,
) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let folder = plan.folder.clone();
    let surroundings = || {
        let mut found = Surroundings::of(&folder);
        if let Some(service) = around.service {
            found.service = Some(service.to_owned());
        }
        if let Some(project) = around.project {
            project.clone_into(&mut found.project);
        }
        found
    };
    let line = plan.line.clone();
    let (measured, signals) = match run(plan, surroundings, clock.as_ref()) {
        Ok(done) => done,
        // Measuring must never stand between a build and its command.
        Err(error) => {
            output::warn(format!("cannot measure: {error}; the command is run without"));
            return super::step::become_command(&line);
        }
    };
    if let Some(error) = &measured.start_error {
        output::error(error.to_string());
    }
    bring_to_safety(&measured, signals, &folder, telling, settings, &clock);
    measured.ending.end_process()
}

fn bring_to_safety(
    measured: &Measured,
    mut signals: Signals,
    folder: &Path,
    telling: Telling,
    settings: &mut Settings,
    clock: &Arc<dyn Clock>,
) {
    let mut problems = std::mem::take(&mut settings.problems);
    problems.extend(measured.problems.iter().map(ToString::to_string));
    let dispatch = Dispatch {
        store: LocalStore::locate(settings.store.as_deref(), folder),
        sending: sending(settings, &mut problems),
        exporters: exporters(&Settings::variable, clock, &mut problems),
        time: settings.send_time,
    };
    let mut dispatched = dispatch.dispatch(measured, &mut signals, clock);
    problems.append(&mut dispatched.problems);
    summary::tell(telling, measured, dispatched.delivery.as_ref(), &problems);
}

fn sending(settings: &Settings, problems: &mut Vec<String>) -> Option<Sending> {
    let server = settings.server.clone()?;
    match Settings::spool() {
        Ok(spool) => Some(Sending { server, spool }),
        Err(error) => {
            problems.push(format!("nothing is sent: {error}"));
            None
        }
    }
}

/// Seconds as an interval; zero for none.
pub(crate) fn interval(seconds: f64) -> anyhow::Result<Option<Duration>> {
    manometer_agent::settings::interval(seconds).map_err(|error| usage(format!("--sample-interval: {error}")))
}

/// Splits program and arguments.
pub(crate) fn command_line(words: &[std::ffi::OsString]) -> anyhow::Result<CommandLine> {
    let (program, arguments) =
        words.split_first().ok_or_else(|| usage("there is no command: write it after `--`"))?;
    Ok(CommandLine { program: program.clone(), arguments: arguments.to_vec(), variables: Vec::new() })
}
