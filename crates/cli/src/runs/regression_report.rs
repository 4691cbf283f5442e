//! What a regression check found, for people, pull requests and programs.

use std::fmt::Write as _;

use manometer_agent::local::RunRecord;
use manometer_agent::metric::{Unit, Worse};
use manometer_agent::regression::{ALPHA, Assessment, FEWEST, Verdict, enough_earlier};
use manometer_model::Labels;
use serde_json::{Value, json};

use super::headline::{facts, heading, percent};
use super::sheet::{Cell, Sheet, Side, Tone, markdown_text};

/// One metric that was checked.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Its name.
    pub(crate) name: String,
    /// Its tags.
    pub(crate) tags: Labels,
    /// Which way it is worse.
    pub(crate) worse: Worse,
    /// What came out.
    pub(crate) assessment: Assessment,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Report {
    /// The runs in question.
    pub(crate) current: Vec<RunRecord>,
    /// Their metrics, by name.
    pub(crate) checked: Vec<Checked>,
    /// Change that matters, as a share.
    pub(crate) threshold: f64,
    /// The branch compared with, where one was named.
    pub(crate) branch: Option<String>,
    /// Earlier runs compared with.
    pub(crate) baseline_runs: usize,
    /// Earlier runs left out because they failed.
    pub(crate) failed_runs: usize,
    /// Earlier runs left out because they are of another branch.
    pub(crate) other_branches: usize,
}

