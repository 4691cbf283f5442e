//! Pushes and merged pull requests of Azure Repos.

use manometer_model::records::Commit;

use crate::Decoded;
use crate::reading::first_line;
use crate::repository::{branch_of, project_of};
use crate::tree::View;

fn project(repository: View<'_>) -> Option<String> {
    let address = repository.text("remoteUrl").or_else(|| repository.text("webUrl"));
    address.as_deref().and_then(project_of)
}

pub(super) fn push(root: View<'_>, decoded: &mut Decoded) {
    let resource = root.object("resource");
    let Some(project) = project(resource.object("repository")) else { return };
    decoded.known = true;
    decoded.project = Some(project.clone());
    let updates: Vec<View<'_>> = resource.items("refUpdates").collect();
    let branch = match updates.as_slice() {
        [only] => only.text("name").as_deref().and_then(branch_of),
        _ => None,
    };
    let pushed_at = resource.time("date");
    for commit in resource.items("commits") {
        let Some(sha) = commit.text("commitId") else { continue };
        let (author, committer) = (commit.object("author"), commit.object("committer"));
        let committed_at = committer.time("date");
        let row = Commit {
            project: project.clone(),
            sha,
            branch: branch.clone(),
            author: author.text("name"),
            title: commit.text("comment").as_deref().and_then(first_line),
            authored_at: author.time("date"),
            committed_at,
            pushed_at,
            url: commit.text("url"),
            updated_at: pushed_at.or(committed_at),
            ..Commit::default()
        };
        decoded.entities.push(row.into());
    }
}

/// A pull request that was completed: its merge is on the target branch.
pub(super) fn pull_request(root: View<'_>, decoded: &mut Decoded) {
    let resource = root.object("resource");
    if resource.text("status").as_deref() != Some("completed") {
        return;
    }
    let Some(project) = project(resource.object("repository")) else { return };
    let Some(sha) = resource.object("lastMergeCommit").text("commitId") else { return };
    let merged_at = resource.time("closedDate");
    let row = Commit {
        project: project.clone(),
        sha,
        branch: resource.text("targetRefName").as_deref().and_then(branch_of),
        change_id: resource.text("pullRequestId"),
        pushed_at: merged_at,
        updated_at: merged_at,
        ..Commit::default()
    };
    decoded.known = true;
    decoded.project = Some(project);
    decoded.entities.push(row.into());
}
