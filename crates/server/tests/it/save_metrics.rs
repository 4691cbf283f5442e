//! `POST /save_metrics`, and what dashboards read back.

use serde_json::json;

use crate::harness::{Harness, send};

const DOCUMENT: &str = r#"{
    "jobs": [{"name": "e2e", "started_at": "2023-06-13T14:12:33.677+07:00",
              "finished_at": "2023-06-13T14:13:01.293+07:00", "duration": 27, "up": 7, "e2e": 5}],
    "builds": [{"build-e2e": 64}], "build": 64, "created_at": "2023-06-13T14:11:24.029+07:00", "ref": "master",
    "duration": 97, "duration_e2e": 27, "jobs_failed": [], "has_restarts": false, "project": "test/project",
    "pipeline_id": 1
}"#;

#[tokio::test]
async fn a_pipeline_is_saved_once() {
    let harness = Harness::start().await;
    let save = |document: String| {
        send(harness.post("/save_metrics", document).header("Content-Type", "application/json"))
    };
    assert_eq!(save(DOCUMENT.to_owned()).await.status, 200);
    assert_eq!(save(DOCUMENT.to_owned()).await.status, 208);
    assert_eq!(save(DOCUMENT.replace("97", "98")).await.status, 208);
    assert_eq!(harness.rows("SELECT duration_seconds FROM runs").await, [json!([97.0])]);
}

#[tokio::test]
async fn a_saved_pipeline_is_read_back_through_the_views() {
    let harness = Harness::start().await;
    assert_eq!(send(harness.post("/save_metrics", DOCUMENT)).await.status, 200);
    let pipeline = "SELECT pipeline_id, duration - duration_e2e, is_master, has_restarts FROM metrics_pipeline \
                    WHERE project = 'test/project' AND is_master = true";
    assert_eq!(harness.rows(pipeline).await, [json!([1, 70.0, true, false])]);
    let percentile = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS p50 FROM \
                      (SELECT mp.created_at AS \"time\", mp.duration - mp.duration_e2e AS total FROM metrics_pipeline mp \
                       LEFT JOIN metrics_build mb ON mb.pipeline_id = mp.pipeline_id \
                       GROUP BY 1, mp.duration, mp.duration_e2e) AS data";
    assert_eq!(harness.rows(percentile).await, [json!([70.0])]);
    assert_eq!(harness.count("SELECT count(*) FROM metrics_build").await, 1);
    assert_eq!(harness.rows("SELECT name FROM metrics_job").await, [json!(["e2e"])]);
}

#[tokio::test]
async fn a_wrong_document_is_refused_with_its_field() {
    let harness = Harness::start().await;
    for (body, what) in [
        (DOCUMENT.replace("\"pipeline_id\": 1", "\"pipeline_id\": \"x\""), "pipeline_id: found"),
        (DOCUMENT.replace("\"up\": 7", "\"up\": []"), "jobs[0].up: found"),
        ("{".to_owned(), "not JSON"),
        (String::new(), "not JSON"),
    ] {
        let answer = send(harness.post("/save_metrics", body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "document"), "{what}");
        assert!(answer.message().contains(what), "{}", answer.text);
    }
    let text = harness.post("/save_metrics", DOCUMENT).header("Content-Type", "text/plain");
    assert_eq!(send(text).await.status, 415);
    let large = harness.post("/save_metrics", vec![b' '; 1024 * 1024 + 1]);
    assert_eq!(send(large).await.status, 413);
}
