//! `/api/v1/write`.

use manometer_server::access::Scope;

use crate::harness::{Harness, send};
use manometer_testkit::programs::Program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_sends_what_it_scrapes_here() {
    let harness = Harness::start().await;
    let token = harness.token(Scope::Ingest, None);
    let target = harness.url("/api/v1/write?project=platform");
    let prometheus = Program::start("prometheus", "prometheus", "/-/ready", |port, folder| {
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: itself\n  static_configs: [{{targets: ['127.0.0.1:{port}'], labels: {{service: payments}}}}]\n\
             remote_write:\n- url: {target}\n  basic_auth: {{username: ci, password: {token}}}\n"
        );
        let path = folder.join("prometheus.yml");
        std::fs::write(&path, config).unwrap();
        vec![
            format!("--web.listen-address=127.0.0.1:{port}"),
            format!("--config.file={}", path.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
        ]
    });
    let Some(prometheus) = prometheus else { return };
    harness.wait_for_rows("samples", 100).await;
    let rows = harness.rows("samples", &["name", "project", "service", "provider"]);
    assert!(rows.contains(&"up|platform|payments|prometheus".to_owned()), "{rows:?}");
    let counters = prometheus.get("/metrics");
    let counter = |name: &str| {
        let line = counters.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
    };
    assert_eq!(counter("prometheus_remote_storage_samples_failed_total"), Some(0.0));
    assert_eq!(counter("prometheus_remote_storage_samples_dropped_total"), Some(0.0));
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_a_line_of_text() {
    let harness = Harness::start().await;
    let (status, body) = send(harness.post("/api/v1/write", "garbage")).await;
    assert_eq!(status, 400);
    assert!(body.contains("not packed with Snappy") && body.lines().count() == 1, "{body}");
    let bomb = vec![0xff_u8, 0xff, 0xff, 0xff, 0x0f, 0];
    assert_eq!(send(harness.post("/api/v1/write", bomb)).await.0, 413);
    let gzipped = harness.post("/api/v1/write", "x").header("Content-Encoding", "gzip");
    assert_eq!(send(gzipped).await.0, 415);
    let second = harness
        .post("/api/v1/write", "x")
        .header("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    assert_eq!(send(second).await.0, 415);
    let _token = harness.token(Scope::Query, None);
    assert_eq!(send(harness.post("/api/v1/write", "garbage")).await.0, 401);
}
