//! Artifacts as metrics: those that have a name of their own, and the sum of all.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Artifact, ArtifactKind};
use crate::measure::megabytes;

/// Folders with a metric of their own.
const FOLDERS: &[(&str, &str)] = &[
    ("dist", "artifact.dist_mb"),
    ("build", "artifact.build_mb"),
    ("docs", "artifact.docs_mb"),
    ("site", "artifact.site_mb"),
];

/// The metrics of these artifacts: name and value. Several of one name are summed. What lies in a folder that is an
/// artifact itself is part of its size, and counts once in the total.
pub fn measure(artifacts: &[Artifact]) -> BTreeMap<&'static str, f64> {
    let mut metrics = BTreeMap::new();
    for artifact in artifacts {
        let size = megabytes(artifact.size_bytes);
        if let Some(name) = metric_of(artifact) {
            *metrics.entry(name).or_insert(0.0) += size;
        }
        if !artifacts.iter().any(|folder| contains(folder, artifact)) {
            *metrics.entry("artifact.total_mb").or_insert(0.0) += size;
        }
    }
    metrics
}

fn contains(folder: &Artifact, artifact: &Artifact) -> bool {
    folder.kind == ArtifactKind::Folder
        && artifact.kind != ArtifactKind::Image
        && folder.path != artifact.path
        && Path::new(&artifact.path).starts_with(&folder.path)
}

fn metric_of(artifact: &Artifact) -> Option<&'static str> {
    let path = Path::new(&artifact.path);
    match artifact.kind {
        ArtifactKind::Image => Some("container.image_mb"),
        ArtifactKind::File => path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("whl"))
            .then_some("artifact.wheel_mb"),
        ArtifactKind::Folder => {
            let name = path.file_name()?.to_str()?;
            FOLDERS.iter().find(|(folder, _)| *folder == name).map(|(_, metric)| *metric)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(path: &str, kind: ArtifactKind, megabytes: u64) -> Artifact {
        Artifact { name: path.to_owned(), path: path.to_owned(), kind, size_bytes: megabytes << 20 }
    }

    #[test]
    fn what_lies_in_a_measured_folder_counts_once_in_the_total() {
        let metrics = measure(&[
            artifact("dist/shop.whl", ArtifactKind::File, 3),
            artifact("dist", ArtifactKind::Folder, 4),
            artifact("distant.bin", ArtifactKind::File, 1),
            artifact("dist/image", ArtifactKind::Image, 10),
        ]);
        assert_eq!(metrics["artifact.wheel_mb"], 3.0);
        assert_eq!(metrics["artifact.dist_mb"], 4.0);
        assert_eq!(metrics["artifact.total_mb"], 15.0);
    }
}
