//! Which files `ingest` means: plain names, folders, patterns, and `-` for standard input.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::exit::usage;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file. `searched` says that it was found in a folder rather than named, so that it may turn out not to
    /// be a report.
    File { path: PathBuf, searched: bool },
    /// A listing of artifacts that were measured here.
    Artifacts { listing: Vec<u8> },
}

impl Input {
    /// The name shown to people and kept with problems.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
            Self::Artifacts { .. } => "artifacts".to_owned(),
        }
    }
}

/// Ends of names that a report found in a folder may have.
const REPORT_ENDINGS: &[&str] = &[".xml", ".ndjson", ".jsonl", ".trx", ".tap"];
const PACKED_ENDINGS: &[&str] = &["", ".gz", ".zst"];

/// Resolves what was written on the command line, each file once, in a stable order.
///
/// # Errors
/// When a file does not exist, a pattern is malformed or matches nothing, or a folder holds no report.
pub(crate) fn resolve(arguments: &[String]) -> anyhow::Result<Vec<Input>> {
    let mut inputs = BTreeSet::new();
    for argument in arguments {
        if argument == "-" {
            inputs.insert(Input::Stdin);
            continue;
        }
        let path = Path::new(argument);
        if path.is_dir() {
            add_folder(path, &mut inputs)?;
        } else if path.exists() {
            inputs.insert(Input::File { path: path.to_owned(), searched: false });
        } else if argument.contains(['*', '?', '[']) {
            add_pattern(argument, &mut inputs)?;
        } else {
            return Err(usage(format!("{argument}: no such file or folder")));
        }
    }
    Ok(inputs.into_iter().collect())
}

fn add_pattern(pattern: &str, inputs: &mut BTreeSet<Input>) -> anyhow::Result<()> {
    let matches = glob::glob(pattern).map_err(|error| usage(format!("pattern `{pattern}`: {error}")))?;
    let mut found = false;
    for path in matches {
        let path = path.map_err(|error| usage(format!("pattern `{pattern}`: {error}")))?;
        if path.is_dir() {
            continue;
        }
        found = true;
        inputs.insert(Input::File { path, searched: false });
    }
    if found { Ok(()) } else { Err(usage(format!("pattern `{pattern}` matches no file"))) }
}

fn add_folder(folder: &Path, inputs: &mut BTreeSet<Input>) -> anyhow::Result<()> {
    let mut found = false;
    let mut waiting = vec![folder.to_owned()];
    while let Some(current) = waiting.pop() {
        let refuse = |error: std::io::Error| usage(format!("failed to list {}: {error}", current.display()));
        for entry in std::fs::read_dir(&current).map_err(refuse)? {
            let entry = entry.map_err(refuse)?;
            let kind = entry.file_type().map_err(refuse)?;
            // Links are not followed: a link to a parent would make the search endless.
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() && looks_like_report(&entry.file_name().to_string_lossy()) {
                found = true;
                inputs.insert(Input::File { path: entry.path(), searched: true });
            }
        }
    }
    if found {
        return Ok(());
    }
    Err(usage(format!(
        "{}: no report in this folder (looked for {}, also packed with gzip or zstd)",
        folder.display(),
        REPORT_ENDINGS.join(", ")
    )))
}

fn looks_like_report(name: &str) -> bool {
    let lower = name.to_lowercase();
    PACKED_ENDINGS
        .iter()
        .any(|packed| REPORT_ENDINGS.iter().any(|ending| lower.ends_with(&format!("{ending}{packed}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_each_file_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        for name in ["a/x.xml", "a/b/y.xml.gz", "a/b/notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let root = folder.path().display().to_string();
        let inputs = resolve(&[root.clone(), root.clone(), "-".to_owned()]).unwrap();
        let names: Vec<String> = inputs.iter().map(|input| input.name().replace(&root, "")).collect();
        assert_eq!(names, ["standard input", "/a/b/y.xml.gz", "/a/x.xml"]);
        let pattern = format!("{root}/**/*.txt");
        assert_eq!(resolve(&[pattern]).unwrap().len(), 1);
    }

    #[test]
    fn what_matches_nothing_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        for argument in [root.clone(), format!("{root}/*.xml"), format!("{root}/no.xml")] {
            let message = resolve(std::slice::from_ref(&argument)).unwrap_err().to_string();
            assert!(message.contains(&root), "{message}");
        }
    }
}
