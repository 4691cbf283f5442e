//! `push`, `tag_push` and `merge_request`: commits, and the change they belong to.

use manometer_model::records::Commit;

use super::lab::Lab;
use crate::Decoded;
use crate::reading::{lacks, sha};
use crate::repository::branch_of;
use crate::tree::View;

/// Commits that came to a branch or were tagged. GitLab lists the newest twenty of a push.
pub(super) fn push(lab: &Lab<'_>, root: View<'_>, decoded: &mut Decoded) {
    let Some(reference) = root.text("ref") else { return lacks(decoded, "ref") };
    let branch = branch_of(&reference);
    for told in root.items("commits") {
        let Some(row) = lab.commit(told) else {
            lacks(decoded, "commits[].id");
            continue;
        };
        decoded.entities.push(
            Commit {
                branch: branch.clone(),
                // A push has no time of its own.
                pushed_at: Some(lab.received_at).filter(|_| branch.is_some()),
                updated_at: row.committed_at,
                ..row
            }
            .into(),
        );
    }
}

/// A merge request: its newest commit belongs to it, and once merged the commit that brought it in.
pub(super) fn merge_request(lab: &Lab<'_>, root: View<'_>, decoded: &mut Decoded) {
    let change = root.object("object_attributes");
    let Some(number) = change.text("iid") else { return lacks(decoded, "object_attributes.iid") };
    let changed_at = change.time("updated_at").or(Some(lab.received_at));
    if let Some(newest) = lab.commit(change.object("last_commit")) {
        decoded.entities.push(
            Commit {
                branch: change.text("source_branch"),
                change_id: Some(number.clone()),
                updated_at: changed_at,
                ..newest
            }
            .into(),
        );
    }
    let is_merged = change.text("state").as_deref() == Some("merged");
    let brought_in = sha(change, "merge_commit_sha").or_else(|| sha(change, "squash_commit_sha"));
    if let Some(sha) = brought_in.filter(|_| is_merged) {
        decoded.entities.push(
            Commit {
                project: lab.project.clone(),
                sha,
                branch: change.text("target_branch"),
                change_id: Some(number),
                pushed_at: change.time("merged_at").or(changed_at),
                updated_at: changed_at,
                ..Commit::default()
            }
            .into(),
        );
    }
}
