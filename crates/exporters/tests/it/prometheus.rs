//! Prometheus's Pushgateway and remote-write receivers.

use manometer_exporters::Batch;
use serde_json::Value;

use crate::records::build_of;
use crate::world::{exporter, now, plenty, settings};
use manometer_testkit::peers::{prometheus, pushgateway, victoria_metrics};
use manometer_testkit::programs::Program;

#[test]
fn the_last_run_of_each_service_is_a_group_of_its_own() {
    let Some(gateway) = pushgateway() else { return };
    let mut exporter = exporter(&settings(&format!("[pushgateway]\nurl = '{}'", gateway.url("/"))));
    for service in ["payments", "inventory", "payments"] {
        let report = exporter.export(&Batch::new(&build_of(service, now())), &plenty());
        assert!(report.is_complete() && report.sent > 10, "{report:?}");
    }
    let text = gateway.get("/metrics");
    let series: Vec<&str> =
        text.lines().filter(|line| line.starts_with("ci_build_duration_seconds{")).collect();
    assert_eq!(series.len(), 2, "{series:?}");
    assert!(
        series.iter().all(|line| line.ends_with(" 12.5") && line.contains(r#"job="manometer""#)),
        "{series:?}"
    );
    assert!(text.contains(r#"instance="inventory""#) && text.contains(r#"ci_job="unit tests""#));
    assert!(text.contains(r#"artifact="image shop:latest""#), "{text}");
    let push_failures = text.lines().find(|line| line.starts_with("push_failure_time_seconds")).unwrap();
    assert!(push_failures.ends_with(" 0"), "{push_failures}");
}

#[test]
fn a_metric_that_already_has_another_type_is_refused_and_told() {
    let Some(gateway) = pushgateway() else { return };
    let other = "# TYPE ram_peak_mb counter\nram_peak_mb 1\n";
    assert_eq!(gateway.send("PUT", "/metrics/job/other", other).status, 200);
    let mut exporter = exporter(&settings(&format!("[pushgateway]\nurl = '{}'", gateway.url("/"))));
    let report = exporter.export(&Batch::new(&build_of("payments", now())), &plenty());
    assert_eq!(report.sent, 0);
    assert!(report.dropped > 0 && report.problems.first[0].message.contains("ram_peak_mb"), "{report:?}");
}

fn values(server: &Program, question: &str) -> Vec<Value> {
    let encoded: String = url::form_urlencoded::byte_serialize(question.as_bytes()).collect();
    let answer = server.get_json(&format!("/api/v1/query?query={encoded}"));
    answer["data"]["result"].as_array().unwrap().clone()
}

#[test]
fn prometheus_takes_samples_by_remote_write() {
    let Some(prometheus) = prometheus() else { return };
    let mut exporter =
        exporter(&settings(&format!("[remote_write]\nurl = '{}'", prometheus.url("/api/v1/write"))));
    let report = exporter.export(&Batch::new(&build_of("payments", now())), &plenty());
    assert!(report.is_complete() && report.sent > 10, "{report:?}");
    let found = values(&prometheus, "ci_build_duration_seconds");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["value"][1], "12.5");
    assert_eq!(found[0]["metric"]["branch"], "feature/a b");
    assert_eq!(found[0]["metric"]["job"], "manometer");
    let tests = values(&prometheus, "sum by (status) (ci_tests_count)");
    assert_eq!(tests.len(), 4, "{tests:?}");
}

#[test]
fn samples_prometheus_cannot_take_cost_themselves_alone() {
    let Some(prometheus) = prometheus() else { return };
    let section = format!("[remote_write]\nurl = '{}'", prometheus.url("/api/v1/write"));
    let mut exporter = exporter(&settings(&section));
    let at = now();
    let all = exporter.export(&Batch::new(&build_of("payments", at)), &plenty()).sent;
    // The same service an hour before is out of order; another service at that time is not.
    let mut late = build_of("payments", at.plus_seconds(-1_800.0));
    late.extend(build_of("inventory", at.plus_seconds(-1_800.0)));
    let report = exporter.export(&Batch::new(&late), &plenty());
    assert_eq!((report.sent, report.dropped, report.undelivered), (all, all, 0), "{report:?}");
    assert!(report.problems.first[0].message.contains("out of order"), "{:?}", report.problems);
}

#[test]
fn victoria_metrics_takes_samples_by_remote_write() {
    let victoria = victoria_metrics();
    let Some(victoria) = victoria else { return };
    let section =
        format!("[remote_write]\nurl = '{}'\nlabels = {{ team = 'core' }}", victoria.url("/api/v1/write"));
    let report = exporter(&settings(&section)).export(&Batch::new(&build_of("payments", now())), &plenty());
    assert!(report.is_complete(), "{report:?}");
    victoria.get("/internal/force_flush");
    let found = victoria.get("/api/v1/export?match[]=ram_peak_mb");
    let series: Value = serde_json::from_str(found.lines().next().expect("no series")).unwrap();
    assert_eq!(series["values"][0], 128.7);
    assert_eq!(series["metric"]["team"], "core");
}
