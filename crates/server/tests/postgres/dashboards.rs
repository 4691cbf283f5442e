//! The dashboards of `deploy/grafana`: every query of every panel and variable is asked over the wire, of the example
//! organisation, and answers with rows.

use std::path::Path;

use manometer_demo::{DemoOptions, Organisation};
use manometer_model::records::TESTS;
use manometer_model::{Problems, Row as _, Timestamp};
use manometer_store::{DeliveryInfo, DeliveryKey, Store};
use serde_json::Value;

use crate::grafana::Asking;
use crate::harness::{Harness, simple};

fn dashboards() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/grafana/dashboards");
    let mut all: Vec<Value> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap())
        .collect();
    all.sort_by_key(|dashboard| dashboard["uid"].as_str().unwrap().to_owned());
    all
}

/// The example organisation, some weeks of it up to `end`.
fn fill(store: &Store, end: Timestamp) {
    let options = DemoOptions { seed: 42, days: 21, services: 4, tests_total: 40_000, end };
    let organisation = Organisation::new(options).unwrap();
    let mut pending = Vec::new();
    for upload in organisation.uploads() {
        let mut writer = store.writer();
        for record in &upload.records {
            let row = record.row();
            writer.append(row.table_of(), &row.cells()).unwrap();
        }
        upload.try_for_each_test(|test| writer.append(&TESTS, &test.values())).unwrap();
        let delivery = writer
            .finish(DeliveryInfo {
                key: DeliveryKey { scope: "demo".to_owned(), key: upload.key.clone() },
                body_hash: 0,
                source: "demo".to_owned(),
                kind: "records".to_owned(),
                project: None,
                received_at: upload.at,
                size_bytes: 0,
                problems: Problems::new(),
                permanent: false,
            })
            .unwrap();
        pending.push(store.submit(delivery).unwrap());
        if pending.len() == 32 {
            pending.drain(..).for_each(|receipt| drop(receipt.wait().unwrap()));
        }
    }
    pending.into_iter().for_each(|receipt| drop(receipt.wait().unwrap()));
}

#[tokio::test]
async fn every_panel_and_every_variable_has_rows() {
    let server = Harness::start().await;
    // A fixed Friday: which tests failed until then never changes.
    let end = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
    let store = server.server.app().store.clone();
    tokio::task::spawn_blocking(move || fill(&store, end)).await.unwrap();
    let client = server.connect().await;
    let from = end.plus_seconds(-20.0 * 86_400.0).to_string();
    let (to, mut faults, mut asked) = (end.to_string(), Vec::new(), 0);
    for branch in ["", "main"] {
        let variables = [
            ("project", "github.com/acme/shop"),
            ("service", "payments"),
            ("branch", branch),
            ("manometer", "http://127.0.0.1:8420"),
        ];
        let asking = Asking { from: &from, to: &to, interval: "1d", variables: &variables };
        for dashboard in dashboards() {
            let panels = dashboard["panels"].as_array().unwrap().iter();
            let queries = panels.map(|panel| (&panel["title"], &panel["targets"][0]["rawSql"]));
            let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
            let variables = variables.filter(|variable| variable["type"] == "query");
            for (title, sql) in
                queries.chain(variables.map(|variable| (&variable["label"], &variable["query"])))
            {
                asked += 1;
                let place = format!("{} / {title}", dashboard["title"]);
                let sql = asking.expand(sql.as_str().unwrap());
                match client.simple_query(&sql).await {
                    Err(error) => faults.push(format!("{place}: {error:?}\n{sql}")),
                    Ok(_) => match simple(&client, &sql).await.first() {
                        None => faults.push(format!("{place}: no rows\n{sql}")),
                        Some(row) if row == "-" => faults.push(format!("{place}: null\n{sql}")),
                        Some(_) => {}
                    },
                }
            }
        }
    }
    assert!(asked > 60, "{asked}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
