//! Jenkins' remote API: builds of all jobs below a folder, and nodes. A build of the API is the data of a Generic Event.
//!
//! Jenkins has no list of all builds. One request finds every job with the time of its last build; only jobs that built
//! something in the span are asked for their builds, newest first, in slices that overlap, since new builds push the
//! others on. A sweep so costs a request for every job that is at work, not for every job there is.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use manometer_model::records::Runner;
use manometer_model::{Record, Timestamp};
use serde_json::{Value, json};

use super::webhook::{decoded, escaped, items, text, time};
use super::{Api, Fault, Listed, Listing, Source, Window};
use crate::repository::path_of;
use crate::{Decoded, ServiceRules};

const NAME: &str = "jenkins";
/// Folders inside folders that are looked into.
const DEEPEST_FOLDER: usize = 8;
/// Builds asked for at once, and how far the next slice begins after this one.
const SLICE: usize = 100;
const SLICE_STEP: usize = 90;
/// Most slices of one job in one sweep.
const MOST_SLICES: usize = 200;

/// All jobs, or those below a folder.
#[derive(Debug)]
pub struct JenkinsSource {
    folder: String,
    rules: ServiceRules,
    jobs: Mutex<Option<Vec<FoundJob>>>,
}

/// A job that builds.
#[derive(Debug, Clone, PartialEq)]
struct FoundJob {
    /// Below the base: `job/acme/job/shop/job/main/`.
    path: String,
    is_multibranch: bool,
    last_build_at: Option<Timestamp>,
}

impl JenkinsSource {
    /// All jobs of the server, or those below a folder: `acme/shop`.
    pub fn new(folder: Option<&str>, rules: ServiceRules) -> Self {
        let names = folder.unwrap_or_default().split('/').filter(|name| !name.is_empty());
        let folder = names.map(|name| format!("job/{}/", escaped(name))).collect();
        Self { folder, rules, jobs: Mutex::new(None) }
    }

    /// The jobs, found anew at the beginning of a sweep.
    async fn jobs(&self, api: &Api, is_new_sweep: bool) -> Result<Vec<FoundJob>, Fault> {
        let known = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(jobs) = known.filter(|_| !is_new_sweep) {
            return Ok(jobs);
        }
        let mut tree = "url,_class,lastBuild[timestamp]".to_owned();
        for _ in 0..DEEPEST_FOLDER {
            tree = format!("url,_class,lastBuild[timestamp],jobs[{tree}]");
        }
        let path = format!("{}api/json?tree={}", self.folder, escaped(&format!("_class,jobs[{tree}]")));
        let told: Value = api.get(&path).await?.json()?;
        let jobs = jobs_of(&told, api);
        *self.jobs.lock().unwrap_or_else(PoisonError::into_inner) = Some(jobs.clone());
        Ok(jobs)
    }

    /// The builds of a job in a span.
    async fn builds(&self, api: &Api, job: &FoundJob, window: Window) -> Result<Vec<Listed>, Fault> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for slice in 0..MOST_SLICES {
            let from = slice * SLICE_STEP;
            let tree =
                format!("allBuilds[number,timestamp,building,result,duration]{{{from},{}}}", from + SLICE);
            let path = format!("{}api/json?tree={}", job.path, escaped(&tree));
            let told: Value = match api.get(&path).await {
                Ok(answer) => answer.json()?,
                Err(Fault::Gone { .. }) => break,
                Err(fault) => return Err(fault),
            };
            let builds = items(&told, "allBuilds");
            let runs: Vec<Listed> = builds.iter().filter_map(|build| listed(job, build)).collect();
            let is_past = runs.iter().any(|run| run.created_at < window.from);
            found.extend(
                runs.into_iter()
                    .filter(|run| run.created_at >= window.from && run.created_at < window.to)
                    .filter(|run| seen.insert(run.key.clone())),
            );
            if builds.len() < SLICE || is_past {
                break;
            }
        }
        Ok(found)
    }
}

impl Source for JenkinsSource {
    fn window_seconds(&self) -> Option<i64> {
        None
    }

    /// Page N is the builds of the Nth job that was at work.
    async fn list(&self, api: &Api, window: Window, page: u32) -> Result<Listing, Fault> {
        let jobs = self.jobs(api, page == 1).await?;
        let at_work: Vec<&FoundJob> =
            jobs.iter().filter(|job| job.last_build_at.is_some_and(|at| at >= window.from)).collect();
        let position = page.max(1) as usize - 1;
        let Some(job) = at_work.get(position) else { return Ok(Listing::default()) };
        let mut runs = self.builds(api, job, window).await?;
        runs.reverse();
        Ok(Listing { runs, has_next: position + 1 < at_work.len(), total: None })
    }

