//! An environment made up for a test, and what is found in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use manometer_providers::environment::{CiContext, Field, GitFacts, ReadFile, Surroundings, detect};
use manometer_providers::rules::ServiceRules;

pub(crate) const HEAD: &str = "2222222222222222222222222222222222222222";
pub(crate) const MERGE: &str = "3333333333333333333333333333333333333333";
pub(crate) const BASE: &str = "1111111111111111111111111111111111111111";

/// Files by path.
#[derive(Debug, Default, Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

impl ReadFile for Files {
    fn read(&self, path: &Path, most_bytes: u64) -> Option<Vec<u8>> {
        self.0.get(path).filter(|content| content.len() as u64 <= most_bytes).cloned()
    }
}

/// One environment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scene {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) files: Files,
    pub(crate) git: GitFacts,
    pub(crate) working_folder: Option<PathBuf>,
    pub(crate) rules: ServiceRules,
}

impl Scene {
    /// Lines `NAME=value`, as `env` prints them.
    pub(crate) fn of(lines: &str) -> Self {
        Self::default().and(lines)
    }

    pub(crate) fn and(mut self, lines: &str) -> Self {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once('=').unwrap();
            self.variables.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    pub(crate) fn with_file(mut self, path: &str, content: &str) -> Self {
        self.files.0.insert(path.into(), content.into());
        self
    }

    pub(crate) fn in_folder(mut self, folder: &str) -> Self {
        self.working_folder = Some(folder.into());
        self
    }

    pub(crate) fn with_git(mut self, git: GitFacts) -> Self {
        self.git = git;
        self
    }

    pub(crate) fn with_rules(mut self, patterns: &[&str]) -> Self {
        self.rules = ServiceRules::parse(patterns).unwrap();
        self
    }

    pub(crate) fn detect(&self) -> CiContext {
        let around = Surroundings {
            variables: self.variables.clone(),
            files: &self.files,
            git: self.git.clone(),
            working_folder: self.working_folder.clone(),
            os: "linux",
            arch: "x86_64",
        };
        detect(&around, &self.rules)
    }
}

/// A checkout of the merge that a CI system made of `BASE` and `HEAD` for testing.
pub(crate) fn test_merge() -> GitFacts {
    GitFacts {
        root: Some("/work/shop".into()),
        project: Some("github.com/acme/shop".into()),
        commit_sha: Some(MERGE.into()),
        parents: vec![BASE.into(), HEAD.into()],
        subject: Some(format!("Merge {HEAD} into {BASE}")),
        ..GitFacts::default()
    }
}

/// Everything found, as lines `field: value`, to compare at a glance.
pub(crate) fn shown(context: &CiContext) -> String {
    let mut lines = vec![format!("{} ({})", context.system, context.provider.as_deref().unwrap_or("-"))];
    for field in Field::ALL {
        if let Some(value) = context.get(field) {
            lines.push(format!("{}: {value}", field.name()));
        }
    }
    lines.extend(context.labels.iter().map(|(key, value)| format!("label.{key}: {value}")));
    lines.extend(context.problems.first.iter().map(|problem| format!("problem: {problem}")));
    lines.join("\n")
}

/// The expected lines, indented as the test's source is.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
