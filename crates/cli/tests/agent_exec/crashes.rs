//! `kill -9` at any moment.

use std::process::Stdio;

use crate::place::{Place, kill, stdout};
use crate::receiver::{Mood, Receiver};

#[test]
fn killed_at_any_moment_store_and_spool_stay_whole() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Works));
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..60 {
        let mut child = place
            .manometer(&["exec", "-q", "--", "sh", "-c", "exit 0"])
            .env("MANOMETER_URL", &server.address)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere between the start and the end, which is told by nobody.
        for _ in 0..random.u32(0..400_000) {
            std::hint::spin_loop();
        }
        kill(child.id(), "KILL");
        child.wait().unwrap();
    }
    let last = place
        .manometer(&["exec", "-q", "--name", "last", "--", "true"])
        .env("MANOMETER_URL", &server.address)
        .env("MANOMETER_SEND_SECONDS", "60")
        .output()
        .unwrap();
    assert!(last.status.success(), "{last:?}");
    // Every line but one that a kill tore is a record; reading through the program skips such a line.
    let listed = place.run(&["export", "--format", "json"]);
    assert!(listed.status.success() && stdout(&listed).contains("\"last\""), "{listed:?}");
    let sent = place.manometer(&["spool", "send"]).env("MANOMETER_URL", &server.address).output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
    assert_eq!(stdout(&place.run(&["spool", "list"])), "", "nothing waits, nothing is refused");
}

#[test]
fn a_command_goes_on_when_the_program_around_it_is_killed() {
    let place = Place::new();
    let mut child = place
        .manometer(&[
            "exec",
            "-q",
            "--",
            "sh",
            "-c",
            "echo $$ > pid; while [ ! -e go ]; do sleep 0.02; done; echo done > done",
        ])
        .spawn()
        .unwrap();
    let path = place.work().join("pid");
    while std::fs::read_to_string(&path).unwrap_or_default().is_empty() {
        std::thread::yield_now();
    }
    kill(child.id(), "KILL");
    child.wait().unwrap();
    place.write("go", "");
    while !place.work().join("done").exists() {
        std::thread::yield_now();
    }
}
