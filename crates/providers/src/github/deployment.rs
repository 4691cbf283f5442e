//! `deployment`, `deployment_status` and `release`: what went out, and how that ended.

use manometer_model::records::Deployment;
use manometer_model::{Conclusion, Status};

use super::hub::{Hub, id, moment};
use crate::Decoded;
use crate::reading::{labels, lacks, sha};
use crate::tree::View;

/// A deployment that was asked for.
pub(crate) fn deployment(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let Some(row) = asked_for(hub, root) else { return lacks(decoded, "deployment.id") };
    let updated_at = row.queued_at.or(Some(hub.received_at));
    decoded.entities.push(Deployment { status: Some(Status::Queued), updated_at, ..row }.into());
}

/// How far a deployment is. `inactive` tells that a later one took its place: how this one ended stays.
pub(crate) fn deployment_status(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let Some(row) = asked_for(hub, root) else { return lacks(decoded, "deployment.id") };
    let told = root.object("deployment_status");
    let at = moment(told, "created_at").or_else(|| moment(told, "updated_at")).unwrap_or(hub.received_at);
    let (status, conclusion) = match told.text("state").unwrap_or_default().as_str() {
        "queued" | "pending" => (Some(Status::Queued), None),
        "waiting" => (Some(Status::Waiting), None),
        "in_progress" => (Some(Status::Running), None),
        "success" => (Some(Status::Completed), Some(Conclusion::Success)),
        "failure" => (Some(Status::Completed), Some(Conclusion::Failure)),
        "error" => (Some(Status::Completed), Some(Conclusion::Error)),
        _ => (None, None),
    };
    let row = Deployment {
        environment: told.text("environment").or(row.environment),
        status,
        conclusion,
        started_at: (status == Some(Status::Running)).then_some(at),
        finished_at: (status == Some(Status::Completed)).then_some(at),
        url: told
            .text("environment_url")
            .or_else(|| told.text("target_url"))
            .or_else(|| told.text("log_url")),
        updated_at: status.map(|_| at),
        ..row
    };
    decoded.entities.push(row.into());
}

fn asked_for(hub: &Hub<'_>, root: View<'_>) -> Option<Deployment> {
    let deployment = root.object("deployment");
    let commit_sha = sha(deployment, "sha");
    Some(Deployment {
        provider: hub.provider.to_owned(),
        project: hub.project.clone(),
        service: hub.service(),
        deployment_id: id(deployment, "id")?,
        environment: deployment.text("environment"),
        branch: deployment.text("ref").filter(|reference| Some(reference) != commit_sha.as_ref()),
        commit_sha,
        run_id: id(root.object("workflow_run"), "id"),
        queued_at: moment(deployment, "created_at"),
        actor: deployment.object("creator").text("login"),
        labels: labels([
            ("task", deployment.text("task")),
            ("is_production", deployment.text("production_environment")),
        ]),
        ..Deployment::default()
    })
}

/// A release that was published: a version, going out to whoever takes it.
pub(crate) fn release(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let release = root.object("release");
    let Some(release_id) = id(release, "id") else { return lacks(decoded, "release.id") };
    let is_draft = release.flag("draft") == Some(true);
    let Some(published_at) = moment(release, "published_at").filter(|_| !is_draft) else { return };
    decoded.entities.push(
        Deployment {
            provider: hub.provider.to_owned(),
            project: hub.project.clone(),
            service: hub.service(),
            deployment_id: format!("release-{release_id}"),
            environment: Some("release".to_owned()),
            version: release.text("tag_name"),
            branch: release.text("target_commitish"),
            status: Some(Status::Completed),
            conclusion: Some(Conclusion::Success),
            finished_at: Some(published_at),
            actor: release.object("author").text("login"),
            url: release.text("html_url"),
            labels: labels([("title", release.text("name")), ("is_prerelease", release.text("prerelease"))]),
            updated_at: Some(published_at),
            ..Deployment::default()
        }
        .into(),
    );
}
