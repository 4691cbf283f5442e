//! Tarballs of container images: those of `docker save` (docker-archive) and OCI layouts.
//!
//! ```text
//! docker-archive  manifest.json ──► [{Config, RepoTags, Layers}]
//! OCI layout      index.json ──► manifests (or an index of platforms) ──► config, layers
//! ```
//!
//! Rows: the image as stored, which is its configuration and its layers (kind `image`), and every layer (`layer`,
//! named `image layer 1` from the bottom). The layers of an OCI layout are compressed, and so is that what a registry
//! would transfer; those of a docker-archive mostly are not. An image is named by its first tag, without what stands
//! behind the colon; without a tag by the labels `org.opencontainers.image.ref.name` and `…title` of its
//! configuration; of several platforms each has its own behind the name.
//!
//! Memory: the names in the tarball, at most 100,000, and one document of at most 4 MiB.

use std::collections::BTreeMap;

use manometer_model::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use super::tarball::Source;
use super::tarball::{Entry, Files};
use crate::ReadError;
use crate::measured::{ArtifactRow, MeasuredSink, Outlet, Summary};

/// Longest document in an image that is read.
const MOST_DOCUMENT_BYTES: u64 = 4 << 20;

/// Images of one tarball that are read.
const MOST_IMAGES: usize = 64;

/// Layers of one image that are read; engines stop at 127.
const MOST_LAYERS: usize = 1_000;

/// Might the bytes be the start of an image? The first 512 are enough.
pub fn may_be_image(head: &[u8]) -> bool {
    super::tarball::is_tarball(head)
}

/// Reads a tarball; `None` when it holds no image. `fallback_name` is for images that have none.
///
/// # Errors
/// When the input fails.
pub fn read(
    source: &mut dyn Source,
    fallback_name: &str,
    sink: &mut dyn MeasuredSink,
) -> Result<Option<Summary>, ReadError> {
    let files = Files::read(source)?;
    let mut image = Images { source, files, outlet: Outlet::new(sink), images: 0, fallback_name };
    let is_image = image.docker_archive()? || image.oci_layout()?;
    if !is_image {
        return Ok(None);
    }
    let mut summary = image.outlet.summary;
    if image.files.is_truncated {
        summary.truncated = true;
        summary
            .problems
            .push(Problem::new("the tarball ends too early or is broken: what came before was read"));
    }
    Ok(Some(summary))
}

/// One image of `manifest.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Archived {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// `index.json`, or an index or a manifest among the blobs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Manifest {
    manifests: Vec<Descriptor>,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Descriptor {
    digest: String,
    size: u64,
    annotations: BTreeMap<String, String>,
    platform: Option<Platform>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Platform {
    os: String,
    architecture: String,
    variant: String,
}

/// The configuration of an image, as far as it names it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    config: Option<Labelled>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Labelled {
    labels: Option<BTreeMap<String, String>>,
}

struct Images<'a> {
    source: &'a mut dyn Source,
    files: Files,
    outlet: Outlet<'a>,
    images: usize,
    fallback_name: &'a str,
}

