//! What the git checkout around the current folder says about project, branch and commit.

use std::process::{Command, Stdio};

/// Facts of the checkout; each is `None` where git is missing or does not know.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// `github.com/acme/shop`, from the remote `origin`.
    pub(crate) project: Option<String>,
    /// Name of the current branch; `None` on a detached head.
    pub(crate) branch: Option<String>,
    /// Full hash of the current commit.
    pub(crate) commit_sha: Option<String>,
}

impl Checkout {
    /// Asks git in the current folder.
    pub(crate) fn here() -> Self {
        Self {
            project: git(&["config", "--get", "remote.origin.url"]).as_deref().and_then(project_of_remote),
            branch: git(&["symbolic-ref", "--quiet", "--short", "HEAD"]),
            commit_sha: git(&["rev-parse", "--verify", "--quiet", "HEAD"]),
        }
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let trimmed = text.trim();
    (output.status.success() && !trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// `git@github.com:acme/shop.git`, `https://user@github.com/acme/shop` and the like as `github.com/acme/shop`;
/// `None` for a path on this machine. User names and passwords are left out.
fn project_of_remote(remote: &str) -> Option<String> {
    let address = match remote.split_once("://") {
        Some((scheme, rest)) if scheme != "file" => rest.to_owned(),
        Some(_) => return None,
        None => {
            let (host, path) = remote.split_once(':')?;
            if host.contains('/') {
                return None;
            }
            format!("{host}/{path}")
        }
    };
    let (authority, path) = address.split_once('/')?;
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host_and_port.split_once(':').map_or(host_and_port, |(host, _)| host);
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_of_every_shape_name_the_project_without_secrets() {
        for remote in [
            "git@github.com:acme/shop.git",
            "https://github.com/acme/shop",
            "https://token:x-oauth@github.com/acme/shop.git",
            "ssh://git@github.com:22/acme/shop.git",
        ] {
            assert_eq!(project_of_remote(remote).as_deref(), Some("github.com/acme/shop"), "{remote}");
        }
        for remote in ["/srv/git/shop.git", "file:///srv/git/shop.git", "../shop", ""] {
            assert_eq!(project_of_remote(remote), None, "{remote}");
        }
    }
}
