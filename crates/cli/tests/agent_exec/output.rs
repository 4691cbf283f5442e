//! What the command writes and reads, and what the program says itself.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use crate::place::{Place, stderr};

const BYTES: usize = 100 << 20;

#[test]
fn a_hundred_megabytes_pass_untouched_in_both_directions() {
    let place = Place::new();
    let mut content = vec![0; BYTES];
    fastrand::Rng::with_seed(7).fill(&mut content);
    let path = place.write("noise", &content);
    let mut child = place
        .manometer(&["exec", "-q", "--", "cat"])
        .stdin(File::open(path).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut position = 0;
    let mut chunk = vec![0; 1 << 20];
    loop {
        let count = stdout.read(&mut chunk).unwrap();
        if count == 0 {
            break;
        }
        assert!(content[position..position + count] == chunk[..count], "differs after byte {position}");
        position += count;
    }
    assert_eq!(position, BYTES);
    assert!(child.wait().unwrap().success());
}

#[test]
fn without_a_terminal_one_line_is_said_and_with_quiet_none() {
    let place = Place::new();
    let loud = place.run(&["exec", "--name", "compile", "--", "sh", "-c", "echo data; echo words >&2"]);
    assert_eq!(loud.stdout, b"data\n");
    let lines: Vec<String> = stderr(&loud).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], "words");
    assert!(lines[1].starts_with("manometer: compile succeeded in "), "{lines:?}");
    let missing = ["--artifact", "no-such-thing", "--report", "nor-this.xml"];
    let arguments: Vec<&str> = ["exec"].into_iter().chain(missing).chain(["--", "true"]).collect();
    let with_problems = place.run(&arguments);
    assert_eq!(stderr(&with_problems).lines().count(), 1, "{with_problems:?}");
    assert!(
        stderr(&with_problems).contains("no-such-thing") && stderr(&with_problems).contains("nor-this.xml")
    );
    let quiet = place.run(&["exec", "-q", "--", "sh", "-c", "echo data; echo words >&2"]);
    assert_eq!((quiet.stdout.as_slice(), stderr(&quiet).as_str()), (&b"data\n"[..], "words\n"));
}

#[test]
fn a_reader_that_goes_away_ends_the_command_as_it_would_without_us() {
    let place = Place::new();
    let output = place.script("\"$MANOMETER\" exec -q -- yes | head -n 1").output().unwrap();
    assert_eq!(output.stdout, b"y\n");
    let record = place.record();
    assert_eq!(record["exit_code"], 128 + 13, "{record}");
}
