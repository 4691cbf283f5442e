//! Changes: a change that was merged and is named by its commit.

use manometer_model::records::Commit;

use super::{Event, project_of_source};
use crate::Decoded;

/// A change is a commit or a pull request, told apart by nothing but the form of its id: only full hashes are commits.
pub(super) fn change(event: &Event<'_>, decoded: &mut Decoded) {
    let Some(sha) = event.subject.text("id").filter(|id| is_commit_hash(id)) else { return };
    if !event.is("merged") {
        return;
    }
    let repository = event.content.object("repository");
    let named = repository.text("id").map(|id| match repository.text("source") {
        Some(source) => format!("{}/{id}", source.trim_end_matches('/')),
        None => id,
    });
    let Some(project) = named.as_deref().and_then(project_of_source).or_else(|| event.project()) else {
        return;
    };
    let row = Commit {
        project: project.clone(),
        sha,
        pushed_at: event.at(),
        updated_at: event.at(),
        ..Commit::default()
    };
    decoded.known = true;
    decoded.project = Some(project);
    decoded.entities.push(row.into());
}

fn is_commit_hash(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
