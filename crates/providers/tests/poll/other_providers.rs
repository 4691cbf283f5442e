//! GitLab, Jenkins and TeamCity: what their APIs tell has the keys of their webhooks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use manometer_model::{Limits, Record, Timestamp};
use manometer_providers::poll::{
    Api, ApiOptions, Auth, GitLabSource, JenkinsSource, Pause, PollOptions, Reconciler, Source, Start,
    TeamCitySource,
};
use manometer_providers::{Delivery, Headers, ServiceRules, decode, provider};
use serde_json::{Value, json};

use crate::fake_github::NOON;
use crate::memory::{HandClock, Memory};
use manometer_testkit::fake::{HttpServer, Manner, Reply, Request};

/// Sweeps until everything is told, then once more.
async fn sweep<S: Source>(server: &HttpServer, source: S) -> Memory {
    let clock = HandClock::at(NOON);
    let memory = Memory::default();
    let mut options = ApiOptions::new(server.base(), Auth::None);
    options.requests_per_hour = 10_000;
    let api = Arc::new(Api::new(options, clock.clone()).unwrap());
    let (sink, store) = (memory.clone(), memory.clone());
    let mut reconciler =
        Reconciler::resume("r", source, api, sink, store, PollOptions::default(), Start::Recent)
            .await
            .unwrap();
    for _ in 0..2 {
        loop {
            match reconciler.run(&mut |_| {}).await.unwrap() {
                Pause::UpToDate { next_at } => break clock.set(next_at),
                Pause::Wait { until, .. } => clock.set(until),
            }
        }
    }
    assert_eq!(memory.told.lock().unwrap().problems, 0);
    memory
}

/// The keys of runs and jobs that a webhook leaves behind.
fn keys_of_webhook(name: &str, headers: &[(&str, &str)], body: &Value) -> BTreeSet<String> {
    let bytes = body.to_string().into_bytes();
    let headers = Headers::from_pairs(headers.iter().copied());
    let received_at = Timestamp::from_seconds(NOON);
    let delivery = Delivery { headers: &headers, query: &[], body: &bytes, received_at };
    let decoded =
        decode(provider(name).unwrap(), &delivery, &ServiceRules::default(), &Limits::default()).unwrap();
    decoded
        .entities
        .iter()
        .filter(|record| matches!(record, Record::Run(_) | Record::Job(_)))
        .map(|record| {
            let row = record.row();
            manometer_model::EntityKey::of_values(row.table_of(), &row.cells()).unwrap().to_string()
        })
        .collect()
}

fn keys_told(memory: &Memory) -> BTreeSet<String> {
    let told = memory.told.lock().unwrap();
    told.entities.keys().filter(|key| matches!(key.table, "runs" | "jobs")).map(ToString::to_string).collect()
}

