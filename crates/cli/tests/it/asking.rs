//! `manometer ask`, over a folder and over the server that has it open.

use manometer_testkit::process::{ServerOptions, ServerProcess};

use crate::commands::{Folder, PROGRAM, server_address};

/// Forty runs an hour apart, the later half after commit `beef0000` and twice as long, as records.
fn records() -> String {
    let mut lines = String::new();
    for number in 0..40 {
        let sha = if number == 20 { "beef0000".to_owned() } else { format!("00{number:02}0000") };
        let seconds = if number < 20 { 60 } else { 120 } + number % 4;
        let (day, hour) = (1 + number / 24, number % 24);
        let began = format!("2026-03-{day:02}T{hour:02}:00:00Z");
        lines.push_str(&format!(
            "{{\"type\":\"run\",\"provider\":\"ci\",\"project\":\"acme/shop\",\"service\":\"payments\",\"run_id\":\"{number}\",\
             \"branch\":\"main\",\"is_default_branch\":true,\"commit_sha\":\"{sha}\",\"status\":\"completed\",\
             \"conclusion\":\"success\",\"started_at\":\"{began}\",\"duration_seconds\":{seconds}}}\n"
        ));
    }
    lines
}

#[test]
fn one_command_says_what_changed_at_a_commit() {
    let folder = Folder::new();
    folder.write("runs.ndjson", records());
    folder.run(&["ingest", "runs.ndjson"]).fine();
    let asked = ["ask", "compare", "--service", "payments", "--commit", "beef"];
    let local = folder.run(&asked).fine().stdout;
    assert!(local.starts_with("p50 slower by"), "{local}");
    for part in ["95 % CI", "large effect", "20 vs 20 runs", "beef0000", "1m 02s", "2m 02s", "█"] {
        assert!(local.contains(part), "no {part} in {local}");
    }
    let trend =
        ["ask", "trend", "--service", "payments", "--range", "2026-03-01..2026-03-04", "--format", "csv"];
    let csv = folder.run(&trend).fine().stdout;
    assert!(
        csv.contains("all,2026-03-03T00:00:00.000000Z,0,,,,,run-duration,seconds"),
        "a gap is a gap: {csv}"
    );
    let drawn = folder.run(&trend[..6]).fine().stdout;
    assert!(drawn.contains("2026-03-01") && drawn.contains('█') && drawn.contains('·'), "{drawn}");

    let server = ServerProcess::start(ServerOptions::new(PROGRAM, folder.path("data"))).unwrap();
    let address = server_address(&server);
    let remote = folder.run(&[&asked[..], &["--server", &address]].concat()).fine().stdout;
    assert_eq!(remote, local);
    let json = folder.run(&[&asked[..], &["--server", &address, "--format", "json"]].concat()).fine().stdout;
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["direction"], "worse");
    for (question, more) in
        [("slowest", "--of=services"), ("failures", "--since=2026-03-01"), ("trend", "--group=service")]
    {
        let from = ["ask", question, more, "--until", "2026-03-04"];
        let here = folder.run(&from).fine().stdout;
        assert_eq!(folder.run(&[&from[..], &["--server", &address]].concat()).fine().stdout, here);
    }
}

#[test]
fn what_is_asked_wrongly_is_a_wrong_call_whoever_answers() {
    let folder = Folder::new();
    folder.write("runs.ndjson", records());
    folder.run(&["ingest", "runs.ndjson"]).fine();
    folder.run(&["ask", "trend", "--measure", "speed"]).refused(2, &["measure", "run-duration"]);
    folder.run(&["ask", "trend", "--since", "soon"]).refused(2, &["since", "30d"]);
    folder.run(&["ask", "compare"]).refused(2, &["commit, merge, date"]);
    folder.run(&["ask", "compare", "--commit", "c0ffee"]).refused(2, &["c0ffee", "newest commits"]);
    folder.run(&["ask", "history"]).refused(2, &["test"]);
    let server = ServerProcess::start(ServerOptions::new(PROGRAM, folder.path("data"))).unwrap();
    let address = server_address(&server);
    folder.run(&["ask", "trend", "--measure", "speed", "--server", &address]).refused(2, &["run-duration"]);
    folder
        .run(&["ask", "compare", "--commit", "c0ffee", "--server", &address])
        .refused(2, &["newest commits"]);
}
