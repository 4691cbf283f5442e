//! Images of the container engine on this machine.

use std::process::{Command, Stdio};

use super::{Artifact, ArtifactKind};

/// Asks for the size of an image, first `docker`, then `podman`.
pub(super) fn image(name: &str) -> Result<Artifact, String> {
    let mut last = "no container engine found: looked for docker and podman".to_owned();
    for engine in ["docker", "podman"] {
        let asked = Command::new(engine)
            .args(["image", "inspect", "--format", "{{.Size}}", name])
            .stdin(Stdio::null())
            .output();
        let Ok(output) = asked else { continue };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            last = format!("{engine} says: {}", said.lines().next().unwrap_or("nothing"));
            continue;
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let size_bytes =
            said.trim().parse().map_err(|_| format!("{engine} gave no size but `{}`", said.trim()))?;
        return Ok(Artifact {
            name: name.to_owned(),
            path: name.to_owned(),
            kind: ArtifactKind::Image,
            size_bytes,
        });
    }
    Err(last)
}
