//! Processes that outlive the command, and those that come and go by the thousand.

use crate::place::{Place, is_alive, kill, stderr, stdout};

#[test]
fn a_background_child_outlives_the_command_and_nobody_waits_for_it() {
    let place = Place::new();
    let output = place.run(&["exec", "--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let pid: u32 = stdout(&output).trim().parse().unwrap();
    assert!(is_alive(pid));
    kill(pid, "KILL");
    assert_eq!(place.record()["success"], true);
}

#[test]
fn a_daemon_lives_on_and_finds_another_parent() {
    let place = Place::new();
    // Two forks and a session of its own, as daemons do.
    let script = "(setsid sh -c 'echo $$ > pid; exec sleep 1000' </dev/null >/dev/null 2>&1 &) ; \
                  while [ ! -s pid ]; do sleep 0.01; done";
    let output = place.run(&["exec", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let pid: u32 = std::fs::read_to_string(place.work().join("pid")).unwrap().trim().parse().unwrap();
    assert!(is_alive(pid));
    kill(pid, "KILL");
}

#[test]
fn thousands_of_short_children_are_counted_and_leave_no_zombies() {
    let place = Place::new();
    let script = "i=0; while [ $i -lt 2000 ]; do /bin/true; i=$((i+1)); done; \
                  i=0; while [ $i -lt 300 ]; do (/bin/true &); i=$((i+1)); done; \
                  tries=0; zombies=1; \
                  while [ $zombies -gt 0 ] && [ $tries -lt 500 ]; do \
                    zombies=$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c \") Z $PPID \"); \
                    tries=$((tries+1)); sleep 0.01; done; echo zombies $zombies";
    let output = place.run(&["exec", "-q", "--", "sh", "-c", script]);
    assert_eq!(stdout(&output), "zombies 0\n", "{output:?}");
    let record = place.record();
    let metric = |name: &str| record["metrics"][name].as_f64().unwrap();
    // No sampling sees processes that live for a millisecond; their times are there all the same.
    assert!(metric("time.user_seconds") + metric("time.system_seconds") > 0.1, "{record}");
    assert!(metric("context_switches.voluntary") >= 2000.0, "{record}");
}
