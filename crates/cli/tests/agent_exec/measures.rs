//! What is measured, and by which names.

use serde_json::Value;

use crate::place::{Place, stderr};

fn metric(record: &Value, name: &str) -> f64 {
    record["metrics"][name].as_f64().unwrap_or_else(|| panic!("{name} is missing in {record}"))
}

#[test]
fn memory_is_that_of_the_whole_tree() {
    let place = Place::new();
    // Two processes of 60 MB each, at the same time, below the command: `tail` keeps what it is given.
    let hold = "(head -c 60000000 /dev/zero; sleep 3) | tail -c 60000000 >/dev/null";
    let script = format!("({hold}) & ({hold}) & wait");
    let output = place.run(&["exec", "--sample-interval", "0.05", "--", "sh", "-c", &script]);
    assert!(output.status.success(), "{output:?}");
    let record = place.record();
    assert!(metric(&record, "ram.peak_mb") > 110.0, "{record}");
    let largest = metric(&record, "ram.largest_process_mb");
    assert!((55.0..100.0).contains(&largest), "{record}");
    assert!(metric(&record, "ram.avg_mb") <= metric(&record, "ram.peak_mb"));
    assert!(metric(&record, "processes.peak") >= 7.0, "{record}");
    assert!(record["samples"].as_array().unwrap().len() > 3);
}

#[test]
fn the_record_has_the_documented_shape() {
    let place = Place::new();
    let arguments =
        ["exec", "--type", "build_wheel", "--name", "wheel", "--tag", "stage=release", "--", "true"];
    assert!(place.run(&arguments).status.success());
    let record = place.record();
    assert_eq!((&record["type"], &record["operation"]), (&"build_wheel".into(), &"wheel".into()));
    assert_eq!(record["labels"]["stage"], "release");
    assert_eq!(record["run_id"].as_str().unwrap().len(), 36);
    assert!(record["timestamp"].as_str().unwrap().ends_with("+00:00"));
    assert_eq!(metric(&record, "build.wheel_success"), 1.0);
    assert_eq!(record["duration"].as_f64(), Some(metric(&record, "time.wall_seconds")));
    for name in
        ["cpu.avg_load", "cpu.max_load", "time.user_seconds", "time.system_seconds", "io.disk_read_mb"]
    {
        metric(&record, name);
    }
}

#[test]
fn without_samples_totals_are_there_and_series_are_not() {
    let place = Place::new();
    assert!(place.run(&["exec", "--no-samples", "--", "true"]).status.success());
    let record = place.record();
    metric(&record, "cpu.avg_load");
    assert!(record.get("samples").is_none() && record["metrics"].get("ram.avg_mb").is_none(), "{record}");
}

#[test]
fn artifacts_are_measured_by_their_own_names() {
    let place = Place::new();
    let script = "mkdir -p dist docs/deep && head -c 1048576 /dev/zero > dist/shop-1.2-py3-none-any.whl && \
                  head -c 524288 /dev/zero > dist/shop-1.2.tar.gz && head -c 262144 /dev/zero > docs/deep/a && \
                  mkdir blobs && head -c 2097152 /dev/zero > blobs/layer && echo '{}' > index.json && \
                  echo '{}' > oci-layout && tar cf image.tar oci-layout index.json blobs/layer";
    let patterns =
        ["--artifact", "dist/*.whl", "--artifact", "dist", "--artifact", "docs/", "--artifact", "image.tar"];
    let arguments: Vec<&str> =
        ["exec"].into_iter().chain(patterns).chain(["--", "sh", "-c", script]).collect();
    let output = place.run(&arguments);
    assert!(output.status.success(), "{output:?}");
    let record = place.record();
    for (name, expected) in [
        ("artifact.wheel_mb", 1.0),
        ("artifact.dist_mb", 1.5),
        ("artifact.docs_mb", 0.25),
        ("container.image_mb", 2.0),
        ("artifact.total_mb", 3.75),
        ("build.wheel_success", 1.0),
    ] {
        assert_eq!(metric(&record, name), expected, "{name} in {record}");
    }
    assert_eq!(metric(&record, "container.build_seconds"), metric(&record, "time.wall_seconds"));
    assert_eq!(record["artifacts"][0]["name"], "dist/*.whl", "the name does not carry the version");
}

#[test]
fn reports_are_counted_and_those_of_earlier_runs_left_out() {
    let place = Place::new();
    let junit = r#"<testsuite name="cart"><testcase name="a" time="0.5"/><testcase name="b"><failure/></testcase><testcase name="c"><skipped/></testcase><testcase name="d"><error/></testcase></testsuite>"#;
    let lcov = "TN:\nSF:a.c\nDA:1,1\nDA:2,0\nDA:3,5\nDA:4,1\nLF:4\nLH:3\nend_of_record\n";
    place.write("source.xml", junit);
    place.write("source.info", lcov);
    let old = place.write("out/old.xml", junit);
    let yesterday = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    std::fs::File::options().write(true).open(old).unwrap().set_modified(yesterday).unwrap();
    let script = "cat source.xml > out/new.xml; cat source.info > out/new.info; exit 1";
    let arguments = ["exec", "--type", "tests", "--report", "out/**/*", "--", "sh", "-c", script];
    let output = place.run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("old.xml"), "{output:?}");
    let record = place.record();
    for (name, expected) in [
        ("pytest.item_count", 4.0),
        ("pytest.passed", 1.0),
        ("pytest.failed", 1.0),
        ("pytest.skipped", 1.0),
        ("pytest.errors", 1.0),
        ("pytest.coverage_pct", 75.0),
        ("test.reported_seconds", 0.5),
        ("test.suite_success", 0.0),
    ] {
        assert_eq!(metric(&record, name), expected, "{name} in {record}");
    }
}

#[test]
fn the_commit_and_branch_of_the_checkout_are_recorded() {
    let place = Place::new();
    let git = "git init -q -b trunk . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && \
               git remote add origin git@github.com:acme/shop.git && git rev-parse HEAD";
    let made = place.script(git).output().unwrap();
    assert!(made.status.success(), "git is needed here: {made:?}");
    let commit = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert!(place.run(&["exec", "--", "true"]).status.success());
    let record = place.record();
    assert_eq!(record["git_commit"], commit.as_str());
    assert_eq!((&record["branch"], &record["project"]), (&"trunk".into(), &"github.com/acme/shop".into()));
}