    async fn look_up(&self, api: &Api, key: &str) -> Result<Listed, Fault> {
        let gone = || Fault::Gone { path: key.to_owned() };
        let (job_path, _) = key.trim_end_matches('/').rsplit_once('/').ok_or_else(gone)?;
        let jobs = self.jobs(api, false).await?;
        let job = jobs.iter().find(|job| job.path.trim_end_matches('/') == job_path).ok_or_else(gone)?;
        let tree = escaped("number,timestamp,building,result,duration");
        let told: Value = api.get(&format!("{key}api/json?tree={tree}")).await?.json()?;
        listed(job, &told).ok_or_else(gone)
    }

    async fn fetch(&self, api: &Api, run: &Listed) -> Result<Vec<Decoded>, Fault> {
        let mut data: Value = api.get(&format!("{}api/json", run.key)).await?.json()?;
        let is_building = data.get("building").and_then(Value::as_bool) == Some(true);
        if let Some(data) = data.as_object_mut() {
            data.insert("_multiBranch".to_owned(), json!(run.told.get("is_multibranch")));
        }
        let body = json!({
            "type": if is_building { "run.started" } else { "run.finalized" },
            "source": run.told.get("job"),
            "url": run.key,
            "data": data,
        });
        let referrer = api.base().as_str();
        Ok(vec![decoded(NAME, &[("referrer", referrer)], &body, &self.rules, api.now())])
    }

    async fn surroundings(&self, api: &Api, _since: Timestamp) -> Result<Vec<Decoded>, Fault> {
        let tree = escaped("computer[displayName,offline,idle,assignedLabels[name]]");
        let told: Value = api.get(&format!("computer/api/json?tree={tree}")).await?.json()?;
        let rows = items(&told, "computer").iter().filter_map(|node| {
            let is = |key: &str| node.get(key).and_then(Value::as_bool) == Some(true);
            let state = match (is("offline"), is("idle")) {
                (true, _) => "offline",
                (false, true) => "available",
                (false, false) => "busy",
            };
            let labels: Vec<String> =
                items(node, "assignedLabels").iter().filter_map(|label| text(label, "name")).collect();
            let name = text(node, "displayName")?;
            Some(Record::from(Runner {
                provider: NAME.to_owned(),
                runner_id: name.clone(),
                name: Some(name),
                runner_labels: (!labels.is_empty()).then(|| labels.join(",")),
                state: Some(state.to_owned()),
                seen_at: (state != "offline").then(|| api.now()),
                updated_at: Some(api.now()),
                ..Runner::default()
            }))
        });
        Ok(vec![Decoded { entities: rows.collect(), ..Decoded::default() }])
    }
}

/// Every job that builds, in the order of the answer; folders are looked into without recursion.
fn jobs_of(root: &Value, api: &Api) -> Vec<FoundJob> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(folder) = open.pop() {
        let is_multibranch = text(folder, "_class").is_some_and(|class| class.contains("MultiBranch"));
        for job in items(folder, "jobs") {
            if job.get("jobs").is_some_and(Value::is_array) {
                open.push(job);
            }
            let Some(path) = text(job, "url").as_deref().and_then(|url| below_base(url, api)) else {
                continue;
            };
            let last_build = job.get("lastBuild").filter(|build| !build.is_null());
            let last_build_at = last_build.and_then(|build| time(build, "timestamp"));
            if last_build_at.is_some() {
                found.push(FoundJob { path, is_multibranch, last_build_at });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// The path of a job's page below the base. Only the path is taken: Jenkins may know itself under another name.
fn below_base(url: &str, api: &Api) -> Option<String> {
    let path = path_of(url)?;
    let base = api.base().path().trim_matches('/');
    let below = path.strip_prefix(base).unwrap_or(path).trim_start_matches('/');
    let is_plain = below.starts_with("job/") && !below.contains(['?', '#']) && !below.contains("..");
    is_plain.then(|| format!("{}/", below.trim_end_matches('/')))
}

fn listed(job: &FoundJob, build: &Value) -> Option<Listed> {
    let number = build.get("number").and_then(Value::as_u64)?;
    let is_building = build.get("building").and_then(Value::as_bool) == Some(true);
    let result = text(build, "result").unwrap_or_default();
    let duration = text(build, "duration").unwrap_or_default();
    Some(Listed {
        key: format!("{}{number}/", job.path),
        stamp: format!("{is_building} {result} {duration}"),
        created_at: time(build, "timestamp")?,
        is_finished: !is_building,
        told: json!({ "job": job.path, "is_multibranch": job.is_multibranch }),
    })
}
