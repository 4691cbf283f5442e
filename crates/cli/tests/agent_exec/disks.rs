//! Folders that cannot be written and disks that are full.

use std::path::Path;

use crate::place::{PROGRAM, Place, stderr, stdout};
use crate::receiver::{Mood, Receiver};

#[test]
fn a_home_and_a_store_that_cannot_be_written_fail_no_build() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Overloaded));
    let output = place
        .manometer(&["exec", "--", "sh", "-c", "exit 8"])
        // Nobody, not even root, writes there.
        .envs([("HOME", "/proc"), ("MANOMETER_PATH", "/proc/store"), ("MANOMETER_URL", &server.address)])
        .env("MANOMETER_SEND_SECONDS", "60")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    assert!(stderr(&output).contains("/proc/store"), "{output:?}");
    server.feels(Mood::Works);
    let sent = place
        .manometer(&["spool", "send"])
        .env("HOME", "/proc")
        .env("MANOMETER_URL", &server.address)
        .output();
    assert_eq!(stdout(&sent.unwrap()), "delivered 1\n", "the spool went to the folder for temporary files");
}

#[test]
fn nowhere_at_all_to_write_fails_no_build_and_is_told() {
    let place = Place::new();
    let output = place
        .manometer(&["exec", "--", "sh", "-c", "exit 8"])
        .envs([("HOME", "/proc"), ("MANOMETER_PATH", "/proc/store"), ("TMPDIR", "/proc")])
        .env("MANOMETER_URL", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    for expected in ["/proc/store", "spool"] {
        assert!(stderr(&output).contains(expected), "{output:?}");
    }
}

#[test]
fn on_a_full_disk_the_command_runs_and_what_was_lost_is_told() {
    let place = Place::new();
    // A small disk of its own, in a name space of its own that vanishes with the test.
    let script = format!(
        "mount -t tmpfs -o size=256k none {disk} || exit 99; cd {disk}; mkdir home tmp; \
         {PROGRAM} exec -q --name before -- true || exit 98; \
         head -c 1M /dev/zero > filling 2>/dev/null; \
         HOME=$PWD/home TMPDIR=$PWD/tmp MANOMETER_URL=http://127.0.0.1:9 {PROGRAM} exec --tag big={big} -- sh -c 'exit 17'; code=$?; \
         cat .manometer/*.jsonl; rm filling; \
         {PROGRAM} exec -q --name after -- true || exit 97; cat .manometer/*.jsonl; \
         ls home/.local/state/manometer/spool; exit $code",
        disk = place.work().display(),
        // Longer than what is left of the file's last block.
        big = "x".repeat(8_192),
    );
    let output = place.command("unshare").args(["--mount", "sh", "-c", &script]).output().unwrap();
    let said = stderr(&output);
    if output.status.code() == Some(99)
        || said.contains("unshare")
        || !Path::new("/proc/self/ns/mnt").exists()
    {
        return println!("skipped: no right to mount a small disk: {said}");
    }
    assert_eq!(output.status.code(), Some(17), "{output:?}");
    assert!(said.contains("No space left"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let lines: Vec<String> = stdout(&output).lines().map(str::to_owned).collect();
    let names: Vec<&str> = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| {
            if line.contains("\"before\"") {
                "before"
            } else if line.contains("\"after\"") {
                "after"
            } else {
                line
            }
        })
        .collect();
    assert_eq!(names, ["before", "before", "after"], "{lines:?}");
}
