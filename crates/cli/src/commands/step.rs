//! `manometer step`: a named step of the run around it; without one a run of its own.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use manometer_agent::exec::Plan;
use manometer_agent::run::{CommandLine, Ending, StartError};
use manometer_agent::settings::Settings;
use manometer_agent::steps::{StepFolder, StepPlan, run_step};
use manometer_model::SystemClock;

use super::exec::{Around, command_line, run_plan};
use crate::args::StepArgs;
use crate::exit::usage;
use crate::output;
use crate::summary::Telling;

/// A step's name is cut to this length, in characters.
const NAME_LENGTH: usize = 120;

/// Runs the step and ends this process as its command ended.
pub(crate) fn run_step_command(arguments: &StepArgs) -> anyhow::Result<()> {
    let (name, line) =
        if arguments.make { recipe(&arguments.words, &arguments.shell)? } else { named(&arguments.words)? };
    let mut settings = Settings::from_environment();
    if settings.is_disabled {
        return become_command(&line);
    }
    let folder = settings.run_folder.as_deref().and_then(StepFolder::existing);
    let (Some(folder), Some(trace)) = (folder, settings.trace) else {
        return as_own_run(name, line, &mut settings);
    };
    let plan = StepPlan { name, line: line.clone(), trace, folder };
    match run_step(plan, &SystemClock) {
        Ok((ending, error)) => end(ending, error.as_ref()),
        Err(error) => {
            output::warn(format!("cannot measure: {error}; the command is run without"));
            become_command(&line)
        }
    }
}

/// There is no run around it: it is one.
fn as_own_run(name: String, line: CommandLine, settings: &mut Settings) -> anyhow::Result<()> {
    let plan = Plan {
        line,
        kind: "step".to_owned(),
        name,
        artifacts: Vec::new(),
        reports: Vec::new(),
        tags: std::collections::BTreeMap::new(),
        sample_interval: None,
        folder: std::env::current_dir().context("failed to find the current folder")?,
        trace: settings.trace,
    };
    // A step says nothing of itself, but does not keep quiet about what was lost.
    run_plan(plan, &Around::default(), Telling::Problems, settings)
}

/// Runs the command in the place of this process: nothing is measured, nothing is left of this program.
pub(crate) fn become_command(line: &CommandLine) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;
    let cause = Command::new(&line.program).args(&line.arguments).exec();
    let error = StartError { program: line.program.to_string_lossy().into_owned(), cause };
    end(Ending::Code(error.exit_code()), Some(&error))
}

fn end(ending: Ending, error: Option<&StartError>) -> ! {
    if let Some(error) = error {
        output::error(error.to_string());
    }
    ending.end_process()
}

/// `NAME -- COMMAND…`, also without the dashes.
fn named(words: &[OsString]) -> anyhow::Result<(String, CommandLine)> {
    let (name, rest) = words.split_first().ok_or_else(|| usage("step: there is no name"))?;
    let rest = rest.strip_prefix(&[OsString::from("--")]).unwrap_or(rest);
    let line = command_line(rest).map_err(|_| usage("step: write a name, `--` and the command"))?;
    Ok((shortened(&name.to_string_lossy()), line))
}

/// `[TARGET --] FLAGS RECIPE`, as make calls its shell: the recipe is the last word. In its files make may name no
/// target (`$(shell …)`), then the step is named after the recipe.
fn recipe(words: &[OsString], shell: &Path) -> anyhow::Result<(String, CommandLine)> {
    let is_dashes = |word: &OsString| word == "--";
    let (target, for_shell) = match words {
        [dashes, rest @ ..] if is_dashes(dashes) => (None, rest),
        [target, dashes, rest @ ..] if is_dashes(dashes) => (Some(target), rest),
        // The dashes may have been taken for our own: flags begin with one.
        [target, flag, _, ..] if !begins_with_dash(target) && begins_with_dash(flag) => {
            (Some(target), words.get(1..).unwrap_or_default())
        }
        rest => (None, rest),
    };
    let recipe = for_shell.last().ok_or_else(|| usage("step --make: there is no recipe"))?;
    let name = target.unwrap_or(recipe).to_string_lossy();
    let line = CommandLine {
        program: shell.as_os_str().to_owned(),
        arguments: for_shell.to_vec(),
        variables: Vec::new(),
    };
    Ok((shortened(&name), line))
}

fn begins_with_dash(word: &OsStr) -> bool {
    word.as_encoded_bytes().first() == Some(&b'-')
}

fn shortened(name: &str) -> String {
    let line = name.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("step");
    if line.chars().count() <= NAME_LENGTH {
        return line.to_owned();
    }
    line.chars().take(NAME_LENGTH - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<OsString> {
        text.iter().map(OsString::from).collect()
    }

    #[test]
    fn make_names_its_target_or_nothing() {
        for (given, name, arguments) in [
            (&["-c", "cc -o a a.c"][..], "cc -o a a.c", &["-c", "cc -o a a.c"][..]),
            (&["a.o", "--", "-c", "cc"], "a.o", &["-c", "cc"]),
            (&["a.o", "-c", "cc"], "a.o", &["-c", "cc"]),
            (&["--", "-c", "cc -- x"], "cc -- x", &["-c", "cc -- x"]),
            (&["-eu", "-o", "pipefail", "-c", "cc"], "cc", &["-eu", "-o", "pipefail", "-c", "cc"]),
        ] {
            let (found, line) = recipe(&words(given), Path::new("/bin/sh")).unwrap();
            assert_eq!((found.as_str(), line.arguments), (name, words(arguments)), "{given:?}");
        }
    }

    #[test]
    fn only_the_first_dashes_are_ours() {
        let (name, line) = named(&words(&["undo", "--", "git", "checkout", "--", "file"])).unwrap();
        assert_eq!((name.as_str(), line.program), ("undo", "git".into()));
        assert_eq!(line.arguments, words(&["checkout", "--", "file"]));
        assert!(named(&words(&["alone"])).is_err());
        assert!(named(&words(&["alone", "--"])).is_err());
    }
}
