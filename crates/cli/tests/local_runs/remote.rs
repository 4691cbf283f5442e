//! The same commands with `--server`, on a real one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;

use manometer_agent::local::RunRecord;
use manometer_model::Record;
use manometer_model::records::Sample;
use manometer_testkit::{ServerOptions, ServerProcess};

use crate::project::{Project, build, steady_builds};

const PLACE: &str = "github.com/acme/shop";

fn samples(records: &[RunRecord]) -> Vec<Sample> {
    let place = Sample {
        provider: "github".to_owned(),
        project: PLACE.to_owned(),
        pipeline: Some("ci".to_owned()),
        run_id: Some("42".to_owned()),
        branch: Some("main".to_owned()),
        ..Sample::default()
    };
    records.iter().flat_map(|record| record.to_samples(&place)).collect()
}

fn options(folder: &Path) -> ServerOptions {
    ServerOptions::new(env!("CARGO_BIN_EXE_manometer"), folder.join("data"))
}

/// Makes a token with a scope; the server is guarded from then on.
fn token(folder: &Path, scope: &str) -> String {
    let output = manometer_testkit::process::command(Path::new(env!("CARGO_BIN_EXE_manometer")))
        .args(["token", "create", scope, "--scope", scope, "--data"])
        .arg(folder.join("data"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn send(server: &ServerProcess, token: Option<&str>, samples: Vec<Sample>) {
    let lines: Vec<String> =
        samples.into_iter().map(|sample| serde_json::to_string(&Record::from(sample)).unwrap()).collect();
    let authorization = format!("Bearer {}", token.unwrap_or_default());
    let headers = [("authorization", authorization.as_str())];
    let headers = if token.is_some() { &headers[..] } else { &[] };
    let answer = server.client().post("/api/v1/records", headers, lines.join("\n").as_bytes()).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
}

fn address(server: &ServerProcess) -> String {
    format!("http://{}", server.address())
}

#[test]
fn a_run_on_a_guarded_server_is_shown_as_one_here_to_those_who_may_query() {
    let folder = tempfile::tempdir().unwrap();
    let (ingest, query) = (token(folder.path(), "ingest"), token(folder.path(), "query"));
    let server = ServerProcess::start(options(folder.path())).unwrap();
    send(&server, Some(&ingest), samples(&[build(1, 0, 61.5)]));
    let project = Project::new();
    let address = address(&server);
    let question = ["show", "0000", "--server", &address, "--project", PLACE, "--token"];
    let shown = project.read(&[&question[..], &[query.as_str()]].concat());
    for line in [
        "Run ID: 00000001-e29b-41d4-a716-446655440000",
        "Timestamp: 2026-11-20 09:00:00",
        "Git Commit: abc123def4567890",
        "  container.build_seconds: 61.5s",
        "  operation: wheel",
        "  duration: 61.5",
        "  success: true",
        "  branch: main",
        "  ci_run_id: 42",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line} missing in\n{shown}");
    }
    let (code, _, err) = project.run(&[&question[..], &[ingest.as_str()]].concat());
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("scope") && err.contains("query"), "{err}");
    let (code, _, err) = project.run(&[&question[..], &["mano_nobody"]].concat());
    assert_eq!(code, 3, "{err}");
    let (code, _, err) = project.run(&["show", "0000", "--server", &address, "--project", PLACE]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("token"), "{err}");
}

#[test]
fn a_server_that_cuts_its_answer_or_is_no_manometer_or_is_away_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let cutting = options(folder.path()).variable("MANOMETER_LIMITS_QUERY_ROWS", "1");
    let server = ServerProcess::start(cutting).unwrap();
    send(&server, None, samples(&[build(1, 0, 1.0)]));
    let project = Project::new();
    let (code, _, err) = project.run(&["ls", "--server", &address(&server)]);
    assert!(code == 2 && err.contains("query_rows"), "{code} {err}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
    });
    let (code, _, err) = project.run(&["ls", "--server", &other]);
    assert!(code == 3 && err.contains("not what this version understands"), "{code} {err}");
    answering.join().unwrap();
    let (code, _, err) = project.run(&["ls", "--server", "http://127.0.0.1:9"]);
    assert!(code == 3 && err.contains("failed to reach"), "{err}");
}

#[test]
fn the_store_of_this_machine_is_read_on_demand_also_where_a_server_is_set() {
    let project = Project::new();
    project.append(&[build(1, 0, 1.0)]);
    let mut command = project.command(&["ls", "--local"]);
    let output = command.env("MANOMETER_URL", "http://127.0.0.1:9").output().unwrap();
    assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains("00000001-"));
}

#[test]
fn a_server_answers_every_question_as_the_store_of_this_machine_does() {
    let mut records = steady_builds();
    // More than a page, many of one moment, so that the places between pages matter.
    records.extend((0..700).map(|number| build(0x1000 + number, 40 + i64::from(number) / 300, 61.0)));
    let mut tests = build(0x9000, 50, 8.0);
    tests.kind = "tests".to_owned();
    records.push(tests);
    records.push(build(0xffff, 60, 95.0));
    let mut all = samples(&records);
    all.push(Sample { project: PLACE.to_owned(), name: "of no record".to_owned(), ..all[0].clone() });
    all.last_mut().unwrap().tags.clear();
    all.push(Sample { project: "github.com/acme/other".to_owned(), ..all[1].clone() });
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(options(folder.path())).unwrap();
    send(&server, None, all);
    let address = address(&server);

    let project = Project::new();
    project.append(&records);
    for question in [
        &["export"][..],
        &["ls"],
        &["ls", "--type", "tests"],
        &["ls", "--operation", "wheel", "--limit", "60"],
        &["ls", "--since", "2026-11-20T12:00:00Z", "--until", "2026-11-20T15:00:00Z"],
        &["compare", "latest~5", "latest"],
        &["regression-check", "--baseline-branch", "main"],
        &["regression-check", "00001000", "--last", "5", "--format", "json"],
        &["show", "000010"],
    ] {
        let remote = [question, &["--server", &address, "--project", PLACE]].concat();
        let (here, there) = (project.run(question), project.run(&remote));
        assert_eq!(here.0, there.0, "{question:?} {}", there.2);
        let mut lines = here.1.lines().zip(there.1.lines());
        let difference = lines.find(|(here, there)| *here != without_place(there));
        assert_eq!(difference, None, "{question:?}");
        assert_eq!(here.1.lines().count(), there.1.lines().count(), "{question:?}");
    }
}

/// A line without what only a server knows of a run.
fn without_place(line: &str) -> String {
    let facts = [
        r#","ci_run_id":"42""#,
        r#","pipeline":"ci""#,
        r#","project":"github.com/acme/shop""#,
        r#","provider":"github""#,
    ];
    facts.iter().fold(line.to_owned(), |line, fact| line.replace(fact, ""))
}
