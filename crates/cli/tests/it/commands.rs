//! The commands on a local folder, one after the other as a person would use them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use manometer_testkit::process::{ServerOptions, ServerProcess, command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_manometer");

const REPORT: &str = r#"<testsuite name="cart" timestamp="2026-11-20T10:00:00">
  <testcase classname="CartTest" name="adds" time="0.5"/>
  <testcase classname="CartTest" name="removes" time="abc"/>
  <testcase classname="CartTest" name="pays" time="1,5"><failure type="AssertionError" message="total is 3">at pay</failure></testcase>
</testsuite>"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with_input(arguments, b"")
    }

    fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Answer {
        let mut child = command(Path::new(PROGRAM))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("CI_SERVICE_NAME")
            .env("MANOMETER_DATA", self.path("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Answer::of(child.wait_with_output().unwrap())
    }
}

struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Answer {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn fine(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    fn refused(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {}", self.stderr);
        }
        self
    }
}

#[test]
fn a_report_goes_in_once_and_answers_come_out() {
    let folder = Folder::new();
    folder.write("reports/TEST-cart.xml", REPORT);
    let first = folder.run(&["ingest", "--project", "acme/shop", "--branch", "main", "reports"]).fine();
    assert!(first.stdout.starts_with("stored 1 runs, 3 tests (receipt "), "{}", first.stdout);
    assert!(first.stderr.contains("1 suites, 3 tests, 1 problems"), "{}", first.stderr);
    assert!(first.stderr.contains("line 3"), "{}", first.stderr);

    let again = folder.run(&["ingest", "--project", "acme/shop", "--branch", "main", "reports"]).fine();
    assert!(again.stdout.starts_with("stored before, at 2"), "{}", again.stdout);

    let sql = "select name, status, duration_seconds, branch from tests order by name";
    let csv = folder.run(&["query", "--format", "csv", sql]).fine().stdout;
    assert_eq!(
        csv,
        "name,status,duration_seconds,branch\nadds,passed,0.5,main\npays,failed,1.5,main\nremoves,passed,,main\n"
    );
    let json = folder.run(&["query", "--format", "json", "select count(*) as n from tests"]).fine().stdout;
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["rows"], serde_json::json!([[3]]));
    let table = folder.run_with_input(&["query", "-"], b"select 1 as one").fine().stdout;
    assert!(table.starts_with("one"), "{table}");
    folder.run(&["query", "--format", "parquet", "--output", "t.parquet", sql]).fine();
    assert!(std::fs::read(folder.path("t.parquet")).unwrap().starts_with(b"PAR1"));
}

#[test]
fn packed_files_standard_input_and_patterns_are_read() {
    let folder = Folder::new();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(REPORT.as_bytes()).unwrap();
    folder.write("a/one.xml.gz", packer.finish().unwrap());
    folder.run(&["ingest", "--run-id", "1", "a/*.gz"]).fine();
    folder.run_with_input(&["ingest", "--run-id", "2", "-"], REPORT.as_bytes()).fine();
    let csv =
        folder.run(&["query", "--format", "csv", "select run_id, count(*) from tests group by 1 order by 1"]);
    assert!(csv.fine().stdout.ends_with("\n1,3\n2,3\n"));
}

#[test]
fn wrong_calls_say_what_to_do_and_end_with_code_2() {
    let folder = Folder::new();
    folder.run(&["ingest", "missing.xml"]).refused(2, &["missing.xml", "no such file"]);
    folder.write("page.xml", "<html><body>404</body></html>");
    folder.run(&["ingest", "page.xml"]).refused(2, &["page.xml"]);
    folder.write("empty.xml", "");
    folder.run(&["ingest", "empty.xml"]).refused(2, &["empty"]);
    folder.write("TEST-cart.xml", REPORT);
    folder.run(&["ingest", "TEST-cart.xml"]).fine();
    folder.run(&["query", "select * from test"]).refused(2, &["tests"]);
    folder.run(&["query", "drop table tests"]).refused(2, &["DROP TABLE", "SELECT"]);
    folder.run(&["query", "--server", "localhost:1", "select 1"]).refused(2, &["http://"]);
    folder.run(&["query", "--server", "http://127.0.0.1:1", "select 1"]).refused(3, &["failed to reach"]);
    folder.run(&["serve", "--listen", "nowhere"]).refused(2, &["ADDRESS:PORT"]);
    folder.run(&["serve", "--listen", "0.0.0.0:0"]).refused(1, &["token create"]);
}

