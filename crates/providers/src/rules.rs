//! Which part of a monorepo a run builds: rules on paths, and what decides where no rule applies.
//!
//! A rule is a pattern of folders relative to the root of the repository. `*` stands for one folder or a part of its
//! name, `**` for any number of folders, `{service}` for the one whose name is the service:
//!
//! | pattern | path | service |
//! |---|---|---|
//! | `services/*/` | `services/payments/src/main.rs` | `payments` |
//! | `teams/*/{service}/` | `teams/checkout/payments/Makefile` | `payments` |
//! | `teams/*/services/*/` | `teams/checkout/services/payments/x` | `checkout/payments` |
//! | `**/cmd/{service}/` | `go/src/cmd/payments/main.go` | `payments` |
//!
//! The first rule that fits wins. A path fits when the pattern fits its beginning, folder by folder; the last part of
//! the path is a file, so `services/README.md` is in no service.

use std::str::FromStr;

/// The path rules of an installation, in the order they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceRules {
    rules: Vec<Rule>,
}

/// A service and the rule that named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceMatch<'a> {
    /// The service.
    pub service: String,
    /// The pattern, as it was written.
    pub pattern: &'a str,
}

/// Why a pattern is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("service rule `{pattern}`: {reason}")]
pub struct RuleError {
    /// The pattern, shortened.
    pub pattern: String,
    /// What is wrong with it and what to write.
    pub reason: &'static str,
}

/// Most folders of a pattern; most of a path that are looked at.
const MOST_SEGMENTS: usize = 64;

impl ServiceRules {
    /// Rules from patterns, the first to be tried first.
    ///
    /// # Errors
    /// Names the pattern that is none.
    pub fn parse<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, RuleError> {
        let rules = patterns.into_iter().map(|pattern| pattern.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// The service a path of the repository belongs to. A folder is written with `/` at its end.
    pub fn of_path(&self, path: &str) -> Option<ServiceMatch<'_>> {
        let mut folders: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if !path.ends_with('/') {
            folders.pop();
        }
        folders.truncate(MOST_SEGMENTS);
        self.rules.iter().find_map(|rule| {
            let service = rule.service_of(&folders)?;
            Some(ServiceMatch { service, pattern: &rule.pattern })
        })
    }

    /// The service that all changed paths agree on. Paths in no service (documentation, settings) do not count; where two
    /// services are touched, neither is the one.
    pub fn of_changed_paths<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> Option<ServiceMatch<'_>> {
        let mut agreed: Option<ServiceMatch<'_>> = None;
        for found in paths.into_iter().filter_map(|path| self.of_path(path)) {
            match &agreed {
                Some(known) if known.service != found.service => return None,
                Some(_) => {}
                None => agreed = Some(found),
            }
        }
        agreed
    }

    /// The service of a run of `project`: what it says itself (`CI_SERVICE_NAME`), else the project's last segment.
    pub fn service(&self, project: &str, said: Option<&str>) -> Option<String> {
        self.service_of_changes(project, said, [])
    }

    /// The same where the changed paths of the run are known: what they agree on comes between the two.
    pub fn service_of_changes<'p>(
        &self,
        project: &str,
        said: Option<&str>,
        changed_paths: impl IntoIterator<Item = &'p str>,
    ) -> Option<String> {
        let said = said.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        said.or_else(|| self.of_changed_paths(changed_paths).map(|found| found.service))
            .or_else(|| last_segment(project).map(str::to_owned))
    }

    /// The patterns, as they were written.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.pattern.as_str())
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// The service of a project that is no monorepo: `github.com/acme/shop` is `shop`.
pub fn last_segment(project: &str) -> Option<&str> {
    project.rsplit('/').find(|part| !part.is_empty())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: String,
    segments: Vec<Segment>,
    has_named: bool,
}

/// One folder of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`
    AnyFolders,
    /// Text before and after what is captured: `svc-*`, `{service}-api`, `*`.
    Capture { before: String, after: String, is_named: bool },
    /// A folder by its name.
    Folder(String),
}

