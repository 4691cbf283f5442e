//! GitHub, GitLab, Jenkins and TeamCity with a few runs, as far as a poll asks them, and with every trouble a provider
//! makes: pages that shift while they are read, 429, 502, answers that break off, silence.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::http_server::{HttpServer, Manner, Reply, Request};
use super::moment::{compact, rfc3339};

/// Runs on a page of a list.
const PAGE: usize = 10;
/// Jobs of each run of GitHub and GitLab.
pub const JOBS: u64 = 2;
/// One request in so many meets each of the troubles.
const TROUBLED_EVERY: u64 = 41;
/// A run begins whenever so many requests were made, until there are no more to come.
const SHIFTED_EVERY: u64 = 4;

/// Whose API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// GitHub, repository `acme/shop`.
    GitHub,
    /// GitLab, project `acme/shop`.
    GitLab,
    /// Jenkins, with one job `shop`.
    Jenkins,
    /// TeamCity, with one build configuration `Shop_Test`.
    TeamCity,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::Jenkins, Self::TeamCity];

    /// The provider's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Jenkins => "jenkins",
            Self::TeamCity => "teamcity",
        }
    }
}

#[derive(Debug)]
struct State {
    /// When each run began, in seconds; the first is run 1.
    runs: Vec<i64>,
    /// Runs that begin while pages are read.
    to_come: u64,
    requests: u64,
    troubles: u64,
}

/// A provider; it ends when it is dropped.
#[derive(Debug)]
pub struct FakeProvider {
    dialect: Dialect,
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

impl FakeProvider {
    /// One with so many runs, the newest before `now` (in seconds) and a minute apart, and so many more that begin while
    /// it is asked.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(dialect: Dialect, now: i64, runs: u64, to_come: u64) -> std::io::Result<Self> {
        let began = |number: u64| now - 60 * (i64::try_from(runs - number).unwrap_or_default() + 5);
        let state = State { runs: (0..runs).map(began).collect(), to_come, requests: 0, troubles: 0 };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = HttpServer::start(move |request| answer(dialect, &mut lock(&shared), request))?;
        Ok(Self { dialect, server, state })
    }

    /// Its address.
    pub fn base(&self) -> String {
        self.server.base()
    }

    /// Whose API it speaks.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many runs there are by now.
    pub fn runs(&self) -> u64 {
        lock(&self.state).runs.len() as u64
    }

    /// How many are still to begin.
    pub fn to_come(&self) -> u64 {
        lock(&self.state).to_come
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        lock(&self.state).requests
    }

    /// Requests so far that were answered badly.
    pub fn troubles(&self) -> u64 {
        lock(&self.state).troubles
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(dialect: Dialect, state: &mut State, request: &Request) -> Reply {
    state.requests += 1;
    let reply = match dialect {
        Dialect::GitHub => github(state, request),
        Dialect::GitLab => gitlab(state, request),
        Dialect::Jenkins => jenkins(state, request),
        Dialect::TeamCity => teamcity(state, request),
    };
    if state.requests.is_multiple_of(SHIFTED_EVERY) && state.to_come > 0 {
        state.to_come -= 1;
        let newest = state.runs.last().copied().unwrap_or_default();
        state.runs.push(newest + 1);
    }
    let troubled = match state.requests % TROUBLED_EVERY {
        3 => Reply::status(429).with("retry-after", 1),
        8 => Reply::status(502),
        14 => reply.in_manner(Manner::CutOff),
        20 => reply.in_manner(Manner::Silence),
        25 => Reply::status(503).with("retry-after", 1),
        _ => return reply,
    };
    state.troubles += 1;
    troubled
}

/// The numbers of the runs that began in a span given as text, newest first. Times of one form compare as text.
fn between(state: &State, from: &str, to: &str, form: fn(i64) -> String) -> Vec<u64> {
    let is_in = |began: i64| (from..=to).contains(&form(began).as_str());
    let numbered = state.runs.iter().zip(1_u64..).filter(|(began, _)| is_in(**began));
    let mut numbers: Vec<u64> = numbered.map(|(_, number)| number).collect();
    numbers.reverse();
    numbers
}

fn began(state: &State, number: u64) -> Option<i64> {
    let position = usize::try_from(number.checked_sub(1)?).ok()?;
    state.runs.get(position).copied()
}

fn query<'r>(request: &'r Request, name: &str) -> &'r str {
    request.query.get(name).map_or("", String::as_str)
}

/// A page of numbers, and whether there is another.
fn page(numbers: &[u64], request: &Request) -> (Vec<u64>, usize, bool) {
    let page = query(request, "page").parse().unwrap_or(1_usize).max(1);
    let shown = numbers.iter().skip((page - 1) * PAGE).take(PAGE).copied().collect();
    (shown, page, page * PAGE < numbers.len())
}

