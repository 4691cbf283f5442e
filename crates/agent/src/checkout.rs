//! What the git checkout around a folder says about project, branch and commit, read from its files.
//!
//! Asking `git` would start processes whose times would count as the command's, and take longer than everything else
//! this program does at a start.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use manometer_providers::environment::{GitFacts, project_of_remote};

/// Symbolic references may point to each other; git follows five.
const MOST_HOPS: usize = 5;

/// The facts of the checkout that `folder` lies in, as far as files tell them: not the parents of the commit, which
/// may lie in a pack.
pub fn facts_of(folder: &Path) -> GitFacts {
    let Some(root) = folder.ancestors().find(|folder| folder.join(".git").exists()) else {
        return GitFacts::default();
    };
    let Some(own) = git_folder(&root.join(".git")) else { return GitFacts::default() };
    // A worktree has its own HEAD; branches and settings are those of the main checkout.
    let shared = fs::read_to_string(own.join("commondir"))
        .map_or_else(|_| own.clone(), |shared| own.join(shared.trim()));
    let head = fs::read_to_string(own.join("HEAD")).unwrap_or_default();
    let default = fs::read_to_string(shared.join("refs/remotes/origin/HEAD")).unwrap_or_default();
    GitFacts {
        root: Some(root.to_owned()),
        project: remote(&shared.join("config")).as_deref().and_then(project_of_remote),
        branch: head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned),
        default_branch: default.trim().strip_prefix("ref: refs/remotes/origin/").map(str::to_owned),
        commit_sha: commit(head.trim(), &own, &shared),
        ..GitFacts::default()
    }
}

/// `.git` is a folder, or in worktrees and submodules a file that names one.
fn git_folder(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_owned());
    }
    let text = fs::read_to_string(path).ok()?;
    let named = text.trim().strip_prefix("gitdir:")?.trim();
    Some(path.parent()?.join(named))
}

fn commit(head: &str, own: &Path, shared: &Path) -> Option<String> {
    let mut value = head.to_owned();
    for _ in 0..MOST_HOPS {
        let Some(name) = value.strip_prefix("ref: ") else { break };
        value = [own, shared]
            .iter()
            .find_map(|folder| fs::read_to_string(folder.join(name)).ok())
            .map(|text| text.trim().to_owned())
            .or_else(|| packed(name, shared))?;
    }
    let is_hash = matches!(value.len(), 40 | 64) && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some(value)
}

/// `packed-refs` has lines `HASH NAME`.
fn packed(name: &str, shared: &Path) -> Option<String> {
    let lines = BufReader::new(File::open(shared.join("packed-refs")).ok()?).lines();
    lines.map_while(Result::ok).find_map(|line| {
        let (hash, found) = line.split_once(' ')?;
        (found == name).then(|| hash.to_owned())
    })
}

/// The address of `origin`, else of the only remote.
fn remote(config: &Path) -> Option<String> {
    let text = fs::read_to_string(config).ok()?;
    let mut section = String::new();
    let mut addresses: Vec<(String, String)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=')
            && key.trim() == "url"
            && section.starts_with("[remote ")
        {
            addresses.push((section.clone(), value.trim().trim_matches('"').to_owned()));
        }
    }
    let of_origin = addresses.iter().find(|(section, _)| section == "[remote \"origin\"]");
    let only = (addresses.len() == 1).then(|| addresses.first()).flatten();
    of_origin.or(only).map(|(_, address)| address.clone())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let done = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("git is needed by this test");
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }

    /// What git itself says, without what only git can say.
    fn as_git_says(folder: &Path) -> GitFacts {
        GitFacts { parents: Vec::new(), subject: None, ..GitFacts::of_folder(folder) }
    }

    #[test]
    fn the_files_say_what_git_says() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap().join("main");
        fs::create_dir_all(root.join("deep/down")).unwrap();
        assert_eq!(facts_of(&root), GitFacts::default());
        git(&root, &["init", "-q"]);
        assert_eq!(facts_of(&root), as_git_says(&root), "before the first commit");
        git(&root, &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(&root, &["remote", "add", "upstream", "https://example.com/other/repo"]);
        git(&root, &["remote", "add", "origin", "https://user:secret@github.com/acme/shop.git"]);
        let facts = facts_of(&root.join("deep/down"));
        assert_eq!(facts, as_git_says(&root));
        assert_eq!(facts.project.as_deref(), Some("github.com/acme/shop"));
        git(&root, &["checkout", "-q", "-b", "feature/x"]);
        git(&root, &["pack-refs", "--all"]);
        assert_eq!(facts_of(&root), as_git_says(&root), "packed references");
        git(&root, &["worktree", "add", "-q", "-b", "side", "../side"]);
        let side = root.join("../side").canonicalize().unwrap();
        assert_eq!(facts_of(&side), as_git_says(&side), "a worktree");
        git(&root, &["checkout", "-q", "--detach"]);
        assert_eq!(facts_of(&root), as_git_says(&root), "a detached head");
    }
}
