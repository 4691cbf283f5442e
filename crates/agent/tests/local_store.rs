//! The local store under what happens to files: many writers, writers that are killed, full disks, garbage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use manometer_agent::local::{FOLDER, LocalStore, PANTHER_FOLDER, RunRecord};
use manometer_model::{Problems, Timestamp};

const DAY: &str = "2026-11-21.jsonl";
const DAY_BEGIN: i64 = 1_795_219_200;
const WRITER_FOLDER: &str = "LOCAL_STORE_TEST_FOLDER";
const WRITER_NAME: &str = "LOCAL_STORE_TEST_WRITER";
const WRITER_BYTES: &str = "LOCAL_STORE_TEST_BYTES";

fn record(id: &str, second: i64) -> RunRecord {
    let mut record = RunRecord::new("build", Timestamp::from_seconds(DAY_BEGIN + second));
    record.run_id = id.to_owned();
    record
}

fn read(store: &LocalStore) -> (Vec<String>, Problems) {
    let mut ids = Vec::new();
    let problems = store
        .read(None, None, &mut |record| {
            ids.push(record.run_id);
            ControlFlow::Continue(())
        })
        .unwrap();
    (ids, problems)
}

/// Not a test of its own: a process that writes until it is done or killed, started by the tests below.
#[test]
fn writer_process() {
    let Ok(folder) = std::env::var(WRITER_FOLDER) else { return };
    let name = std::env::var(WRITER_NAME).unwrap();
    let bytes: usize = std::env::var(WRITER_BYTES).unwrap().parse().unwrap();
    let store = LocalStore::at(folder);
    let mut stdout = std::io::stdout();
    for number in 0.. {
        let mut record = record(&format!("{name}-{number}"), number);
        record.info.insert("filling".to_owned(), "x".repeat(bytes).into());
        store.append(&record).unwrap();
        // Told only after the append returned: what the parent reads here is a promise.
        if writeln!(stdout, "stored {name}-{number}").and_then(|()| stdout.flush()).is_err() {
            return;
        }
    }
}

fn start_writer(folder: &Path, name: &str, bytes: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_process", "--nocapture"])
        .env(WRITER_FOLDER, folder)
        .env(WRITER_NAME, name)
        .env(WRITER_BYTES, bytes.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills a writer after it promised so many records, and gives every record that it promised.
fn kill_after(mut writer: Child, promises: usize) -> Vec<String> {
    let mut stdout = writer.stdout.take().unwrap();
    let mut said = Vec::new();
    let mut chunk = [0; 256];
    while said.iter().filter(|byte| **byte == b'\n').count() < promises + 3 {
        let count = stdout.read(&mut chunk).unwrap();
        assert!(count > 0, "the writer ended by itself: {}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&chunk[..count]);
    }
    writer.kill().unwrap();
    stdout.read_to_end(&mut said).unwrap();
    writer.wait().unwrap();
    // The last line may be cut by the kill: a cut promise is none.
    let whole = said.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    String::from_utf8_lossy(&said[..whole])
        .lines()
        .filter_map(|line| line.split_once("stored ").map(|(_, id)| id.to_owned()))
        .collect()
}

#[test]
fn writers_killed_inside_their_writes_lose_nothing_they_promised_and_nothing_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut promised = BTreeSet::new();
    for round in 0..3 {
        // Records of 300 kB lie across many pages, so a kill does come in the middle of one.
        let writers: Vec<Child> = (0..6)
            .map(|number| start_writer(folder.path(), &format!("w{round}.{number}"), 300_000))
            .collect();
        for (number, writer) in writers.into_iter().enumerate() {
            promised.extend(kill_after(writer, 2 + number));
        }
    }
    let store = LocalStore::at(folder.path());
    store.append(&record("after-the-crash", 80_000)).unwrap();
    let (ids, problems) = read(&store);
    assert_eq!(ids.first().map(String::as_str), Some("after-the-crash"));
    let found: BTreeSet<String> = ids.into_iter().collect();
    let missing: Vec<_> = promised.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:?} of {}; problems: {problems:?}", promised.len());
    assert!(problems.total <= 18, "at most one torn line a killed writer: {problems:?}");
}

#[test]
fn a_torn_last_line_is_named_and_the_next_record_is_not_glued_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::at(folder.path());
    store.append(&record("whole", 1)).unwrap();
    let path = folder.path().join(DAY);
    let torn = record("torn", 2).to_line();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&torn.as_bytes()[..40]).unwrap();

    let (ids, problems) = read(&store);
    assert_eq!(ids, ["whole"]);
    assert_eq!(problems.total, 1);
    assert_eq!(
        problems.first[0].to_string(),
        format!("{}: line 2: is unfinished: its writer was stopped inside it; skipped", path.display())
    );

    store.append(&record("next", 3)).unwrap();
    let (ids, problems) = read(&store);
    assert_eq!(ids, ["next", "whole"]);
    assert_eq!((problems.total, problems.first[0].line), (1, Some(2)));
}

