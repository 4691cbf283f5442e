//! A script or a Makefile as a timed tree.

use std::process::Command;

use serde_json::Value;

use crate::place::{Place, stderr, stdout};
use crate::receiver::{Mood, Receiver};

/// `name < parent's name`, in the order of the beginnings.
fn tree(record: &Value) -> Vec<String> {
    let steps = record["steps"].as_array().cloned().unwrap_or_default();
    let name_of = |span: &Value| {
        steps
            .iter()
            .find(|step| step["span_id"] == *span)
            .map_or("-".to_owned(), |step| step["name"].as_str().unwrap().to_owned())
    };
    steps
        .iter()
        .map(|step| format!("{} < {}", step["name"].as_str().unwrap(), name_of(&step["parent_span_id"])))
        .collect()
}

#[test]
fn steps_nest_and_carry_their_codes() {
    let place = Place::new();
    let script = "$MANOMETER step build -- sh -c '$MANOMETER step compile -- true; $MANOMETER step link -- sh -c \"exit 3\"'; \
                  $MANOMETER step pack -- true; exit 0";
    let output = place
        .script(&format!("$MANOMETER exec -q -- sh -c '{}'", script.replace('\'', "'\\''")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let record = place.record();
    assert_eq!(tree(&record), ["build < -", "compile < build", "link < build", "pack < -"]);
    let codes: Vec<i64> =
        record["steps"].as_array().unwrap().iter().map(|step| step["exit_code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [3, 0, 3, 0]);
    assert!(std::fs::read_dir(place.work().join("../tmp")).unwrap().next().is_none(), "the folder is gone");
}

#[test]
fn a_killed_step_is_known_to_have_begun() {
    let place = Place::new();
    let script = "$MANOMETER step doomed -- sh -c 'kill -KILL $PPID' ; exit 0";
    place
        .script(&format!("$MANOMETER exec -q -- sh -c '{}'", script.replace('\'', "'\\''")))
        .output()
        .unwrap();
    let record = place.record();
    assert_eq!(tree(&record), ["doomed < -"]);
    assert!(record["steps"][0]["duration_seconds"].is_null(), "{record}");
}

#[test]
fn a_makefile_becomes_a_tree_of_its_recipes() {
    if Command::new("make").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "make is installed there");
        return println!("skipped: there is no make");
    }
    let place = Place::new();
    place.write(
        "Makefile",
        "WORD := $(shell echo hello)\nall: object\n\t@echo link $(WORD); true\nobject:\n\t@echo compile '$$HOME' | cat\n\t@exit 0\nbroken:\n\texit 4\n",
    );
    let by_target = "$MANOMETER exec -q -- make SHELL=\"$MANOMETER\" .SHELLFLAGS='step --make $@ -- -c' all";
    let output = place.script(by_target).output().unwrap();
    assert_eq!(stdout(&output), "compile $HOME\nlink hello\n", "{output:?}");
    assert_eq!(tree(&place.record()), ["echo hello < -", "object < -", "object < -", "all < -"]);

    let place = Place::new();
    place.write("Makefile", "all:\n\t@echo one; true\n\t@echo two\nbroken:\n\t@exit 4\n");
    let by_recipe = "$MANOMETER exec -q -- make SHELL=\"$MANOMETER step --make\"";
    let output = place.script(by_recipe).output().unwrap();
    assert_eq!(stdout(&output), "one\ntwo\n", "{output:?}");
    assert_eq!(tree(&place.record()), ["echo one; true < -", "echo two < -"]);
    let broken = place.script(&format!("{by_recipe} broken")).output().unwrap();
    assert_eq!(broken.status.code(), Some(2));
    assert!(stderr(&broken).contains("Error 4"), "{broken:?}");
}

#[test]
fn a_step_with_no_run_around_it_is_a_run() {
    let place = Place::new();
    let output = place.run(&["step", "alone", "--", "sh", "-c", "exit 2"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(2), String::new()));
    let record = place.record();
    assert_eq!((&record["type"], &record["operation"]), (&"step".into(), &"alone".into()));
}

#[test]
fn the_trace_of_the_caller_goes_on_in_the_command() {
    let place = Place::new();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let arguments =
        ["exec", "-q", "--", crate::place::PROGRAM, "step", "x", "--", "sh", "-c", "echo $TRACEPARENT"];
    let output = place
        .manometer(&arguments)
        .env("TRACEPARENT", format!("00-{trace}-00f067aa0ba902b7-01"))
        .output()
        .unwrap();
    let record = place.record();
    let span = record["steps"][0]["span_id"].as_str().unwrap();
    assert_eq!(stdout(&output), format!("00-{trace}-{span}-01\n"));
    assert_eq!(record["trace_id"], trace);
}

#[test]
fn spans_go_to_an_otlp_receiver() {
    let (place, server) = (Place::new(), Receiver::start(Mood::Works));
    let script = "$MANOMETER step compile -- true";
    let output = place
        .script(&format!("$MANOMETER exec --name shop -- sh -c '{script}'"))
        .envs([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", server.address.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ])
        .envs([("OTEL_EXPORTER_OTLP_COMPRESSION", "none"), ("MANOMETER_SEND_SECONDS", "60")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let requests = server.requests();
    let traces = requests.iter().find(|request| request.path == "/v1/traces").expect("spans were sent");
    let body: Value = serde_json::from_slice(&traces.body).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    let span =
        |name: &str| spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{spans:?}"));
    let (run, job, step) = (span("RUN shop"), span("shop"), span("compile"));
    assert_eq!(job["parentSpanId"], run["spanId"]);
    assert_eq!(step["parentSpanId"], job["spanId"], "the command was told the job's span");
    assert!([run, job, step].iter().all(|span| span["traceId"] == run["traceId"]));
    assert_eq!(spans.len(), 3, "nothing is told twice");
}