const NAMED: &str = "{service}";

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(pattern: &str) -> Result<Self, RuleError> {
        let refuse = |reason| Err(RuleError { pattern: pattern.chars().take(128).collect(), reason });
        let trimmed = pattern.trim();
        if trimmed.starts_with('/') || trimmed.contains('\\') {
            return refuse(
                "write it relative to the root of the repository, with `/` between folders: services/*/",
            );
        }
        let segments: Vec<Segment> =
            trimmed.split('/').filter(|part| !matches!(*part, "" | ".")).filter_map(segment).collect();
        if segments.len() != trimmed.split('/').filter(|part| !matches!(*part, "" | ".")).count() {
            return refuse("each folder may hold one `*` or one `{service}`, and no other braces");
        }
        if segments.len() > MOST_SEGMENTS
            || segments.iter().filter(|part| **part == Segment::AnyFolders).count() > 1
        {
            return refuse("write at most 64 folders and at most one `**`");
        }
        let named =
            segments.iter().filter(|part| matches!(part, Segment::Capture { is_named: true, .. })).count();
        if named > 1 {
            return refuse("`{service}` may stand once");
        }
        if !segments.iter().any(|part| matches!(part, Segment::Capture { .. })) {
            return refuse("nothing in it names the service: write `*` or `{service}` for its folder");
        }
        Ok(Self { pattern: trimmed.to_owned(), segments, has_named: named == 1 })
    }
}

fn segment(text: &str) -> Option<Segment> {
    if text == "**" {
        return Some(Segment::AnyFolders);
    }
    let (mark, is_named) = if text.contains(NAMED) { (NAMED, true) } else { ("*", false) };
    let Some((before, after)) = text.split_once(mark) else {
        return (!text.contains(['{', '}'])).then(|| Segment::Folder(text.to_owned()));
    };
    let is_plain = |part: &str| !part.contains(['*', '{', '}']);
    (is_plain(before) && is_plain(after)).then(|| Segment::Capture {
        before: before.to_owned(),
        after: after.to_owned(),
        is_named,
    })
}

impl Rule {
    fn service_of(&self, folders: &[&str]) -> Option<String> {
        let split = self.segments.iter().position(|part| *part == Segment::AnyFolders);
        let Some(split) = split else { return self.captured(&self.segments, folders) };
        let (head, rest) = self.segments.split_at_checked(split)?;
        let tail = rest.get(1..)?;
        let head_captures = captures(head, folders)?;
        let below = folders.get(head.len()..)?;
        let mut tails = (0..=below.len()).filter_map(|skip| captures(tail, below.get(skip..)?));
        tails.next().and_then(|tail_captures| self.joined(head_captures.into_iter().chain(tail_captures)))
    }

    fn captured(&self, segments: &[Segment], folders: &[&str]) -> Option<String> {
        self.joined(captures(segments, folders)?.into_iter())
    }

    /// The named capture, else all of them with `/` between.
    fn joined<'f>(&self, captures: impl Iterator<Item = (bool, &'f str)>) -> Option<String> {
        let wanted: Vec<&str> =
            captures.filter(|(is_named, _)| *is_named == self.has_named).map(|(_, text)| text).collect();
        (!wanted.is_empty()).then(|| wanted.join("/"))
    }
}

