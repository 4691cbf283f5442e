//! The judge of crash tests: compares what was sent and acknowledged with what SQL shows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use manometer_testkit::{HttpClient, ServerProcess, sql};
use serde_json::Value;

use crate::crash::restless_server;
use crate::workload::{Content, Mix, RUNS_PROJECT, SAVED_PROJECT, STATUSES, Sent, TESTS_PROJECT};

/// Names and how often each is there.
fn counted(client: &mut HttpClient, question: &str) -> BTreeMap<String, u64> {
    sql::rows(client, question)
        .unwrap()
        .into_iter()
        .map(|row| (text(&row[0]), row[1].as_u64().unwrap()))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// All that is wrong: an acknowledged row that is not there exactly once, half a delivery, a row nobody sent.
pub(crate) fn faults(client: &mut HttpClient, sent: &[Sent]) -> Vec<String> {
    let tests = format!("select name, count(*) from tests where project = '{TESTS_PROJECT}' group by 1");
    let samples = format!("select name, count(*) from samples where project = '{RUNS_PROJECT}' group by 1");
    let mut faults = Vec::new();
    facts("tests", counted(client, &tests), sent, &mut faults);
    facts("samples", counted(client, &samples), sent, &mut faults);
    runs(client, sent, &mut faults);
    saved(client, sent, &mut faults);
    faults
}

/// Checks, and fails with every fault and the means to see it again.
pub(crate) fn check(client: &mut HttpClient, sent: &[Sent], replay: &str) {
    let faults = faults(client, sent);
    assert!(faults.is_empty(), "{} faults; {replay}\n{}", faults.len(), faults.join("\n"));
}

/// Every delivery without a receipt is sent again under its key until it has one: then all must be there once.
/// Flushes of a server that was just started may lag behind: then it says when to come again.
pub(crate) fn resend(client: &mut HttpClient, sent: &mut [Sent], replay: &str) {
    for delivery in sent.iter_mut().filter(|delivery| !delivery.is_acknowledged()) {
        let began = Instant::now();
        loop {
            let response = delivery.send(client).unwrap();
            if delivery.is_acknowledged() {
                break;
            }
            let may_wait =
                response.header("retry-after").is_some() && began.elapsed() < Duration::from_secs(60);
            assert!(may_wait, "{}: {} {}; {replay}", delivery.key, response.status, response.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn facts(table: &str, mut found: BTreeMap<String, u64>, sent: &[Sent], faults: &mut Vec<String>) {
    for delivery in sent {
        let rows = match (&delivery.content, table) {
            (Content::Report { tests, .. }, "tests") => *tests,
            (Content::Progress { samples, .. }, "samples") => *samples,
            _ => continue,
        };
        let counts: Vec<u64> = delivery.names(rows).map(|name| found.remove(&name).unwrap_or(0)).collect();
        let is_whole = counts.iter().all(|count| *count == 1);
        let is_absent = counts.iter().all(|count| *count == 0);
        if !is_whole && (delivery.is_acknowledged() || !is_absent) {
            let receipt = &delivery.acknowledged;
            faults.push(format!(
                "{table} of {} (receipt {receipt:?}): its rows are there {counts:?} times",
                delivery.key
            ));
        }
    }
    faults.extend(found.into_keys().map(|name| format!("{table}: nobody sent {name}")));
}

fn runs(client: &mut HttpClient, sent: &[Sent], faults: &mut Vec<String>) {
    /// Furthest status acknowledged and furthest sent.
    #[derive(Default)]
    struct Known {
        acknowledged: Option<usize>,
        sent: Option<usize>,
    }
    let mut known: BTreeMap<&str, Known> = BTreeMap::new();
    for delivery in sent {
        let Content::Progress { run_id, status, .. } = &delivery.content else { continue };
        let run = known.entry(run_id).or_default();
        run.sent = run.sent.max(Some(*status));
        if delivery.is_acknowledged() {
            run.acknowledged = run.acknowledged.max(Some(*status));
        }
    }
    let question =
        format!("select run_id, status, count(*) from runs where project = '{RUNS_PROJECT}' group by 1, 2");
    for row in sql::rows(client, &question).unwrap() {
        let (run_id, status, count) = (text(&row[0]), text(&row[1]), row[2].as_u64());
        let status = STATUSES.iter().position(|word| *word == status);
        match known.remove(run_id.as_str()) {
            Some(run) if count == Some(1) && status >= run.acknowledged && status <= run.sent => {}
            Some(run) => faults.push(format!(
                "run {run_id}: {count:?} rows with status {status:?}, acknowledged {:?}, sent {:?}",
                run.acknowledged, run.sent
            )),
            None => faults.push(format!("runs: nobody sent {run_id}, or it is there twice")),
        }
    }
    let missing = known.into_iter().filter(|(_, run)| run.acknowledged.is_some());
    faults.extend(missing.map(|(run_id, _)| format!("run {run_id} was acknowledged and is not there")));
}

fn saved(client: &mut HttpClient, sent: &[Sent], faults: &mut Vec<String>) {
    let count = |view: &str| {
        format!("select pipeline_id, count(*) from {view} where project = '{SAVED_PROJECT}' group by 1")
    };
    let mut pipelines = counted(client, &count("metrics_pipeline"));
    let mut jobs_of = counted(client, &count("metrics_job"));
    let mut builds_of = counted(client, &count("metrics_build"));
    for delivery in sent {
        let Content::Saved { pipeline_id, jobs } = &delivery.content else { continue };
        let id = pipeline_id.to_string();
        let found = [&mut pipelines, &mut jobs_of, &mut builds_of].map(|rows| rows.remove(&id).unwrap_or(0));
        let is_whole = found == [1, *jobs as u64, 1];
        if !is_whole && (delivery.is_acknowledged() || found != [0, 0, 0]) {
            faults.push(format!(
                "pipeline {id} (acknowledged: {}): {found:?} pipelines, jobs, builds; sent 1, {jobs}, 1",
                delivery.is_acknowledged()
            ));
        }
    }
    for (view, rows) in
        [("metrics_pipeline", pipelines), ("metrics_job", jobs_of), ("metrics_build", builds_of)]
    {
        faults.extend(rows.into_keys().map(|id| format!("{view}: nobody sent {id}")));
    }
}

/// A judge that never finds anything would make every crash test pass.
#[test]
fn the_judge_finds_what_is_missing_and_what_nobody_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(restless_server(&folder.path().join("data"))).unwrap();
    let mut client = server.client();
    let mut mix = Mix::new("judge".into(), 0, 6);
    let mut sent: Vec<Sent> = (0..12).map(|_| mix.next()).collect();
    for delivery in &mut sent {
        delivery.send(&mut client).unwrap();
    }
    assert_eq!(faults(&mut client, &sent), Vec::<String>::new());

    for place in 0..sent.len() {
        let mut without = sent.clone();
        let removed = without.remove(place);
        let is_only_a_state = matches!(removed.content, Content::Progress { samples: 0, .. });
        assert!(is_only_a_state || !faults(&mut client, &without).is_empty(), "{removed:?} was not noticed");
        let claimed_key = format!("never-{place}");
        let content = match removed.content {
            Content::Report { tests, .. } => Content::Report { run_id: claimed_key.clone(), tests },
            Content::Progress { status, samples, .. } => {
                Content::Progress { run_id: claimed_key.clone(), status, samples }
            }
            Content::Saved { jobs, .. } => Content::Saved { pipeline_id: 1_000_000, jobs },
        };
        let mut claimed = Sent::new(claimed_key, content);
        claimed.acknowledged = Some("a receipt".into());
        let with = [sent.as_slice(), &[claimed]].concat();
        assert_eq!(faults(&mut client, &with).len().min(1), 1, "nothing of delivery {place} is missing");
    }
}
