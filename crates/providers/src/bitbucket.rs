//! Bitbucket, Cloud and Data Center: pushes, build statuses of Bitbucket Pipelines, merged pull requests.
//!
//! Both sign with `X-Hub-Signature: sha256=…`, the HMAC-SHA256 of the body in hexadecimal; Data Center can send
//! basic credentials instead. Events:
//! <https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/> and
//! <https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html>.
//!
//! Bitbucket has no event for pipelines and their steps; what Pipelines tells, it tells as a build status of a
//! commit. Statuses that other CI systems report are passed over: those systems tell of their runs themselves.

use manometer_model::records::{Commit, Run};
use manometer_model::{Conclusion, Limits, Status, Timestamp};

use crate::reading::{self, first_line};
use crate::repository::{branch_of, project_of};
use crate::signature;
use crate::tree::View;
use crate::{DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules};

/// Bitbucket Cloud and Data Center.
#[derive(Debug)]
pub(crate) struct Bitbucket;

const NAME: &str = "bitbucket";
const SIGNATURE: &str = "x-hub-signature";

impl Provider for Bitbucket {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        if delivery.headers.get(SIGNATURE).is_some() {
            return signature::hex_header(delivery, secrets, SIGNATURE, "sha256=");
        }
        signature::shared_secret(delivery, secrets, &[])
    }

    /// Two hooks of one repository send one event each under a request id of their own.
    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let header = |name: &str| delivery.headers.get(name).map(str::to_owned);
        let request = header("x-request-uuid").or_else(|| header("x-request-id"));
        let key = match (header("x-hook-uuid"), request) {
            (Some(hook), Some(request)) => Some(format!("{hook}/{request}")),
            (None, request) => request,
            (Some(_), None) => None,
        };
        let event = reading::peek(delivery.body, |root| Some(event_of(delivery, root))).unwrap_or_default();
        Identity { event, key }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            decoded.event = event_of(delivery, root);
            match decoded.event.as_str() {
                "repo:push" => cloud_push(root, decoded),
                "repo:refs_changed" => data_center_push(root, decoded),
                "pr:merged" => data_center_merge(root, decoded),
                "repo:commit_status_created" | "repo:commit_status_updated" => {
                    return status(root, rules, decoded);
                }
                _ => return,
            }
            reading::expect_told(decoded, "repository");
        })
    }
}

fn event_of(delivery: &Delivery<'_>, root: View<'_>) -> String {
    let named = delivery.headers.get("x-event-key").map(str::to_owned);
    named.or_else(|| root.text("eventKey")).unwrap_or_default()
}

fn cloud_project(root: View<'_>) -> Option<String> {
    let repository = root.object("repository");
    let page = repository.object("links").object("html").text("href");
    page.as_deref()
        .and_then(project_of)
        .or_else(|| Some(format!("bitbucket.org/{}", repository.text("full_name")?)))
}

fn cloud_push(root: View<'_>, decoded: &mut Decoded) {
    let Some(project) = cloud_project(root) else { return };
    decoded.known = true;
    decoded.project = Some(project.clone());
    for change in root.object("push").items("changes") {
        let new = change.object("new");
        let branch = new.text("name").filter(|_| new.text("type").as_deref() == Some("branch"));
        let mut commits: Vec<View<'_>> = change.items("commits").collect();
        // A push of many commits is cut off; its newest one stands in `new` in any case.
        if commits.is_empty() && new.object("target").is_some() {
            commits.push(new.object("target"));
        }
        for commit in commits {
            decoded.entities.extend(cloud_commit(commit, &project, branch.clone()).map(Into::into));
        }
    }
}

fn cloud_commit(commit: View<'_>, project: &str, branch: Option<String>) -> Option<Commit> {
    let sha = commit.text("hash")?;
    let author = commit.object("author");
    let date = commit.time("date");
    // `Ada Park <ada@acme.example>`
    let raw = author.text("raw").and_then(|raw| raw.split('<').next().map(|name| name.trim().to_owned()));
    Some(Commit {
        project: project.to_owned(),
        sha,
        parent_sha: commit.items("parents").next().and_then(|parent| parent.text("hash")),
        branch,
        author: raw.filter(|name| !name.is_empty()).or_else(|| author.object("user").text("display_name")),
        title: commit.text("message").as_deref().and_then(first_line),
        committed_at: date,
        url: commit.object("links").object("html").text("href"),
        updated_at: date,
        ..Commit::default()
    })
}

/// The number of a pipeline in the address of its page: `…/addon/pipelines/home#!/results/118`,
/// `…/pipelines/results/118`.
fn pipeline_number(url: &str) -> Option<i64> {
    if !url.contains("/pipelines/") {
        return None;
    }
    let (_, after) = url.rsplit_once("results/")?;
    after.split(['/', '?', '#']).next()?.parse().ok()
}