/// What the segments capture of the folders they stand for; `None` where they do not fit.
fn captures<'f>(segments: &[Segment], folders: &[&'f str]) -> Option<Vec<(bool, &'f str)>> {
    let mut found = Vec::new();
    let folders = folders.get(..segments.len())?;
    for (segment, folder) in segments.iter().zip(folders) {
        match segment {
            Segment::AnyFolders => {}
            Segment::Folder(name) if name == folder => {}
            Segment::Folder(_) => return None,
            Segment::Capture { before, after, is_named } => {
                let text = folder.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                if text.is_empty() {
                    return None;
                }
                found.push((*is_named, text));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(patterns: &[&str], path: &str) -> Option<String> {
        ServiceRules::parse(patterns).unwrap().of_path(path).map(|found| found.service)
    }

    #[test]
    fn patterns_name_the_service_of_a_path() {
        for (pattern, path, expected) in [
            ("services/*/", "services/payments/src/main.rs", Some("payments")),
            ("services/*", "services/payments/", Some("payments")),
            ("services/*/", "services/payments", None),
            ("services/*/", "services/README.md", None),
            ("services/*/", "libs/money/src/lib.rs", None),
            ("./services/*/", "./services//payments/x", Some("payments")),
            ("teams/*/{service}/", "teams/checkout/payments/Makefile", Some("payments")),
            ("teams/*/services/*/", "teams/checkout/services/payments/x", Some("checkout/payments")),
            ("**/cmd/{service}/", "go/src/cmd/payments/main.go", Some("payments")),
            ("**/cmd/{service}/", "cmd/payments/main.go", Some("payments")),
            ("apps/**/{service}/api/", "apps/eu/payments/api/x", Some("payments")),
            ("apps/**/{service}/api/", "apps/payments/x", None),
            ("svc-*/", "svc-payments/x", Some("payments")),
            ("svc-*/", "svc-/x", None),
            ("{service}-api/", "payments-api/x", Some("payments")),
            ("größe/*/", "größe/zählung/x", Some("zählung")),
            ("services/*/", "", None),
            ("services/*/", "../services/payments/x", None),
        ] {
            assert_eq!(service(&[pattern], path).as_deref(), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn the_first_rule_that_fits_wins() {
        let rules = ["services/legacy-*/", "services/*/"];
        assert_eq!(service(&rules, "services/legacy-shop/x").as_deref(), Some("shop"));
        assert_eq!(service(&rules, "services/shop/x").as_deref(), Some("shop"));
        assert_eq!(
            ServiceRules::parse(rules).unwrap().of_path("services/shop/x").unwrap().pattern,
            "services/*/"
        );
    }

    #[test]
    fn changed_paths_name_a_service_only_when_they_agree() {
        let rules = ServiceRules::parse(["services/*/"]).unwrap();
        let of = |paths: &[&str]| rules.of_changed_paths(paths.iter().copied()).map(|found| found.service);
        assert_eq!(of(&["services/a/x", "README.md", "services/a/y/z"]).as_deref(), Some("a"));
        assert_eq!(of(&["services/a/x", "services/b/x"]), None);
        assert_eq!(of(&["README.md"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_a_run_says_itself_wins_and_the_project_is_the_last_resort() {
        let rules = ServiceRules::parse(["services/*/"]).unwrap();
        let project = "github.com/acme/shop";
        assert_eq!(
            rules.service_of_changes(project, Some(" pay "), ["services/a/x"]).as_deref(),
            Some("pay")
        );
        assert_eq!(rules.service_of_changes(project, Some("  "), ["services/a/x"]).as_deref(), Some("a"));
        assert_eq!(rules.service(project, None).as_deref(), Some("shop"));
        assert_eq!(rules.service("/", None), None);
    }

    #[test]
    fn wrong_patterns_are_refused_with_what_to_write() {
        for (pattern, word) in [
            ("", "names the service"),
            ("services/", "names the service"),
            ("**/", "names the service"),
            ("/services/*/", "relative"),
            ("services\\*", "relative"),
            ("a-*-*/", "each folder"),
            ("{name}/", "each folder"),
            ("*{service}/", "each folder"),
            ("{service}/{service}/", "once"),
            ("**/a/**/*/", "at most one"),
            (&"a/".repeat(65), "at most 64"),
        ] {
            let error = ServiceRules::parse([pattern]).unwrap_err().to_string();
            assert!(error.contains(word), "{pattern}: {error}");
        }
    }

    #[test]
    fn a_path_of_a_million_folders_costs_little() {
        let path = "a/".repeat(1_000_000);
        assert_eq!(service(&["**/b/*/"], &path), None);
    }
}
