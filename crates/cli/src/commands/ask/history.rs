//! The history of a test in the terminal.

use manometer_query::answers::{HistoryAnswer, OneExecution, Outcomes, Unit};

use super::bars::sparkline;
use super::{minute, minute_or_dash, one_line, range_words};
use crate::output::{self, grouped};
use crate::runs::sheet::{Cell, Sheet, Side, Tone};

/// The answer: in all, by branch, by commit, and the newest executions.
pub(super) fn shown(answer: &HistoryAnswer) -> String {
    let class =
        answer.classname.as_deref().map(|class| format!("{}.", one_line(class, 160))).unwrap_or_default();
    let parameters = answer.parameters.as_deref().filter(|text| !text.is_empty());
    let mut text = format!(
        "{class}{}{}\n{} of {}, id {}\n{}\n\n",
        one_line(&answer.name, 160),
        parameters.map(|text| format!("[{}]", one_line(text, 80))).unwrap_or_default(),
        one_line(answer.service.as_deref().unwrap_or("no service"), 60),
        one_line(&answer.project, 100),
        answer.test_id,
        range_words(&answer.range)
    );
    let durations: Vec<Option<f64>> =
        answer.executions.iter().rev().map(|one| one.duration_seconds).collect();
    text.push_str(&format!("durations of the newest, oldest first  {}\n", sparkline(&durations, 60)));
    let outcomes: String = answer.executions.iter().rev().map(mark).collect();
    text.push_str(&format!("outcomes, ✗ failed, ○ skipped          {outcomes}\n\n"));
    let mut branches = sheet("branch");
    branches.push(row("all", "", &answer.total));
    for line in &answer.branches {
        branches.push(row(line.branch.as_deref().unwrap_or("(not told)"), "", &line.outcomes));
    }
    text.push_str(&branches.plain(output::is_coloured()));
    let mut commits = sheet("commit");
    for line in &answer.commits {
        let sha: String = line.commit_sha.as_deref().unwrap_or("(not told)").chars().take(10).collect();
        let place =
            format!("{} {}", minute_or_dash(line.first_at), line.branch.as_deref().unwrap_or_default());
        commits.push(row(&sha, &place, &line.outcomes));
    }
    text.push_str(&format!("\n{}\n", commits.plain(output::is_coloured())));
    let mut executions = Sheet::new(&[
        ("when", Side::Left),
        ("outcome", Side::Left),
        ("time", Side::Right),
        ("run", Side::Left),
        ("branch", Side::Left),
        ("what it said", Side::Left),
    ]);
    for one in &answer.executions {
        executions.push(execution(one));
    }
    text.push_str(&executions.plain(output::is_coloured()));
    text
}

fn mark(one: &OneExecution) -> char {
    match one.status.as_str() {
        "passed" => '✓',
        "skipped" => '○',
        _ => '✗',
    }
}

fn sheet(first: &str) -> Sheet {
    Sheet::new(&[
        (first, Side::Left),
        ("", Side::Left),
        ("passed", Side::Right),
        ("failed", Side::Right),
        ("skipped", Side::Right),
        ("failure rate", Side::Right),
        ("p50", Side::Right),
        ("p95", Side::Right),
    ])
}

fn row(first: &str, second: &str, outcomes: &Outcomes) -> Vec<Cell> {
    let failed = Cell::new(grouped(outcomes.failed));
    vec![
        Cell::new(first),
        Cell::new(second),
        Cell::new(grouped(outcomes.passed)),
        if outcomes.failed > 0 { failed.toned(Tone::Bad) } else { failed },
        Cell::new(grouped(outcomes.skipped)),
        Cell::new(Unit::Share.show(outcomes.failure_rate)),
        Cell::new(Unit::Seconds.show(outcomes.p50_seconds)),
        Cell::new(Unit::Seconds.show(outcomes.p95_seconds)),
    ]
}

fn execution(one: &OneExecution) -> Vec<Cell> {
    let outcome = Cell::new(&one.status);
    let is_bad = matches!(one.status.as_str(), "failed" | "error");
    vec![
        Cell::new(minute(one.at)),
        if is_bad { outcome.toned(Tone::Bad) } else { outcome },
        Cell::new(Unit::Seconds.show(one.duration_seconds)),
        Cell::new(format!("{} {}", one.provider, one.run_id)),
        Cell::new(one.branch.as_deref().unwrap_or_default()),
        Cell::new(one_line(one.failure_message.as_deref().unwrap_or_default(), 80)),
    ]
}
