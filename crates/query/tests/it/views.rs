//! The views for senders of `/save_metrics`, with the Grafana queries they came with.

use std::sync::Arc;

use manometer_model::records::{Build, Job, Run};
use manometer_model::{Conclusion, Labels, Record, Status};

use crate::fixture::{Rows, at, csv};

/// One pipeline as the door stores it: minutes of June 2023, with its total and end-to-end seconds.
fn pipeline(id: &str, branch: &str, created: &str, total: f64, e2e: f64, restarts: bool) -> Vec<Record> {
    let created_at = at(created);
    let labels: Labels = [
        ("duration_e2e", e2e.to_string()),
        ("build", "64".to_owned()),
        ("has_restarts", restarts.to_string()),
        ("jobs_failed", "[]".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let run = Run {
        provider: "save_metrics".into(),
        project: "test/project".into(),
        run_id: id.into(),
        attempt: 1,
        branch: Some(branch.into()),
        is_default_branch: Some(branch == "master"),
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Success),
        started_at: Some(created_at),
        duration_seconds: Some(total),
        labels,
        ..Run::default()
    };
    let job = Job {
        provider: "save_metrics".into(),
        project: "test/project".into(),
        run_id: id.into(),
        run_attempt: 1,
        job_id: "0:e2e".into(),
        name: Some("e2e".into()),
        started_at: Some(created_at),
        finished_at: Some(created_at.plus_seconds(27.0)),
        duration_seconds: Some(27.0),
        labels: [("up".to_owned(), "7".to_owned()), ("e2e".to_owned(), "5".to_owned())].into(),
        ..Job::default()
    };
    let build = |name: &str| Build {
        provider: "save_metrics".into(),
        project: "test/project".into(),
        run_id: id.into(),
        run_attempt: 1,
        name: name.into(),
        duration_seconds: Some(64.0),
        at: created_at,
        ..Build::default()
    };
    vec![run.into(), job.into(), build("build-e2e").into(), build("build-web").into()]
}

fn rows() -> Arc<Rows> {
    let mut records = pipeline("1", "master", "2023-06-13T07:11:24.029Z", 97.0, 27.0, false);
    records.extend(pipeline("2", "master", "2023-06-14T07:11:24Z", 120.0, 20.0, true));
    records.extend(pipeline("3", "master", "2023-06-30T23:59:59Z", 240.0, 40.0, false));
    records.extend(pipeline("4", "feature", "2023-06-15T00:00:00Z", 999.0, 1.0, false));
    records.extend(pipeline("5", "master", "2023-07-02T00:00:00Z", 999.0, 1.0, false));
    let other = Run {
        provider: "github".into(),
        project: "test/project".into(),
        run_id: "9".into(),
        attempt: 1,
        ..Run::default()
    };
    records.push(other.into());
    Arc::new(Rows::new().memory(records))
}

/// Numbers to the millisecond: interpolation is exact to about a millionth.
fn seconds(line: &str) -> Vec<f64> {
    line.split(',').map(|number| (number.parse::<f64>().unwrap() * 1000.0).round() / 1000.0).collect()
}

#[tokio::test]
async fn count_of_master_pipelines_as_grafana_asks_it() {
    let sql = "SELECT count(*)
FROM metrics_pipeline mp
WHERE
created_at BETWEEN '2023-06-01T00:00:00Z' AND '2023-07-01T00:00:00Z' AND
mp.project = 'test/project' AND mp.is_master = true";
    assert_eq!(csv(&rows(), sql).await, "3");
}

#[tokio::test]
async fn percentiles_of_total_time_as_grafana_asks_them() {
    let sql = r#"SELECT
PERCENTILE_CONT(0.5) WITHIN GROUP(ORDER by total) as p50,
PERCENTILE_CONT(0.80) WITHIN GROUP(ORDER by total) as p80,
PERCENTILE_CONT(0.95) WITHIN GROUP(ORDER by total) as p95
FROM (SELECT
created_at AS "time",
mp.duration - mp.duration_e2e as "total"
FROM metrics_pipeline mp
LEFT JOIN metrics_build mb
ON mb.pipeline_id = mp.pipeline_id
WHERE
created_at BETWEEN '2023-06-01T00:00:00Z' AND '2023-07-01T00:00:00Z' AND
mp.project = 'test/project' AND mp.is_master = true
GROUP BY time, mp.duration, mp.duration_e2e
ORDER BY 1) as data"#;
    // Totals are 70, 100 and 200; two builds each do not count a pipeline twice.
    assert_eq!(seconds(&csv(&rows(), sql).await), [100.0, 160.0, 190.0]);
}

#[tokio::test]
async fn percentiles_of_end_to_end_time_without_restarts_as_grafana_asks_them() {
    let sql = r#"SELECT
PERCENTILE_CONT(0.5) WITHIN GROUP(ORDER by total_e2e) as p50,
PERCENTILE_CONT(0.80) WITHIN GROUP(ORDER by total_e2e) as p80,
PERCENTILE_CONT(0.95) WITHIN GROUP(ORDER by total_e2e) as p95
FROM (SELECT
created_at AS "time",
mp.duration_e2e as "total_e2e"
FROM metrics_pipeline mp
LEFT JOIN metrics_build mb
ON mb.pipeline_id = mp.pipeline_id
WHERE
created_at BETWEEN '2023-06-01T00:00:00Z' AND '2023-07-01T00:00:00Z' AND
mp.project = 'test/project' AND mp.is_master = true AND mp.has_restarts = false
GROUP BY time, mp.duration, mp.duration_e2e
ORDER BY 1) as data"#;
    // 27 and 40.
    assert_eq!(seconds(&csv(&rows(), sql).await), [33.5, 37.4, 39.35]);
}

#[tokio::test]
async fn a_saved_pipeline_reads_back_column_by_column() {
    let sql = "SELECT pipeline_id, project, created_at, ref, is_master, duration, duration_e2e, build, jobs_failed, has_restarts
        FROM metrics_pipeline WHERE pipeline_id = 1";
    assert_eq!(
        csv(&rows(), sql).await,
        "1,test/project,2023-06-13T07:11:24.029Z,master,true,97.0,27.0,64.0,[],false"
    );
    let jobs = "SELECT pipeline_id, project, name, started_at, finished_at, duration, label(metrics, 'up')::double + 1
        FROM metrics_job WHERE pipeline_id = 1";
    assert_eq!(
        csv(&rows(), jobs).await,
        "1,test/project,e2e,2023-06-13T07:11:24.029Z,2023-06-13T07:11:51.029Z,27.0,8.0"
    );
    let builds =
        "SELECT pipeline_id, project, name, duration FROM metrics_build WHERE pipeline_id = 1 ORDER BY name";
    assert_eq!(csv(&rows(), builds).await, "1,test/project,build-e2e,64.0\n1,test/project,build-web,64.0");
}

#[tokio::test]
async fn runs_of_other_systems_are_no_saved_pipelines() {
    assert_eq!(csv(&rows(), "SELECT count(*) FROM metrics_pipeline WHERE pipeline_id = 9").await, "0");
    assert_eq!(csv(&rows(), "SELECT count(*) FROM runs").await, "6");
}
