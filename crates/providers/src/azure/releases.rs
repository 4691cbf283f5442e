//! Classic releases: the deployment of a release to one of its stages.

use manometer_model::records::Deployment;
use manometer_model::{Conclusion, Status, Timestamp};

use super::NAME;
use crate::reading::labels;
use crate::repository::{branch_of, host_of, path_of, project_of};
use crate::tree::View;
use crate::{Decoded, ServiceRules};

pub(super) fn deployment(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let resource = root.object("resource");
    let environment = resource.object("environment");
    let release = environment.object("release").or(resource.object("release"));
    let Some(project) = project(release, resource) else { return };
    let (Some(release_id), Some(stage_id)) = (release.text("id"), environment.text("id")) else { return };
    let (status, conclusion) = state(&decoded.event, &environment.text("status").unwrap_or_default());
    let happened = root.time("createdDate");
    let minutes = environment.float("timeToDeploy").filter(|minutes| *minutes > 0.0);
    let source = Source::of(resource.object("release"));
    let definition =
        resource.object("release").object("releaseDefinition").or(environment.object("releaseDefinition"));
    let at = |wanted: Status| -> Option<Timestamp> { happened.filter(|_| status == wanted) };
    let row = Deployment {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project: project.clone(),
        // A stage that is deployed again keeps its id: the attempt tells them apart.
        deployment_id: match resource.int("attemptId").filter(|attempt| *attempt > 1) {
            Some(attempt) => format!("{release_id}/{stage_id}/{attempt}"),
            None => format!("{release_id}/{stage_id}"),
        },
        environment: environment.text("name"),
        version: release.text("name"),
        commit_sha: source.commit,
        branch: source.branch,
        run_id: source.run_id,
        status: Some(status),
        conclusion,
        queued_at: environment.time("queuedOn"),
        started_at: at(Status::Running),
        finished_at: at(Status::Completed),
        duration_seconds: minutes.map(|minutes| minutes * 60.0).filter(|_| status == Status::Completed),
        actor: resource.object("release").object("createdBy").text("displayName"),
        url: release.object("_links").object("web").text("href"),
        labels: labels([("pipeline", definition.text("name")), ("status", environment.text("status"))]),
        updated_at: happened,
    };
    decoded.known = true;
    decoded.project = Some(project);
    decoded.entities.push(row.into());
}

/// The release's address names organisation and project, as `vsrm.dev.azure.com/acme/shop/_apis/…`.
fn project(release: View<'_>, resource: View<'_>) -> Option<String> {
    let address = release.text("url")?;
    let host = host_of(&address)?.replacen("vsrm.", "", 1);
    let path = path_of(&address)?;
    let (before, _) = path.split_once("/_apis").or_else(|| path.split_once("_apis"))?;
    let named = resource.object("project").text("name");
    project_of(&format!("{host}/{before}")).or_else(|| project_of(&format!("{host}/{}", named?)))
}

fn state(event: &str, word: &str) -> (Status, Option<Conclusion>) {
    if event.ends_with("deployment-started-event") {
        return (Status::Running, None);
    }
    let conclusion = match word.to_ascii_lowercase().as_str() {
        "succeeded" | "partiallysucceeded" => Some(Conclusion::Success),
        "rejected" | "failed" => Some(Conclusion::Failure),
        "canceled" | "cancelled" => Some(Conclusion::Cancelled),
        _ => None,
    };
    (Status::Completed, conclusion)
}

/// What is deployed: the release's primary artifact.
#[derive(Debug, Default)]
struct Source {
    commit: Option<String>,
    branch: Option<String>,
    run_id: Option<String>,
}

impl Source {
    fn of(release: View<'_>) -> Self {
        let artifacts: Vec<View<'_>> = release.items("artifacts").collect();
        let primary = artifacts.iter().find(|artifact| artifact.flag("isPrimary") == Some(true));
        let Some(artifact) = primary.or_else(|| artifacts.first()) else { return Self::default() };
        let reference = artifact.object("definitionReference");
        let is_build = artifact.text("type").as_deref() == Some("Build");
        Self {
            commit: reference.object("sourceVersion").text("id"),
            branch: reference.object("branch").text("id").as_deref().and_then(branch_of),
            run_id: reference.object("version").text("id").filter(|_| is_build),
        }
    }
}
