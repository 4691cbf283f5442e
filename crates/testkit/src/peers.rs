//! The systems that Manometer exports to, as Debian and PyPI have them. `None`, after saying so, where one is not
//! installed.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "part of the tests that call it")]

use std::path::Path;

use crate::programs::{Program, python_with};

/// InfluxDB 1.x.
pub fn influxdb() -> Option<Program> {
    Program::start("influxd", "influxdb", "/ping", |port, folder| {
        let at = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = \"{}\"\n[data]\ndir = \"{}\"\n\
             wal-dir = \"{}\"\n[http]\nbind-address = \"127.0.0.1:{port}\"\n[monitor]\nstore-enabled = false\n",
            at("meta"),
            at("data"),
            at("wal"),
        );
        let path = folder.join("influxdb.conf");
        std::fs::write(&path, config).unwrap();
        vec!["-config".to_owned(), path.display().to_string()]
    })
}

/// The rows of an answer of InfluxDB 1.x to a question about the database `ci`, those of all series one after another.
pub fn influxdb_rows(influxdb: &Program, question: &str) -> Vec<serde_json::Value> {
    let encoded: String = question.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = influxdb.send("POST", &format!("/query?db=ci&q={encoded}"), "");
    assert_eq!(answer.status, 200, "{question}: {}", answer.body);
    let answer: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let series = answer["results"][0]["series"].as_array().cloned().unwrap_or_default();
    series.iter().flat_map(|one| one["values"].as_array().cloned().unwrap_or_default()).collect()
}

/// Prometheus's Pushgateway.
pub fn pushgateway() -> Option<Program> {
    Program::start("prometheus-pushgateway", "prometheus-pushgateway", "/-/ready", |port, _| {
        vec![format!("--web.listen-address=127.0.0.1:{port}")]
    })
}

/// Prometheus with its receiver of remote-write.
pub fn prometheus() -> Option<Program> {
    Program::start("prometheus", "prometheus", "/-/ready", |port, folder| {
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, "global: {}\n").unwrap();
        vec![
            format!("--web.listen-address=127.0.0.1:{port}"),
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            "--web.enable-remote-write-receiver".to_owned(),
        ]
    })
}

/// VictoriaMetrics.
pub fn victoria_metrics() -> Option<Program> {
    Program::start("victoria-metrics", "victoria-metrics", "/health", |port: u16, folder: &Path| {
        vec![
            format!("-httpListenAddr=127.0.0.1:{port}"),
            format!("-storageDataPath={}", folder.join("data").display()),
            "-search.latencyOffset=0s".to_owned(),
        ]
    })
}

/// moto, which plays Amazon's S3.
pub fn moto() -> Option<Program> {
    let python = python_with(&["moto.server"])?;
    Program::start(&python, "moto[s3,server] from PyPI", "/moto-api/data.json", |port, _| {
        ["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).to_vec()
    })
}

/// The keys of the bucket `metrics` in moto.
pub fn keys_in_moto(moto: &Program) -> Vec<String> {
    let listing = moto.get("/metrics?list-type=2");
    let keys = listing.split("<Key>").skip(1);
    keys.map(|rest| rest.split_once("</Key>").unwrap().0.to_owned()).collect()
}

/// An emulator of Google Cloud Storage, with the bucket `metrics`.
pub fn google_cloud_storage() -> Option<Program> {
    let python = python_with(&["gcp_storage_emulator"])?;
    Program::start(&python, "gcp-storage-emulator from PyPI", "/", |port, _| {
        let port = port.to_string();
        let start =
            ["start", "--host", "127.0.0.1", "--port", &port, "--in-memory", "--default-bucket", "metrics"];
        ["-m", "gcp_storage_emulator"].iter().chain(&start).map(|word| (*word).to_owned()).collect()
    })
}
