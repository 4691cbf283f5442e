//! Sizes of what a build produced: files, folders and container images, by pattern.
//!
//! ```text
//! dist/*.whl    files and folders that match
//! image.tar     an OCI or Docker archive: an image, with the size of its layers as stored
//! image:NAME    an image of the local engine, asked of `docker image inspect`
//! ```

mod archive;
mod engine;
mod metrics;
mod size;

use std::path::{Path, PathBuf};

use manometer_model::Problem;

pub use metrics::measure;

/// Most artifacts of one run.
const MOST_ARTIFACTS: usize = 1_000;

/// One thing a build produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Name that is the same in every run: the pattern where it matched one thing, else the path.
    pub name: String,
    /// Where it lies; the name of an image.
    pub path: String,
    /// What it is.
    pub kind: ArtifactKind,
    /// Size as stored or shipped, in bytes.
    pub size_bytes: u64,
}

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactKind {
    /// A file.
    File,
    /// A folder with everything in it.
    Folder,
    /// A container image.
    Image,
}

impl ArtifactKind {
    /// The word for records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Image => "image",
        }
    }
}

/// Finds what the patterns match, relative to `folder`. What cannot be measured is a problem that names the pattern.
pub fn find(patterns: &[String], folder: &Path, problems: &mut Vec<Problem>) -> Vec<Artifact> {
    let mut found: Vec<Artifact> = Vec::new();
    for pattern in patterns {
        let matches = match pattern.strip_prefix("image:") {
            Some(name) => engine::image(name).map(|artifact| vec![artifact]),
            None => in_files(pattern, folder),
        };
        match matches {
            Ok(matches) if matches.is_empty() => {
                problems.push(Problem::new("matches nothing").in_field(format!("artifact {pattern}")));
            }
            Ok(matches) => {
                for artifact in matches {
                    if !found.iter().any(|known| known.path == artifact.path) {
                        found.push(artifact);
                    }
                }
            }
            Err(message) => problems.push(Problem::new(message).in_field(format!("artifact {pattern}"))),
        }
    }
    if found.len() > MOST_ARTIFACTS {
        let message = format!("{} artifacts match, the first {MOST_ARTIFACTS} are recorded", found.len());
        problems.push(Problem::new(message).in_field("artifact"));
        found.truncate(MOST_ARTIFACTS);
    }
    found
}

fn in_files(pattern: &str, folder: &Path) -> Result<Vec<Artifact>, String> {
    let paths = paths_of(pattern, folder)?;
    let is_alone = paths.len() == 1;
    paths
        .into_iter()
        .map(|path| {
            let shown = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            let (kind, size_bytes) =
                size::of(&path).map_err(|error| format!("failed to measure {shown}: {error}"))?;
            let name = if is_alone { pattern.trim_end_matches('/').to_owned() } else { shown.clone() };
            Ok(Artifact { name, path: shown, kind, size_bytes })
        })
        .collect()
}

/// The paths a pattern matches, sorted.
///
/// # Errors
/// When the pattern is none; the message says where.
pub(crate) fn paths_of(pattern: &str, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let absolute = Path::new(&glob::Pattern::escape(&folder.to_string_lossy())).join(pattern);
    let matches =
        glob::glob(&absolute.to_string_lossy()).map_err(|error| format!("is no pattern: {error}"))?;
    // Folders that may not be read are passed over, as shells do.
    Ok(matches.filter_map(Result::ok).collect())
}
