//! Python wheels, from the names and sizes in the directory of their zip archive.
//!
//! Rows: the wheel as it is shipped (kind `package`), all its files unpacked (`unpacked`), and each of its top folders
//! unpacked (`folder`, named `package/folder`). The package is named as its `.dist-info` folder is, without the version.
//!
//! Memory: the top folders, at most 1,000.

use std::collections::BTreeMap;

use crate::measured::{ArtifactRow, MeasuredSink, Outlet, Summary};

/// Top folders that are told apart; the rest is in the whole.
const MOST_FOLDERS: usize = 1_000;

/// A wheel of which the files are being told.
#[derive(Debug, Default)]
pub struct Wheel {
    /// `acme_shop-1.2.0`, when the file was seen that makes a zip archive a wheel.
    distribution: Option<String>,
    unpacked_bytes: u64,
    folders: BTreeMap<String, u64>,
    left_out: u64,
}

impl Wheel {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An archive of these files, with their sizes when unpacked.
    pub fn of(files: &[(String, u64)]) -> Self {
        let mut wheel = Self::new();
        for (name, unpacked_bytes) in files {
            wheel.add_file(name, *unpacked_bytes);
        }
        wheel
    }

    /// One file of the archive, with its size when unpacked.
    pub fn add_file(&mut self, name: &str, unpacked_bytes: u64) {
        self.unpacked_bytes = self.unpacked_bytes.saturating_add(unpacked_bytes);
        let Some((folder, inside)) = name.split_once('/') else { return };
        if let Some(distribution) = folder.strip_suffix(".dist-info")
            && inside == "WHEEL"
        {
            self.distribution = Some(distribution.to_owned());
        }
        if !self.folders.contains_key(folder) && self.folders.len() >= MOST_FOLDERS {
            self.left_out += 1;
            return;
        }
        let sum = self.folders.entry(folder.to_owned()).or_default();
        *sum = sum.saturating_add(unpacked_bytes);
    }

    /// Gives the rows of the wheel, which is `packed_bytes` long; `None` when the archive is no wheel.
    pub fn finish(&self, packed_bytes: u64, sink: &mut dyn MeasuredSink) -> Option<Summary> {
        let distribution = self.distribution.as_deref()?;
        let package = without_version(distribution);
        let mut outlet = Outlet::new(sink);
        let mut row = |name: &str, kind: &str, size_bytes| {
            outlet.artifact(ArtifactRow { name, kind, size_bytes, at: None });
        };
        row(package, "package", packed_bytes);
        row(package, "unpacked", self.unpacked_bytes);
        for (folder, size_bytes) in &self.folders {
            // Of these two the name has the version in it.
            let plain = match folder.strip_prefix(distribution) {
                Some(ending @ (".dist-info" | ".data")) => format!("{package}{ending}"),
                _ => folder.clone(),
            };
            row(&format!("{package}/{plain}"), "folder", *size_bytes);
        }
        if self.left_out > 0 {
            let message = format!("more than {MOST_FOLDERS} folders, the rest is in the whole alone");
            outlet.summary.problems.push(manometer_model::Problem::new(message));
        }
        Some(outlet.summary)
    }
}

/// `acme_shop` of `acme_shop-1.2.0`: a name of a distribution has no dash (PEP 427).
fn without_version(distribution: &str) -> &str {
    distribution.split('-').next().unwrap_or(distribution)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::measured::Measured;

    fn rows(files: &[(&str, u64)], packed_bytes: u64) -> Option<Vec<(String, String, u64)>> {
        let mut wheel = Wheel::new();
        for (name, size) in files {
            wheel.add_file(name, *size);
        }
        let mut rows = Vec::new();
        wheel.finish(packed_bytes, &mut |row: &Measured<'_>| {
            if let Measured::Artifact(row) = row {
                rows.push((row.name.to_owned(), row.kind.to_owned(), row.size_bytes));
            }
            ControlFlow::Continue(())
        })?;
        Some(rows)
    }

    #[test]
    fn a_wheel_is_known_by_its_own_file_and_measured_by_folder() {
        let files = [
            ("shop/__init__.py", 0),
            ("shop/stock/shelf.py", 200),
            ("shop.libs/libz.so", 9_000),
            ("single.py", 5),
            ("acme_shop-1.2.0.dist-info/METADATA", 50),
            ("acme_shop-1.2.0.dist-info/WHEEL", 10),
            ("acme_shop-1.2.0.data/scripts/shop", u64::MAX),
        ];
        let text = |name: &str, kind: &str, size| (name.to_owned(), kind.to_owned(), size);
        assert_eq!(
            rows(&files, 700).unwrap(),
            [
                text("acme_shop", "package", 700),
                text("acme_shop", "unpacked", u64::MAX),
                text("acme_shop/acme_shop.data", "folder", u64::MAX),
                text("acme_shop/acme_shop.dist-info", "folder", 60),
                text("acme_shop/shop", "folder", 200),
                text("acme_shop/shop.libs", "folder", 9_000),
            ]
        );
        assert_eq!(rows(&[("reports/a.xml", 3), ("x.dist-info/METADATA", 1)], 5), None);
    }
}
