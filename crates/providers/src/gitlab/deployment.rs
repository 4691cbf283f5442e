//! `deployment` and `release`: what went out, and how that ended.

use manometer_model::records::Deployment;
use manometer_model::{Conclusion, Status};

use super::lab::{Lab, state};
use crate::Decoded;
use crate::reading::{labels, lacks};
use crate::tree::View;

/// A deployment to an environment.
pub(super) fn deployment(lab: &Lab<'_>, root: View<'_>, decoded: &mut Decoded) {
    let Some(deployment_id) = root.text("deployment_id") else { return lacks(decoded, "deployment_id") };
    let (status, conclusion) = state(root.text("status").as_deref(), None);
    let changed_at = root.time("status_changed_at").unwrap_or(lab.received_at);
    let reached = |wanted| Some(changed_at).filter(|_| status == Some(wanted));
    let user = root.object("user");
    decoded.entities.push(
        Deployment {
            provider: lab.provider(),
            project: lab.project.clone(),
            service: lab.service(None),
            deployment_id,
            environment: root.text("environment"),
            commit_sha: commit_sha(root),
            branch: root.text("ref"),
            status,
            conclusion,
            queued_at: reached(Status::Queued),
            started_at: reached(Status::Running),
            finished_at: reached(Status::Completed),
            actor: user.text("username").or_else(|| user.text("name")),
            url: root.text("deployable_url"),
            labels: labels([
                ("tier", root.text("environment_tier")),
                ("job_id", root.text("deployable_id")),
                ("environment_url", root.text("environment_external_url")),
            ]),
            updated_at: Some(changed_at),
            ..Deployment::default()
        }
        .into(),
    );
}

/// The event has a short hash of its own; the address of the commit ends in the full one.
fn commit_sha(root: View<'_>) -> Option<String> {
    let address = root.text("commit_url")?;
    let sha = address.rsplit('/').next()?;
    (sha.len() >= 40 && sha.bytes().all(|digit| digit.is_ascii_hexdigit())).then(|| sha.to_owned())
}

/// A release: a version, going out to whoever takes it.
pub(super) fn release(lab: &Lab<'_>, root: View<'_>, decoded: &mut Decoded) {
    let Some(release_id) = root.text("id") else { return lacks(decoded, "id") };
    if root.text("action").as_deref() == Some("delete") {
        return;
    }
    let Some(released_at) = root.time("released_at").or_else(|| root.time("created_at")) else {
        return lacks(decoded, "released_at");
    };
    decoded.entities.push(
        Deployment {
            provider: lab.provider(),
            project: lab.project.clone(),
            service: lab.service(None),
            deployment_id: format!("release-{release_id}"),
            environment: Some("release".to_owned()),
            version: root.text("tag"),
            commit_sha: root.object("commit").text("id"),
            status: Some(Status::Completed),
            conclusion: Some(Conclusion::Success),
            finished_at: Some(released_at),
            url: root.text("url"),
            labels: labels([("title", root.text("name"))]),
            updated_at: Some(released_at),
            ..Deployment::default()
        }
        .into(),
    );
    decoded.entities.extend(lab.commit(root.object("commit")).map(Into::into));
}
