//! Gitea Actions and Forgejo Actions: GitHub's variables with marks of their own.
//!
//! Both runners set `GITEA_ACTIONS=true` besides `GITHUB_ACTIONS=true`; Forgejo's adds `FORGEJO_…` copies of GitHub's.

use super::draft::Draft;
use super::{System, github_actions};

pub(super) static SYSTEM: System = System {
    provider: "gitea",
    name: "Gitea Actions",
    detected_by: "GITEA_ACTIONS=true",
    is_here: |draft| draft.is("GITEA_ACTIONS", "true") && !is_forgejo(draft),
    read: github_actions::read,
    workspace: "GITHUB_WORKSPACE",
};

pub(super) static FORGEJO: System = System {
    provider: "forgejo",
    name: "Forgejo Actions",
    detected_by: "FORGEJO_ACTIONS=true or FORGEJO_RUN_ID",
    is_here: is_forgejo,
    read: github_actions::read,
    workspace: "GITHUB_WORKSPACE",
};

pub(super) fn is_gitea_or_forgejo(draft: &Draft<'_>) -> bool {
    draft.is("GITEA_ACTIONS", "true") || is_forgejo(draft)
}

fn is_forgejo(draft: &Draft<'_>) -> bool {
    draft.is("FORGEJO_ACTIONS", "true") || draft.variable("FORGEJO_RUN_ID").is_some()
}