#[test]
fn a_full_disk_is_an_error_and_leaves_the_file_as_it_was() {
    // A limit on the size of files is a full disk that every system has: the write comes out short, then fails.
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::at(folder.path());
    store.append(&record("before", 1)).unwrap();
    let before = fs::read(folder.path().join(DAY)).unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact writer_process --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(WRITER_FOLDER, folder.path())
        .env(WRITER_NAME, "full")
        .env(WRITER_BYTES, "20000")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("FileTooLarge") || said.contains("File too large"), "{said}");
    assert_eq!(fs::read(folder.path().join(DAY)).unwrap(), before);
    assert_eq!(read(&store).0, ["before"]);
}

#[test]
fn a_device_without_room_says_what_to_do() {
    if !Path::new("/dev/full").exists() {
        return println!("skipped: this system has no /dev/full");
    }
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join(DAY)).unwrap();
    let error = LocalStore::at(folder.path()).append(&record("a", 1)).unwrap_err().to_string();
    assert!(error.contains(DAY) && error.contains("make room"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = LocalStore::at(folder.path().join("file/store")).append(&record("a", 1)).unwrap_err();
    assert!(error.to_string().starts_with("failed to create "), "{error}");
}

#[test]
fn a_folder_that_may_only_be_read_is_named_with_what_to_do_and_can_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::at(folder.path());
    store.append(&record("before", 1)).unwrap();
    fs::set_permissions(folder.path().join(DAY), fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may write anywhere, so somebody else tries, from where everybody may start a program.
    let open_to_all = tempfile::tempdir().unwrap();
    fs::set_permissions(open_to_all.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = open_to_all.path().join("writer");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    if !Command::new("setpriv").args(["--reuid=65534", "true"]).status().is_ok_and(|status| status.success())
    {
        command = Command::new(&program);
    }
    let output = command
        .args(["--exact", "writer_process", "--nocapture"])
        .env(WRITER_FOLDER, folder.path())
        .env(WRITER_NAME, "intruder")
        .env(WRITER_BYTES, "10")
        .output()
        .unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("PermissionDenied"), "{said}");
    assert_eq!(read(&store).0, ["before"]);
}

#[test]
fn a_stopped_writer_that_holds_the_lock_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::at(folder.path());
    store.append(&record("first", 1)).unwrap();
    let path = folder.path().join(DAY);
    let held = fs::File::open(&path).unwrap();
    held.lock().unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(br#"{"run_id":"to"#).unwrap();
    store.append(&record("second", 2)).unwrap();
    let (ids, problems) = read(&store);
    assert_eq!((ids, problems.total), (vec!["second".to_owned(), "first".to_owned()], 1));
}

#[test]
fn records_come_newest_first_across_files_folders_and_writing_order() {
    let project = tempfile::tempdir().unwrap();
    fs::create_dir_all(project.path().join(".git")).unwrap();
    fs::create_dir_all(project.path().join("src/deep")).unwrap();
    let store = LocalStore::locate(None, &project.path().join("src/deep"));
    assert_eq!(store.folder(), project.path().join(FOLDER));
    for (id, second) in [("b", 20), ("d", 40), ("a", 10), ("next-day", 90_000)] {
        store.append(&record(id, second)).unwrap();
    }
    let panther = project.path().join(PANTHER_FOLDER);
    fs::create_dir_all(&panther).unwrap();
    fs::write(panther.join(DAY), record("c", 30).to_line()).unwrap();
    fs::write(panther.join("notes.jsonl"), "not a day").unwrap();
    let (ids, problems) = read(&store);
    assert_eq!(ids, ["next-day", "d", "c", "b", "a"]);
    assert!(problems.is_empty());
    assert_eq!(fs::read_to_string(store.folder().join(".gitignore")).unwrap(), "*\n");

    let mut ids = Vec::new();
    let at = |second| Some(Timestamp::from_seconds(DAY_BEGIN + second));
    store
        .read(at(20), at(40), &mut |record| {
            ids.push(record.run_id);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(ids, ["c", "b"], "the end of a range is not part of it");
}

#[test]
fn lines_that_are_no_records_are_counted_and_cost_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let good = record("good", 1).to_line();
    let mut content = Vec::new();
    content.extend_from_slice(b"\xff\xfe\0\0\n\n[1,2]\n{\"run_id\":\"x\"}\n");
    content.extend_from_slice(good.as_bytes());
    content.extend_from_slice("{\"a\":".repeat(10_000).as_bytes());
    content.push(b'\n');
    for number in 0..500 {
        content.extend_from_slice(format!("garbage {number}\n").as_bytes());
    }
    fs::write(folder.path().join(DAY), &content).unwrap();
    let (ids, problems) = read(&LocalStore::at(folder.path()));
    assert_eq!(ids, ["good"]);
    assert_eq!((problems.total, problems.first.len()), (504, Problems::KEPT));
    assert_eq!(problems.first[0].line, Some(1));
    assert_eq!(problems.first[1].line, Some(3));
}

#[test]
fn pruning_removes_whole_days_and_only_those_of_this_store() {
    let project = tempfile::tempdir().unwrap();
    let store = LocalStore::of_project(project.path());
    let panther = project.path().join(PANTHER_FOLDER);
    fs::create_dir_all(&panther).unwrap();
    fs::write(panther.join("2025-05-30.jsonl"), "").unwrap();
    for (id, second) in [("two days ago", -100_000), ("yesterday", -10), ("today", 10)] {
        store.append(&record(id, second)).unwrap();
    }
    let midday = Timestamp::from_seconds(DAY_BEGIN - 40_000);
    assert_eq!(store.days_before(midday).unwrap().len(), 1);
    assert_eq!(read(&store).0.len(), 3, "asking removes nothing");
    let pruned = store.prune(midday).unwrap();
    assert!(pruned[0].path.ends_with("2026-11-19.jsonl") && pruned[0].size_bytes > 100, "{pruned:?}");
    assert_eq!(read(&store).0, ["today", "yesterday"]);
    assert!(panther.join("2025-05-30.jsonl").exists());
}

/// The Python package of `integrations/pytest` writes the same files by the same rules.
const PYTHON_WRITER: &str = "
import sys, threading
from manometer import MetricsCollector
def work(thread):
    collector = MetricsCollector(sys.argv[1])
    for turn in range(3):
        collector.record('number', 1)
        name = f'python-{sys.argv[2]}-{thread}-{turn}'
        assert collector.flush('build', {'filling': 'x' * 20_000, 'name': name})
threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";

#[test]
fn two_hundred_writers_in_rust_and_python_lose_nothing() {
    let python_source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integrations/pytest/src");
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "python3 is missing");
        return println!("skipped: there is no python3");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut pythons: Vec<Child> = (0..10)
        .map(|process| {
            Command::new("python3")
                .args(["-c", PYTHON_WRITER])
                .arg(folder.path())
                .arg(process.to_string())
                .env("PYTHONPATH", &python_source)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env_remove("MANOMETER_URL")
                .env_remove("MANOMETER_DISABLED")
                .env_remove("PANTHER_METRICS_DISABLED")
                .current_dir(folder.path())
                .spawn()
                .unwrap()
        })
        .collect();
    // The pythons write to the file of today: it is there as soon as the first one is ready.
    let today = loop {
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        if let Some(path) = files.into_iter().find(|path| path.extension().is_some_and(|it| it == "jsonl")) {
            break path.file_stem().unwrap().to_str().unwrap().to_owned();
        }
        let have_ended = pythons.iter_mut().all(|python| python.try_wait().unwrap().is_some());
        assert!(!have_ended, "the pythons ended without a record");
        std::thread::yield_now();
    };
    let noon = Timestamp::parse_lenient(&today).unwrap().plus_seconds(43_200.0);
    let threads: Vec<_> = (0..100)
        .map(|thread| {
            let store = LocalStore::at(folder.path());
            std::thread::spawn(move || {
                for turn in 0..3 {
                    let mut record = RunRecord::new("build", noon);
                    record.info.insert("filling".to_owned(), "x".repeat(20_000).into());
                    record.info.insert("name".to_owned(), format!("rust-{thread}-{turn}").into());
                    store.append(&record).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    for mut python in pythons {
        assert!(python.wait().unwrap().success());
    }
    let mut names = BTreeSet::new();
    let problems = LocalStore::at(folder.path())
        .read(None, None, &mut |record| {
            names.insert(record.info["name"].as_str().unwrap().to_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(names.len(), 600);
    assert_eq!(names.iter().filter(|name| name.starts_with("rust")).count(), 300);
}
