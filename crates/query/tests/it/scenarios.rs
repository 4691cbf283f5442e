//! SQL with known answers, from `tests/scenarios`, here and on PostgreSQL over the same rows.
//!
//! PostgreSQL is asked where `MANOMETER_TEST_POSTGRES` holds a connection string for `psql`; the tables are
//! made in a schema of their own, which is dropped afterwards.

use std::sync::Arc;

use manometer_model::records::{Run, Test};
use manometer_model::{Conclusion, Record, Status, TestId, TestStatus, Timestamp};
use manometer_query::Access;

use crate::fixture::{Rows, at, csv_as};
use crate::postgres::Peer;

const SCENARIOS: &str = include_str!("../scenarios/sql.toml");

struct Scenario {
    name: String,
    sql: String,
    expect: Vec<String>,
    postgres: bool,
}

fn scenarios() -> Vec<Scenario> {
    let file: toml::Table = SCENARIOS.parse().unwrap();
    let text = |block: &toml::Value, key: &str| block.get(key).unwrap().as_str().unwrap().to_owned();
    file["scenario"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| Scenario {
            name: text(block, "name"),
            sql: text(block, "sql"),
            expect: text(block, "expect").trim().lines().map(str::to_owned).collect(),
            postgres: block.get("postgres").is_none_or(|wanted| wanted.as_bool().unwrap()),
        })
        .collect()
}

/// Twelve runs, two a day from 2026-03-01, taking 10, 20, … 120 seconds: odd ones of `shop` and its service
/// `cart` at 06:00, even ones of `blog` at 18:00, every fourth failed. Runs 1 to 4 have three tests each.
fn rows() -> Arc<Rows> {
    let mut facts: Vec<Record> = Vec::new();
    let mut runs: Vec<Record> = Vec::new();
    for number in 1..=12_i32 {
        let shop = number % 2 == 1;
        let project = if shop { "shop" } else { "blog" };
        let day = (number - 1) / 2;
        let started = at("2026-03-01T06:00:00Z")
            .plus_seconds(f64::from(day) * 86_400.0 + if shop { 0.0 } else { 43_200.0 });
        let seconds = f64::from(number) * 10.0;
        runs.push(run(number, project, shop, started, seconds));
        if number <= 4 {
            for test in 0..3 {
                facts.push(one_test(number, project, test, started));
            }
        }
    }
    let (flushed, fresh) = facts.split_at(7);
    Arc::new(Rows::new().segment(flushed.to_vec()).memory(fresh.to_vec()).memory(runs))
}

fn run(number: i32, project: &str, shop: bool, started: Timestamp, seconds: f64) -> Record {
    let labels =
        [("team", if shop { "red".to_owned() } else { "blue".to_owned() }), ("score", number.to_string())];
    Run {
        provider: "ci".into(),
        project: project.into(),
        service: shop.then(|| "cart".into()),
        run_id: number.to_string(),
        attempt: 1,
        status: Some(Status::Completed),
        conclusion: Some(if number % 4 == 0 { Conclusion::Failure } else { Conclusion::Success }),
        started_at: Some(started),
        finished_at: Some(started.plus_seconds(seconds)),
        duration_seconds: Some(seconds),
        labels: labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Run::default()
    }
    .into()
}

fn one_test(run: i32, project: &str, test: i32, started: Timestamp) -> Record {
    let word = if test < 2 { "cart" } else { "wish" };
    let name = format!("test_{word}_{}", (run - 1) % 2 * 2 + test);
    Test {
        provider: "ci".into(),
        project: project.into(),
        run_id: run.to_string(),
        run_attempt: 1,
        test_id: TestId::new("", "", &name, "", 0),
        name,
        status: if run == 4 { TestStatus::Failed } else { TestStatus::Passed },
        duration_seconds: Some(f64::from(test)),
        attempt: 1,
        is_final: true,
        at: started,
        ..Test::default()
    }
    .into()
}

#[tokio::test]
async fn every_scenario_has_its_known_answer() {
    let rows = rows();
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        let answer = csv_as(&rows, &scenario.sql, Access::All).await;
        let lines: Vec<String> = answer.clone().unwrap_or_default().lines().map(str::to_owned).collect();
        if answer.is_err() || !same(&lines, &scenario.expect) {
            wrong.push(format!("{}: expected {:?}, found {answer:?}", scenario.name, scenario.expect));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_scenario_has_the_same_answer_on_postgresql() {
    let Some(peer) = Peer::found("scenarios") else { return };
    let rows = rows();
    peer.fill(&rows).await;
    let mut wrong = Vec::new();
    for scenario in scenarios().into_iter().filter(|scenario| scenario.postgres) {
        let answer = peer.run(&scenario.sql);
        let lines: Vec<String> = answer.clone().unwrap_or_default().lines().map(str::to_owned).collect();
        if answer.is_err() || !same(&lines, &scenario.expect) {
            wrong.push(format!(
                "{}: expected {:?}, PostgreSQL says {answer:?}",
                scenario.name, scenario.expect
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same cells: numbers to a hundred-thousandth, times as moments.
fn same(found: &[String], expected: &[String]) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(left, right)| {
            let cells: Vec<_> = left.split(',').collect();
            let wanted: Vec<_> = right.split(',').collect();
            cells.len() == wanted.len() && cells.iter().zip(&wanted).all(|(cell, want)| same_cell(cell, want))
        })
}

fn same_cell(cell: &str, wanted: &str) -> bool {
    if cell == wanted {
        return true;
    }
    if let (Ok(left), Ok(right)) = (cell.parse::<f64>(), wanted.parse::<f64>()) {
        return (left - right).abs() <= 1e-5 * right.abs().max(1.0);
    }
    let moment = |text: &str| Timestamp::parse_lenient(&text.replace("+00", "Z").replace(' ', "T"));
    matches!((moment(cell), moment(wanted)), (Ok(left), Ok(right)) if left == right)
}