impl Images<'_> {
    /// Answers whether it is one.
    fn docker_archive(&mut self) -> Result<bool, ReadError> {
        let Some(entry) = self.files.named("manifest.json").cloned() else { return Ok(false) };
        let Some(images) = self.document::<Vec<Archived>>(&entry)? else { return Ok(false) };
        for archived in images {
            let config = self.files.named(&archived.config).cloned();
            let tag = archived.repo_tags.as_deref().and_then(<[String]>::first).map(|tag| without_tag(tag));
            let name = match tag {
                Some(tag) => tag.to_owned(),
                None => self.name_of(config.as_ref())?,
            };
            let config_bytes = config.map_or(0, |entry| entry.size_bytes);
            let mut layers = Vec::new();
            for layer in archived.layers.iter().take(MOST_LAYERS) {
                layers.push(self.files.named(layer).map(|entry| entry.size_bytes));
            }
            self.give(&name, config_bytes, &layers);
        }
        Ok(true)
    }

    fn oci_layout(&mut self) -> Result<bool, ReadError> {
        let Some(entry) = self.files.named("index.json").cloned() else { return Ok(false) };
        let Some(index) = self.document::<Manifest>(&entry)? else { return Ok(false) };
        // An index may name indices of platforms, and nothing real goes deeper.
        let mut waiting: Vec<(Descriptor, String, u8)> =
            index.manifests.into_iter().map(|descriptor| (descriptor, String::new(), 0)).collect();
        waiting.reverse();
        let is_one_of_several = waiting.len() > 1;
        while let Some((descriptor, outer_name, depth)) = waiting.pop() {
            if self.images >= MOST_IMAGES {
                let message = format!("more than {MOST_IMAGES} images, the rest was not read");
                self.outlet.summary.problems.push(Problem::new(message));
                break;
            }
            let Some(entry) = self.blob(&descriptor) else {
                self.missing(&descriptor);
                continue;
            };
            let Some(manifest) = self.document::<Manifest>(&entry)? else { continue };
            let name = annotated_name(&descriptor).unwrap_or(outer_name);
            if !manifest.manifests.is_empty() && depth < 2 {
                let inner = manifest.manifests.into_iter().take(MOST_IMAGES).rev();
                waiting.extend(inner.map(|descriptor| (descriptor, name.clone(), depth + 1)));
                continue;
            }
            self.oci_image(&descriptor, &manifest, name, depth > 0 || is_one_of_several)?;
        }
        Ok(true)
    }

    fn oci_image(
        &mut self,
        descriptor: &Descriptor,
        manifest: &Manifest,
        annotated: String,
        is_one_of_several: bool,
    ) -> Result<(), ReadError> {
        let config = self.blob(&manifest.config);
        let mut name = if annotated.is_empty() { self.name_of(config.as_ref())? } else { annotated };
        if let Some(platform) = descriptor.platform.as_ref().filter(|_| is_one_of_several) {
            let parts = [&platform.os, &platform.architecture, &platform.variant];
            let parts: Vec<&str> =
                parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            name = format!("{name} {}", parts.join("/"));
        }
        let mut layers = Vec::new();
        for layer in manifest.layers.iter().take(MOST_LAYERS) {
            // A layer that lies elsewhere is still transferred, with the size that is stated.
            layers.push(self.blob(layer).map(|entry| entry.size_bytes).or(Some(layer.size)));
        }
        self.give(&name, config.map_or(manifest.config.size, |entry| entry.size_bytes), &layers);
        Ok(())
    }

    fn give(&mut self, name: &str, config_bytes: u64, layers: &[Option<u64>]) {
        self.images += 1;
        let known = layers.iter().flatten().fold(config_bytes, |sum, size| sum.saturating_add(*size));
        if layers.iter().all(Option::is_some) {
            self.outlet.artifact(ArtifactRow { name, kind: "image", size_bytes: known, at: None });
        } else {
            let message =
                format!("{name}: a layer is not in the tarball, so the size of the whole is not known");
            self.outlet.summary.problems.push_with(|| Problem::new(message).in_field("Layers"));
        }
        for (position, size_bytes) in layers.iter().enumerate() {
            let Some(size_bytes) = *size_bytes else { continue };
            let layer = format!("{name} layer {}", position + 1);
            self.outlet.artifact(ArtifactRow { name: &layer, kind: "layer", size_bytes, at: None });
        }
    }

    /// What the labels of a configuration call the image.
    fn name_of(&mut self, config: Option<&Entry>) -> Result<String, ReadError> {
        let labels = match config {
            Some(entry) => self.document::<Configuration>(entry)?.unwrap_or_default(),
            None => Configuration::default(),
        };
        let labels = labels.config.and_then(|config| config.labels).unwrap_or_default();
        let named = NAMING_LABELS.iter().find_map(|label| labels.get(*label)).filter(|name| !name.is_empty());
        Ok(named.map_or_else(|| self.fallback_name.to_owned(), |name| without_tag(name).to_owned()))
    }

    fn blob(&self, descriptor: &Descriptor) -> Option<Entry> {
        let (algorithm, digest) = descriptor.digest.split_once(':')?;
        self.files.named(&format!("blobs/{algorithm}/{digest}")).cloned()
    }

    fn missing(&mut self, descriptor: &Descriptor) {
        let shown: String = descriptor.digest.chars().take(80).collect();
        let problem = Problem::new(format!("`{shown}` is not in the tarball, left out"));
        self.outlet.summary.problems.push_with(|| problem.in_field("digest"));
    }

    /// A document of the tarball; `None`, and a problem, where it cannot be read.
    fn document<T: DeserializeOwned>(&mut self, entry: &Entry) -> Result<Option<T>, ReadError> {
        let content = Files::content(self.source, entry, MOST_DOCUMENT_BYTES)?;
        let outcome = match &content {
            Some(content) => serde_json::from_slice(content).map_err(|error| error.to_string()),
            None => Err(format!("longer than {} MiB", MOST_DOCUMENT_BYTES >> 20)),
        };
        match outcome {
            Ok(document) => Ok(Some(document)),
            Err(why) => {
                let problem = Problem::new(format!("{}: {why}, left out", entry.name));
                self.outlet.summary.problems.push_with(|| problem);
                Ok(None)
            }
        }
    }
}

/// Labels and annotations that name an image, the first that is there counts.
const NAMING_LABELS: [&str; 3] =
    ["io.containerd.image.name", "org.opencontainers.image.ref.name", "org.opencontainers.image.title"];

/// A name of an image, where the annotation is one: `ref.name` is often a tag alone.
fn annotated_name(descriptor: &Descriptor) -> Option<String> {
    NAMING_LABELS
        .iter()
        .filter_map(|label| descriptor.annotations.get(*label))
        .find(|name| name.contains(['/', ':']))
        .map(|name| without_tag(name).to_owned())
}

/// `registry:5000/acme/shop` of `registry:5000/acme/shop:1.2@sha256:…`
fn without_tag(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once(':') {
        Some((image, tag)) if !tag.contains('/') && !image.is_empty() => image,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_no_part_of_the_name() {
        for (name, plain) in [
            ("acme/shop:1.2", "acme/shop"),
            ("registry:5000/acme/shop", "registry:5000/acme/shop"),
            ("registry:5000/acme/shop:1.2@sha256:ab", "registry:5000/acme/shop"),
            ("shop", "shop"),
            (":1", ":1"),
        ] {
            assert_eq!(without_tag(name), plain);
        }
    }
}
