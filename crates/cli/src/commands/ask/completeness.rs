//! What is complete and what is missing, in the terminal.

use manometer_model::Timestamp;
use manometer_query::answers::{CompletenessAnswer, DayCompleteness, MissingRun, Unit};

use super::bars::sparkline;
use super::minute_or_dash;
use crate::output::grouped;
use crate::runs::sheet::{Cell, Sheet, Side};

const LINE_LETTERS: usize = 30;

/// Services in columns, then the runs that lack something, then the silent days.
pub(super) fn shown(answer: &CompletenessAnswer) -> String {
    if answer.services.is_empty() {
        return "no run is known that ended in these days\n".to_owned();
    }
    let mut text = services(answer);
    if !answer.missing.is_empty() {
        let listed = answer.missing.len() as u64;
        text.push_str(&format!("\n{} runs lack something", grouped(answer.missing_total)));
        if listed < answer.missing_total {
            text.push_str(&format!("; the newest {}", grouped(listed)));
        }
        text.push_str(":\n\n");
        text.push_str(&missing(&answer.missing));
    }
    for silent in &answer.silent_days {
        text.push_str(&format!(
            "\n{} told nothing on {}, a day on which it usually does\n",
            Cell::new(&silent.provider).text(),
            day(silent.day)
        ));
    }
    text
}

fn services(answer: &CompletenessAnswer) -> String {
    let mut sheet = Sheet::new(&[
        ("service", Side::Left),
        ("runs", Side::Right),
        ("all jobs", Side::Right),
        ("test reports", Side::Right),
        ("coverage", Side::Right),
        ("test reports by day", Side::Left),
    ]);
    for service in &answer.services {
        let reports = |told: &Option<DayCompleteness>| told.and_then(|told| told.tests_share);
        let by_day: Vec<Option<f64>> = service.per_day.iter().map(reports).collect();
        sheet.push(vec![
            Cell::new(service.service.as_deref().unwrap_or(&service.project)),
            Cell::new(grouped(service.total.runs)),
            Cell::new(Unit::Share.show(service.total.jobs_share)),
            Cell::new(Unit::Share.show(service.total.tests_share)),
            Cell::new(Unit::Share.show(service.total.coverage_share)),
            Cell::new(sparkline(&by_day, LINE_LETTERS)),
        ]);
    }
    sheet.plain(false)
}

fn missing(runs: &[MissingRun]) -> String {
    let mut sheet = Sheet::new(&[
        ("begun", Side::Left),
        ("service", Side::Left),
        ("run", Side::Left),
        ("ended", Side::Left),
        ("lacks", Side::Left),
    ]);
    for run in runs {
        sheet.push(vec![
            Cell::new(minute_or_dash(run.begun_at)),
            Cell::new(run.service.as_deref().unwrap_or(&run.project)),
            Cell::new(format!("{} ({})", run.run_id, run.attempt)),
            Cell::new(run.conclusion.as_deref().unwrap_or("–")),
            Cell::new(lacks(run)),
        ]);
    }
    sheet.plain(false)
}

fn lacks(run: &MissingRun) -> String {
    let tests = || match &run.jobs_without_tests {
        Some(jobs) => format!("test reports of {jobs}"),
        None => "test reports".to_owned(),
    };
    let parts = [
        run.lacks_jobs.then(|| "jobs".to_owned()),
        run.lacks_tests.then(tests),
        run.lacks_coverage.then(|| "coverage".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
