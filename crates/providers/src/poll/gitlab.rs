//! GitLab's REST API: pipelines with their jobs, and runners.
//!
//! Pipelines are listed by their last change, so that one which ends late is listed when it ends. What the API tells is
//! laid into the shape of the pipeline hook. See <https://docs.gitlab.com/api/pipelines/> and
//! <https://docs.gitlab.com/api/jobs/>.

use manometer_model::records::Runner;
use manometer_model::{Record, Timestamp};
use serde_json::{Value, json};

use super::redelivery::{HookDelivery, due};
use super::webhook::{decoded, escaped, seconds_text, text, time};
use super::{Api, Fault, Listed, Listing, Redeliveries, Source, Window};
use crate::repository::project_of;
use crate::{Decoded, ServiceRules};

const NAME: &str = "gitlab";
const PER_PAGE: usize = 100;
/// Most pages of the jobs of one pipeline, and of runners.
const MOST_PAGES: u32 = 100;
/// Deliveries asked for again in one sweep: GitLab takes five such requests a minute.
const MOST_RESENT: usize = 5;
/// Jobs laid into one event: a pipeline may have thousands, an event has a limit of size.
const JOBS_PER_EVENT: usize = 200;

/// One project.
#[derive(Debug)]
pub struct GitLabSource {
    project: String,
    hook_id: Option<u64>,
    rules: ServiceRules,
    told: tokio::sync::OnceCell<Value>,
}

impl GitLabSource {
    /// A project, as `group/sub/shop` or by its number. With the id of its webhook, deliveries that failed are asked
    /// for again.
    pub fn new(project: impl Into<String>, hook_id: Option<u64>, rules: ServiceRules) -> Self {
        Self { project: project.into(), hook_id, rules, told: tokio::sync::OnceCell::new() }
    }

    fn path(&self, rest: &str) -> String {
        format!("api/v4/projects/{}{rest}", escaped(&self.project))
    }

    async fn project(&self, api: &Api) -> Result<&Value, Fault> {
        self.told
            .get_or_try_init(|| async {
                let told: Value = api.get(&self.path("")).await?.json()?;
                Ok(json!({
                    "web_url": told.get("web_url"),
                    "default_branch": told.get("default_branch"),
                }))
            })
            .await
    }

    async fn all(&self, api: &Api, rest: &str) -> Result<Vec<Value>, Fault> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let answer = api.get(&self.path(&format!("{rest}per_page={PER_PAGE}&page={page}"))).await?;
            found.extend(answer.json::<Vec<Value>>()?);
            if answer.next.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

impl Source for GitLabSource {
    async fn list(&self, api: &Api, window: Window, page: u32) -> Result<Listing, Fault> {
        let (after, before) = (seconds_text(window.from), seconds_text(window.to));
        let rest = format!(
            "/pipelines?updated_after={after}&updated_before={before}&order_by=updated_at&sort=asc\
             &per_page={PER_PAGE}&page={page}"
        );
        let answer = api.get(&self.path(&rest)).await?;
        let told: Vec<Value> = answer.json()?;
        Ok(Listing {
            runs: told.iter().filter_map(listed).collect(),
            has_next: answer.next.is_some(),
            total: answer.total,
        })
    }

    async fn look_up(&self, api: &Api, key: &str) -> Result<Listed, Fault> {
        let path = self.path(&format!("/pipelines/{key}"));
        let told: Value = api.get(&path).await?.json()?;
        listed(&told).ok_or(Fault::Gone { path })
    }

    async fn fetch(&self, api: &Api, run: &Listed) -> Result<Vec<Decoded>, Fault> {
        let pipeline: Value = api.get(&self.path(&format!("/pipelines/{}", run.key))).await?.json()?;
        let jobs = self.all(api, &format!("/pipelines/{}/jobs?include_retried=true&", run.key)).await?;
        let project = self.project(api).await?;
        let mut parts: Vec<&[Value]> = jobs.chunks(JOBS_PER_EVENT).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        let event = |jobs: &[Value]| {
            let body = hook(&pipeline, project, jobs);
            decoded(NAME, &[("x-gitlab-event", "Pipeline Hook")], &body, &self.rules, api.now())
        };
        Ok(parts.into_iter().map(event).collect())
    }