fn github(state: &State, request: &Request) -> Reply {
    let run = |number: u64| {
        let at = began(state, number)?;
        Some(json!({
            "id": number, "name": "CI", "run_number": number, "run_attempt": 1, "event": "push",
            "status": "completed", "conclusion": "success", "head_branch": "main",
            "head_sha": format!("{number:040x}"), "created_at": rfc3339(at), "run_started_at": rfc3339(at),
            "updated_at": rfc3339(at + 50),
        }))
    };
    let job = |number: u64, position: u64| {
        let at = began(state, number)?;
        Some(json!({
            "id": number * 100 + position, "run_id": number, "run_attempt": 1, "name": format!("test {position}"),
            "status": "completed", "conclusion": "success", "created_at": rfc3339(at),
            "started_at": rfc3339(at + 3), "completed_at": rfc3339(at + 40), "labels": ["ubuntu-latest"],
            "steps": [{"name": "build", "number": 1, "status": "completed", "conclusion": "success",
                       "started_at": rfc3339(at + 4), "completed_at": rfc3339(at + 30)}],
        }))
    };
    let Some(rest) = request.path.strip_prefix("/repos/acme/shop") else { return Reply::status(404) };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Reply::json(&json!({
            "full_name": "acme/shop", "html_url": "https://github.com/acme/shop", "default_branch": "main",
        })),
        ["actions", "runs"] => {
            let (from, to) = query(request, "created").split_once("..").unwrap_or_default();
            let numbers = between(state, from, to, rfc3339);
            let (shown, page, has_next) = page(&numbers, request);
            let runs: Vec<Value> = shown.into_iter().filter_map(run).collect();
            let reply = Reply::json(&json!({ "total_count": numbers.len(), "workflow_runs": runs }));
            match has_next {
                true => reply
                    .with("link", format!("<https://elsewhere.example/?page={}>; rel=\"next\"", page + 1)),
                false => reply,
            }
        }
        ["actions", "runs", number, "jobs"] => {
            let number = number.parse().unwrap_or_default();
            let jobs: Vec<Value> = (0..JOBS).filter_map(|position| job(number, position)).collect();
            Reply::json(&json!({ "total_count": jobs.len(), "jobs": jobs }))
        }
        ["actions", "runners"] => Reply::json(&json!({"runners": [
            {"id": 77, "name": "own-1", "os": "Linux", "status": "online", "busy": true},
        ]})),
        ["actions", "caches"] => Reply::json(&json!({"actions_caches": state.runs.last().map(|at| json!({
            "id": 505, "key": "cargo-linux", "size_in_bytes": 2_000_000, "created_at": rfc3339(at - 3_600),
        })).into_iter().collect::<Vec<_>>()})),
        ["actions", "cache", "usage"] => {
            Reply::json(&json!({"active_caches_size_in_bytes": 2_000_000, "active_caches_count": 1}))
        }
        _ => Reply::status(404),
    }
}

fn gitlab(state: &State, request: &Request) -> Reply {
    let pipeline = |number: u64| {
        let at = began(state, number)?;
        Some(json!({
            "id": number, "iid": number, "project_id": 4, "sha": format!("{number:040x}"), "ref": "main",
            "status": "success", "source": "push", "created_at": rfc3339(at), "updated_at": rfc3339(at + 1),
            "started_at": rfc3339(at + 1), "finished_at": rfc3339(at + 1),
        }))
    };
    let job = |number: u64, position: u64| {
        let at = began(state, number)?;
        Some(json!({
            "id": number * 100 + position, "name": format!("rspec {position}"), "stage": "test",
            "status": "success", "created_at": rfc3339(at), "started_at": rfc3339(at),
            "finished_at": rfc3339(at + 1), "duration": 1.0, "queued_duration": 0.5,
        }))
    };
    let Some(rest) = request.path.strip_prefix("/api/v4/projects/acme%2Fshop") else {
        return Reply::status(404);
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Reply::json(
            &json!({"web_url": "https://gitlab.acme.example/acme/shop", "default_branch": "main"}),
        ),
        ["pipelines"] => {
            let changed = |at: i64| rfc3339(at + 1);
            let (from, to) = (query(request, "updated_after"), query(request, "updated_before"));
            let mut numbers = between(state, from, to, changed);
            // Asked for in the order of their change, oldest first.
            numbers.reverse();
            let (shown, page, has_next) = page(&numbers, request);
            let pipelines: Vec<Value> = shown.into_iter().filter_map(pipeline).collect();
            let next = if has_next { (page + 1).to_string() } else { String::new() };
            Reply::json(&json!(pipelines)).with("x-total", numbers.len()).with("x-next-page", next)
        }
        ["pipelines", number] => match number.parse().ok().and_then(pipeline) {
            Some(pipeline) => Reply::json(&pipeline),
            None => Reply::status(404),
        },
        ["pipelines", number, "jobs"] => {
            let number = number.parse().unwrap_or_default();
            let jobs: Vec<Value> = (0..JOBS).filter_map(|position| job(number, position)).collect();
            Reply::json(&json!(jobs))
        }
        ["runners"] => Reply::json(&json!([{"id": 12, "description": "large", "status": "online"}])),
        _ => Reply::status(404),
    }
}

