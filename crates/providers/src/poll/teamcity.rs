//! TeamCity's REST API: builds and agents. A build of the API is the payload of the built-in webhooks.
//! See <https://www.jetbrains.com/help/teamcity/rest/buildlocator.html>.

use manometer_model::records::Runner;
use manometer_model::{Record, Timestamp};
use serde_json::{Value, json};

use super::webhook::{decoded, escaped, items, text, time};
use super::{Api, Fault, Listed, Listing, Source, Window};
use crate::{Decoded, ServiceRules, platform};

const NAME: &str = "teamcity";
const PER_PAGE: u32 = 100;
/// Pages overlap, since builds that begin while pages are read push the others on.
const PAGE_STEP: u32 = 90;

const BUILD_FIELDS: &str = "id,buildTypeId,number,status,state,branchName,defaultBranch,personal,webUrl,statusText,\
     failedToStart,canceledInfo(timestamp),queuedDate,startDate,finishDate,\
     buildType(id,name,projectId,projectName,webUrl),triggered(type,date,user(username)),\
     revisions(revision(version,vcsBranchName,vcs-root-instance(name))),\
     agent(id,name,typeId,pool(id,name),environment(osType)),properties(property(name,value)),\
     queuedWaitReasons(property(name,value))";

/// A server, or a project of it with all below.
#[derive(Debug)]
pub struct TeamCitySource {
    project: Option<String>,
    rules: ServiceRules,
}

impl TeamCitySource {
    /// The whole server, or the project of that id and all below it.
    pub fn new(project: Option<String>, rules: ServiceRules) -> Self {
        Self { project, rules }
    }
}

impl Source for TeamCitySource {
    async fn list(&self, api: &Api, window: Window, page: u32) -> Result<Listing, Fault> {
        let scope = self.project.as_ref().map(|id| format!("affectedProject:(id:{id}),")).unwrap_or_default();
        let locator = format!(
            "{scope}defaultFilter:false,branch:(default:any),state:any,\
             queuedDate:(date:{},condition:after,includeInitial:true),queuedDate:(date:{},condition:before),\
             count:{PER_PAGE},start:{}",
            compact(window.from),
            compact(window.to),
            (page.max(1) - 1) * PAGE_STEP,
        );
        let fields = format!("count,nextHref,build({BUILD_FIELDS})");
        let path = format!("app/rest/builds?locator={}&fields={}", escaped(&locator), escaped(&fields));
        let told: Value = api.get(&path).await?.json()?;
        Ok(Listing {
            runs: items(&told, "build").iter().filter_map(listed).collect(),
            has_next: told.get("nextHref").is_some_and(|next| !next.is_null()),
            total: None,
        })
    }

    async fn look_up(&self, api: &Api, key: &str) -> Result<Listed, Fault> {
        let path = format!("app/rest/builds/id:{key}?fields={}", escaped(BUILD_FIELDS));
        let told: Value = api.get(&path).await?.json()?;
        listed(&told).ok_or(Fault::Gone { path })
    }

    async fn fetch(&self, api: &Api, run: &Listed) -> Result<Vec<Decoded>, Fault> {
        let event = match text(&run.told, "state").as_deref() {
            Some("finished") => "BUILD_FINISHED",
            Some("running") => "BUILD_STARTED",
            _ => "BUILD_ADDED_TO_QUEUE",
        };
        let body = json!({ "eventType": event, "payload": run.told });
        Ok(vec![decoded(NAME, &[], &body, &self.rules, api.now())])
    }

    async fn surroundings(&self, api: &Api, _since: Timestamp) -> Result<Vec<Decoded>, Fault> {
        let fields = "agent(id,name,connected,enabled,authorized,pool(name),environment(osType),build(id))";
        let path = format!(
            "app/rest/agents?locator={}&fields={}",
            escaped("defaultFilter:false,authorized:true"),
            escaped(fields)
        );
        let told: Value = api.get(&path).await?.json()?;
        let rows = items(&told, "agent").iter().filter_map(|agent| runner_of(agent, api.now()));
        Ok(vec![Decoded { entities: rows.map(Record::from).collect(), ..Decoded::default() }])
    }
}

fn listed(build: &Value) -> Option<Listed> {
    let state = text(build, "state").unwrap_or_default();
    let status = text(build, "status").unwrap_or_default();
    let finished = text(build, "finishDate").unwrap_or_default();
    Some(Listed {
        key: text(build, "id")?,
        stamp: format!("{finished} {state} {status}"),
        created_at: time(build, "queuedDate").or_else(|| time(build, "startDate")).unwrap_or_default(),
        is_finished: state == "finished",
        told: build.clone(),
    })
}

fn runner_of(agent: &Value, now: Timestamp) -> Option<Runner> {
    let is = |key: &str| agent.get(key).and_then(Value::as_bool) != Some(false);
    let state = match agent.get("build").filter(|build| build.get("id").is_some()) {
        _ if !is("connected") || !is("enabled") || !is("authorized") => "offline",
        Some(_) => "busy",
        None => "available",
    };
    Some(Runner {
        provider: NAME.to_owned(),
        runner_id: text(agent, "id")?,
        name: text(agent, "name"),
        pool: agent.get("pool").and_then(|pool| text(pool, "name")),
        os: agent
            .get("environment")
            .and_then(|environment| text(environment, "osType"))
            .as_deref()
            .and_then(platform::os),
        state: Some(state.to_owned()),
        seen_at: (state != "offline").then_some(now),
        updated_at: Some(now),
        ..Runner::default()
    })
}

/// A moment as TeamCity takes it: `20260304T050042+0000`.
fn compact(at: Timestamp) -> String {
    let plain: String =
        at.to_string().chars().take(19).filter(|letter| !matches!(letter, '-' | ':')).collect();
    format!("{plain}+0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_teamcity_reads_them() {
        assert_eq!(compact(Timestamp::from_seconds(1_772_600_442)), "20260304T050042+0000");
    }
}
