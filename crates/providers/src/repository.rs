//! From the address of a repository, in any of its forms, to the project it is: `host/owner/name`.

/// The project of a repository given as the address of its page or of a clone.
///
/// Reads `https://host/owner/name.git`, `ssh://git@host:7999/owner/name.git`, `git@host:owner/name.git` and
/// `host/owner/name`; credentials and ports are left out, the host is in lower case. Bitbucket Data Center's
/// `/scm/` and `/projects/KEY/repos/`, Azure's `/_git/` and GitHub's `api.github.com/repos/` are brought to
/// the same form.
pub(crate) fn project_of(address: &str) -> Option<String> {
    let (host, path) = host_and_path(address)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let host = match host.as_str() {
        "api.github.com" => {
            if parts.first() == Some(&"repos") {
                parts.remove(0);
            }
            "github.com".to_owned()
        }
        "ssh.dev.azure.com" => {
            if parts.first() == Some(&"v3") {
                parts.remove(0);
            }
            "dev.azure.com".to_owned()
        }
        _ => host,
    };
    match parts.as_slice() {
        ["scm", ..] => {
            parts.remove(0);
        }
        ["projects" | "users", key, "repos", name, ..] => parts = vec![*key, *name],
        _ => parts.retain(|part| *part != "_git"),
    }
    let last = parts.last_mut()?;
    *last = last.strip_suffix(".git").unwrap_or(last);
    if last.is_empty() {
        return None;
    }
    Some(format!("{host}/{}", parts.join("/")))
}

/// The host of an address, in lower case, without credentials and port.
pub(crate) fn host_of(address: &str) -> Option<String> {
    host_and_path(address).map(|(host, _)| host)
}

/// The path of an address, without the slash it begins with.
pub(crate) fn path_of(address: &str) -> Option<&str> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split_once('/').map(|(_, path)| path)
}

fn host_and_path(address: &str) -> Option<(String, &str)> {
    let trimmed = address.trim();
    let (has_scheme, rest) = match trimmed.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, trimmed),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (before, path) = rest.split_at_checked(end)?;
    // `git@host:owner/name`: without a scheme, what follows the colon is path, not port.
    let (authority, path) = match before.rsplit_once(':') {
        Some((host, _)) if !has_scheme => (host, rest.get(host.len() + 1..)?),
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, path),
        _ => (before, path),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let plausible = !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'[' | b']' | b':')
        });
    plausible.then_some((host, path))
}

/// The branch of a ref: `refs/heads/main` and `origin/main` are `main`; nothing for tags and pull requests.
pub(crate) fn branch_of(reference: &str) -> Option<String> {
    let name = match reference.strip_prefix("refs/") {
        Some(rest) => rest.strip_prefix("heads/").or_else(|| rest.strip_prefix("remotes/origin/"))?,
        None => reference.strip_prefix("origin/").unwrap_or(reference),
    };
    (!name.is_empty()).then(|| name.to_owned())
}

/// The tag of a ref `refs/tags/…`.
pub(crate) fn tag_of(reference: &str) -> Option<String> {
    reference.strip_prefix("refs/tags/").filter(|tag| !tag.is_empty()).map(str::to_owned)
}

/// The number of the pull or merge request a ref stands for: `refs/pull/42/head`, `pull/42`,
/// `refs/merge-requests/42/head`, `refs/pull-requests/42/from`.
pub(crate) fn change_of(reference: &str) -> Option<String> {
    let rest = reference.strip_prefix("refs/").unwrap_or(reference);
    let number = ["pull/", "merge-requests/", "pull-requests/"]
        .into_iter()
        .find_map(|kind| rest.strip_prefix(kind))?
        .split('/')
        .next()?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_repository_is_one_project() {
        for (address, project) in [
            ("https://github.com/acme/shop.git", "github.com/acme/shop"),
            ("https://ada:secret@GitHub.com/acme/shop", "github.com/acme/shop"),
            ("git@git.acme.example:acme/shop.git", "git.acme.example/acme/shop"),
            ("ssh://git@git.acme.example:7999/acme/shop.git", "git.acme.example/acme/shop"),
            ("git.acme.example/group/sub/shop", "git.acme.example/group/sub/shop"),
            ("https://api.github.com/repos/acme/shop", "github.com/acme/shop"),
            ("https://acme@dev.azure.com/acme/shop/_git/payments", "dev.azure.com/acme/shop/payments"),
            ("git@ssh.dev.azure.com:v3/acme/shop/payments", "dev.azure.com/acme/shop/payments"),
            ("https://bitbucket.acme.example/scm/acme/shop.git", "bitbucket.acme.example/acme/shop"),
            ("https://bb.example/projects/ACME/repos/shop/browse", "bb.example/ACME/shop"),
            ("http://localhost:3000/acme/shop?x=1#top", "localhost/acme/shop"),
        ] {
            assert_eq!(project_of(address).as_deref(), Some(project), "{address}");
        }
        for address in ["", "https://", "/", "host/", "https:///acme", "\u{1f}/a", "https://host/.git"] {
            assert_eq!(project_of(address), None, "{address}");
        }
    }

    #[test]
    fn refs_are_branches_tags_or_changes() {
        assert_eq!(branch_of("refs/heads/feature/a").as_deref(), Some("feature/a"));
        assert_eq!(branch_of("origin/main").as_deref(), Some("main"));
        assert_eq!(branch_of("refs/pull/4/head"), None);
        assert_eq!(tag_of("refs/tags/v1").as_deref(), Some("v1"));
        for reference in ["refs/pull/42/head", "pull/42", "refs/merge-requests/42/head"] {
            assert_eq!(change_of(reference).as_deref(), Some("42"), "{reference}");
        }
        assert_eq!(change_of("pull/new"), None);
        assert_eq!(change_of("refs/heads/main"), None);
    }
}