fn jenkins(state: &State, request: &Request) -> Reply {
    let build = |number: u64| {
        let at = began(state, number)?;
        Some(json!({
            "number": number, "timestamp": at * 1_000, "building": false, "result": "SUCCESS", "duration": 500,
            "builtOn": "linux-3",
        }))
    };
    let newest = state.runs.last().copied().unwrap_or_default();
    match request.path.as_str() {
        "/api/json" => Reply::json(&json!({"_class": "hudson.model.Hudson", "jobs": [
            {"_class": "WorkflowJob", "url": "https://ci.acme.example/job/shop/", "lastBuild": {"timestamp": newest * 1_000}},
        ]})),
        "/computer/api/json" => Reply::json(&json!({"computer": [
            {"displayName": "linux-3", "offline": false, "idle": false},
        ]})),
        "/job/shop/api/json" => {
            let slice =
                query(request, "tree").split_once('{').map_or("", |(_, slice)| slice.trim_end_matches('}'));
            let (from, to) = slice.split_once(',').unwrap_or(("0", "0"));
            let (from, to) = (from.parse().unwrap_or(0_usize), to.parse().unwrap_or(0_usize));
            let newest_first = (1..=state.runs.len() as u64).rev();
            let builds: Vec<Value> =
                newest_first.skip(from).take(to.saturating_sub(from)).filter_map(build).collect();
            Reply::json(&json!({ "allBuilds": builds }))
        }
        path => {
            let number = path.strip_prefix("/job/shop/").and_then(|rest| rest.split('/').next());
            match number.and_then(|number| number.parse().ok()).and_then(build) {
                Some(build) => Reply::json(&build),
                None => Reply::status(404),
            }
        }
    }
}

fn teamcity(state: &State, request: &Request) -> Reply {
    let build = |number: u64| {
        let at = began(state, number)?;
        Some(json!({
            "id": number, "buildTypeId": "Shop_Test", "number": number.to_string(), "status": "SUCCESS",
            "state": "finished", "branchName": "main", "queuedDate": compact(at), "startDate": compact(at + 2),
            "finishDate": compact(at + 40), "buildType": {"id": "Shop_Test", "name": "Test", "projectId": "Shop"},
            "webUrl": format!("https://teamcity.acme.example/buildConfiguration/Shop_Test/{number}"),
            "agent": {"id": 11, "name": "linux-11"},
        }))
    };
    match request.path.as_str() {
        "/app/rest/agents" => Reply::json(&json!({"agent": [
            {"id": 11, "name": "linux-11", "connected": true, "enabled": true, "authorized": true},
        ]})),
        "/app/rest/builds" => {
            let locator = query(request, "locator");
            let after = |mark: &str| locator.split_once(mark).map_or("", |(_, rest)| rest);
            let date = |text: &str| text.split(',').next().unwrap_or_default().to_owned();
            let (from, rest) = after("queuedDate:(date:").split_once("queuedDate:(date:").unwrap_or_default();
            let start: usize = after("start:").parse().unwrap_or(0);
            // The upper bound is a moment that is no longer in the span.
            let numbers: Vec<u64> = between(state, &date(from), &date(rest), compact)
                .into_iter()
                .filter(|number| began(state, *number).is_some_and(|at| compact(at) != date(rest)))
                .collect();
            let builds: Vec<Value> =
                numbers.iter().skip(start).take(100).copied().filter_map(build).collect();
            let next = (start + 100 < numbers.len()).then_some("/app/rest/builds?more");
            Reply::json(&json!({ "count": builds.len(), "nextHref": next, "build": builds }))
        }
        path => match path
            .strip_prefix("/app/rest/builds/id:")
            .and_then(|number| number.parse().ok())
            .and_then(build)
        {
            Some(build) => Reply::json(&build),
            None => Reply::status(404),
        },
    }
}
