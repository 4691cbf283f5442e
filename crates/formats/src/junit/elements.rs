//! What the elements of one test say.

use manometer_model::{Limits, Problem, Problems, TestStatus};

use super::reading::Element;
use crate::test_report::case::{Case, MOST_RERUNS};
use crate::test_report::duration::Durations;
use crate::test_report::values::{
    bad_value, duration, keep, report, separate, stated_status, timestamp, well_formed,
};
use crate::xml::{Tag, Text};

/// A test being read, and what reading its values takes.
pub(super) struct Reads<'c> {
    pub(super) case: &'c mut Case,
    pub(super) durations: &'c mut Durations,
    pub(super) limits: &'c Limits,
    pub(super) problems: &'c mut Problems,
}

/// What a test without a name is called.
const UNNAMED: &str = "(unnamed)";

impl Reads<'_> {
    /// `testcase`
    pub(super) fn begin_case(self, tag: &Tag<'_>) {
        let Self { case, durations, limits, problems } = self;
        case.clear();
        let (limit, place) = (limits.name_bytes, tag.place);
        for attribute in tag.attributes() {
            let Some(attribute) = well_formed(attribute, tag, problems) else { continue };
            match attribute.name {
                "name" => keep(&attribute, &mut case.name, limit, problems, "testcase.name", place),
                "classname" => {
                    keep(&attribute, &mut case.classname, limit, problems, "testcase.classname", place);
                }
                "time" => {
                    case.main.duration = duration(&attribute, durations, problems, "testcase.time", place);
                }
                "file" | "filepath" => {
                    keep(&attribute, &mut case.file, limit, problems, "testcase.file", place);
                }
                "line" | "lineno" => match attribute.raw().trim().parse() {
                    Ok(line) => case.line = Some(line),
                    Err(_) => bad_value(problems, &attribute, "not a whole number", "testcase.line", place),
                },
                "timestamp" => {
                    case.main.at = timestamp(&attribute, problems, "testcase.timestamp", place);
                }
                "status" | "result" => case.stated = case.stated.max(stated_status(attribute.raw())),
                "value_param" => {
                    let field = "testcase.value_param";
                    keep(&attribute, &mut case.value_parameter, limit, problems, field, place);
                }
                _ => {}
            }
        }
        if case.name.is_empty() {
            case.name.push_str(UNNAMED);
            problems.push_with(|| {
                Problem::new(format!("missing or empty, called `{UNNAMED}`"))
                    .at_line(place.line())
                    .in_field("testcase.name")
            });
        }
    }

    /// `failure`, `error`, `skipped` and what means the same.
    pub(super) fn begin_outcome(mut self, tag: &Tag<'_>) -> Element {
        let status = match tag.name() {
            "failure" => TestStatus::Failed,
            "error" => TestStatus::Error,
            _ => TestStatus::Skipped,
        };
        let main = &mut self.case.main;
        // The first failure speaks for the test; one that is more than a skip replaces a skip.
        let is_first =
            main.status == TestStatus::Passed || (main.status == TestStatus::Skipped && status.is_failure());
        main.status = main.status.max(status);
        separate(&mut main.details, self.limits.details_bytes);
        if is_first {
            main.kind.clear();
            main.message.clear();
            self.outcome_attributes(tag, false);
        }
        Element::Outcome
    }

    /// `rerunFailure`, `flakyFailure` and their errors.
    pub(super) fn begin_rerun(mut self, tag: &Tag<'_>) -> Element {
        let Some(rerun) = self.case.add_rerun() else {
            self.problems.push_with(|| {
                Problem::new(format!("more than {MOST_RERUNS} re-runs of one test, left out"))
                    .at_line(tag.line())
            });
            return Element::Other;
        };
        rerun.status = if tag.name().ends_with("Error") { TestStatus::Error } else { TestStatus::Failed };
        rerun.is_before = tag.name().starts_with("flaky");
        self.outcome_attributes(tag, true);
        Element::Rerun
    }

    fn outcome_attributes(&mut self, tag: &Tag<'_>, is_rerun: bool) {
        let outcome = if is_rerun { self.case.rerun() } else { Some(&mut self.case.main) };
        let Some(outcome) = outcome else { return };
        let (limits, place) = (self.limits, tag.place);
        let problems = &mut *self.problems;
        for attribute in tag.attributes() {
            let Some(attribute) = well_formed(attribute, tag, problems) else { continue };
            match attribute.name {
                "message" => {
                    let limit = limits.message_bytes;
                    keep(&attribute, &mut outcome.message, limit, problems, "failure.message", place);
                }
                "type" => {
                    keep(&attribute, &mut outcome.kind, limits.name_bytes, problems, "failure.type", place)
                }
                "time" if is_rerun => {
                    outcome.duration = duration(&attribute, self.durations, problems, "rerun.time", place);
                }
                "timestamp" if is_rerun => {
                    outcome.at = timestamp(&attribute, problems, "rerun.timestamp", place);
                }
                _ => {}
            }
        }
    }

    /// `property` of a test: a label.
    pub(super) fn begin_property(self, tag: &Tag<'_>) -> Element {
        let Self { case, limits, problems, .. } = self;
        let (mut name, mut value) = (String::new(), String::new());
        for attribute in tag.attributes() {
            let Some(attribute) = well_formed(attribute, tag, problems) else { continue };
            let place = tag.place;
            match attribute.name {
                "name" => keep(&attribute, &mut name, limits.name_bytes, problems, "property.name", place),
                "value" => {
                    keep(&attribute, &mut value, limits.message_bytes, problems, "property.value", place)
                }
                _ => {}
            }
        }
        if name.is_empty() {
            problems.push_with(|| {
                Problem::new("missing or empty, the property is left out")
                    .at_line(tag.line())
                    .in_field("property.name")
            });
            return Element::Other;
        }
        let is_new = !case.labels.contains_key(&name);
        if is_new && case.labels.len() >= limits.labels {
            problems.push_with(|| {
                Problem::new(format!(
                    "more than {} properties of one test (limit `labels`), left out",
                    limits.labels
                ))
                .at_line(tag.line())
                .in_field("property")
            });
            return Element::Other;
        }
        case.property.clone_from(&name);
        let label = case.labels.entry(name).or_default();
        // A repeated property is a list.
        let separator = if is_new { "" } else { ", " };
        if label.len() + separator.len() + value.len() <= limits.message_bytes {
            label.push_str(separator);
            label.push_str(&value);
        } else {
            problems.push_with(|| {
                Problem::new(format!("values together longer than {} bytes, left out", limits.message_bytes))
                    .at_line(tag.line())
                    .in_field("property.value")
            });
        }
        Element::CaseProperty
    }

    /// Text inside `element`.
    pub(super) fn text(self, element: Element, text: &Text<'_>) {
        let Self { case, limits, problems, .. } = self;
        let long = limits.details_bytes;
        let (out, limit, field) = match element {
            Element::Outcome => (Some(&mut case.main.details), long, "failure"),
            Element::Output => (Some(&mut case.main.output), long, "system-out"),
            Element::Rerun | Element::RerunDetails => {
                (case.rerun().map(|rerun| &mut rerun.details), long, "rerun")
            }
            Element::RerunOutput => (case.rerun().map(|rerun| &mut rerun.output), long, "system-out"),
            Element::CaseProperty => (case.labels.get_mut(&case.property), limits.message_bytes, "property"),
            _ => return,
        };
        let Some(out) = out else { return };
        // White space around the elements of a re-run is layout; so is it at the start of any text.
        if text.is_blank() && (out.is_empty() || matches!(element, Element::Rerun | Element::CaseProperty)) {
            return;
        }
        let was_full = out.len() >= limit;
        let flaws = text.append_to(out, limit);
        if !was_full {
            report(problems, flaws, limit, field, text.place);
        }
    }
}
