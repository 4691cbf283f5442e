//! From a build to a server that is there, away, slow, or not itself.

use std::io::BufReader;
use std::ops::ControlFlow;
use std::process::{Command, Output};

use manometer_model::{Limits, Record};

use crate::place::{Place, stderr, stdout};
use crate::receiver::{Mood, Receiver, Request};

fn run(place: &Place, server: &Receiver, arguments: &[&str]) -> Output {
    towards(place.manometer(arguments), &server.address).output().unwrap()
}

fn towards(mut command: Command, address: &str) -> Command {
    command.env("MANOMETER_URL", address).env("MANOMETER_TOKEN", "mano_secret");
    // Time enough on a busy machine; the tests of slow servers set less.
    command.env("MANOMETER_SEND_SECONDS", "60");
    command
}

/// The records of a request, as the server's own reader understands them.
fn records(request: &Request) -> Vec<Record> {
    let content = request.unpacked();
    let mut records = Vec::new();
    let summary = manometer_formats::records::read(
        &mut BufReader::new(&content[..]),
        &Limits::default(),
        &mut |record| {
            records.push(record);
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
    records
}

#[test]
fn a_run_arrives_as_records_the_server_understands_and_its_reports_as_files() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Works));
    let report = "<testsuite><testcase name='a'/></testsuite>";
    let script = format!("echo \"{report}\" > junit.xml; mkdir dist; echo 12345 > dist/app");
    let arguments = [
        "exec",
        "--name",
        "compile",
        "--service",
        "cart",
        "--project",
        "github.com/acme/shop",
        "--tag",
        "a=b",
        "--report",
        "junit.xml",
        "--artifact",
        "dist/*",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let output = run(&place, &server, &arguments);
    assert!(output.status.success(), "{output:?}");
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "{}", stderr(&output));
    let run_id = place.record()["run_id"].as_str().unwrap().to_owned();
    for request in &requests {
        assert_eq!(request.headers["authorization"], "Bearer mano_secret");
        assert!(request.key().starts_with(&run_id));
    }
    let sent = records(requests.iter().find(|request| request.path == "/api/v1/records").unwrap());
    let Some(Record::Run(run)) = sent.first() else { panic!("{sent:?}") };
    assert_eq!((run.provider.as_str(), run.project.as_str()), ("local", "github.com/acme/shop"));
    assert_eq!((run.service.as_deref(), run.run_id.as_str()), (Some("cart"), run_id.as_str()));
    let has = |wanted: &dyn Fn(&Record) -> bool| sent.iter().any(wanted);
    assert!(has(
        &|record| matches!(record, Record::Build(build) if build.success == Some(true) && build.name == "compile")
    ));
    assert!(has(&|record| matches!(record, Record::Artifact(artifact) if artifact.size_bytes == 6)));
    assert!(has(&|record| matches!(record, Record::Sample(sample)
        if sample.name == "time.wall_seconds" && sample.unit.as_deref() == Some("seconds") && sample.tags["a"] == "b")));
    let form = requests.iter().find(|request| request.path == "/api/v1/reports").unwrap();
    assert!(form.headers["content-type"].starts_with("multipart/form-data; boundary="));
    let text = String::from_utf8_lossy(&form.body);
    for expected in ["name=\"run_id\"", &run_id, "filename=\"junit.xml\"", "name=\"service\"\r\n\r\ncart\r\n"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(std::fs::read_dir(place.spool()).unwrap().next().is_none(), "nothing is left in the spool");
}

#[test]
fn in_ci_it_is_a_step_of_the_job_and_the_run_is_the_ci_systems() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Works));
    let mut command =
        towards(place.manometer(&["exec", "-q", "--name", "unit tests", "--", "true"]), &server.address);
    command.envs([
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_RUN_ID", "4711"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("GITHUB_WORKFLOW", "checks"),
        ("GITHUB_JOB", "test"),
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
    ]);
    assert!(command.status().unwrap().success());
    let sent = records(&server.requests()[0]);
    assert!(!sent.iter().any(|record| matches!(record, Record::Run(_) | Record::Job(_))), "{sent:?}");
    let Some(Record::Step(step)) = sent.first() else { panic!("{sent:?}") };
    assert_eq!((step.provider.as_str(), step.project.as_str()), ("github", "github.com/acme/shop"));
    assert_eq!((step.run_id.as_str(), step.run_attempt), ("4711", 2));
    assert_eq!((step.name.as_deref(), step.branch.as_deref()), (Some("unit tests"), Some("main")));
    let record = place.record();
    assert_eq!(record["ci"]["run_id"], "4711");
    assert_eq!(record["git_commit"], "0123456789abcdef0123456789abcdef01234567");
}

#[test]
fn what_a_server_that_was_away_missed_comes_with_any_later_call_and_once() {
    for mood in [Mood::Overloaded, Mood::Portal, Mood::Garbage, Mood::TakesAndDies, Mood::Locked] {
        let (place, server) = (Place::new(), Receiver::start(mood));
        let first = run(&place, &server, &["exec", "--", "sh", "-c", "exit 6"]);
        assert_eq!(first.status.code(), Some(6), "{mood:?}");
        assert!(stderr(&first).contains("kept in the spool"), "{mood:?}: {}", stderr(&first));
        let tried = server.requests();
        assert!(!tried.is_empty(), "{mood:?}");
        server.feels(Mood::Works);
        let sent = run(&place, &server, &["spool", "send"]);
        assert!(sent.status.success(), "{mood:?}: {sent:?}");
        let second = run(&place, &server, &["exec", "--", "true"]);
        assert!(second.status.success(), "{mood:?}");
        assert_eq!(server.ledger().len(), 2, "{mood:?}");
        let again = server.requests();
        let repeated = again.iter().filter(|request| request.key() == tried[0].key());
        assert!(repeated.clone().count() >= 2, "{mood:?}");
        assert!(repeated.clone().all(|request| request.body == tried[0].body), "{mood:?}: another body");
    }
}

