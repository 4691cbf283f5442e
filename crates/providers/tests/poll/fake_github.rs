//! A GitHub of one repository: runs, jobs, hook deliveries, ETags, and a list of troubles it makes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use manometer_model::Timestamp;
use manometer_providers::ServiceRules;
use manometer_providers::poll::{
    Api, ApiOptions, Auth, GitHubSource, Pause, PollOptions, Progress, Reconciler, Start,
};
use serde_json::{Value, json};

use crate::memory::{HandClock, Memory};
use manometer_testkit::fake::{HttpServer, Reply, Request};

/// 2026-03-04T05:00:00Z, in the middle of the runs' days.
pub(crate) const NOON: i64 = 1_772_600_400;

#[derive(Debug, Clone)]
pub(crate) struct FakeRun {
    pub(crate) id: u64,
    pub(crate) created: i64,
    pub(crate) attempt: i64,
    pub(crate) status: &'static str,
    pub(crate) jobs: u64,
}

/// Something that happens to the runs.
type Change = Box<dyn FnOnce(&mut Vec<FakeRun>) + Send>;

/// A trouble: which requests it befalls, and what they get instead.
pub(crate) struct Trouble {
    pub(crate) path_part: &'static str,
    pub(crate) reply: Box<dyn Fn(Reply) -> Reply + Send>,
    /// Something that happens to the runs at the same time.
    pub(crate) change: Option<Change>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) runs: Vec<FakeRun>,
    pub(crate) troubles: VecDeque<Trouble>,
    /// id, guid, status
    pub(crate) deliveries: Vec<(u64, String, u64)>,
    pub(crate) not_modified: u64,
    pub(crate) per_page: usize,
}

pub(crate) struct FakeGitHub {
    pub(crate) server: HttpServer,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) memory: Memory,
    pub(crate) requests_per_hour: u32,
    pub(crate) timeout: std::time::Duration,
}

fn moment(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).to_string().replace(".000000", "")
}

impl FakeRun {
    fn told(&self) -> Value {
        json!({
            "id": self.id, "name": "CI", "run_number": self.id, "run_attempt": self.attempt, "event": "push",
            "status": self.status, "conclusion": (self.status == "completed").then_some("success"),
            "head_branch": "main", "head_sha": format!("{:040x}", self.id),
            "created_at": moment(self.created), "run_started_at": moment(self.created),
            "updated_at": moment(self.created + 60 * self.attempt + if self.status == "completed" { 300 } else { 0 }),
            "html_url": format!("https://github.com/acme/shop/actions/runs/{}", self.id),
        })
    }

    fn job(&self, attempt: i64, number: u64) -> Value {
        let is_over = self.status == "completed" || attempt < self.attempt;
        json!({
            "id": self.id * 1_000 + attempt as u64 * 100 + number, "run_id": self.id, "run_attempt": attempt,
            "name": format!("test {number}"), "status": if is_over { "completed" } else { "in_progress" },
            "conclusion": is_over.then_some("success"), "head_branch": "main",
            "created_at": moment(self.created), "started_at": moment(self.created + 10),
            "completed_at": is_over.then(|| moment(self.created + 200)),
            "labels": ["ubuntu-latest"], "runner_id": 5, "runner_name": "Hosted 5", "runner_group_name": "GitHub Actions",
            "steps": [{"name": "build", "number": 1, "status": "completed", "conclusion": "success",
                       "started_at": moment(self.created + 11), "completed_at": moment(self.created + 100)}],
        })
    }
}

impl FakeGitHub {
    pub(crate) fn start(runs: Vec<FakeRun>) -> Self {
        let state = Arc::new(Mutex::new(State { runs, per_page: 100, ..State::default() }));
        let shared = Arc::clone(&state);
        let server = HttpServer::start(move |request| answer(&mut shared.lock().unwrap(), request)).unwrap();
        Self {
            server,
            state,
            clock: HandClock::at(NOON),
            memory: Memory::default(),
            requests_per_hour: 100_000,
            timeout: std::time::Duration::from_secs(60),
        }
    }

    pub(crate) fn trouble(&self, path_part: &'static str, reply: impl Fn(Reply) -> Reply + Send + 'static) {
        let trouble = Trouble { path_part, reply: Box::new(reply), change: None };
        self.state.lock().unwrap().troubles.push_back(trouble);
    }