    async fn surroundings(&self, api: &Api, _since: Timestamp) -> Result<Vec<Decoded>, Fault> {
        let project = text(self.project(api).await?, "web_url").as_deref().and_then(project_of);
        let runners = self.all(api, "/runners?").await?;
        let rows = runners.iter().filter_map(|runner| {
            let state = match text(runner, "status").as_deref() {
                _ if runner.get("paused").and_then(Value::as_bool) == Some(true) => "offline",
                Some("online" | "active") => "available",
                _ => "offline",
            };
            let is_own = text(runner, "runner_type").as_deref() == Some("project_type");
            Some(Record::from(Runner {
                provider: NAME.to_owned(),
                project: project.clone().filter(|_| is_own),
                runner_id: text(runner, "id")?,
                name: text(runner, "description"),
                pool: text(runner, "runner_type"),
                state: Some(state.to_owned()),
                seen_at: (state == "available").then(|| api.now()),
                updated_at: Some(api.now()),
                ..Runner::default()
            }))
        });
        Ok(vec![Decoded { entities: rows.collect(), ..Decoded::default() }])
    }

    async fn redeliver(&self, api: &Api, done: &mut Redeliveries) -> Result<u64, Fault> {
        let Some(hook) = self.hook_id else { return Ok(0) };
        let events = self.all(api, &format!("/hooks/{hook}/events?")).await?;
        let deliveries: Vec<HookDelivery> = events.iter().filter_map(hook_delivery).collect();
        let mut count = 0;
        for (key, id) in due(&deliveries, done).into_iter().take(MOST_RESENT) {
            let tries = done.get(&key).copied().unwrap_or_default();
            done.insert(key.clone(), tries + 1);
            match api.post(&self.path(&format!("/hooks/{hook}/events/{id}/resend"))).await {
                Ok(()) => count += 1,
                // It is too old, or the hook goes elsewhere by now.
                Err(Fault::Gone { .. }) | Err(Fault::Refused { status: 400 | 422, .. }) => {}
                Err(fault) => {
                    done.insert(key, tries);
                    return Err(fault);
                }
            }
        }
        Ok(count)
    }
}

/// An attempt of a delivery. GitLab repeats the header `Idempotency-Key` with every attempt.
fn hook_delivery(event: &Value) -> Option<HookDelivery> {
    let id = event.get("id").and_then(Value::as_u64)?;
    let headers = event.get("request_headers");
    let key = headers.and_then(|headers| text(headers, "Idempotency-Key")).unwrap_or_else(|| id.to_string());
    let status: u64 =
        text(event, "response_status").and_then(|status| status.parse().ok()).unwrap_or_default();
    Some(HookDelivery { id, key, arrived: (200..400).contains(&status) })
}

fn listed(pipeline: &Value) -> Option<Listed> {
    let status = text(pipeline, "status").unwrap_or_default();
    let changed = text(pipeline, "updated_at").unwrap_or_default();
    Some(Listed {
        key: text(pipeline, "id")?,
        stamp: format!("{changed} {status}"),
        created_at: time(pipeline, "updated_at").or_else(|| time(pipeline, "created_at")).unwrap_or_default(),
        is_finished: matches!(status.as_str(), "success" | "failed" | "canceled" | "skipped"),
        told: Value::Null,
    })
}

/// A pipeline of the API as the pipeline hook tells it.
fn hook(pipeline: &Value, project: &Value, jobs: &[Value]) -> Value {
    let mut attributes = pipeline.clone();
    if let Some(attributes) = attributes.as_object_mut() {
        attributes.remove("user");
        let status = pipeline.get("detailed_status").and_then(|status| text(status, "text"));
        attributes.insert("detailed_status".to_owned(), json!(status));
        attributes.insert("url".to_owned(), json!(pipeline.get("web_url")));
    }
    json!({
        "object_kind": "pipeline",
        "object_attributes": attributes,
        "user": pipeline.get("user"),
        "project": project,
        "builds": jobs.iter().map(build).collect::<Vec<_>>(),
    })
}

/// A job of the API, without what the hook has not and may be large.
fn build(job: &Value) -> Value {
    const SHARED: [&str; 12] = [
        "id",
        "name",
        "stage",
        "status",
        "created_at",
        "started_at",
        "finished_at",
        "duration",
        "queued_duration",
        "failure_reason",
        "allow_failure",
        "runner",
    ];
    SHARED
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), job.get(*key)?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_of_the_api_has_the_shape_of_the_hook() {
        let pipeline = json!({
            "id": 7, "status": "success", "web_url": "https://g/-/pipelines/7", "user": {"username": "ada"},
            "detailed_status": {"icon": "x", "text": "passed"},
        });
        let body = hook(&pipeline, &json!({}), &[json!({"id": 1, "commit": {"message": "long"}})]);
        assert_eq!(body["object_attributes"]["detailed_status"], "passed");
        assert_eq!(body["object_attributes"]["url"], "https://g/-/pipelines/7");
        assert_eq!(body["user"]["username"], "ada");
        assert_eq!(body["builds"], json!([{"id": 1}]));
    }
}
