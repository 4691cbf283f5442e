//! Signals that somebody sends to the program.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};

use crate::place::{Place, kill, stdout};

/// Starts a command and waits until it has said that it is ready.
fn ready(place: &Place, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = place.manometer(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, output)
}

#[test]
fn a_signal_to_the_program_reaches_the_command_once() {
    for way in [&["exec", "-q", "--"][..], &["step", "x", "--"]] {
        for signal in ["TERM", "INT", "HUP", "USR1", "USR2", "QUIT"] {
            let place = Place::new();
            let script = format!(
                "trap 'echo got; n=$((n+1))' {signal}; n=0; echo ready; \
                 while [ $n -eq 0 ]; do sleep 0.02; done; sleep 0.1; echo times $n; exit 7"
            );
            let arguments: Vec<&str> = way.iter().copied().chain(["sh", "-c", &script]).collect();
            let (mut child, mut output) = ready(&place, &arguments);
            kill(child.id(), signal);
            let mut rest = String::new();
            output.read_to_string(&mut rest).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(7));
            assert_eq!(rest, "got\ntimes 1\n", "{way:?} {signal}");
        }
    }
}

#[test]
fn a_polite_end_is_the_commands_end() {
    use std::os::unix::process::ExitStatusExt as _;
    let place = Place::new();
    let (mut child, _output) =
        ready(&place, &["exec", "-q", "--", "sh", "-c", "echo ready; exec sleep 1000"]);
    kill(child.id(), "TERM");
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    let record = place.record();
    assert_eq!((&record["success"], &record["exit_code"]), (&false.into(), &143.into()));
}

#[test]
fn signals_ignored_by_the_caller_stay_ignored() {
    let place = Place::new();
    let inner = "kill -HUP $$; kill -INT $$; echo survived";
    let script = format!("trap '' HUP INT; exec \"$MANOMETER\" exec -q -- sh -c '{inner}'");
    let output = place.script(&script).output().unwrap();
    assert_eq!(stdout(&output), "survived\n", "{output:?}");
}

#[test]
fn a_caller_that_ignores_its_children_changes_nothing() {
    let place = Place::new();
    let output =
        place.script("trap '' CHLD; exec \"$MANOMETER\" exec -q -- sh -c 'exit 9'").output().unwrap();
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    assert_eq!(place.record()["exit_code"], 9);
}

#[test]
fn without_a_shell_that_continues_jobs_a_stopped_command_does_not_stop_the_program() {
    let place = Place::new();
    let script = "(sleep 0.2; kill -CONT $$) & kill -STOP $$; echo went on";
    let mut command = place.command("setsid");
    command.args(["-w", crate::place::PROGRAM, "exec", "-q", "--", "sh", "-c", script]);
    let output = command.output().unwrap();
    assert_eq!(stdout(&output), "went on\n", "{output:?}");
}
