//! A real server that sends on to real systems what it has committed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use manometer_testkit::peers::{
    influxdb, influxdb_rows, keys_in_moto, moto, prometheus, pushgateway, victoria_metrics,
};
use manometer_testkit::{HttpClient, ServerOptions, ServerProcess};

/// Longest wait for what is about to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with this section `[export]`, which looks every second.
fn server(folder: &Path, section: &str) -> ServerProcess {
    std::fs::write(
        folder.join("manometer.toml"),
        format!("[export.sending]\nflush_seconds = 1\njitter_seconds = 0\nretry_seconds = 1\n{section}"),
    )
    .unwrap();
    let options = ServerOptions::new(env!("CARGO_BIN_EXE_manometer"), folder.join("data"))
        .variable("MANOMETER_TEST_SECRET", "secret")
        .variable("MANOMETER_CONFIG", folder.join("manometer.toml"));
    ServerProcess::start(options).unwrap()
}

/// Seconds since the epoch: receivers refuse what is old.
fn now() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    since.as_secs()
}

fn time(seconds: u64) -> String {
    let formatted = std::process::Command::new("date")
        .args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    String::from_utf8(formatted.stdout).unwrap().trim().to_owned()
}

/// One run of CI with a job, a build, an artifact and tests, as records.
fn run(number: u32, ended_at: u64) -> String {
    let (from, to) = (time(ended_at - 60), time(ended_at));
    let place = format!(
        r#""provider":"github","project":"github.com/acme/shop","service":"payments","pipeline":"ci","branch":"main","commit_sha":"abc123","run_id":"{number}""#
    );
    [
        format!(
            r#"{{"type":"run",{place},"status":"completed","conclusion":"success","trigger":"push","started_at":"{from}","finished_at":"{to}"}}"#
        ),
        format!(
            r#"{{"type":"job",{place},"job_id":"7","name":"unit","status":"completed","conclusion":"success","started_at":"{from}","finished_at":"{to}"}}"#
        ),
        format!(
            r#"{{"type":"build",{place},"run_attempt":1,"name":"wheel","duration_seconds":12.5,"success":true,"at":"{to}"}}"#
        ),
        format!(
            r#"{{"type":"artifact",{place},"run_attempt":1,"name":"dist/shop.whl","size_bytes":1048576,"at":"{to}"}}"#
        ),
        format!(
            r#"{{"type":"test",{place},"run_attempt":1,"classname":"test_cart","name":"adds","status":"passed","duration_seconds":0.25,"at":"{to}"}}"#
        ),
        format!(
            r#"{{"type":"test",{place},"run_attempt":1,"classname":"test_cart","name":"removes","status":"failed","duration_seconds":0.5,"at":"{to}"}}"#
        ),
    ]
    .join("\n")
}

