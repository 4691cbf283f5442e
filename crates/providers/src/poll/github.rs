//! GitHub's REST API: runs with their jobs of every attempt, runners, the size of caches, deliveries of a hook.
//!
//! A run and a job of the API are the objects `workflow_run` and `workflow_job` of the webhooks.
//! See <https://docs.github.com/en/rest/actions/workflow-runs> and <https://docs.github.com/en/rest/repos/webhooks>.

use manometer_model::records::{Cache, Runner, Sample};
use manometer_model::{Record, Timestamp};
use serde_json::{Value, json};

use super::redelivery::{HookDelivery, due};
use super::webhook::{decoded, items, seconds_text, text, time};
use super::{Api, Fault, Listed, Listing, Redeliveries, Source, Window};
use crate::repository::project_of;
use crate::{Decoded, FactGroup, ServiceRules, platform};

const NAME: &str = "github";
const PER_PAGE: usize = 100;
/// Most pages of one list beside the runs: jobs, runners, deliveries.
const MOST_PAGES: u32 = 50;
/// Most attempts of a run that are told of.
const MOST_ATTEMPTS: i64 = 100;

/// One repository.
#[derive(Debug)]
pub struct GitHubSource {
    repository: String,
    hook_id: Option<u64>,
    rules: ServiceRules,
    told: tokio::sync::OnceCell<Value>,
}

impl GitHubSource {
    /// A repository, as `acme/shop`. With the id of its webhook, deliveries that failed are asked for again.
    pub fn new(repository: impl Into<String>, hook_id: Option<u64>, rules: ServiceRules) -> Self {
        Self { repository: repository.into(), hook_id, rules, told: tokio::sync::OnceCell::new() }
    }

    /// What the API tells of the repository: asked once.
    async fn repository(&self, api: &Api) -> Result<&Value, Fault> {
        self.told
            .get_or_try_init(|| async {
                let told: Value = api.get(&format!("repos/{}", self.repository)).await?.json()?;
                Ok(json!({
                    "full_name": told.get("full_name"),
                    "html_url": told.get("html_url"),
                    "default_branch": told.get("default_branch"),
                }))
            })
            .await
    }

    async fn event(&self, api: &Api, event: &str, subject: Value) -> Result<Decoded, Fault> {
        let action = text(&subject, "status").unwrap_or_default();
        let mut body = json!({ "action": action, "repository": self.repository(api).await? });
        if let Some(body) = body.as_object_mut() {
            body.insert(event.to_owned(), subject);
        }
        Ok(decoded(NAME, &[("x-github-event", event)], &body, &self.rules, api.now()))
    }

    /// All items of a list beside the runs.
    async fn all(&self, api: &Api, path: &str, key: &str) -> Result<Vec<Value>, Fault> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let separator = if path.contains('?') { '&' } else { '?' };
            let address =
                format!("repos/{}/{path}{separator}per_page={PER_PAGE}&page={page}", self.repository);
            let answer = api.get(&address).await?;
            let told: Value = answer.json()?;
            found.extend(items(&told, key).iter().cloned());
            if answer.next.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The caches saved since a moment, newest first. Each is one use of a cache: the saving; who restored it the API
    /// does not tell.
    async fn new_caches(&self, api: &Api, since: Timestamp) -> Result<Vec<FactGroup>, Fault> {
        let Some(project) = text(self.repository(api).await?, "html_url").as_deref().and_then(project_of)
        else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!(
                "repos/{}/actions/caches?sort=created_at&direction=desc&per_page={PER_PAGE}&page={page}",
                self.repository
            );
            let answer = api.get(&path).await?;
            let told: Value = answer.json()?;
            let caches = items(&told, "actions_caches");
            let before = found.len();
            found.extend(caches.iter().filter_map(|cache| saved_cache(cache, &project, since)));
            if answer.next.is_none() || found.len() - before < caches.len() {
                break;
            }
        }
        Ok(found)
    }
}

impl Source for GitHubSource {
    fn most_listed(&self) -> Option<u64> {
        Some(1_000)
    }