#[test]
fn what_can_be_read_is_stored_and_what_cannot_is_named() {
    let folder = Folder::new();
    folder.write("good.xml", REPORT);
    folder.write("bad.xml", "not a report");
    folder
        .run(&["ingest", "good.xml", "bad.xml"])
        .refused(1, &["bad.xml", "1 of the files could not be read"]);
    let csv = folder.run(&["query", "--format", "csv", "select count(*) as n from tests"]).fine().stdout;
    assert_eq!(csv, "n\n3\n");
}

#[test]
fn a_folder_is_checked_backed_up_and_restored() {
    let folder = Folder::new();
    folder.write("TEST-cart.xml", REPORT);
    folder.run(&["ingest", "TEST-cart.xml"]).fine();
    folder.run(&["store", "compact"]).fine();
    assert!(folder.run(&["store", "check"]).fine().stdout.contains("sound"));
    folder.run(&["store", "backup", "copy"]).fine();
    folder.run(&["store", "backup", "copy"]).refused(1, &["not empty"]);
    folder.run(&["store", "restore", "copy", "--data", "again"]).fine();
    let csv = folder.run(&["query", "--data", "again", "--format", "csv", "select count(*) as n from tests"]);
    assert_eq!(csv.fine().stdout, "n\n3\n");
    assert!(folder.run(&["store", "stats"]).fine().stdout.contains("tests"));

    let segment = first_file_ending(&folder.path("data"), ".parquet");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&segment, bytes).unwrap();
    folder.run(&["store", "check"]).refused(1, &[".parquet"]);
}

fn first_file_ending(folder: &Path, ending: &str) -> PathBuf {
    let mut waiting = vec![folder.to_owned()];
    while let Some(current) = waiting.pop() {
        for entry in std::fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                return path;
            }
        }
    }
    panic!("no file ends with {ending}");
}

#[test]
fn a_folder_that_a_server_has_open_is_queried_backed_up_and_fed_through_it() {
    let folder = Folder::new();
    folder.write("TEST-cart.xml", REPORT);
    let server = ServerProcess::start(ServerOptions::new(PROGRAM, folder.path("data"))).unwrap();
    let address = server.client().get("/healthz").map(|_| server_address(&server)).unwrap();
    folder.run(&["ingest", "TEST-cart.xml"]).refused(1, &["open"]);
    let sent = folder.run(&["ingest", "--server", &address, "TEST-cart.xml"]).fine();
    assert!(sent.stdout.starts_with("stored 1 runs, 3 tests"), "{}", sent.stdout);
    let again = folder.run(&["ingest", "--server", &address, "TEST-cart.xml"]).fine();
    assert!(again.stdout.starts_with("stored before"), "{}", again.stdout);
    for from in [&["--server", address.as_str()][..], &[][..]] {
        let mut arguments = vec!["query", "--format", "csv", "select count(*) as n from tests"];
        arguments.extend(from);
        assert_eq!(folder.run(&arguments).fine().stdout, "n\n3\n");
    }
    let table = folder.run(&["query", "--server", &address, "select 1 as one"]).fine().stdout;
    assert!(table.starts_with("one"), "{table}");
    folder.run(&["query", "--server", &address, "select nothing from nowhere"]).refused(2, &["nowhere"]);
    folder.run(&["store", "backup", "copy"]).fine();
    assert!(folder.run(&["store", "check"]).fine().stdout.contains("sound"));
}

