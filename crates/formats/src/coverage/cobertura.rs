//! Cobertura XML, as coverage.py, gcovr, coverlet, istanbul (nyc, c8, Vitest), gocover-cobertura, tarpaulin and others
//! write it.
//!
//! ```text
//! coverage > packages > package > classes > class filename > lines > line number hits branch condition-coverage
//!                                                            methods > method > lines > line
//! ```
//!
//! A method is a function, executed when one of its lines was. The lines of a class hold those of its methods; where
//! they do not (istanbul gives a method the line of its declaration, which is no statement), the class knows better,
//! so lines of methods count only in a class without lines of its own. Rates are not read: they are rounded.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::attributes::{number_of, numbers_of, text_of};
use super::numbers::{self, NumberError};
use super::tally::{FileAt, PackageAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{Counts, MeasuredSink, Share, Summary};
use crate::xml::{self, Ending, Tag, Walk};

/// Reads a Cobertura report.
///
/// # Errors
/// When the input fails, is empty, or is no Cobertura report.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut walk = Cobertura {
        tally: Tally::new(limits),
        package: None,
        file: None,
        class: 0,
        method: None,
        lines_of_methods: Vec::new(),
        has_own_lines: false,
        text: String::new(),
        name_bytes: limits.name_bytes,
    };
    let expected = "expected a Cobertura report: <coverage> with <packages>";
    let ending = xml::walk(input, limits, |root| root == "coverage", expected, &mut walk)?;
    if let Ending::Truncated(problem) = ending {
        walk.tally.ended_early(problem);
    }
    Ok(walk.tally.finish(sink))
}

/// Is it XML with the root `coverage`, but not Clover's?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root == Some("coverage") && !super::clover::claims(look)
}

struct Cobertura {
    tally: Tally,
    package: Option<PackageAt>,
    file: Option<FileAt>,
    /// Hash of the name of the class.
    class: u64,
    method: Option<Method>,
    /// Lines of the methods of the class, until it shows lines of its own.
    lines_of_methods: Vec<Line>,
    has_own_lines: bool,
    text: String,
    name_bytes: usize,
}

/// A method that is being read.
struct Method {
    identity: u64,
    has_lines: bool,
    was_executed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    number: u32,
    was_executed: bool,
    /// Taken, of how many.
    branches: Option<(u32, u32)>,
}

/// Lines of the methods of one class that are kept, 20 bytes each.
const MOST_LINES_OF_METHODS: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Package,
    Class,
    Method,
    Other,
}

impl Walk for Cobertura {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        match tag.name() {
            "coverage" if parent.is_none() => self.root(tag),
            "package" => {
                self.attribute(tag, "name");
                let package = (!self.text.is_empty()).then(|| self.tally.package(&self.text));
                self.package = package;
                return Element::Package;
            }
            "class" => {
                self.class(tag);
                return Element::Class;
            }
            "method" => {
                self.method = Some(Method {
                    identity: identity_of_method(self.class, tag),
                    has_lines: false,
                    was_executed: false,
                });
                return Element::Method;
            }
            "line" => self.line(tag),
            _ => {}
        }
        Element::Other
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::Package => self.package = None,
            Element::Class => self.end_class(),
            Element::Method => {
                if let (Some(method), Some(file)) = (self.method.take(), self.file)
                    && method.has_lines
                {
                    self.tally.function(file, method.identity, method.was_executed);
                }
            }
            Element::Other => {}
        }
    }

    fn problems(&mut self) -> &mut Problems {
        &mut self.tally.summary.problems
    }

    fn is_done(&self) -> bool {
        self.tally.is_full()
    }
}

impl Cobertura {
    /// What the report states for the whole; older writers state rates alone, which are not read.
    fn root(&mut self, tag: &Tag<'_>) {
        let names = ["lines-covered", "lines-valid", "branches-covered", "branches-valid"];
        let [lines_covered, lines_valid, branches_covered, branches_valid] =
            numbers_of(tag, names, numbers::count, self.problems());
        self.tally.stated_total(Counts {
            lines: Share::of(lines_covered, lines_valid),
            branches: Share::of(branches_covered, branches_valid),
            functions: None,
        });
    }

