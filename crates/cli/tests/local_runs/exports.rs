//! `export` and `compare`.

use serde_json::Value;

use crate::project::{Project, build, steady_builds};

#[test]
fn json_holds_the_records_as_they_are_stored() {
    let project = Project::new();
    let builds = steady_builds();
    project.append(&builds);
    let all: Vec<Value> = serde_json::from_str(&project.read(&["export"])).unwrap();
    assert_eq!(all.len(), 20);
    let newest: Value = serde_json::from_str(&builds[19].to_line()).unwrap();
    assert_eq!(all[0], newest);
    let of_day: Vec<Value> =
        serde_json::from_str(&project.read(&["export", "--date", "2026-11-20"])).unwrap();
    assert_eq!(of_day.len(), 15);
    let limited: Vec<Value> = serde_json::from_str(&project.read(&["export", "--limit", "3"])).unwrap();
    assert_eq!(limited[..], all[..3]);
    assert_eq!(project.read(&["export", "--type", "none"]), "[]\n");
}

#[test]
fn csv_has_a_line_for_each_metric_and_quotes_what_needs_it() {
    let project = Project::new();
    let mut odd = build(1, 0, 61.5);
    odd.operation = Some("a \"wheel\", and\nmore".to_owned());
    odd.metrics.remove("artifact.dist_mb");
    odd.tags.insert("container.build_seconds".to_owned(), [("stage".to_owned(), "link".to_owned())].into());
    let mut empty = build(2, -1, 1.0);
    empty.metrics.clear();
    project.append(&[odd, empty]);
    assert_eq!(
        project.read(&["export", "--format", "csv"]),
        "run_id,type,timestamp,git_commit,operation,duration,success,metric,value,unit,tags\r\n\
         00000001-e29b-41d4-a716-446655440000,build,2026-11-20T09:00:00.000000Z,abc123def4567890,\"a \"\"wheel\"\", and\nmore\",61.5,true,container.build_seconds,61.5,seconds,\"{\"\"stage\"\":\"\"link\"\"}\"\r\n\
         00000002-e29b-41d4-a716-446655440000,build,2026-11-20T08:00:00.000000Z,abc123def4567890,wheel,1,true,,,,\r\n"
    );
}

#[test]
fn a_file_appears_when_it_is_complete_and_not_when_the_export_fails() {
    let project = Project::new();
    project.append(&steady_builds());
    assert_eq!(project.read(&["export", "--output", "out.json"]), "");
    let written: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(project.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(written.len(), 20);
    let (code, _, err) = project.run(&["export", "--output", "missing/out.json"]);
    assert!(code == 2 && err.contains("missing/out.json"), "{code} {err}");

    // A limit on the size of files is a full disk that every system has.
    let limited = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" export --output full.json"])
        .arg(env!("CARGO_BIN_EXE_manometer"))
        .current_dir(project.path())
        .env_remove("MANOMETER_PATH")
        .env_remove("MANOMETER_URL")
        .output()
        .unwrap();
    assert_ne!(limited.status.code(), Some(0));
    let left: Vec<String> = std::fs::read_dir(project.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("full"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn parquet_is_written_by_the_full_build_and_refused_clearly_by_the_small_one() {
    let project = Project::new();
    project.append(&steady_builds());
    let (code, _, err) = project.run(&["export", "--format", "parquet", "--output", "runs.parquet"]);
    let path = project.path().join("runs.parquet");
    if cfg!(feature = "parquet") {
        assert_eq!((code, err.as_str()), (0, ""));
        assert_eq!(parquet_rows(&path), (40, 11));
    } else {
        assert!(code == 2 && err.contains("--format csv") && !path.exists(), "{code} {err}");
    }
}

/// Rows and columns of a file, as an independent reading of its footer has them.
#[cfg(feature = "parquet")]
fn parquet_rows(path: &std::path::Path) -> (i64, usize) {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    let file = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let metadata = file.metadata().file_metadata();
    let read = file.get_row_iter(None).unwrap().map(Result::unwrap).count();
    assert_eq!(read as i64, metadata.num_rows());
    (metadata.num_rows(), metadata.schema_descr().num_columns())
}

#[cfg(not(feature = "parquet"))]
fn parquet_rows(_path: &std::path::Path) -> (i64, usize) {
    unreachable!("asked only of the build that writes Parquet")
}

#[test]
fn two_runs_are_compared_metric_by_metric() {
    let project = Project::new();
    let mut after = build(2, 1, 90.0);
    after.measure("ram.peak_mb", 128.0);
    project.append(&[build(1, 0, 60.0), after]);
    let table = project.read(&["compare", "00000001"]);
    let row = table.lines().find(|line| line.starts_with("container.build_seconds")).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        ["container.build_seconds", "60s", "90s", "+30s", "+50.0", "%"]
    );
    assert!(table.starts_with("before  00000001-") && table.contains("after   00000002-"), "{table}");
    let markdown = project.read(&["compare", "00000001", "00000002", "--format", "markdown"]);
    assert!(
        markdown.contains("| container.build\\_seconds | 60s | 90s | **+30s** | **+50.0 %** |"),
        "{markdown}"
    );
    let document: Value =
        serde_json::from_str(&project.read(&["compare", "00000002", "00000001", "--format", "json"]))
            .unwrap();
    let metrics = document["metrics"].as_array().unwrap();
    let memory = metrics.iter().find(|metric| metric["name"] == "ram.peak_mb").unwrap();
    assert!(memory["before"] == 128.0 && memory["after"].is_null() && memory["percent"].is_null());
    let time = metrics.iter().find(|metric| metric["name"] == "container.build_seconds").unwrap();
    assert_eq!((time["difference"].as_f64(), time["is_worse"].as_bool()), (Some(-30.0), Some(false)));
}