fn server_address(server: &ServerProcess) -> String {
    let log = server.log();
    let line = log.lines().find(|line| line.contains("listening on ")).unwrap();
    line.split_once("listening on ").unwrap().1.trim().to_owned()
}

/// One report of long ago, one that is never over.
fn two_reports(folder: &Folder) {
    folder.write("old.xml", REPORT.replace("2026-11-20", "2020-01-02"));
    folder.write("new.xml", REPORT.replace("2026-11-20", "2999-01-02"));
}

#[test]
fn rows_older_than_their_term_are_told_and_removed() {
    let folder = Folder::new();
    two_reports(&folder);
    folder.write("manometer.toml", "[retention]\ntests = '90 days'\n");
    folder.run(&["ingest", "--run-id", "1", "old.xml"]).fine();
    folder.run(&["ingest", "--run-id", "2", "new.xml"]).fine();
    folder.run(&["store", "compact"]).fine();
    let count = || folder.run(&["query", "--format", "csv", "select count(*) as n from tests"]).fine().stdout;
    assert_eq!(count(), "n\n6\n", "compacting removes nothing");

    let stats =
        folder.run(&["store", "stats", "--by", "day", "--table", "tests", "--format", "csv"]).fine().stdout;
    assert!(stats.contains("tests,2020-01-02,3,0,1,") && stats.contains(",2020-04-02,90 days"), "{stats}");
    assert!(folder.run(&["store", "stats"]).fine().stdout.contains("90 days"));
    folder.run(&["store", "stats", "--table", "test"]).refused(2, &["`test`", "tests"]);

    let plan = folder.run(&["store", "retain", "--dry-run", "--format", "json"]).fine().stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let of_tests = plan.as_array().unwrap().iter().find(|table| table["table"] == "tests").unwrap();
    assert_eq!((&of_tests["rows"], &of_tests["segments_removed"]), (&3.into(), &1.into()), "{plan}");
    assert_eq!(count(), "n\n6\n", "a dry run removes nothing");
    let removed = folder.run(&["store", "retain", "--format", "csv"]).fine().stdout;
    assert!(removed.contains("tests,3,"), "{removed}");
    assert_eq!(count(), "n\n3\n");
    assert!(folder.run(&["store", "check"]).fine().stdout.contains("sound"));

    folder.write("manometer.toml", "[retention]\ntets = '90 days'\n");
    folder.run(&["config", "check"]).refused(1, &["`tets`", "tests"]);
    folder.run(&["store", "retain"]).refused(2, &["`tets`", "tests"]);
    folder.run(&["serve", "--listen", "127.0.0.1:0"]).refused(2, &["`tets`", "tests"]);
}

#[test]
fn beside_a_server_a_dry_run_works_and_the_server_removes() {
    let folder = Folder::new();
    two_reports(&folder);
    let options =
        ServerOptions::new(PROGRAM, folder.path("data")).variable("MANOMETER_RETENTION_TESTS", "90 days");
    let server = ServerProcess::start(options).unwrap();
    let address = server_address(&server);
    for (run, file) in [("1", "old.xml"), ("2", "new.xml")] {
        folder.run(&["ingest", "--server", &address, "--run-id", run, file]).fine();
    }
    for from in [&["--server", address.as_str()][..], &[][..]] {
        let mut arguments = vec!["store", "retain", "--dry-run", "--format", "csv"];
        arguments.extend(from);
        let plan = folder.run(&arguments).fine().stdout;
        assert!(plan.contains("tests,0,0,0,0,0,3"), "three wait for their flush: {plan}");
    }
    folder.run(&["store", "retain"]).refused(1, &["--server", "--dry-run"]);
    let removed = folder.run(&["store", "retain", "--server", &address, "--format", "csv"]).fine().stdout;
    assert!(removed.contains("tests,3,"), "{removed}");
    let count = folder.run(&["query", "--format", "csv", "select count(*) as n from tests"]).fine().stdout;
    assert_eq!(count, "n\n3\n");
    let metrics = server.client().get("/metrics").unwrap().text();
    assert!(metrics.contains("manometer_retention_rows_total{table=\"tests\"} 3"), "{metrics}");
}

