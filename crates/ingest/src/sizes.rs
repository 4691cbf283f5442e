//! Sizes of files and folders of this machine, taken where they lie: only the listing of them travels.
//!
//! A wheel or an image is listed with its parts, as if it had been sent; of everything else its size is listed.

use std::fs::File;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::path::Path;

use manometer_formats::measured::{Measured, Summary};
use manometer_formats::sizes::wheel::Wheel;
use manometer_formats::sizes::{image, listing};
use manometer_model::{Limits, Problem, Problems};

use crate::decompress::{Allowance, FileVisitor, Part, Source, visit_files};

/// Artifacts that were measured, for [`manometer_formats::sizes::listing`].
#[derive(Debug, Default)]
pub struct Listing {
    artifacts: Vec<Listed>,
    /// What could not be measured.
    pub problems: Problems,
}

#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Listed {
    name: String,
    kind: String,
    size_bytes: u64,
}

impl Listing {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Measures a file, or a folder with all the files in it; links are neither followed nor counted.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add(&mut self, name: &str, path: &Path, limits: &Limits) -> io::Result<()> {
        if path.is_dir() {
            let size_bytes = self.size_of_folder(path)?;
            self.push(name, "folder", size_bytes);
            return Ok(());
        }
        let mut part = Part::from_file(name, File::open(path)?)?;
        let mut whole = Whole { listing: self, was_measured: false };
        let allowance = Allowance::new(limits, part.bytes());
        // Whatever is wrong with an archive, its size is known.
        let outcome = visit_files(&mut part, &allowance, &mut whole);
        if !whole.was_measured {
            if let Err(error) = outcome {
                self.problems.push(Problem::new(format!("{error}; only its size was taken")).in_file(name));
            }
            self.push(name, "file", part.bytes());
        }
        Ok(())
    }

    fn push(&mut self, name: &str, kind: &str, size_bytes: u64) {
        self.artifacts.push(Listed { name: name.to_owned(), kind: kind.to_owned(), size_bytes });
    }

    fn size_of_folder(&mut self, folder: &Path) -> io::Result<u64> {
        let mut sum = 0_u64;
        let mut waiting = vec![folder.to_owned()];
        while let Some(current) = waiting.pop() {
            for entry in std::fs::read_dir(&current)? {
                let entry = entry?;
                // Builds remove files while they are counted.
                let Ok(about) = entry.metadata() else {
                    let message = "went away while it was measured, left out";
                    self.problems.push(Problem::new(message).in_file(entry.path().display().to_string()));
                    continue;
                };
                if about.is_dir() {
                    waiting.push(entry.path());
                } else if about.is_file() {
                    sum = sum.saturating_add(about.len());
                }
            }
        }
        Ok(sum)
    }

    /// The listing as a report.
    ///
    /// # Errors
    /// Never in practice: texts and numbers can be written as JSON.
    pub fn to_report(&self) -> io::Result<Vec<u8>> {
        let document = serde_json::json!({ listing::MARK: 1, "artifacts": self.artifacts });
        Ok(serde_json::to_vec(&document)?)
    }
}

/// Measures one file that may be a package or an image.
struct Whole<'a> {
    listing: &'a mut Listing,
    was_measured: bool,
}

impl Whole<'_> {
    fn take(&mut self, summary: Option<Summary>, rows: Vec<Listed>) -> bool {
        let Some(summary) = summary else { return false };
        self.listing.problems.absorb(summary.problems, None);
        self.was_measured = !rows.is_empty();
        self.listing.artifacts.extend(rows);
        true
    }
}

/// Collects rows of artifacts.
fn collect(rows: &mut Vec<Listed>) -> impl FnMut(&Measured<'_>) -> ControlFlow<()> {
    |row| {
        if let Measured::Artifact(row) = row {
            let (name, kind) = (row.name.to_owned(), row.kind.to_owned());
            rows.push(Listed { name, kind, size_bytes: row.size_bytes });
        }
        ControlFlow::Continue(())
    }
}

impl FileVisitor for Whole<'_> {
    fn file(&mut self, _name: &str, _content: &mut dyn BufRead) {}

    fn unreadable(&mut self, _name: &str, _why: String) {}

    fn archive(&mut self, _name: &str, packed_bytes: u64, files: &[(String, u64)]) -> bool {
        let mut rows = Vec::new();
        let wheel = Wheel::of(files);
        let summary = wheel.finish(packed_bytes, &mut collect(&mut rows));
        self.take(summary, rows);
        // Nothing of an archive is unpacked to be measured.
        true
    }

    fn tarball(&mut self, name: &str, mut source: &mut dyn Source) -> bool {
        let mut rows = Vec::new();
        let measured = image::read(&mut source, name, &mut collect(&mut rows));
        match measured {
            Ok(summary) => self.take(summary, rows),
            Err(error) => {
                self.listing.problems.push(Problem::new(error.to_string()).in_file(name));
                false
            }
        }
    }
}