fn fails_first(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> HttpServer {
    let (cut, limited) = (AtomicBool::new(false), AtomicBool::new(false));
    HttpServer::start(move |request| {
        if !limited.swap(true, Ordering::SeqCst) {
            return Reply::status(429).with("retry-after", 30);
        }
        let reply = handler(request);
        if !cut.swap(true, Ordering::SeqCst) { reply.in_manner(Manner::CutOff) } else { reply }
    })
    .unwrap()
}

#[tokio::test]
async fn gitlab_pipelines_and_jobs_have_the_keys_of_its_hook() {
    let job = |id: u64| {
        json!({
            "id": id, "name": format!("rspec {id}"), "stage": "test", "status": "success", "allow_failure": false,
            "created_at": "2026-03-04T04:00:00.000Z", "started_at": "2026-03-04T04:00:10.000Z",
            "finished_at": "2026-03-04T04:05:00.000Z", "duration": 290.0, "queued_duration": 8.0,
            "runner": {"id": 12, "description": "large", "runner_type": "instance_type", "active": true},
            "pipeline": {"id": 1000}, "commit": {"id": "x"}, "web_url": "https://gitlab.acme.example/acme/shop/-/jobs/1",
        })
    };
    let pipeline = json!({
        "id": 1000, "iid": 10, "project_id": 4, "sha": "1ecfd275763eff1d6b4844ea3168962458c9f27a", "ref": "main",
        "status": "success", "source": "push", "tag": false, "queued_duration": 2.0, "duration": 300,
        "created_at": "2026-03-04T04:00:00.000Z", "updated_at": "2026-03-04T04:05:00.000Z",
        "started_at": "2026-03-04T04:00:02.000Z", "finished_at": "2026-03-04T04:05:00.000Z",
        "web_url": "https://gitlab.acme.example/acme/shop/-/pipelines/1000",
        "user": {"username": "ada"}, "detailed_status": {"text": "passed"},
    });
    let (told, jobs) = (pipeline.clone(), (0..250).map(job).collect::<Vec<_>>());
    let hook_jobs = jobs.clone();
    let server = fails_first(move |request| {
        let page: usize = request.query.get("page").map_or(1, |page| page.parse().unwrap());
        match request.path.strip_prefix("/api/v4/projects/acme%2Fshop").unwrap() {
            "" => Reply::json(
                &json!({"web_url": "https://gitlab.acme.example/acme/shop", "default_branch": "main"}),
            ),
            "/pipelines" => {
                let day = |name: &str| Timestamp::parse_rfc3339(&request.query[name]).unwrap();
                let at = Timestamp::parse_rfc3339("2026-03-04T04:05:00Z").unwrap();
                let is_in = day("updated_after") <= at && at < day("updated_before");
                let list = if is_in { vec![&told] } else { vec![] };
                Reply::json(&json!(list)).with("x-total", list.len())
            }
            "/pipelines/1000" => Reply::json(&told),
            "/pipelines/1000/jobs" => {
                assert_eq!(request.query["include_retried"], "true");
                let part: Vec<&Value> = jobs.iter().skip((page - 1) * 100).take(100).collect();
                let next = if page < 3 { (page + 1).to_string() } else { String::new() };
                Reply::json(&json!(part)).with("x-next-page", next)
            }
            "/hooks/6/events" => Reply::json(&json!([
                {"id": 5, "request_headers": {"Idempotency-Key": "lost"}, "response_status": "internal error"},
                {"id": 4, "request_headers": {"Idempotency-Key": "mended"}, "response_status": "200"},
                {"id": 3, "request_headers": {"Idempotency-Key": "lost"}, "response_status": "503"},
                {"id": 2, "request_headers": {"Idempotency-Key": "mended"}, "response_status": "500"}])),
            "/hooks/6/events/5/resend" => Reply::json(&json!({})),
            "/runners" => {
                Reply::json(&json!([{"id": 12, "description": "large", "status": "online", "paused": false}]))
            }
            other => panic!("{other}"),
        }
    });
    let memory = sweep(&server, GitLabSource::new("acme/shop", Some(6), ServiceRules::default())).await;
    let builds: Vec<Value> =
        hook_jobs.iter().map(|job| json!({"id": job["id"], "status": "success"})).collect();
    let hook = json!({
        "object_kind": "pipeline", "object_attributes": {"id": 1000, "iid": 10, "status": "success", "ref": "main"},
        "project": {"web_url": "https://gitlab.acme.example/acme/shop"}, "builds": builds,
    });
    assert_eq!(keys_told(&memory), keys_of_webhook("gitlab", &[("x-gitlab-event", "Pipeline Hook")], &hook));
    let fetches =
        server.requests().iter().filter(|request| request.path.ends_with("/pipelines/1000")).count();
    assert_eq!(fetches, 1, "the second sweep found it settled");
    let resent = server.requests().iter().filter(|request| request.method == "POST").count();
    assert_eq!(resent, 2, "once in each sweep, and only what never arrived");
}

#[tokio::test]
async fn jenkins_builds_are_found_in_folders_and_have_the_keys_of_its_events() {
    let at = (NOON - 3_600) * 1_000;
    let tree = json!({"_class": "hudson.model.Hudson", "jobs": [
        {"_class": "Folder", "url": "https://ci.acme.example/job/acme/", "jobs": [
            {"_class": "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject",
             "url": "https://ci.acme.example/job/acme/job/shop/", "jobs": [
                {"_class": "WorkflowJob", "url": "https://ci.acme.example/job/acme/job/shop/job/feature%252Frefunds/",
                 "lastBuild": {"timestamp": at}}]},
            {"_class": "WorkflowJob", "url": "https://ci.acme.example/job/acme/job/idle/",
             "lastBuild": {"timestamp": 1_000_000_000_000_i64}},
            {"_class": "WorkflowJob", "url": "https://ci.acme.example/job/acme/job/new/", "lastBuild": null},
        ]},
        {"_class": "Evil", "url": "https://ci.acme.example/../admin", "lastBuild": {"timestamp": at}},
    ]});
    let server = fails_first(move |request| {
        let build = |number: u64| {
            json!({"number": number, "timestamp": at - (250 - number as i64) * 1_000,
            "building": false, "result": "SUCCESS", "duration": 500})
        };
        let job = "/job/acme/job/shop/job/feature%252Frefunds/";
        let Some(rest) = request.path.strip_prefix(job) else {
            return match request.path.as_str() {
                "/api/json" => Reply::json(&tree),
                "/computer/api/json" => Reply::json(&json!({"computer": [
                    {"displayName": "linux-3", "offline": false, "idle": false, "assignedLabels": [{"name": "linux"}]}]})),
                other => panic!("{other}"),
            };
        };
        if rest == "api/json" {
            let tree = &request.query["tree"];
            let (from, to) = tree.split_once('{').unwrap().1.trim_end_matches('}').split_once(',').unwrap();
            let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
            let builds: Vec<Value> =
                (from..to).filter(|place| *place < 250).map(|place| build(250 - place)).collect();
            return Reply::json(&json!({ "allBuilds": builds }));
        }
        let number: u64 = rest.split('/').next().unwrap().parse().unwrap();
        Reply::json(&build(number))
    });
    let memory = sweep(&server, JenkinsSource::new(None, ServiceRules::default())).await;
    let base = server.base();
    let expected: BTreeSet<String> = (1..=250)
        .flat_map(|number| {
            let event = json!({
                "type": "run.finalized", "source": "job/acme/job/shop/job/feature%252Frefunds/", "id": "x",
                "url": format!("job/acme/job/shop/job/feature%252Frefunds/{number}/"),
                "data": {"number": number, "_multiBranch": true},
            });
            keys_of_webhook("jenkins", &[("referrer", &base)], &event)
        })
        .collect();
    assert_eq!(expected.len(), 250);
    assert_eq!(keys_told(&memory), expected);
    assert_eq!(memory.told.lock().unwrap().keys("runners"), ["jenkins|linux-3".to_owned()].into());
    let idle = server.requests().iter().filter(|request| request.path.contains("/idle/")).count();
    assert_eq!(idle, 0, "a job that did nothing is not asked");
}

#[tokio::test]
async fn teamcity_builds_have_the_keys_of_its_webhooks() {
    let build = |id: u64| {
        json!({
            "id": id, "buildTypeId": "Shop_Test", "number": id.to_string(), "status": "SUCCESS", "state": "finished",
            "branchName": "main", "webUrl": format!("https://teamcity.acme.example/buildConfiguration/Shop_Test/{id}"),
            "queuedDate": "20260304T040000+0000", "startDate": "20260304T040010+0000", "finishDate": "20260304T040500+0000",
            "buildType": {"id": "Shop_Test", "name": "Test", "projectId": "Shop"},
            "agent": {"id": 11, "name": "linux-11"},
        })
    };
    let server = fails_first(move |request| {
        if request.path == "/app/rest/agents" {
            return Reply::json(&json!({"agent": [
                {"id": 11, "name": "linux-11", "connected": true, "enabled": true, "authorized": true,
                 "pool": {"name": "Large"}, "build": {"id": 5}},
                {"id": 12, "name": "linux-12", "connected": false, "enabled": true, "authorized": true}]}));
        }
        let locator = &request.query["locator"];
        let is_today = locator.contains("date:20260304T000000+0000,condition:after");
        let start: usize = locator.rsplit_once("start:").unwrap().1.parse().unwrap();
        let all: Vec<Value> = if is_today { (1..=230).rev().map(build).collect() } else { Vec::new() };
        let shown: Vec<&Value> = all.iter().skip(start).take(100).collect();
        let next = (start + 100 < all.len()).then_some("/app/rest/builds?…");
        Reply::json(&json!({"count": shown.len(), "nextHref": next, "build": shown}))
    });
    let memory = sweep(&server, TeamCitySource::new(Some("Shop".to_owned()), ServiceRules::default())).await;
    let expected: BTreeSet<String> = (1..=230)
        .flat_map(|id| {
            keys_of_webhook("teamcity", &[], &json!({"eventType": "BUILD_FINISHED", "payload": build(id)}))
        })
        .collect();
    assert_eq!(expected.len(), 460, "a build is a run and its only job");
    assert_eq!(keys_told(&memory), expected);
    let told = memory.told.lock().unwrap();
    let states: Vec<Option<String>> = told
        .entities
        .values()
        .filter_map(|records| match records.last() {
            Some(Record::Runner(runner)) => Some(runner.state.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(states, [Some("busy".to_owned()), Some("offline".to_owned())]);
}
