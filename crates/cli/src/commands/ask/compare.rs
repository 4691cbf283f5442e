//! A comparison in the terminal: the sentence, both sides with bars, the numbers with their intervals.

use manometer_query::answers::{CompareAnswer, Compared, Side as SideOf};

use super::bars::bar;
use super::{minute, minute_or_dash, one_line, short};
use crate::output::{self, grouped};
use crate::runs::sheet::{Cell, Sheet, Side, Tone};

const BAR_LETTERS: usize = 30;
const TITLE_LETTERS: usize = 100;

/// The answer in words and columns.
pub(super) fn shown(answer: &CompareAnswer) -> String {
    let mut text = format!("{}\n\n{}: {}\n", answer.verdict, answer.measure, answer.meaning);
    text.push_str(&anchor(answer));
    for (name, side) in [("before", &answer.before), ("after", &answer.after)] {
        text.push_str(&one_side(name, side, answer));
    }
    text.push('\n');
    text.push_str(&numbers(answer));
    text.push('\n');
    if let (Some(delta), Some(word)) = (answer.effect, &answer.effect_word) {
        text.push_str(&format!("effect  Cliff's delta {delta:+.2}: {word}\n"));
    }
    for note in &answer.notes {
        text.push_str(&format!("note    {note}\n"));
    }
    text
}

fn anchor(answer: &CompareAnswer) -> String {
    let anchor = &answer.anchor;
    let Some(at) = anchor.at else { return String::new() };
    let mut words = vec![anchor.kind.clone()];
    words.extend(anchor.change_id.as_ref().map(|change| format!("of change {}", one_line(change, 20))));
    words.extend(anchor.commit_sha.as_ref().map(|sha| short(sha)));
    words.extend(anchor.title.as_ref().map(|title| format!("“{}”", one_line(title, TITLE_LETTERS))));
    words.extend(
        anchor
            .branch
            .as_ref()
            .filter(|_| anchor.commit_sha.is_some())
            .map(|branch| format!("on {}", one_line(branch, 60))),
    );
    let what = if anchor.commit_sha.is_some() { "its first run began" } else { "at" };
    format!("line    {}, {what} {}\n", words.join(" "), minute(at))
}

fn one_side(name: &str, side: &SideOf, answer: &CompareAnswer) -> String {
    format!(
        "{name:<6}  {}: {} values in {} runs of {} commits, {} to {}, mean {}\n",
        one_line(&side.words, 120),
        grouped(side.rows),
        grouped(side.runs),
        grouped(side.commits),
        minute_or_dash(side.first_at),
        minute_or_dash(side.last_at),
        answer.unit.show(side.mean)
    )
}

fn numbers(answer: &CompareAnswer) -> String {
    let mut sheet = Sheet::new(&[
        ("", Side::Left),
        ("", Side::Left),
        ("value", Side::Right),
        ("95 % interval", Side::Left),
        ("", Side::Left),
    ]);
    let all = answer.numbers.iter().flat_map(|number| [number.before, number.after]).flatten();
    let largest = all.fold(0.0, f64::max);
    for number in &answer.numbers {
        let unit = &answer.unit;
        let name = if number.is_headline { format!("{} *", number.number) } else { number.number.clone() };
        let line = |first: &str, side: &str, value: Option<f64>, ends: (Option<f64>, Option<f64>)| {
            vec![
                Cell::new(first),
                Cell::new(side),
                Cell::new(unit.show(value)),
                Cell::new(interval(ends, |end| unit.show(Some(end)))),
                Cell::new(value.map(|value| bar(value, largest, BAR_LETTERS)).unwrap_or_default()),
            ]
        };
        sheet.push(line(&name, "before", number.before, (number.before_low, number.before_high)));
        sheet.push(line("", "after", number.after, (number.after_low, number.after_high)));
        sheet.push(change(number, answer));
    }
    sheet.plain(output::is_coloured())
}

fn interval(ends: (Option<f64>, Option<f64>), write: impl Fn(f64) -> String) -> String {
    match ends {
        (Some(low), Some(high)) => format!("{} to {}", write(low), write(high)),
        _ => "too few".to_owned(),
    }
}

fn change(number: &Compared, answer: &CompareAnswer) -> Vec<Cell> {
    let tone = match answer.direction.as_str() {
        "worse" => Tone::Bad,
        "better" => Tone::Good,
        _ => Tone::Plain,
    };
    let relative = |ratio: f64| format!("{:+.1} %", (ratio - 1.0) * 100.0);
    let ratio = match (number.ratio, number.ratio_low, number.ratio_high) {
        (Some(ratio), Some(low), Some(high)) => {
            format!("{} ({} to {})", relative(ratio), relative(low), relative(high))
        }
        (Some(ratio), _, _) => relative(ratio),
        _ => String::new(),
    };
    let unit = &answer.unit;
    let shown = Cell::new(unit.show_change(number.change));
    vec![
        Cell::new(""),
        Cell::new("change"),
        if number.is_headline { shown.toned(tone) } else { shown },
        Cell::new(interval((number.change_low, number.change_high), |end| unit.show_change(Some(end)))),
        Cell::new(ratio),
    ]
}