    pub(crate) fn happens_at(
        &self,
        path_part: &'static str,
        change: impl FnOnce(&mut Vec<FakeRun>) + Send + 'static,
    ) {
        let trouble = Trouble { path_part, reply: Box::new(|reply| reply), change: Some(Box::new(change)) };
        self.state.lock().unwrap().troubles.push_back(trouble);
    }

    pub(crate) async fn reconciler(&self, start: Start) -> Reconciler<GitHubSource, Memory, Memory> {
        let mut options = ApiOptions::new(self.server.base(), Auth::Bearer("token".to_owned()));
        options.requests_per_hour = self.requests_per_hour;
        options.timeout = self.timeout;
        let api = Arc::new(Api::new(options, self.clock.clone()).unwrap());
        let source = GitHubSource::new("acme/shop", Some(9), ServiceRules::default());
        let (sink, store) = (self.memory.clone(), self.memory.clone());
        Reconciler::resume("github/acme/shop", source, api, sink, store, PollOptions::default(), start)
            .await
            .unwrap()
    }

    /// Calls the reconciler whenever it may be called, until it is up to date. Answers why it waited.
    pub(crate) async fn until_up_to_date(
        &self,
        reconciler: &mut Reconciler<GitHubSource, Memory, Memory>,
    ) -> (Vec<String>, Progress) {
        let mut last: Option<Progress> = None;
        let mut reasons = Vec::new();
        for _ in 0..10_000 {
            match reconciler.run(&mut |progress| last = Some(progress.clone())).await.unwrap() {
                Pause::UpToDate { .. } => return (reasons, last.unwrap()),
                Pause::Wait { until, reason } => {
                    use manometer_model::Clock as _;
                    assert!(until > self.clock.now(), "it asks to be called later: {reason}");
                    self.clock.set(until);
                    reasons.push(reason);
                }
            }
        }
        panic!("it never came to an end: {reasons:?}");
    }