    async fn list(&self, api: &Api, window: Window, page: u32) -> Result<Listing, Fault> {
        let (from, to) = (seconds_text(window.from), seconds_text(window.to.plus_seconds(-1.0)));
        let path = format!(
            "repos/{}/actions/runs?created={from}..{to}&per_page={PER_PAGE}&page={page}",
            self.repository
        );
        let answer = api.get(&path).await?;
        let told: Value = answer.json()?;
        let Some(runs) = told.get("workflow_runs").and_then(Value::as_array) else {
            return Err(Fault::Passing { message: format!("{path}: the answer has no workflow_runs") });
        };
        Ok(Listing {
            runs: runs.iter().filter_map(listed).collect(),
            has_next: answer.next.is_some(),
            total: told.get("total_count").and_then(Value::as_u64),
        })
    }

    async fn look_up(&self, api: &Api, key: &str) -> Result<Listed, Fault> {
        let path = format!("repos/{}/actions/runs/{key}", self.repository);
        let told: Value = api.get(&path).await?.json()?;
        listed(&told).ok_or(Fault::Gone { path })
    }

    async fn fetch(&self, api: &Api, run: &Listed) -> Result<Vec<Decoded>, Fault> {
        let mut found = Vec::new();
        let attempts = run.told.get("run_attempt").and_then(Value::as_i64).unwrap_or(1).min(MOST_ATTEMPTS);
        for attempt in 1..attempts {
            let path = format!("repos/{}/actions/runs/{}/attempts/{attempt}", self.repository, run.key);
            match api.get(&path).await {
                Ok(answer) => found.push(self.event(api, "workflow_run", answer.json()?).await?),
                Err(Fault::Gone { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        for job in self.all(api, &format!("actions/runs/{}/jobs?filter=all", run.key), "jobs").await? {
            found.push(self.event(api, "workflow_job", job).await?);
        }
        found.push(self.event(api, "workflow_run", run.told.clone()).await?);
        Ok(found)
    }

    async fn surroundings(&self, api: &Api, since: Timestamp) -> Result<Vec<Decoded>, Fault> {
        let mut around = Decoded::default();
        let project = text(self.repository(api).await?, "html_url").as_deref().and_then(project_of);
        match self.all(api, "actions/runners", "runners").await {
            Ok(runners) => around.entities.extend(
                runners.iter().filter_map(|runner| runner_of(runner, project.clone(), api)).map(Record::from),
            ),
            Err(Fault::Refused { .. } | Fault::Gone { .. }) => {}
            Err(fault) => return Err(fault),
        }
        let usage = api.get(&format!("repos/{}/actions/cache/usage", self.repository)).await;
        match (usage, project) {
            (Ok(answer), Some(project)) => around.facts.extend(cache_size(&answer.json()?, project, api)),
            (Ok(_) | Err(Fault::Refused { .. } | Fault::Gone { .. }), _) => {}
            (Err(fault), _) => return Err(fault),
        }
        match self.new_caches(api, since).await {
            Ok(caches) => around.facts.extend(caches),
            Err(Fault::Refused { .. } | Fault::Gone { .. }) => {}
            Err(fault) => return Err(fault),
        }
        Ok(vec![around])
    }

    async fn redeliver(&self, api: &Api, done: &mut Redeliveries) -> Result<u64, Fault> {
        let Some(hook) = self.hook_id else { return Ok(0) };
        let base = format!("repos/{}/hooks/{hook}/deliveries", self.repository);
        let mut count = 0;
        for (guid, id) in due(&deliveries(api, &base).await?, done) {
            let tries = done.get(&guid).copied().unwrap_or_default();
            done.insert(guid.clone(), tries + 1);
            match api.post(&format!("{base}/{id}/attempts")).await {
                Ok(()) => count += 1,
                // GitHub keeps deliveries for three days.
                Err(Fault::Gone { .. }) | Err(Fault::Refused { status: 400 | 422, .. }) => {}
                Err(fault) => {
                    done.insert(guid, tries);
                    return Err(fault);
                }
            }
        }
        Ok(count)
    }
}

fn listed(run: &Value) -> Option<Listed> {
    let status = text(run, "status").unwrap_or_default();
    let changed = text(run, "updated_at").unwrap_or_default();
    let attempt = text(run, "run_attempt").unwrap_or_default();
    Some(Listed {
        key: text(run, "id")?,
        stamp: format!("{changed} {attempt} {status}"),
        created_at: time(run, "created_at").unwrap_or_default(),
        is_finished: status == "completed",
        told: run.clone(),
    })
}

fn runner_of(runner: &Value, project: Option<String>, api: &Api) -> Option<Runner> {
    let is_busy = runner.get("busy").and_then(Value::as_bool) == Some(true);
    let state = match text(runner, "status").as_deref() {
        Some("online") if is_busy => "busy",
        Some("online") => "available",
        _ => "offline",
    };
    let labels: Vec<String> =
        items(runner, "labels").iter().filter_map(|label| text(label, "name")).collect();
    Some(Runner {
        provider: NAME.to_owned(),
        project,
        runner_id: text(runner, "id")?,
        name: text(runner, "name"),
        os: text(runner, "os").as_deref().and_then(platform::os),
        runner_labels: (!labels.is_empty()).then(|| labels.join(",")),
        state: Some(state.to_owned()),
        seen_at: (state != "offline").then(|| api.now()),
        updated_at: Some(api.now()),
        ..Runner::default()
    })
}

/// How much the caches of a repository hold: one sample an hour.
fn cache_size(usage: &Value, project: String, api: &Api) -> Option<FactGroup> {
    let now = api.now();
    let bytes = usage.get("active_caches_size_in_bytes").and_then(Value::as_f64)?;
    let count = usage.get("active_caches_count").and_then(Value::as_f64)?;
    let sample = |name: &str, value, unit: &str| {
        Record::from(Sample {
            provider: NAME.to_owned(),
            project: project.clone(),
            run_attempt: 1,
            name: name.to_owned(),
            value,
            unit: Some(unit.to_owned()),
            at: now,
            ..Sample::default()
        })
    };
    let hour = now.as_micros().div_euclid(3_600_000_000);
    Some(FactGroup {
        natural_key: format!("cache_usage/{NAME}/{project}/{hour}"),
        records: vec![sample("caches.size_bytes", bytes, "bytes"), sample("caches.count", count, "caches")],
    })
}

/// A cache that was saved at or after a moment.
fn saved_cache(cache: &Value, project: &str, since: Timestamp) -> Option<FactGroup> {
    let at = time(cache, "created_at").filter(|at| *at >= since)?;
    let row = Cache {
        provider: NAME.to_owned(),
        project: project.to_owned(),
        run_attempt: 1,
        cache_type: "actions".to_owned(),
        cache_key: text(cache, "key"),
        operation: Some("save".to_owned()),
        size_bytes: cache.get("size_in_bytes").and_then(Value::as_i64),
        at,
        ..Cache::default()
    };
    let natural_key = format!("cache/{NAME}/{project}/{}", text(cache, "id")?);
    Some(FactGroup { natural_key, records: vec![row.into()] })
}

/// The deliveries of a hook, newest first. Their pages go on by a cursor, of which only the value is taken.
async fn deliveries(api: &Api, base: &str) -> Result<Vec<HookDelivery>, Fault> {
    let mut found = Vec::new();
    let mut path = format!("{base}?per_page={PER_PAGE}");
    for _ in 0..MOST_PAGES {
        let answer = api.get(&path).await?;
        let told: Vec<Value> = answer.json()?;
        found.extend(told.iter().filter_map(|delivery| {
            let status = delivery.get("status_code").and_then(Value::as_u64).unwrap_or_default();
            Some(HookDelivery {
                id: delivery.get("id").and_then(Value::as_u64)?,
                key: text(delivery, "guid")?,
                arrived: (200..400).contains(&status),
            })
        }));
        let next = answer.next.as_deref().and_then(|next| url::Url::parse(next).ok());
        let cursor = next.and_then(|next| {
            next.query_pairs().find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned())
        });
        let Some(cursor) = cursor else { break };
        let cursor: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        path = format!("{base}?per_page={PER_PAGE}&cursor={cursor}");
    }
    Ok(found)
}
