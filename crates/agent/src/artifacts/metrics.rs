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

/// The metrics of these artifacts: name and value. Several of one name are summed.
pub fn measure(artifacts: &[Artifact]) -> BTreeMap<&'static str, f64> {
    let mut metrics = BTreeMap::new();
    for artifact in artifacts {
        let size = megabytes(artifact.size_bytes);
        if let Some(name) = metric_of(artifact) {
            *metrics.entry(name).or_insert(0.0) += size;
        }
        *metrics.entry("artifact.total_mb").or_insert(0.0) += size;
    }
    metrics
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
