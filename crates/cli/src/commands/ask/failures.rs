//! Failures by cause in the terminal.

use manometer_query::answers::{Cause, FailuresAnswer, Place};

use super::{minute_or_dash, one_line, range_words, short};
use crate::output::grouped;

const MESSAGE_LETTERS: usize = 160;
const NAMES: usize = 6;

/// The answer, a few lines a cause.
pub(super) fn shown(answer: &FailuresAnswer) -> String {
    let mut text = format!(
        "{} failures of {} causes, {}\n",
        grouped(answer.failures_total),
        grouped(answer.causes_total),
        range_words(&answer.range)
    );
    for cause in &answer.causes {
        text.push_str(&one(cause));
    }
    let listed = answer.causes.len() as u64;
    if listed < answer.causes_total {
        text.push_str(&format!("\n{} causes are listed; --limit lists more\n", grouped(listed)));
    }
    text
}

fn one(cause: &Cause) -> String {
    let kind = cause.kind.as_deref().map(|kind| format!(" {}", one_line(kind, 60))).unwrap_or_default();
    let new = if cause.is_new { "  NEW" } else { "" };
    let mut text = format!(
        "\n{} ×{kind}{new}\n  {}\n",
        grouped(cause.failures),
        one_line(cause.message.as_deref().unwrap_or("(the reports held no message)"), MESSAGE_LETTERS)
    );
    let first = cause.first_commit.as_deref().map_or_else(|| "not told".to_owned(), short);
    let branch = cause
        .first_branch
        .as_deref()
        .map(|branch| format!(" on {}", one_line(branch, 60)))
        .unwrap_or_default();
    text.push_str(&format!(
        "  first   {}, commit {first}{branch}\n  last    {}\n",
        minute_or_dash(cause.first_at),
        minute_or_dash(cause.last_at)
    ));
    text.push_str(&format!("  in      {}\n  on      {}\n", places(&cause.services), places(&cause.branches)));
    let tests: Vec<String> =
        cause.failing_tests.iter().take(3).map(|test| one_line(&test.name, 80)).collect();
    let more = if cause.tests > 3 { " and more" } else { "" };
    text.push_str(&format!("  tests   {}: {}{more}\n", grouped(cause.tests), tests.join(", ")));
    text
}

fn places(places: &[Place]) -> String {
    let each = places.iter().take(NAMES).map(|place| {
        let name = place.name.as_deref().map_or_else(|| "(not told)".to_owned(), |name| one_line(name, 60));
        format!("{name} ({})", grouped(place.failures))
    });
    let more = if places.len() > NAMES { " and more" } else { "" };
    format!("{}{more}", each.collect::<Vec<_>>().join(", "))
}