fn status(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let status = root.object("commit_status");
    let url = status.text("url");
    let (Some(project), Some(number)) = (cloud_project(root), url.as_deref().and_then(pipeline_number))
    else {
        return;
    };
    let commit = status.object("commit");
    let branch = status.text("refname");
    let main_branch = root.object("repository").object("mainbranch").text("name");
    let (state, conclusion) = match status.text("state").unwrap_or_default().as_str() {
        "INPROGRESS" => (Some(Status::Running), None),
        "SUCCESSFUL" => (Some(Status::Completed), Some(Conclusion::Success)),
        "FAILED" => (Some(Status::Completed), Some(Conclusion::Failure)),
        "STOPPED" => (Some(Status::Completed), Some(Conclusion::Cancelled)),
        _ => (None, None),
    };
    let updated = status.time("updated_on").or_else(|| status.time("created_on"));
    let run = Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project: project.clone(),
        pipeline: Some("pipelines".to_owned()),
        run_id: number.to_string(),
        attempt: 1,
        number: Some(number),
        is_default_branch: branch.as_ref().zip(main_branch.as_ref()).map(|(one, other)| one == other),
        branch: branch.clone(),
        commit_sha: commit.text("hash"),
        status: state,
        conclusion,
        // Pipelines reports a status first when it begins.
        started_at: status.time("created_on"),
        finished_at: updated.filter(|_| state == Some(Status::Completed)),
        url,
        updated_at: updated,
        ..Run::default()
    };
    decoded.known = true;
    decoded.project = Some(project.clone());
    decoded.entities.extend(cloud_commit(commit, &project, branch).map(Into::into));
    decoded.entities.push(run.into());
}

/// Data Center names no host in older versions; the repository's key and name stand for it then.
fn data_center_project(repository: View<'_>) -> Option<String> {
    let links = repository.object("links");
    let clone = links.items("clone").find(|link| link.text("name").as_deref() != Some("ssh"));
    let address = clone.and_then(|link| link.text("href"));
    address.as_deref().and_then(project_of).or_else(|| {
        let (key, slug) = (repository.object("project").text("key")?, repository.text("slug")?);
        let host = links.items("self").next().and_then(|link| link.text("href"));
        let host = host.as_deref().and_then(crate::repository::host_of).unwrap_or_else(|| NAME.to_owned());
        Some(format!("{host}/{}/{slug}", key.to_lowercase()))
    })
}

fn data_center_push(root: View<'_>, decoded: &mut Decoded) {
    let Some(project) = data_center_project(root.object("repository")) else { return };
    decoded.known = true;
    decoded.project = Some(project.clone());
    let changes: Vec<View<'_>> = root.items("changes").collect();
    let branch = match changes.as_slice() {
        [only] => only.object("ref").text("id").as_deref().and_then(branch_of),
        _ => None,
    };
    let pushed_at = root.time("date");
    let mut commits: Vec<View<'_>> = root.items("commits").collect();
    if commits.is_empty() && root.object("toCommit").is_some() {
        commits.push(root.object("toCommit"));
    }
    for commit in commits {
        let row = data_center_commit(commit, &project, branch.clone(), pushed_at);
        decoded.entities.extend(row.map(Into::into));
    }
}

fn data_center_commit(
    commit: View<'_>,
    project: &str,
    branch: Option<String>,
    pushed_at: Option<Timestamp>,
) -> Option<Commit> {
    let author = commit.object("author");
    let committed_at = commit.time("committerTimestamp");
    Some(Commit {
        project: project.to_owned(),
        sha: commit.text("id")?,
        parent_sha: commit.items("parents").next().and_then(|parent| parent.text("id")),
        branch,
        author: author.text("displayName").or_else(|| author.text("name")),
        title: commit.text("message").as_deref().and_then(first_line),
        authored_at: commit.time("authorTimestamp"),
        committed_at,
        pushed_at,
        updated_at: pushed_at.or(committed_at),
        ..Commit::default()
    })
}

fn data_center_merge(root: View<'_>, decoded: &mut Decoded) {
    let change = root.object("pullRequest");
    let target = change.object("toRef");
    let Some(project) = data_center_project(target.object("repository")) else { return };
    let Some(sha) = change.object("properties").object("mergeCommit").text("id") else { return };
    let merged_at = change.time("closedDate").or_else(|| root.time("date"));
    decoded.known = true;
    decoded.project = Some(project.clone());
    let row = Commit {
        project,
        sha,
        branch: target.text("id").as_deref().and_then(branch_of),
        change_id: change.text("id"),
        pushed_at: merged_at,
        updated_at: merged_at,
        ..Commit::default()
    };
    decoded.entities.push(row.into());
}
