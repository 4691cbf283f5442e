//! Container images in a file: OCI layouts and the archives of `docker save`.
//!
//! An OCI layout (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>) is a tar of
//! `index.json`, `oci-layout` and blobs; the archive of `docker save` a tar of `manifest.json` and layers. Either way the
//! image is its blobs: their sizes are in the headers, so nothing is unpacked.

use std::fs::File;
use std::path::Path;

/// More entries than this has no image.
const MOST_ENTRIES: usize = 100_000;

/// The size of the image in an archive; `None` for a file that is no such archive.
pub(super) fn image_bytes(path: &Path) -> Option<u64> {
    let file = File::open(path).ok().filter(|_| could_be_archive(path))?;
    let mut archive = tar::Archive::new(file);
    let mut is_image = false;
    let mut content_bytes = 0;
    for (count, entry) in archive.entries_with_seek().ok()?.enumerate() {
        let entry = entry.ok().filter(|_| count < MOST_ENTRIES)?;
        let name = entry.path().ok()?.to_string_lossy().into_owned();
        match name.as_str() {
            "index.json" | "manifest.json" => is_image = true,
            "oci-layout" | "repositories" => {}
            _ if entry.header().entry_type().is_file() => content_bytes += entry.size(),
            _ => {}
        }
    }
    is_image.then_some(content_bytes)
}

/// Other files are not opened: reading a gigabyte to learn that it is no archive would take longer than it is worth.
fn could_be_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tar"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, usize)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = tar::Builder::new(File::create(folder.path().join("image.tar")).unwrap());
        for (name, length) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(*length as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, &vec![7_u8; *length][..]).unwrap();
        }
        builder.finish().unwrap();
        folder
    }

    #[test]
    fn an_image_is_as_large_as_its_blobs() {
        let oci = archive(&[
            ("oci-layout", 30),
            ("index.json", 200),
            ("blobs/sha256/aa", 5_000),
            ("blobs/sha256/bb", 70),
        ]);
        assert_eq!(image_bytes(&oci.path().join("image.tar")), Some(5_070));
        let docker = archive(&[("aa/layer.tar", 9_000), ("cc.json", 100), ("manifest.json", 50)]);
        assert_eq!(image_bytes(&docker.path().join("image.tar")), Some(9_100));
    }

    #[test]
    fn other_archives_and_garbage_are_files() {
        let sources = archive(&[("src/main.rs", 10)]);
        assert_eq!(image_bytes(&sources.path().join("image.tar")), None);
        std::fs::write(sources.path().join("image.tar"), vec![0xff_u8; 100_000]).unwrap();
        assert_eq!(image_bytes(&sources.path().join("image.tar")), None);
    }
}