    /// The keys that every run and job of this repository must have left behind.
    pub(crate) fn assert_everything_was_told(&self) {
        let state = self.state.lock().unwrap();
        let told = self.memory.told.lock().unwrap();
        let (mut runs, mut jobs, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for run in &state.runs {
            for attempt in 1..=run.attempt {
                runs.push(format!("github|github.com/acme/shop|{}|{attempt}", run.id));
                for number in 0..run.jobs {
                    let job = run.id * 1_000 + attempt as u64 * 100 + number;
                    jobs.push(format!("github|github.com/acme/shop|{}|{attempt}|{job}", run.id));
                    if run.status == "completed" || attempt < run.attempt {
                        steps.push(format!("steps/github/github.com/acme/shop/{}/{attempt}/{job}", run.id));
                    }
                }
            }
        }
        assert_eq!(told.keys("runs"), runs.into_iter().collect(), "runs");
        assert_eq!(told.keys("jobs"), jobs.into_iter().collect(), "jobs");
        let groups: Vec<&String> = told.facts.keys().filter(|key| key.starts_with("steps/")).collect();
        steps.sort();
        assert_eq!(groups, steps.iter().collect::<Vec<_>>(), "steps");
        assert_eq!(told.problems, 0);
    }
}

pub(crate) fn runs(count: u64, newest: i64, every: i64) -> Vec<FakeRun> {
    (0..count)
        .map(|number| FakeRun {
            id: number + 1,
            created: newest - (count - 1 - number) as i64 * every,
            attempt: 1,
            status: "completed",
            jobs: 2,
        })
        .collect()
}

fn answer(state: &mut State, request: &Request) -> Reply {
    let is_due = state.troubles.front().is_some_and(|trouble| request.path.contains(trouble.path_part));
    let trouble = if is_due { state.troubles.pop_front() } else { None };
    let (spoil, change) = trouble.map(|trouble| (trouble.reply, trouble.change)).unzip();
    let reply = properly(state, request);
    if let Some(change) = change.flatten() {
        change(&mut state.runs);
    }
    match spoil {
        Some(spoil) => spoil(reply),
        None => reply,
    }
}

fn properly(state: &mut State, request: &Request) -> Reply {
    let Some(rest) = request.path.strip_prefix("/repos/acme/shop") else { return Reply::status(404) };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", []) => Reply::json(&json!({
            "full_name": "acme/shop", "html_url": "https://github.com/acme/shop", "default_branch": "main",
        })),
        ("GET", ["actions", "runs"]) => list(state, request),
        ("GET", ["actions", "runs", id]) => match find(state, id) {
            Some(run) => Reply::json(&run.told()),
            None => Reply::status(404),
        },
        ("GET", ["actions", "runs", id, "attempts", attempt]) => match find(state, id) {
            Some(run) => {
                let attempt = attempt.parse().unwrap();
                Reply::json(&FakeRun { attempt, status: "completed", ..run }.told())
            }
            None => Reply::status(404),
        },
        ("GET", ["actions", "runs", id, "jobs"]) => match find(state, id) {
            Some(run) => {
                let jobs: Vec<Value> = (1..=run.attempt)
                    .flat_map(|attempt| (0..run.jobs).map(move |number| (attempt, number)))
                    .map(|(attempt, number)| run.job(attempt, number))
                    .collect();
                Reply::json(&json!({ "total_count": jobs.len(), "jobs": jobs }))
            }
            None => Reply::status(404),
        },
        ("GET", ["actions", "runners"]) => Reply::json(&json!({"total_count": 1, "runners": [
            {"id": 77, "name": "own-1", "os": "Linux", "status": "online", "busy": true, "labels": [{"name": "self-hosted"}]},
        ]})),
        ("GET", ["actions", "cache", "usage"]) => {
            Reply::json(&json!({"active_caches_size_in_bytes": 2_500_000_u64, "active_caches_count": 3}))
        }
        ("GET", ["actions", "caches"]) => Reply::json(&json!({"total_count": 2, "actions_caches": [
            {"id": 505, "key": "cargo-linux-1", "size_in_bytes": 2_000_000, "created_at": moment(NOON - 600)},
            {"id": 504, "key": "cargo-linux-0", "size_in_bytes": 500_000, "created_at": moment(NOON - 40 * 86_400)},
        ]})),
        ("GET", ["hooks", "9", "deliveries"]) => {
            let list: Vec<Value> = state
                .deliveries
                .iter()
                .rev()
                .map(|(id, guid, status)| json!({"id": id, "guid": guid, "status_code": status}))
                .collect();
            Reply::json(&Value::from(list))
        }
        ("POST", ["hooks", "9", "deliveries", _, "attempts"]) => Reply::json(&json!({})),
        _ => Reply::status(404),
    }
}

fn find(state: &State, id: &str) -> Option<FakeRun> {
    state.runs.iter().find(|run| run.id.to_string() == id).cloned()
}

/// Newest first, of the span asked for, at most 1,000, with links and ETag as GitHub has them.
fn list(state: &mut State, request: &Request) -> Reply {
    let (from, to) = request.query["created"].split_once("..").unwrap();
    let bound = |text: &str| Timestamp::parse_rfc3339(text).unwrap().as_micros() / 1_000_000;
    let (from, to) = (bound(from), bound(to));
    let mut found: Vec<&FakeRun> =
        state.runs.iter().filter(|run| (from..=to).contains(&run.created)).collect();
    found.sort_by_key(|run| std::cmp::Reverse((run.created, run.id)));
    let page: usize = request.query["page"].parse().unwrap();
    let total = found.len();
    let reachable = total.min(1_000);
    let shown: Vec<Value> = found[..reachable]
        .iter()
        .skip((page - 1) * state.per_page)
        .take(state.per_page)
        .map(|run| run.told())
        .collect();
    let has_next = page * state.per_page < reachable;
    let body = json!({ "total_count": total, "workflow_runs": shown });
    let etag = format!(
        "W/\"{:x}\"",
        body.to_string().bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte))
    );
    let mut reply = Reply::json(&body).with("etag", &etag);
    if has_next {
        reply = reply.with("link", format!("<https://elsewhere.example/?page={}>; rel=\"next\"", page + 1));
    }
    if request.headers.get("if-none-match") == Some(&etag) {
        state.not_modified += 1;
        reply.status = 304;
    }
    reply
}
