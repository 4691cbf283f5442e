//! What the git checkout around a folder says about project, branch and commit, read from its files.
//!
//! Asking `git` would start processes whose times would count as the command's, and take longer than everything else
//! this program does at a start.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// Facts of the checkout; each is `None` where it is not known.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// `github.com/acme/shop`, from the remote `origin`.
    pub project: Option<String>,
    /// Name of the current branch; `None` on a detached head.
    pub branch: Option<String>,
    /// Full hash of the current commit.
    pub commit_sha: Option<String>,
    /// The folder that holds the checkout.
    pub root: Option<PathBuf>,
}

/// Symbolic references may point to each other; git follows five.
const MOST_HOPS: usize = 5;

impl Checkout {
    /// The checkout that `folder` lies in.
    pub fn around(folder: &Path) -> Self {
        let Some(root) = folder.ancestors().find(|folder| folder.join(".git").exists()) else {
            return Self::default();
        };
        let Some(own) = git_folder(&root.join(".git")) else { return Self::default() };
        // A worktree has its own HEAD; branches and settings are those of the main checkout.
        let shared = fs::read_to_string(own.join("commondir"))
            .map_or_else(|_| own.clone(), |shared| own.join(shared.trim()));
        let head = fs::read_to_string(own.join("HEAD")).unwrap_or_default();
        let branch = head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned);
        Self {
            project: remote(&shared.join("config")).as_deref().and_then(project_of_remote),
            branch,
            commit_sha: commit(head.trim(), &own, &shared),
            root: Some(root.to_owned()),
        }
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