#[test]
fn an_exec_delivers_what_earlier_ones_could_not() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Overloaded));
    for _ in 0..3 {
        run(&place, &server, &["exec", "-q", "--", "true"]);
    }
    assert!(server.ledger().is_empty());
    server.feels(Mood::Works);
    // The server asked for no pause, and the program makes one of ten times what the attempt took.
    while server.ledger().len() < 4 {
        assert!(run(&place, &server, &["exec", "-q", "--", "true"]).status.success());
        if server.ledger().len() > 3 {
            break;
        }
    }
    let waiting = run(&place, &server, &["spool", "list"]);
    assert_eq!(stdout(&waiting), "", "{waiting:?}");
}

#[test]
fn nobody_listening_or_a_name_nobody_knows_fails_nothing() {
    let place = Place::new();
    for address in ["http://127.0.0.1:9", "http://no-such-host.invalid", "https://127.0.0.1:9"] {
        let output =
            towards(place.manometer(&["exec", "--", "sh", "-c", "exit 2"]), address).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{address}: {output:?}");
    }
    let listed = stdout(&place.run(&["spool", "list"]));
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(listed.contains("for http://no-such-host.invalid"), "{listed}");
}

#[test]
fn a_server_that_never_answers_holds_up_no_build() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Silent));
    let output = towards(place.manometer(&["exec", "--", "sh", "-c", "exit 5"]), &server.address)
        .env("MANOMETER_SEND_SECONDS", "0.3")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(stderr(&output).contains("kept in the spool"), "{output:?}");
    let second = towards(place.manometer(&["exec", "--", "true"]), &server.address)
        .env("MANOMETER_SEND_SECONDS", "0.3")
        .output()
        .unwrap();
    assert!(second.status.success(), "{second:?}");
    server.feels(Mood::Works);
    assert!(run(&place, &server, &["spool", "send"]).status.success());
    assert_eq!(server.ledger().len(), 2);
}

#[test]
fn with_no_time_for_sending_everything_waits_for_a_later_call() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Works));
    let output = towards(place.manometer(&["exec", "-q", "--", "true"]), &server.address)
        .env("MANOMETER_SEND_SECONDS", "0")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(server.requests().is_empty());
    assert_eq!(stdout(&run(&place, &server, &["spool", "send"])), "delivered 1\n");
}

#[test]
fn what_the_server_refuses_for_good_is_moved_aside_with_its_words() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Refuses));
    let output = run(&place, &server, &["exec", "--", "true"]);
    assert!(output.status.success());
    assert!(stderr(&output).contains("no line could be used"), "{output:?}");
    let listed = stdout(&run(&place, &server, &["spool", "list"]));
    assert!(listed.starts_with("rejected") && listed.contains("422: no line could be used"), "{listed}");
    server.feels(Mood::Works);
    assert_eq!(stdout(&run(&place, &server, &["spool", "send"])), "delivered 0\n");
}

#[test]
fn what_waits_for_one_server_is_not_told_to_another() {
    let (place, mine, other) =
        (Place::new(), Receiver::start(Mood::Overloaded), Receiver::start(Mood::Works));
    run(&place, &mine, &["exec", "-q", "--", "true"]);
    run(&place, &other, &["exec", "-q", "--", "true"]);
    assert_eq!(other.ledger().len(), 1);
    mine.feels(Mood::Works);
    assert!(run(&place, &mine, &["spool", "send"]).status.success());
    assert_eq!((mine.ledger().len(), other.ledger().len()), (1, 1));
}

#[test]
fn the_token_is_never_written_down() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Overloaded));
    run(&place, &server, &["exec", "--", "true"]);
    let grep = place.script("grep -r mano_secret \"$HOME\" . \"$TMPDIR\"").output().unwrap();
    assert_eq!(grep.status.code(), Some(1), "{grep:?}");
}

#[test]
fn calls_at_the_same_time_deliver_everything_once() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Overloaded));
    for _ in 0..10 {
        run(&place, &server, &["exec", "-q", "--", "true"]);
    }
    server.feels(Mood::Works);
    let senders: Vec<_> = (0..6)
        .map(|_| towards(place.manometer(&["spool", "send"]), &server.address).spawn().unwrap())
        .collect();
    for mut sender in senders {
        assert!(sender.wait().unwrap().success());
    }
    // One that found everything locked by others may have ended before them.
    assert!(run(&place, &server, &["spool", "send"]).status.success());
    assert_eq!(server.ledger().len(), 10);
}

#[test]
fn an_interrupt_while_sending_ends_at_once_and_loses_nothing() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Silent));
    let mut child = towards(place.manometer(&["exec", "-q", "--", "true"]), &server.address).spawn().unwrap();
    while server.requests().is_empty() {
        std::thread::yield_now();
    }
    crate::place::kill(child.id(), "INT");
    // The server is silent for ever and a minute is allowed for sending: only the signal ends this in time.
    assert!(child.wait().unwrap().success());
    server.feels(Mood::Works);
    assert_eq!(stdout(&run(&place, &server, &["spool", "send"])), "delivered 1\n");
}
