//! InfluxDB 1.x itself, and VictoriaMetrics as a receiver of the 2.x address.

use manometer_exporters::Batch;
use serde_json::{Value, json};

use crate::records::{COMMIT, HARD_NAME, build_of};
use crate::world::{exporter, now, plenty, settings};
use manometer_testkit::peers::{influxdb, influxdb_rows, victoria_metrics};

#[test]
fn builds_and_tests_are_points_with_the_agreed_tags_and_fields() {
    let Some(influx) = influxdb() else { return };
    influxdb_rows(&influx, "CREATE DATABASE ci");
    let mut exporter =
        exporter(&settings(&format!("[influxdb]\nurl = '{}'\ndatabase = 'ci'", influx.url(""))));
    let at = now();
    let report = exporter.export(&Batch::new(&build_of("payments", at)), &plenty());
    assert_eq!((report.sent, report.dropped, report.undelivered), (6, 0, 0), "{report:?}");

    let keys = |what: &str, measurement: &str| -> Vec<Value> {
        influxdb_rows(&influx, &format!("SHOW {what} KEYS FROM {measurement}"))
            .iter()
            .map(|row| row[0].clone())
            .collect()
    };
    assert_eq!(keys("TAG", "ci_build"), ["branch", "event", "service"]);
    assert_eq!(keys("FIELD", "ci_build"), ["artifact_size_bytes", "commit_sha", "duration_seconds"]);
    assert_eq!(keys("TAG", "ci_test_results"), ["branch", "service", "status", "test_class", "test_name"]);
    assert_eq!(keys("FIELD", "ci_test_results"), ["commit_sha", "duration_seconds"]);

    let builds = influxdb_rows(
        &influx,
        "SELECT service, branch, event, duration_seconds, commit_sha, artifact_size_bytes FROM ci_build",
    );
    assert_eq!(
        builds[0].as_array().unwrap()[1..],
        [
            json!("payments"),
            json!("feature/a b"),
            json!("push"),
            json!(12.5),
            json!(COMMIT),
            json!(46_000_000)
        ]
    );
    let tests = influxdb_rows(
        &influx,
        "SELECT test_name, status, duration_seconds FROM ci_test_results WHERE status = 'failed'",
    );
    assert_eq!(tests[0].as_array().unwrap()[1..], [json!(HARD_NAME), json!("failed"), json!(0.25)]);
    let samples = influxdb_rows(
        &influx,
        "SELECT \"name\", value, stage FROM ci_samples WHERE \"name\" = 'ram.peak_mb'",
    );
    assert_eq!(
        samples[0].as_array().unwrap()[1..],
        [json!("ram.peak_mb"), json!(128.7), json!("build_wheel")]
    );
}

#[test]
fn a_field_of_another_type_costs_its_point_alone_and_is_told() {
    let Some(influx) = influxdb() else { return };
    influxdb_rows(&influx, "CREATE DATABASE ci");
    let at = now();
    let taken = format!("ci_build,service=x duration_seconds=\"text\" {}\n", at.as_micros() * 1_000);
    assert_eq!(influx.send("POST", "/write?db=ci", &taken).status, 204);
    let mut exporter =
        exporter(&settings(&format!("[influxdb]\nurl = '{}'\ndatabase = 'ci'", influx.url(""))));
    let report = exporter.export(&Batch::new(&build_of("payments", at)), &plenty());
    assert_eq!((report.sent, report.dropped, report.undelivered), (5, 1, 0), "{report:?}");
    assert!(report.problems.first[0].message.contains("field type conflict"), "{:?}", report.problems);
    assert_eq!(influxdb_rows(&influx, "SELECT * FROM ci_test_results").len(), 3);
}

#[test]
fn a_database_that_does_not_exist_is_told_in_influxdbs_words() {
    let Some(influx) = influxdb() else { return };
    let mut exporter =
        exporter(&settings(&format!("[influxdb]\nurl = '{}'\ndatabase = 'nowhere'", influx.url(""))));
    let report = exporter.export(&Batch::new(&build_of("payments", now())), &plenty());
    assert_eq!((report.sent, report.dropped), (0, 6));
    assert!(report.problems.first[0].message.contains("database not found"), "{:?}", report.problems);
}

#[test]
fn twenty_thousand_tests_of_one_moment_are_twenty_thousand_points() {
    let Some(influx) = influxdb() else { return };
    influxdb_rows(&influx, "CREATE DATABASE ci");
    let at = now();
    let run = crate::records::run("payments", at);
    let same = crate::records::test(&run, "parametrised", manometer_model::TestStatus::Passed, at);
    let records = vec![manometer_model::Record::from(same); 20_000];
    let mut exporter =
        exporter(&settings(&format!("[influxdb]\nurl = '{}'\ndatabase = 'ci'", influx.url(""))));
    let report = exporter.export(&Batch::new(&records), &plenty());
    assert_eq!((report.sent, report.is_complete()), (20_000, true), "{report:?}");
    let counted = influxdb_rows(&influx, "SELECT COUNT(duration_seconds) FROM ci_test_results");
    assert_eq!(counted[0][1], json!(20_000));
}

#[test]
fn victoria_metrics_takes_the_2x_address() {
    let Some(victoria) = victoria_metrics() else { return };
    let section =
        format!("[influxdb]\nurl = '{}'\nbucket = 'ci'\norg = 'acme'\ntoken = 't'", victoria.url(""));
    let report = exporter(&settings(&section)).export(&Batch::new(&build_of("payments", now())), &plenty());
    assert_eq!((report.sent, report.is_complete()), (6, true), "{report:?}");
    victoria.get("/internal/force_flush");
    let found = victoria.get("/api/v1/export?match[]=%7B__name__=%22ci_build_duration_seconds%22%7D");
    let series: Value = serde_json::from_str(found.lines().next().expect("no series")).unwrap();
    assert_eq!(series["values"], json!([12.5]));
    assert_eq!(series["metric"]["branch"], "feature/a b");
}
