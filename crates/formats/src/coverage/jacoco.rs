//! JaCoCo XML (Maven, Gradle, Ant, `jacococli`), Kover's included.
//!
//! ```text
//! report > group > package > sourcefile > line nr mi ci mb cb     (missed and covered instructions and branches)
//!                                         counter type missed covered
//! ```
//!
//! A line counts as executed when some of it was, as in JaCoCo's own counter `LINE`. A file is named by its package
//! (`com/acme/shop/Cart.java`), with the groups of an aggregated report before it. Functions are the counter
//! `METHOD`; so are lines and branches where the classes were compiled without debug information.

use std::io::BufRead;

use manometer_model::{Limits, Problems};

use super::attributes::{append_text_of, numbers_of};
use super::numbers;
use super::tally::{FileAt, PackageAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{Counts, MeasuredSink, Share, Summary};
use crate::xml::{self, Ending, Tag, Walk};

/// Reads a JaCoCo report.
///
/// # Errors
/// When the input fails, is empty, or is no JaCoCo report.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut walk = Jacoco {
        tally: Tally::new(limits),
        path: String::new(),
        package: None,
        file: None,
        stated: Counts::default(),
        of_file: Counts::default(),
        name_bytes: limits.name_bytes,
    };
    let ending =
        xml::walk(input, limits, |root| root == "report", "expected a JaCoCo report: <report>", &mut walk)?;
    if let Ending::Truncated(problem) = ending {
        walk.tally.ended_early(problem);
    }
    walk.tally.stated_total(walk.stated);
    Ok(walk.tally.finish(sink))
}

/// Is it XML with the root `report` and something of JaCoCo in it?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root == Some("report")
        && ["//JACOCO//", "<sessioninfo", "<package ", "<group ", "<counter "]
            .iter()
            .any(|mark| look.text.contains(mark))
}

struct Jacoco {
    tally: Tally,
    /// Groups and package the reading is in, joined with slashes.
    path: String,
    package: Option<PackageAt>,
    file: Option<FileAt>,
    /// What the report states for the whole, and for the file being read.
    stated: Counts,
    of_file: Counts,
    name_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Report,
    /// A group or package; how long the path was outside of it.
    Folder {
        outer: usize,
    },
    File,
    Other,
}

impl Walk for Jacoco {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        match (parent, tag.name()) {
            (None, "report") => Element::Report,
            (_, "group") => self.folder(tag),
            (_, "package") => {
                let folder = self.folder(tag);
                self.package = (!self.path.is_empty()).then(|| self.tally.package(&self.path));
                folder
            }
            (Some(Element::Folder { .. }), "sourcefile") => {
                let outer = self.extend_path(tag);
                self.tally.begin_part();
                self.file = Some(self.tally.file(&self.path, self.package));
                self.path.truncate(outer);
                self.of_file = Counts::default();
                Element::File
            }
            (Some(Element::File), "line") => {
                self.line(tag);
                Element::Other
            }
            (Some(Element::File), "counter") => {
                self.counter(tag, |reading| &mut reading.of_file);
                Element::Other
            }
            (Some(Element::Report), "counter") => {
                self.counter(tag, |reading| &mut reading.stated);
                Element::Other
            }
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::Folder { outer } => {
                self.path.truncate(outer);
                self.package = None;
            }
            Element::File => {
                if let Some(file) = self.file.take() {
                    self.tally.stated_of_file(file, self.of_file);
                }
                self.tally.end_part();
            }
            Element::Report | Element::Other => {}
        }
    }

    fn problems(&mut self) -> &mut Problems {
        &mut self.tally.summary.problems
    }

    fn is_done(&self) -> bool {
        self.tally.is_full()
    }
}

impl Jacoco {
    fn folder(&mut self, tag: &Tag<'_>) -> Element {
        Element::Folder { outer: self.extend_path(tag) }
    }

    /// Appends the name of an element; answers how long the path was.
    fn extend_path(&mut self, tag: &Tag<'_>) -> usize {
        let outer = self.path.len();
        if outer > 0 {
            self.path.push('/');
        }
        append_text_of(tag, &["name"], &mut self.path, self.name_bytes, &mut self.tally.summary.problems);
        outer
    }

    fn line(&mut self, tag: &Tag<'_>) {
        let Some(file) = self.file else { return };
        let names = ["nr", "mb", "cb"];
        let [number, missed, taken] = numbers_of(tag, names, numbers::line_number, self.problems());
        let [was_executed] = numbers_of(tag, ["ci"], numbers::was_executed, self.problems());
        let Some(number) = number else { return };
        if let Some(was_executed) = was_executed {
            self.tally.line(file, number, was_executed);
        }
        let (missed, taken) = (missed.unwrap_or(0), taken.unwrap_or(0));
        if missed > 0 || taken > 0 {
            self.tally.branches(file, u64::from(number), taken, taken.saturating_add(missed));
        }
    }

    fn counter(&mut self, tag: &Tag<'_>, counts: fn(&mut Self) -> &mut Counts) {
        let [missed, covered] =
            numbers_of(tag, ["missed", "covered"], numbers::count, &mut self.tally.summary.problems);
        let (Some(missed), Some(covered)) = (missed, covered) else { return };
        let share = Some(Share { covered, valid: covered.saturating_add(missed) });
        let kind = tag.attributes().flatten().find(|attribute| attribute.name == "type");
        let kind = kind.map(|attribute| attribute.raw()).unwrap_or_default();
        match kind {
            "LINE" => counts(self).lines = share,
            "BRANCH" => counts(self).branches = share,
            "METHOD" => counts(self).functions = share,
            _ => {}
        }
    }
}