impl Report {
    /// How many metrics came out so.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.checked.iter().filter(|checked| checked.assessment.verdict == verdict).count()
    }

    /// For a terminal.
    pub(crate) fn table(&self, is_coloured: bool) -> String {
        let mut text = format!("{}\n", self.subject());
        for run in &self.current {
            writeln!(text, "  {}", heading(run)).ok();
        }
        text.push('\n');
        if !self.checked.is_empty() {
            text.push_str(&self.sheet().plain(is_coloured));
            text.push('\n');
        }
        for note in self.notes() {
            writeln!(text, "{note}").ok();
        }
        text
    }

    /// For a pull request.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.conclusion());
        writeln!(text, "{}\n", markdown_text(&self.subject())).ok();
        for run in &self.current {
            writeln!(text, "- {}", markdown_text(&heading(run))).ok();
        }
        text.push('\n');
        if !self.checked.is_empty() {
            text.push_str(&self.sheet().markdown());
            text.push('\n');
        }
        for note in self.notes() {
            writeln!(text, "{}  ", markdown_text(&note)).ok();
        }
        text
    }

    /// For programs.
    pub(crate) fn document(&self) -> Value {
        let metrics: Vec<Value> = self.checked.iter().map(metric_document).collect();
        json!({
            "is_worse": self.count(Verdict::Worse) > 0,
            "threshold": self.threshold,
            "runs": self.current.iter().map(facts).collect::<Vec<_>>(),
            "baseline": {
                "runs": self.baseline_runs,
                "branch": self.branch,
                "left_out_failed": self.failed_runs,
                "left_out_other_branch": self.other_branches,
            },
            "metrics": metrics,
        })
    }

    fn subject(&self) -> String {
        let kind = self.current.first().map_or("", |run| run.kind.as_str());
        let operation = self.current.first().and_then(|run| run.operation.as_deref());
        let what = match operation.filter(|operation| *operation != kind) {
            Some(operation) => format!("{kind} {operation}"),
            None => kind.to_owned(),
        };
        let branch = self.branch.as_ref().map_or_else(String::new, |branch| format!(" of {branch}"));
        let count = self.current.len();
        let now = if count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
        Cell::new(format!("{what}: {now} against {}{branch}", counted(self.baseline_runs, "earlier run")))
            .text()
            .to_owned()
    }

    fn conclusion(&self) -> String {
        let total = self.checked.len();
        match self.count(Verdict::Worse) {
            0 if self.baseline_runs < FEWEST => "Nothing to compare with yet".to_owned(),
            0 => "No metric is worse".to_owned(),
            1 => format!("1 of {} is worse", counted(total, "metric")),
            count => format!("{count} of {} are worse", counted(total, "metric")),
        }
    }

    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(&[
            ("Metric", Side::Left),
            ("Now", Side::Right),
            ("Median", Side::Right),
            ("Change", Side::Right),
            ("Spread", Side::Right),
            ("Runs", Side::Right),
            ("p", Side::Right),
            ("Verdict", Side::Left),
        ]);
        let mut checked: Vec<&Checked> = self.checked.iter().collect();
        checked.sort_by_key(|one| rank(one.assessment.verdict));
        for Checked { name, tags, assessment, .. } in checked {
            let unit = Unit::of(name);
            let tone = match assessment.verdict {
                Verdict::Worse => Tone::Bad,
                Verdict::Better => Tone::Good,
                Verdict::Noise | Verdict::TooFew => Tone::Faint,
                Verdict::Same => Tone::Plain,
            };
            let change = match (assessment.median, assessment.change_percent) {
                (None, _) => "–".to_owned(),
                (Some(_), None) => unit.show_change(assessment.change),
                (Some(_), some) => percent(some),
            };
            let spread = assessment
                .median
                .map_or_else(|| "–".to_owned(), |_| format!("±{}", unit.show(assessment.spread.sigma)));
            let p = if assessment.median.is_some() { probability(assessment.p) } else { "–".to_owned() };
            sheet.push(vec![
                Cell::new(labelled(name, tags)),
                Cell::new(unit.show(assessment.value)),
                Cell::new(assessment.median.map_or_else(|| "–".to_owned(), |median| unit.show(median))),
                Cell::new(change).toned(tone),
                Cell::new(spread),
                Cell::new(assessment.earlier_count.to_string()),
                Cell::new(p),
                Cell::new(assessment.verdict.as_str()).toned(tone),
            ]);
        }
        sheet
    }

    /// What the reader has to know to trust the table as far as it goes, and no further.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.baseline_runs < FEWEST {
            notes.push(format!("Nothing is judged: that takes at least {FEWEST} earlier runs."));
        }
        if let Some(few) = self.checked.iter().map(|one| &one.assessment).find(|one| one.rests_on_few_runs())
        {
            notes.push(format!(
                "With only {} chance alone would look like this {} of the time; {} or more would bring it below {:.0} %.",
                counted(few.earlier_count, "earlier run"),
                percentage(few.smallest_p),
                enough_earlier(few.value_count),
                ALPHA * 100.0
            ));
        }
        if self.current.iter().any(|run| run.success == Some(false)) {
            notes.push("A run in question failed: its times and sizes may mean little.".to_owned());
        }
        if self.failed_runs > 0 {
            notes.push(format!("Left out: {} that failed.", counted(self.failed_runs, "earlier run")));
        }
        if self.other_branches > 0 {
            notes.push(format!(
                "Left out: {} of other branches, or of none that is known.",
                counted(self.other_branches, "earlier run")
            ));
        }
        notes.push(format!(
            "Worse is: the bad way by more than {}, and beyond the spread of the earlier runs.",
            percentage(self.threshold)
        ));
        notes
    }
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Worse => 0,
        Verdict::Better => 1,
        Verdict::Noise => 2,
        Verdict::Same => 3,
        Verdict::TooFew => 4,
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn labelled(name: &str, tags: &Labels) -> String {
    let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if tags.is_empty() { name.to_owned() } else { format!("{name} ({})", tags.join(", ")) }
}

fn percentage(share: f64) -> String {
    format!("{} %", manometer_agent::metric::Rounded(share * 100.0))
}

fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

fn metric_document(checked: &Checked) -> Value {
    let Assessment {
        verdict,
        value,
        value_count,
        median,
        earlier_count,
        spread,
        change,
        change_percent,
        interval,
        p,
        smallest_p,
    } = &checked.assessment;
    json!({
        "name": checked.name,
        "tags": checked.tags,
        "unit": Unit::of(&checked.name).word(),
        "worse_when": checked.worse.as_str(),
        "verdict": verdict.as_str().replace(' ', "_"),
        "value": value,
        "value_count": value_count,
        "median": median,
        "earlier_count": earlier_count,
        "sigma": spread.sigma,
        "far_out": spread.far_out,
        "change": change,
        "change_percent": change_percent,
        "change_low": interval.map(|it| it.low),
        "change_high": interval.map(|it| it.high),
        "p": p,
        "smallest_p": smallest_p,
        "rests_on_few_runs": checked.assessment.rests_on_few_runs(),
    })
}
