//! Clover XML, as OpenClover, PHPUnit and istanbul (nyc, c8, Jest, Vitest) write it.
//!
//! ```text
//! coverage clover="…" > project > package > file path > metrics
//!                                                       line num type=stmt|cond|method count truecount falsecount
//! ```
//!
//! Statements are lines by their numbers. A condition is, without `count`, two branches (true and false); istanbul
//! gives it a `count` and states in `truecount` how many of `truecount + falsecount` branches were taken. Lines of
//! type `method` are functions; where there are none, those of the file's `metrics` are taken. What is under
//! `testproject` is not the program, and left out.

use std::io::BufRead;

use manometer_model::{Limits, Problems};
use xxhash_rust::xxh3::xxh3_64;

use super::attributes::{number_of, numbers_of, text_of};
use super::numbers;
use super::tally::{FileAt, PackageAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{Counts, MeasuredSink, Share, Summary};
use crate::xml::{self, Ending, Tag, Walk};

/// Reads a Clover report.
///
/// # Errors
/// When the input fails, is empty, or is no Clover report.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut walk = Clover {
        tally: Tally::new(limits),
        package: None,
        file: None,
        stated: Counts::default(),
        statements: Share::default(),
        conditions: Share::default(),
        text: String::new(),
        name_bytes: limits.name_bytes,
    };
    // istanbul lists no branch on a line without a statement, such as that of a default value.
    walk.tally.counts_unlisted_branches = true;
    let expected = "expected a Clover report: <coverage> with <project>";
    let ending = xml::walk(input, limits, |root| root == "coverage", expected, &mut walk)?;
    if let Ending::Truncated(problem) = ending {
        walk.tally.ended_early(problem);
    }
    walk.state_total();
    Ok(walk.tally.finish(sink))
}

/// Is it XML with the root `coverage` and a `project` in it?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root == Some("coverage") && (look.text.contains("<project") || look.text.contains(" clover="))
}

struct Clover {
    tally: Tally,
    package: Option<PackageAt>,
    file: Option<FileAt>,
    /// Of the project.
    stated: Counts,
    /// Elements of type `stmt` and `cond`, to tell whether what is stated means lines.
    statements: Share,
    conditions: Share,
    text: String,
    name_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Project,
    /// Of test code, with all that is in it.
    TestCode,
    Package,
    File,
    Other,
}

impl Walk for Clover {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        match (parent, tag.name()) {
            (Some(Element::TestCode), _) | (_, "testproject") => Element::TestCode,
            (_, "project") => Element::Project,
            (_, "package") => {
                self.attribute(tag, &["name"]);
                self.package = (!self.text.is_empty()).then(|| self.tally.package(&self.text));
                Element::Package
            }
            (_, "file") => {
                self.attribute(tag, &["path", "name"]);
                self.tally.begin_part();
                self.file = (!self.text.is_empty()).then(|| self.tally.file(&self.text, self.package));
                Element::File
            }
            (Some(Element::File), "metrics") => {
                let counts = self.metrics(tag);
                if let Some(file) = self.file {
                    self.tally.stated_of_file(file, counts);
                }
                Element::Other
            }
            (Some(Element::Project), "metrics") => {
                self.stated = self.metrics(tag);
                Element::Other
            }
            (Some(Element::File), "line") => {
                self.line(tag);
                Element::Other
            }
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::Package => self.package = None,
            Element::File => {
                self.file = None;
                self.tally.end_part();
            }
            Element::Project | Element::TestCode | Element::Other => {}
        }
    }

    fn problems(&mut self) -> &mut Problems {
        &mut self.tally.summary.problems
    }

    fn is_done(&self) -> bool {
        self.tally.is_full()
    }
}

/// What `line` elements are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Statement,
    Condition,
    Method,
}

impl Clover {
    fn line(&mut self, tag: &Tag<'_>) {
        let Some(file) = self.file else { return };
        let problems = &mut self.tally.summary.problems;
        let (mut number, mut count, mut taken, mut missed) = (None, None, None, None);
        let (mut has_count, mut kind, mut identity) = (false, Kind::Statement, 0_u64);
        for attribute in tag.attributes().flatten() {
            let (name, raw) = (attribute.name, attribute.raw());
            match name {
                "num" => number = number_of(tag, name, raw, numbers::line_number, problems),
                "count" => {
                    has_count = true;
                    count = number_of(tag, name, raw, numbers::was_executed, problems);
                }
                "truecount" => taken = number_of(tag, name, raw, numbers::line_number, problems),
                "falsecount" => missed = number_of(tag, name, raw, numbers::line_number, problems),
                "type" if raw == "cond" => kind = Kind::Condition,
                "type" if raw == "method" => kind = Kind::Method,
                "name" | "signature" => identity ^= xxh3_64(raw.as_bytes()),
                _ => {}
            }
        }
        let Some(number) = number else { return };
        match kind {
            Kind::Method => {
                if let Some(was_executed) = count {
                    self.tally.function(file, identity ^ u64::from(number), was_executed);
                }
            }
            Kind::Statement => {
                if let Some(was_executed) = count {
                    self.statements.valid += 1;
                    self.statements.covered += u64::from(was_executed);
                    self.tally.line(file, number, was_executed);
                }
            }
            Kind::Condition => {
                let (Some(taken), Some(missed)) = (taken, missed) else { return };
                let was_executed = if has_count { count } else { Some(taken > 0 || missed > 0) };
                let Some(was_executed) = was_executed else { return };
                let (covered, valid) = match has_count {
                    true => (taken, taken.saturating_add(missed)),
                    false => (u32::from(taken > 0) + u32::from(missed > 0), 2),
                };
                self.conditions.valid += 1;
                self.conditions.covered += u64::from(was_executed);
                self.tally.branches(file, u64::from(number), covered, valid);
                self.tally.line(file, number, was_executed);
            }
        }
    }

    fn metrics(&mut self, tag: &Tag<'_>) -> Counts {
        let names = [
            "coveredstatements",
            "statements",
            "coveredconditionals",
            "conditionals",
            "coveredmethods",
            "methods",
        ];
        let [statements_covered, statements, branches_covered, branches, methods_covered, methods] =
            numbers_of(tag, names, numbers::count, self.problems());
        Counts {
            lines: Share::of(statements_covered, statements),
            branches: Share::of(branches_covered, branches),
            functions: Share::of(methods_covered, methods),
        }
    }

    /// OpenClover states statements, of which a line may have several, and leaves conditions out of them: where the
    /// elements add up to what is stated, nothing is contradicted.
    fn state_total(&mut self) {
        let both = Share {
            covered: self.statements.covered + self.conditions.covered,
            valid: self.statements.valid + self.conditions.valid,
        };
        let mut stated = self.stated;
        if stated.lines == Some(self.statements) || stated.lines == Some(both) {
            stated.lines = None;
        }
        self.tally.stated_total(stated);
    }

    /// The first of the named attributes that is there, in `text`.
    fn attribute(&mut self, tag: &Tag<'_>, names: &[&str]) {
        text_of(tag, names, &mut self.text, self.name_bytes, &mut self.tally.summary.problems);
    }
}
