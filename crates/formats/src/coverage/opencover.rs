//! OpenCover XML, as OpenCover, AltCover and coverlet (`/p:CoverletOutputFormat=opencover`) write it.
//!
//! ```text
//! CoverageSession > Summary
//!                   Modules > Module > ModuleName, Files > File uid fullPath
//!                             Classes > Class > Methods > Method > Name, FileRef uid
//!                                       SequencePoints > SequencePoint vc sl el fileid
//!                                       BranchPoints > BranchPoint vc sl path fileid
//! ```
//!
//! A line was executed when one of the sequence points that lie on it was. The package is the module (the assembly).
//! A method without source has no `FileRef` and is left out. What the session states of sequence points is compared
//! with the points that are listed.

use std::collections::HashMap;
use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::attributes::{number_of, numbers_of};
use super::numbers;
use super::tally::{FileAt, PackageAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{MeasuredSink, Share, Summary};
use crate::xml::{self, Ending, Tag, Text, Walk};

/// Reads an OpenCover report.
///
/// # Errors
/// When the input fails, is empty, or is no OpenCover report.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut walk = OpenCover {
        tally: Tally::new(limits),
        package: None,
        files: HashMap::new(),
        method: Method::default(),
        stated: None,
        points: Share::default(),
        text: String::new(),
        name_bytes: limits.name_bytes,
    };
    let expected = "expected an OpenCover report: <CoverageSession>";
    let ending = xml::walk(input, limits, |root| root == "CoverageSession", expected, &mut walk)?;
    if let Ending::Truncated(problem) = ending {
        walk.tally.ended_early(problem);
    }
    walk.compare_with_stated();
    Ok(walk.tally.finish(sink))
}

/// Is it XML with OpenCover's root?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root == Some("CoverageSession")
}

/// Lines that one sequence point may lie on; a longer one stands for its first.
const MOST_LINES_OF_A_POINT: u32 = 10_000;

/// The line that compilers give to code without source.
const HIDDEN_LINE: u32 = 0xfe_efee;

struct OpenCover {
    tally: Tally,
    package: Option<PackageAt>,
    /// Files by the hash of their `uid`.
    files: HashMap<u64, FileAt>,
    method: Method,
    stated: Option<Share>,
    /// Sequence points that are listed.
    points: Share,
    text: String,
    name_bytes: usize,
}

/// The method that is being read.
#[derive(Debug, Default)]
struct Method {
    name: u64,
    file: Option<FileAt>,
    was_executed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Session,
    Module,
    ModuleName,
    Method,
    MethodName,
    Other,
}

impl Walk for OpenCover {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        self.text.clear();
        match (parent, tag.name()) {
            (None, "CoverageSession") => return Element::Session,
            (Some(Element::Session), "Summary") => {
                let names = ["visitedSequencePoints", "numSequencePoints"];
                let [visited, points] = numbers_of(tag, names, numbers::count, self.problems());
                self.stated = Share::of(visited, points);
            }
            (_, "Module") => {
                self.tally.begin_part();
                return Element::Module;
            }
            (Some(Element::Module), "ModuleName") => return Element::ModuleName,
            (_, "File") => self.file(tag),
            (_, "Method") => {
                self.method = Method::default();
                return Element::Method;
            }
            (Some(Element::Method), "Name") => return Element::MethodName,
            (Some(Element::Method), "FileRef") => self.method.file = self.file_of(tag, "uid"),
            (_, "SequencePoint") => self.sequence_point(tag),
            (_, "BranchPoint") => self.branch_point(tag),
            _ => {}
        }
        Element::Other
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::ModuleName => self.package = Some(self.tally.package(self.text.trim())),
            Element::Module => {
                self.package = None;
                self.tally.end_part();
            }
            Element::MethodName => self.method.name = xxh3_64(self.text.as_bytes()),
            Element::Method => {
                if let Some(file) = self.method.file {
                    self.tally.function(file, self.method.name, self.method.was_executed);
                }
            }
            Element::Session | Element::Other => {}
        }
    }

    fn text(&mut self, element: Element, text: &Text<'_>) {
        if matches!(element, Element::ModuleName | Element::MethodName) {
            let flaws = text.append_to(&mut self.text, self.name_bytes);
            if flaws.any() {
                let message = flaws.describe(self.name_bytes);
                self.problems()
                    .push_with(|| Problem::new(message).at_line(text.place.line()).in_field("name"));
            }
        }
    }

    fn problems(&mut self) -> &mut Problems {
        &mut self.tally.summary.problems
    }

    fn is_done(&self) -> bool {
        self.tally.is_full()
    }
}