fn send(server: &ServerProcess, records: &str) {
    let answer = server.client().post("/api/v1/records", &[], records.as_bytes()).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Asks until the answer is the one that is waited for.
fn until<T: PartialEq + std::fmt::Debug>(expected: &T, mut ask: impl FnMut() -> T) {
    let began = Instant::now();
    loop {
        let found = ask();
        if found == *expected {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{found:?} is not {expected:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A row of InfluxDB, whose first cell is the time.
fn without_time(row: &serde_json::Value) -> serde_json::Value {
    row.as_array().unwrap().iter().skip(1).cloned().collect()
}

/// A number of `/metrics`.
fn metric(client: &mut HttpClient, series: &str) -> u64 {
    let text = client.get("/metrics").unwrap().text();
    let line =
        text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("{series} in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn builds_and_tests_arrive_in_influxdb_once_also_across_an_outage_and_a_kill() {
    let Some(influx) = influxdb() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server =
        server(folder.path(), &format!("[export.influxdb]\nurl = '{}'\ndatabase = 'ci'", influx.url("")));
    let at = now() - 600;
    // The database does not exist: InfluxDB answers 404, which is for good.
    send(&server, &run(1, at));
    let dropped = r#"manometer_export_items_total{exporter="influxdb",outcome="dropped"}"#;
    until(&3, || metric(&mut server.client(), dropped));

    influxdb_rows(&influx, "CREATE DATABASE ci");
    send(&server, &run(2, at + 60));
    let builds = || {
        influxdb_rows(
            &influx,
            "SELECT duration_seconds, artifact_size_bytes, commit_sha, service, branch, event FROM ci_build",
        )
    };
    until(&1, || builds().len());
    assert_eq!(
        without_time(&builds()[0]),
        serde_json::json!([12.5, 1_048_576, "abc123", "payments", "main", "push"])
    );
    let tests = || {
        influxdb_rows(
            &influx,
            "SELECT duration_seconds, commit_sha, service, branch, test_name, test_class, status FROM ci_test_results",
        )
    };
    until(&2, || tests().len());
    let rows = tests();
    let failed = rows.iter().find(|row| row[7] == "failed").unwrap();
    assert_eq!(
        without_time(failed),
        serde_json::json!([0.5, "abc123", "payments", "main", "removes", "test_cart", "failed"])
    );

    // A run that ends after its build was told of is no second build.
    let (records, is_run) = (run(4, at + 30), |line: &&str| line.contains(r#""type":"run""#));
    let build: Vec<&str> = records.lines().filter(|line| line.contains(r#""type":"build""#)).collect();
    send(&server, &build.join("\n"));
    until(&2, || builds().len());
    let run_alone: Vec<&str> = records.lines().filter(is_run).collect();
    send(&server, &run_alone.join("\n"));
    until(&0, || metric(&mut server.client(), r#"manometer_export_waiting_rows{exporter="influxdb"}"#));
    assert_eq!(builds().len(), 2);

    // Committed, and killed before it was looked at: sent after the next start.
    send(&server, &run(3, at + 120));
    server.kill().unwrap();
    let server = server.start_again().unwrap();
    until(&3, || builds().len());
    until(&4, || tests().len());
    until(&0, || metric(&mut server.client(), r#"manometer_export_waiting_rows{exporter="influxdb"}"#));
}

#[test]
fn a_system_that_is_away_delays_nobody_and_gets_everything_later() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let port = manometer_testkit::programs::free_port();
    let section = format!("[export.influxdb]\nurl = 'http://127.0.0.1:{port}'\ndatabase = 'ci'");
    let mut server = server(folder.path(), &format!("{section}\n[export.statsd]\nhost = '127.0.0.1:{port}'"));
    for number in 0..20 {
        send(&server, &run(number, now() - 600));
    }
    until(&true, || {
        metric(&mut server.client(), r#"manometer_export_waiting_rows{exporter="influxdb"}"#) == 120
            && metric(
                &mut server.client(),
                r#"manometer_export_items_total{exporter="statsd",outcome="sent"}"#,
            ) > 0
    });
    server.ask_to_end().unwrap();
    assert_eq!(server.wait_for_end().unwrap().code(), Some(0), "{}", server.log());

    let Some(influx) = influxdb() else { return };
    influxdb_rows(&influx, "CREATE DATABASE ci");
    let settings = std::fs::read_to_string(folder.path().join("manometer.toml")).unwrap();
    let settings = settings.replace(&format!("http://127.0.0.1:{port}"), &influx.url(""));
    std::fs::write(folder.path().join("manometer.toml"), settings).unwrap();
    let _server = server.start_again().unwrap();
    until(&20, || influxdb_rows(&influx, "SELECT duration_seconds FROM ci_build").len());
}

#[test]
fn prometheus_pushgateway_and_object_storage_get_the_same_run() {
    let (Some(prometheus), Some(victoria)) = (prometheus(), victoria_metrics()) else { return };
    let (Some(gateway), Some(moto)) = (pushgateway(), moto()) else { return };
    assert_eq!(moto.send("PUT", "/metrics", "").status, 200);
    let folder = tempfile::tempdir().unwrap();
    let server = server(
        folder.path(),
        &format!(
            "[export.remote_write]\nurl = '{}'\n[export.pushgateway]\nurl = '{}'\n\
             [export.bucket]\nbucket = 's3://metrics/ci'\nendpoint = '{}'\naccess_key_id = 'id'\n\
             secret_access_key = 'env:MANOMETER_TEST_SECRET'",
            prometheus.url("/api/v1/write"),
            gateway.url(""),
            moto.url("")
        ),
    );
    send(&server, &run(1, now() - 60));
    let instant = "/api/v1/query?query=last_over_time(ci_run_duration_seconds[1h])";
    until(&serde_json::json!("60"), || prometheus.get_json(instant)["data"]["result"][0]["value"][1].clone());
    until(&true, || gateway.get("/metrics").contains("ci_tests_count{"));
    until(&1, || keys_in_moto(&moto).len());
    assert!(keys_in_moto(&moto)[0].starts_with("ci/date="), "{:?}", keys_in_moto(&moto));
    drop(server);

    // The same data, to another receiver of the same dialect: a new server has a place of its own.
    let folder = tempfile::tempdir().unwrap();
    let server = self::server(
        folder.path(),
        &format!("[export.remote_write]\nurl = '{}'", victoria.url("/api/v1/write")),
    );
    send(&server, &run(1, now() - 60));
    until(&true, || {
        victoria.get("/internal/force_flush");
        victoria.get("/api/v1/export?match[]=%7B__name__=%22ci_build_duration_seconds%22%7D").contains("12.5")
    });
}

/// Paths and bodies of requests.
type Collected = Arc<Mutex<Vec<(String, serde_json::Value)>>>;

/// Takes requests and keeps them; answers 200.
fn collector() -> (String, Collected) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let collected = Collected::default();
    let kept = Arc::clone(&collected);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            let length = head.to_ascii_lowercase().split_once("content-length: ").unwrap().1.to_owned();
            let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            kept.lock().unwrap().push((path, serde_json::from_slice(&body).unwrap()));
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, collected)
}

#[test]
fn spans_of_a_run_are_one_trace_also_where_its_jobs_end_long_before_it() {
    let (address, collected) = collector();
    let folder = tempfile::tempdir().unwrap();
    let section = format!("[export.otlp]\nendpoint = '{address}'\nprotocol = 'http/json'\ngzip = false");
    let server = server(folder.path(), &section);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let at = now() - 600;
    let place = r#""provider":"github","project":"p","run_id":"1""#;
    let begun = format!(
        r#"{{"type":"run",{place},"status":"running","trace_id":"{trace}","started_at":"{}"}}"#,
        time(at)
    );
    let ended = format!(
        r#"{{"type":"run",{place},"pipeline":"ci","conclusion":"success","finished_at":"{}"}}"#,
        time(at + 60)
    );
    let job = format!(
        r#"{{"type":"job",{place},"job_id":"7","name":"unit","status":"completed","conclusion":"failure","started_at":"{}","finished_at":"{}"}}"#,
        time(at),
        time(at + 30)
    );
    let spans = || -> Vec<serde_json::Value> {
        let collected = collected.lock().unwrap();
        let traces = collected.iter().filter(|(path, _)| path == "/v1/traces");
        traces
            .flat_map(|(_, body)| body["resourceSpans"].as_array().unwrap().clone())
            .flat_map(|resource| resource["scopeSpans"].as_array().unwrap().clone())
            .flat_map(|scope| scope["spans"].as_array().unwrap().clone())
            .collect()
    };
    send(&server, &format!("{begun}\n{job}"));
    until(&1, || spans().len());
    send(&server, &ended);
    until(&2, || spans().len());
    let (job, run) = (spans()[0].clone(), spans()[1].clone());
    assert_eq!((job["name"].as_str(), run["name"].as_str()), (Some("unit"), Some("RUN ci")));
    assert_eq!((&job["traceId"], &run["traceId"]), (&trace.into(), &trace.into()));
    assert_eq!(job["parentSpanId"], run["spanId"]);
    until(&true, || collected.lock().unwrap().iter().any(|(path, _)| path == "/v1/metrics"));
}

#[test]
fn settings_that_are_wrong_are_told_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("m.toml"),
        "[export.influxdb]\nurl = 'http://i:8086'\n[export.otlp]\nendpoint = 'o'\n",
    )
    .unwrap();
    for arguments in [&["config", "check"][..], &["serve", "--data", "data"]] {
        let output = manometer_testkit::process::command(Path::new(env!("CARGO_BIN_EXE_manometer")))
            .args(["--config", "m.toml"])
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(told.contains("export.influxdb.bucket: is missing"), "{told}");
        assert!(told.contains("export.otlp"), "{told}");
    }
    assert!(!folder.path().join("data").exists());
}