#[test]
fn a_token_made_beside_a_running_server_shuts_its_door_to_others() {
    let folder = Folder::new();
    let server = ServerProcess::start(ServerOptions::new(PROGRAM, folder.path("data"))).unwrap();
    let address = server_address(&server);
    folder.run(&["query", "--server", &address, "select 1"]).fine();
    let made = folder.run(&["token", "create", "reader", "--scope", "query"]).fine();
    let token = made.stdout.trim().to_owned();
    assert!(token.starts_with("mano_"), "{token}");
    folder.run(&["query", "--server", &address, "select 1"]).refused(3, &["401"]);
    folder.run(&["query", "--server", &address, "--token", &token, "select 1"]).fine();
    folder.write("TEST-cart.xml", REPORT);
    folder.run(&["ingest", "--server", &address, "--token", &token, "TEST-cart.xml"]).refused(3, &["403"]);
    let listed = folder.run(&["token", "list"]).fine().stdout;
    assert!(listed.contains("reader") && !listed.contains(&token), "{listed}");
    let id = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    folder.run(&["token", "revoke", &id]).fine();
    folder.run(&["query", "--server", &address, "--token", &token, "select 1"]).refused(3, &["401"]);
}

#[test]
fn settings_are_checked_by_name() {
    let folder = Folder::new();
    folder.run(&["config", "check"]).fine();
    folder.write("manometer.toml", "listn = '127.0.0.1:1'\n");
    folder.run(&["config", "check"]).refused(1, &["listn"]);
    folder.write("manometer.toml", "[limits]\nquery_rows = 1\n");
    folder.run(&["config", "check"]).fine();
    assert!(folder.run(&["config", "show"]).fine().stdout.contains("query_rows = 1\n"));
    let cut = folder.run(&["ingest", "-"]);
    cut.refused(2, &["empty"]);
}

#[test]
fn every_shell_gets_completions_and_every_command_a_manual_page() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(folder.run(&["completions", shell]).fine().stdout.contains("manometer"), "{shell}");
    }
    folder.run(&["man", "pages"]).fine();
    for page in ["manometer.1", "manometer-serve.1", "manometer-store-backup.1"] {
        assert!(folder.path("pages").join(page).is_file(), "{page}");
    }
}

#[test]
fn the_reference_in_the_checkout_is_what_the_program_says() {
    let folder = Folder::new();
    folder.run(&["reference", "made"]).fine();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    for entry in std::fs::read_dir(folder.path("made")).unwrap() {
        let name = entry.unwrap().file_name();
        let made = std::fs::read_to_string(folder.path("made").join(&name)).unwrap();
        let committed = std::fs::read_to_string(kept.join(&name)).unwrap_or_default();
        assert!(
            made == committed,
            "docs/reference/{} is out of date: run `cargo xtask reference`",
            name.display()
        );
    }
}

#[test]
fn a_small_example_is_filled_once_and_reused() {
    let folder = Folder::new();
    let arguments =
        ["demo", "--data", "demo", "--days", "3", "--services", "3", "--tests", "3000", "--no-serve"];
    let first = folder.run(&arguments).fine();
    assert!(first.stderr.contains("stored") && first.stderr.contains("docs/DEMO.md"), "{}", first.stderr);
    let sql = "select count(*) > 1000 and count(distinct service) >= 2 as filled from tests";
    let csv = folder.run(&["query", "--data", "demo", "--format", "csv", sql]).fine().stdout;
    assert_eq!(csv, "filled\ntrue\n");
    let again = folder.run(&arguments).fine();
    assert!(again.stderr.contains("holds this example already"), "{}", again.stderr);
    folder.write("mine/notes.txt", "keep");
    folder.run(&["demo", "--data", "mine", "--no-serve"]).refused(2, &["no demo"]);
    assert!(folder.path("mine/notes.txt").is_file());
}