impl OpenCover {
    fn file(&mut self, tag: &Tag<'_>) {
        let problems = &mut self.tally.summary.problems;
        super::attributes::text_of(tag, &["fullPath"], &mut self.text, self.name_bytes, problems);
        let uid = tag.attributes().flatten().find(|attribute| attribute.name == "uid");
        let (Some(uid), false) = (uid, self.text.is_empty()) else {
            problems.push_with(|| {
                let message = "has no path or no uid, what lies in it was left out";
                Problem::new(message).at_line(tag.line()).in_field("File")
            });
            return;
        };
        let file = self.tally.file(&self.text, self.package);
        self.files.insert(xxh3_64(uid.raw().as_bytes()), file);
    }

    fn file_of(&self, tag: &Tag<'_>, name: &str) -> Option<FileAt> {
        let uid = tag.attributes().flatten().find(|attribute| attribute.name == name)?;
        self.files.get(&xxh3_64(uid.raw().as_bytes())).copied()
    }

    fn sequence_point(&mut self, tag: &Tag<'_>) {
        let [first, last] = numbers_of(tag, ["sl", "el"], numbers::line_number, self.problems());
        let Some(was_executed) = self.visits(tag) else { return };
        self.points.valid += 1;
        self.points.covered += u64::from(was_executed);
        self.method.was_executed |= was_executed;
        let Some(first) = first.filter(|line| *line != HIDDEN_LINE) else { return };
        let Some(file) = self.file_of(tag, "fileid").or(self.method.file) else { return };
        let last = last.unwrap_or(first);
        let is_odd = last < first || last - first > MOST_LINES_OF_A_POINT;
        if is_odd {
            self.problems().push_with(|| {
                let message = format!("lines {first} to {last} are no range, the first stands for it");
                Problem::new(message).at_line(tag.line()).in_field("SequencePoint")
            });
        }
        for line in first..=if is_odd { first } else { last } {
            self.tally.line(file, line, was_executed);
        }
    }

    fn branch_point(&mut self, tag: &Tag<'_>) {
        let Some(was_taken) = self.visits(tag) else { return };
        let Some(file) = self.file_of(tag, "fileid").or(self.method.file) else { return };
        let identity = tag
            .attributes()
            .flatten()
            .filter(|attribute| matches!(attribute.name, "ordinal" | "offset" | "path"))
            .fold(self.method.name, |seed, attribute| xxh3_64_with_seed(attribute.raw().as_bytes(), seed));
        self.tally.branches(file, identity, u32::from(was_taken), 1);
    }

    /// `vc`, the count of visits.
    fn visits(&mut self, tag: &Tag<'_>) -> Option<bool> {
        let visits = tag.attributes().flatten().find(|attribute| attribute.name == "vc")?;
        number_of(tag, "vc", visits.raw(), numbers::was_executed, &mut self.tally.summary.problems)
    }

    fn compare_with_stated(&mut self) {
        let found = self.points;
        if let Some(stated) = self.stated.filter(|stated| *stated != found)
            && !self.tally.summary.truncated
            && !self.tally.is_full()
        {
            let message = format!(
                "the session states {} of {} sequence points, {} of {} are listed: these count",
                stated.covered, stated.valid, found.covered, found.valid
            );
            self.problems().push(Problem::new(message).in_field("Summary"));
        }
    }
}
