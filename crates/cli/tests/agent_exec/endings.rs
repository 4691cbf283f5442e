//! The result is the command's.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;

use crate::place::{Place, stderr, stdout};

/// The ways to run a command through the program.
const WAYS: &[&[&str]] = &[&["exec", "--quiet", "--"], &["step", "a step", "--"]];

fn with(way: &[&'static str], command: &[&'static str]) -> Vec<&'static str> {
    way.iter().chain(command).copied().collect()
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let place = Place::new();
    for way in WAYS {
        for (script, code) in [("exit 0", 0), ("exit 1", 1), ("exit 3", 3), ("exit 255", 255)] {
            let output = place.run(&with(way, &["sh", "-c", script]));
            assert_eq!(output.status.code(), Some(code), "{way:?} {script}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_death_by_signal_is_the_same_death_and_a_shell_sees_128_and_its_number() {
    let place = Place::new();
    for way in WAYS {
        for (name, number) in
            [("KILL", 9), ("TERM", 15), ("INT", 2), ("SEGV", 11), ("USR1", 10), ("PIPE", 13)]
        {
            let script: &'static str = format!("kill -{name} $$").leak();
            let output = place.run(&with(way, &["sh", "-c", script]));
            assert_eq!(output.status.signal(), Some(number), "{way:?} {name}: {output:?}");
        }
    }
    let seen =
        place.script("\"$MANOMETER\" exec -q -- sh -c 'kill -KILL $$'; echo code $?").output().unwrap();
    assert!(stdout(&seen).contains("code 137"), "{seen:?}");
}

#[test]
fn what_cannot_be_run_is_told_as_a_shell_does() {
    let place = Place::new();
    place.write("not-executable", "echo hello\n");
    place.write("folder/x", "");
    for way in WAYS {
        for (program, code) in
            [("no-such-command", 127), ("./no/such/path", 127), ("./not-executable", 126), ("./folder", 126)]
        {
            let output = place.run(&with(way, &[program]));
            assert_eq!(output.status.code(), Some(code), "{way:?} {program}: {output:?}");
            assert!(stderr(&output).contains(program), "{output:?}");
        }
    }
}

#[test]
fn a_command_that_never_ran_is_recorded_as_failed() {
    let place = Place::new();
    place.run(&["exec", "--", "no-such-command"]);
    let record = place.record();
    assert_eq!((&record["success"], &record["exit_code"]), (&false.into(), &127.into()));
}

#[test]
fn a_script_without_an_interpreter_runs_as_in_a_shell() {
    let place = Place::new();
    let path = place.write("bin/plain-script", "echo \"$0:$1\"; exit 5\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let by_path = place.run(&["exec", "-q", "--", "bin/plain-script", "one"]);
    assert_eq!((stdout(&by_path).as_str(), by_path.status.code()), ("bin/plain-script:one\n", Some(5)));
    let looked_up = place
        .manometer(&["exec", "-q", "--", "plain-script", "two"])
        .env("PATH", format!("{}:/usr/bin:/bin", path.parent().unwrap().display()))
        .output()
        .unwrap();
    assert!(stdout(&looked_up).ends_with("plain-script:two\n"), "{looked_up:?}");
}

#[test]
fn arguments_reach_the_command_byte_by_byte() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let odd: &[&[u8]] = &[b"", b"--quiet", b"--", b"a b", b"*", b"\xff\xfe", b"$HOME", b"-h"];
    let mut command = place.manometer(&["exec", "-q", "--", "printf", "%s|"]);
    command.args(odd.iter().map(|bytes| OsStr::from_bytes(bytes)));
    let output = command.output().unwrap();
    let expected: Vec<u8> = odd.iter().flat_map(|bytes| [bytes, &b"|"[..]].concat()).collect();
    assert_eq!(output.stdout, expected, "{output:?}");
}

#[test]
fn disabled_it_becomes_the_command_and_leaves_nothing() {
    for name in ["MANOMETER_DISABLED", "PANTHER_METRICS_DISABLED"] {
        let place = Place::new();
        for arguments in
            [&["exec", "--", "sh", "-c", "exit 4"][..], &["step", "x", "--", "sh", "-c", "exit 4"]]
        {
            let output = place.manometer(arguments).env(name, "true").output().unwrap();
            assert_eq!((output.status.code(), stderr(&output)), (Some(4), String::new()));
        }
        let missing = place.manometer(&["exec", "--", "no-such-command"]).env(name, "1").output().unwrap();
        assert_eq!(missing.status.code(), Some(127));
        assert!(place.records().is_empty());
    }
}

#[test]
fn settings_that_make_no_sense_are_told_and_fail_no_build() {
    let place = Place::new();
    let output = place
        .manometer(&["exec", "--", "true"])
        .envs([
            ("MANOMETER_SAMPLE_INTERVAL", "often"),
            ("MANOMETER_SEND_SECONDS", "soon"),
            ("MANOMETER_URL", "nowhere"),
            ("TRACEPARENT", "garbage"),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    for expected in ["`often`", "`soon`", "`nowhere`"] {
        assert!(stderr(&output).contains(expected), "{output:?}");
    }
    assert_eq!(place.record()["success"], true);
}

#[test]
fn a_misspelt_flag_is_refused_and_nothing_runs() {
    let place = Place::new();
    for flag in ["--nmae", "-x"] {
        let output = place.run(&["exec", flag, "wheel", "--", "touch", "ran"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(flag), "{output:?}");
    }
    assert!(!place.work().join("ran").exists());
    assert!(place.records().is_empty());
}

#[test]
fn flags_of_the_command_are_its_own_without_dashes_too() {
    let place = Place::new();
    let output = place.run(&["exec", "--quiet", "echo", "-n", "--name", "x", "--help"]);
    assert_eq!(stdout(&output), "--name x --help", "{output:?}");
}

#[test]
fn the_commands_are_the_same_behind_a_flag_of_the_whole_program() {
    let place = Place::new();
    for command in ["exec", "step", "spool"] {
        let alone = place.run(&[command, "--help"]);
        let behind = place.run(&["--config", "manometer.toml", command, "--help"]);
        assert_eq!(alone.status.code(), Some(0), "{alone:?}");
        assert_eq!(stdout(&alone), stdout(&behind));
    }
}
