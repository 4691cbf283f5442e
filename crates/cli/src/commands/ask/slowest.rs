//! The slowest things in the terminal.

use manometer_query::answers::{SlowestAnswer, Unit};

use super::bars::bar;
use super::{one_line, range_words};
use crate::output::grouped;
use crate::runs::sheet::{Cell, Sheet, Side};

const BAR_LETTERS: usize = 16;
const LABEL_LETTERS: usize = 90;

/// The answer in columns.
pub(super) fn shown(answer: &SlowestAnswer) -> String {
    let head = format!("{} by {}, {}\n\n", answer.of, answer.by, range_words(&answer.range));
    if answer.lines.is_empty() {
        return format!(
            "{head}nothing was executed often enough in this time: lower --min, or take a longer time\n"
        );
    }
    let mut sheet = Sheet::new(&[
        (answer.of.as_str(), Side::Left),
        ("service", Side::Left),
        ("count", Side::Right),
        ("p50", Side::Right),
        ("p95", Side::Right),
        ("total", Side::Right),
        ("growth", Side::Right),
        ("", Side::Left),
    ]);
    let ranked = |line: &manometer_query::answers::SlowLine| match answer.by.as_str() {
        "total" => line.total_seconds,
        "growth" => line.growth,
        _ => line.p95_seconds,
    };
    let largest = answer.lines.iter().filter_map(ranked).fold(0.0, f64::max);
    for line in &answer.lines {
        let seconds = |value| Cell::new(Unit::Seconds.show(value));
        let growth = line.growth.map_or_else(|| "–".to_owned(), |growth| format!("{:+.1} %", growth * 100.0));
        let service = line.key.get("service").cloned().flatten().unwrap_or_default();
        sheet.push(vec![
            Cell::new(one_line(&line.label, LABEL_LETTERS)),
            Cell::new(service),
            Cell::new(grouped(line.count)),
            seconds(line.p50_seconds),
            seconds(line.p95_seconds),
            seconds(line.total_seconds),
            Cell::new(growth),
            Cell::new(ranked(line).map(|value| bar(value, largest, BAR_LETTERS)).unwrap_or_default()),
        ]);
    }
    format!("{head}{}", sheet.plain(false))
}
