//! Gradle's profile report (`gradle --profile`, `build/reports/profile/profile-*.html`).
//!
//! ```text
//! h2 Summary:        Total Build Time 7.223s, Startup 2.041s, …
//! h2 Task Execution: : 1.162s (total)   :compileJava 1.068s   :jar 0.086s   :test 0.002s NO-SOURCE
//! ```
//!
//! The total is the row `gradle`, its parts are `gradle Startup` and so on, and every task that did something is a row
//! under its path. Tasks with a result (`UP-TO-DATE`, `NO-SOURCE`, `FROM-CACHE`, `SKIPPED`, `Did No Work`) did nothing
//! of their own and are left out, but `FAILED` ones; so are the totals of projects.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};

use super::duration;
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{BuildRow, MeasuredSink, Outlet, Summary};
use crate::xml::{self, Ending, Tag, Text, Walk};

/// Reads a profile report.
///
/// # Errors
/// When the input fails, is empty, or is no HTML.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut walk = Profile {
        outlet: Outlet::new(sink),
        section: String::new(),
        cells: Vec::new(),
        line: 0,
        name_bytes: limits.name_bytes,
    };
    let expected = "expected the profile report of Gradle";
    let ending = xml::walk(input, limits, |root| root.eq_ignore_ascii_case("html"), expected, &mut walk)?;
    if let Ending::Truncated(problem) = ending {
        walk.outlet.summary.truncated = true;
        walk.outlet.summary.problems.push(problem);
    }
    Ok(walk.outlet.summary)
}

/// Is it a page with the title of the report, made by Gradle?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.text.contains("<title>Profile report</title>") && look.text.contains("Profiled build")
}

/// Cells of one row that are kept.
const MOST_CELLS: usize = 3;

struct Profile<'s> {
    outlet: Outlet<'s>,
    section: String,
    cells: Vec<String>,
    line: u64,
    name_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Heading,
    Row,
    Cell,
    Other,
}

impl Walk for Profile<'_> {
    type Element = Element;

    fn start(&mut self, _parent: Option<Element>, tag: &Tag<'_>) -> Element {
        match tag.name() {
            "h2" => {
                self.section.clear();
                Element::Heading
            }
            "tr" => {
                self.cells.clear();
                self.line = tag.line();
                Element::Row
            }
            "td" if self.cells.len() < MOST_CELLS => {
                self.cells.push(String::new());
                Element::Cell
            }
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        if element == Element::Row {
            self.row();
        }
    }

    fn text(&mut self, element: Element, text: &Text<'_>) {
        let out = match element {
            Element::Heading => Some(&mut self.section),
            Element::Cell => self.cells.last_mut(),
            Element::Row | Element::Other => None,
        };
        let Some(out) = out else { return };
        let flaws = text.append_to(out, self.name_bytes);
        if flaws.any() {
            let message = flaws.describe(self.name_bytes);
            self.outlet.summary.problems.push_with(|| Problem::new(message).at_line(text.place.line()));
        }
    }

    fn problems(&mut self) -> &mut Problems {
        &mut self.outlet.summary.problems
    }

    fn is_done(&self) -> bool {
        self.outlet.has_enough()
    }
}

impl Profile<'_> {
    fn row(&mut self) {
        let is_summary = self.section.trim() == "Summary";
        if !is_summary && self.section.trim() != "Task Execution" {
            return;
        }
        // The heading of a table has no cells of this kind.
        let [name, written, rest @ ..] = self.cells.as_slice() else { return };
        let result = rest.first().map(|result| result.trim()).unwrap_or_default();
        if !result.is_empty() && result != "FAILED" {
            return;
        }
        let Some(seconds) = duration::seconds(written) else {
            let message =
                format!("`{}` is no duration, left out", written.chars().take(64).collect::<String>());
            let line = self.line;
            self.outlet
                .summary
                .problems
                .push_with(|| Problem::new(message).at_line(line).in_field("Duration"));
            return;
        };
        let (name, success) = match (is_summary, name.trim()) {
            (true, "Total Build Time") => ("gradle".to_owned(), None),
            (true, part) => (format!("gradle {part}"), None),
            (false, task) => (task.to_owned(), Some(result != "FAILED")),
        };
        if !name.is_empty() {
            self.outlet.build(BuildRow { name: &name, duration_seconds: Some(seconds), success, at: None });
        }
    }
}
