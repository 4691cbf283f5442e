//! `push`, `pull_request` and `pull_request_review`: commits, and the change they belong to.

use manometer_model::records::Commit;

use super::hub::{Hub, moment};
use crate::Decoded;
use crate::reading::{lacks, sha};
use crate::repository::branch_of;
use crate::tree::View;

/// Commits that came to a branch. A tag or a deleted branch brings none.
pub(crate) fn push(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let Some(reference) = root.text("ref") else { return lacks(decoded, "ref") };
    let branch = branch_of(&reference);
    let pushed_at = moment(root.object("repository"), "pushed_at")
        .filter(|pushed| pushed.as_micros() > 0)
        .unwrap_or(hub.received_at);
    for commit in root.items("commits") {
        let Some(row) = hub.commit(commit) else {
            lacks(decoded, "commits[].id");
            continue;
        };
        decoded.entities.push(
            Commit {
                branch: branch.clone(),
                pushed_at: Some(pushed_at).filter(|_| branch.is_some()),
                updated_at: Some(pushed_at),
                ..row
            }
            .into(),
        );
    }
}

/// A pull request: its newest commit belongs to it, and once merged the commit that brought it in.
pub(crate) fn pull_request(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let change = root.object("pull_request");
    let Some(number) = change.text("number").or_else(|| root.text("number")) else {
        return lacks(decoded, "pull_request.number");
    };
    let changed_at = moment(change, "updated_at").unwrap_or(hub.received_at);
    let of_change = |sha, branch| Commit {
        project: hub.project.clone(),
        sha,
        branch,
        change_id: Some(number.clone()),
        updated_at: Some(changed_at),
        ..Commit::default()
    };
    let head = change.object("head");
    if let Some(newest) = sha(head, "sha") {
        decoded.entities.push(of_change(newest, head.text("ref")).into());
    }
    let merged_at = moment(change, "merged_at");
    if let (Some(merge), Some(_)) = (sha(change, "merge_commit_sha"), merged_at) {
        let row = of_change(merge, change.object("base").text("ref"));
        decoded.entities.push(Commit { pushed_at: merged_at, url: None, ..row }.into());
    }
}

/// A review: the commit reviewed belongs to the pull request.
pub(crate) fn pull_request_review(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let change = root.object("pull_request");
    let review = root.object("review");
    let (Some(number), Some(reviewed)) = (change.text("number"), sha(review, "commit_id")) else {
        return lacks(decoded, "pull_request.number or review.commit_id");
    };
    decoded.entities.push(
        Commit {
            project: hub.project.clone(),
            sha: reviewed,
            branch: change.object("head").text("ref"),
            change_id: Some(number),
            updated_at: moment(review, "submitted_at").or(Some(hub.received_at)),
            ..Commit::default()
        }
        .into(),
    );
}
