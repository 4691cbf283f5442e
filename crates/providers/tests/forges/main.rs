//! The webhooks of GitHub, GitLab, Gitea and Forgejo, from the request to the rows they come to.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod examples;
mod gitea;
mod github;
mod gitlab;
mod hostile;
mod order;
mod support;