    fn class(&mut self, tag: &Tag<'_>) {
        self.attribute(tag, "name");
        self.class = xxh3_64(self.text.as_bytes());
        self.attribute(tag, "filename");
        if self.text.is_empty() {
            self.attribute(tag, "name");
            let problem = Problem::new("missing, the name of the class stands for it");
            self.tally.summary.problems.push_with(|| problem.at_line(tag.line()).in_field("class.filename"));
        }
        if self.text.is_empty() {
            self.file = None;
            return;
        }
        self.tally.begin_part();
        self.file = Some(self.tally.file(&self.text, self.package));
    }

    fn line(&mut self, tag: &Tag<'_>) {
        let Some(file) = self.file else { return };
        let problems = &mut self.tally.summary.problems;
        let (mut number, mut hits, mut conditions, mut is_branch) = (None, None, None, false);
        for attribute in tag.attributes().flatten() {
            let (name, raw) = (attribute.name, attribute.raw());
            match name {
                "number" => number = number_of(tag, name, raw, numbers::line_number, problems),
                "hits" => hits = number_of(tag, name, raw, numbers::was_executed, problems),
                "branch" => is_branch = raw.trim().eq_ignore_ascii_case("true"),
                "condition-coverage" => conditions = Some(raw),
                _ => {}
            }
        }
        if let Some(method) = &mut self.method {
            method.has_lines |= hits.is_some();
            method.was_executed |= hits == Some(true);
        }
        let (Some(number), Some(was_executed)) = (number, hits) else { return };
        let branches = conditions
            .filter(|_| is_branch)
            .and_then(|text| number_of(tag, "condition-coverage", text, covered_of_valid, problems));
        let line = Line { number, was_executed, branches };
        if self.method.is_none() {
            self.has_own_lines = true;
            self.take(file, line);
        } else if self.lines_of_methods.len() < MOST_LINES_OF_METHODS {
            self.lines_of_methods.push(line);
        }
    }

    fn take(&mut self, file: FileAt, line: Line) {
        self.tally.line(file, line.number, line.was_executed);
        if let Some((covered, valid)) = line.branches {
            self.tally.branches(file, u64::from(line.number), covered, valid);
        }
    }

    fn end_class(&mut self) {
        let lines = std::mem::take(&mut self.lines_of_methods);
        if let Some(file) = self.file.take()
            && !self.has_own_lines
        {
            for line in &lines {
                self.take(file, *line);
            }
        }
        self.lines_of_methods = lines;
        self.lines_of_methods.clear();
        self.has_own_lines = false;
        self.tally.end_part();
    }

    /// The value of an attribute, in `text`.
    fn attribute(&mut self, tag: &Tag<'_>, name: &str) {
        text_of(tag, &[name], &mut self.text, self.name_bytes, &mut self.tally.summary.problems);
    }
}

/// A method is the same where its class, its name and its signature are.
fn identity_of_method(class: u64, tag: &Tag<'_>) -> u64 {
    tag.attributes()
        .flatten()
        .filter(|attribute| matches!(attribute.name, "name" | "signature"))
        .fold(class, |seed, attribute| xxh3_64_with_seed(attribute.raw().as_bytes(), seed))
}

/// `50% (1/2)`: one of two conditions.
fn covered_of_valid(text: &str) -> Result<(u32, u32), NumberError> {
    let inside = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    let Some((covered, valid)) = inside.unwrap_or(text).split_once('/') else {
        return Err(if text.contains('%') { NumberError::Percent } else { NumberError::NotANumber });
    };
    let (covered, valid) = (numbers::line_number(covered)?, numbers::line_number(valid)?);
    if covered > valid { Err(NumberError::TooLarge) } else { Ok((covered, valid)) }
}
