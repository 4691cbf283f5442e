//! What the git checkout around a folder says about project, branch and commit.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::repository::project_of;

/// Facts of a checkout; each is `None` where git is missing or does not know.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct GitFacts {
    /// Topmost folder of the checkout.
    pub root: Option<PathBuf>,
    /// `github.com/acme/shop`, from the remote `origin`.
    pub project: Option<String>,
    /// Name of the current branch; `None` on a detached head.
    pub branch: Option<String>,
    /// The branch others start from, where the clone knows it.
    pub default_branch: Option<String>,
    /// Full hash of the current commit.
    pub commit_sha: Option<String>,
    /// Hashes of its parents, the first one first; a shallow clone knows them too.
    pub parents: Vec<String>,
    /// First line of its message.
    pub subject: Option<String>,
}

impl GitFacts {
    /// Asks git in the current folder.
    pub fn of_current_folder() -> Self {
        Self::of_folder(Path::new("."))
    }

    /// Asks git in a folder.
    pub fn of_folder(folder: &Path) -> Self {
        let ask = |arguments: &[&str]| git(folder, arguments);
        let Some(root) = ask(&["rev-parse", "--show-toplevel"]) else { return Self::default() };
        let (parents, subject) =
            ask(&["cat-file", "commit", "HEAD"]).map(|text| read_commit(&text)).unwrap_or_default();
        Self {
            root: Some(PathBuf::from(root)),
            project: ask(&["config", "--get", "remote.origin.url"]).as_deref().and_then(project_of_remote),
            branch: ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]),
            default_branch: ask(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])
                .and_then(|name| name.strip_prefix("origin/").map(str::to_owned)),
            commit_sha: ask(&["rev-parse", "--verify", "--quiet", "HEAD"]),
            parents,
            subject,
        }
    }

    /// The commit under test where HEAD is a merge that a CI system made of it and the target branch, only to test it.
    ///
    /// GitHub writes `Merge HEAD into BASE` on `refs/pull/N/merge`, Jenkins `Merge commit 'HEAD' into HEAD`; in both the
    /// second parent is the head of the pull request.
    pub fn merged_head(&self) -> Option<&str> {
        let [_, head] = self.parents.as_slice() else { return None };
        let said = self.subject.as_deref()?.strip_prefix("Merge ")?;
        let merged = said.strip_prefix("commit '").map_or(said, |rest| rest);
        let is_made_by_ci = merged
            .strip_prefix(head.as_str())
            .is_some_and(|rest| rest.starts_with(" into ") || rest.starts_with("' into "));
        is_made_by_ci.then_some(head)
    }
}

/// The project of a remote; `None` for a path on this machine, which is nobody else's name for the repository. User
/// names and passwords are left out.
pub fn project_of_remote(remote: &str) -> Option<String> {
    let is_elsewhere = match remote.split_once("://") {
        Some((scheme, _)) => !scheme.eq_ignore_ascii_case("file"),
        // `git@host:owner/name`, but neither `../shop` nor `C:\shop`.
        None => remote.split_once(':').is_some_and(|(host, _)| host.len() > 1 && !host.contains(['/', '\\'])),
    };
    is_elsewhere.then(|| project_of(remote)).flatten()
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let trimmed = text.trim();
    (output.status.success() && !trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// Parents and subject of a raw commit object: headers, an empty line, the message.
fn read_commit(text: &str) -> (Vec<String>, Option<String>) {
    let parents = text
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("parent "))
        .map(str::to_owned)
        .collect();
    let subject =
        text.lines().skip_while(|line| !line.is_empty()).nth(1).map(|line| line.chars().take(512).collect());
    (parents, subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "1111111111111111111111111111111111111111";
    const HEAD: &str = "2222222222222222222222222222222222222222";

    fn merge(subject: &str) -> GitFacts {
        GitFacts {
            parents: vec![BASE.into(), HEAD.into()],
            subject: Some(subject.into()),
            ..GitFacts::default()
        }
    }

    #[test]
    fn only_merges_made_for_testing_are_seen_through() {
        for subject in [format!("Merge {HEAD} into {BASE}"), format!("Merge commit '{HEAD}' into HEAD")] {
            assert_eq!(merge(&subject).merged_head(), Some(HEAD), "{subject}");
        }
        // A merge the author made is the head itself.
        for subject in ["Merge branch 'main' into feature", "Merge pull request #7 from acme/feature", ""] {
            assert_eq!(merge(subject).merged_head(), None, "{subject}");
        }
        assert_eq!(merge(&format!("Merge {BASE} into {HEAD}")).merged_head(), None);
        let single = GitFacts { parents: vec![HEAD.into()], ..merge(&format!("Merge {HEAD} into {BASE}")) };
        assert_eq!(single.merged_head(), None);
    }

    #[test]
    fn a_path_on_this_machine_is_no_project() {
        assert_eq!(
            project_of_remote("git@github.com:acme/shop.git").as_deref(),
            Some("github.com/acme/shop")
        );
        assert_eq!(
            project_of_remote("https://t:x@github.com/acme/shop").as_deref(),
            Some("github.com/acme/shop")
        );
        for remote in [
            "/srv/git/shop.git",
            "file:///srv/git/shop.git",
            "../shop",
            "./a:b/c",
            "C:\\git\\shop",
            "C:/git",
            "",
        ] {
            assert_eq!(project_of_remote(remote), None, "{remote}");
        }
    }

    #[test]
    fn a_raw_commit_gives_parents_and_subject_and_nothing_from_the_message() {
        let text =
            format!("tree 0\nparent {BASE}\nparent {HEAD}\nauthor A <a@b> 1 +0000\n\nTitle\n\nparent 333\n");
        let (parents, subject) = read_commit(&text);
        assert_eq!(parents, [BASE, HEAD]);
        assert_eq!(subject.as_deref(), Some("Title"));
        assert_eq!(read_commit(""), (vec![], None));
    }
}
