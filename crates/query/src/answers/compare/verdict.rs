//! What a comparison found, in a sentence.

use super::super::asking::{Measure, Unit, count};
use super::{Compared, Side};

/// How strong an effect is called, by Cliff's delta: Romano et al. (2006).
pub(super) fn effect_word(delta: f64) -> &'static str {
    match delta.abs() {
        negligible if negligible < 0.147 => "negligible",
        small if small < 0.33 => "small",
        medium if medium < 0.474 => "medium",
        _ => "large",
    }
}

/// Did it become better, worse, only different, is there no clear change, or are there too few values to tell?
pub(super) fn direction(measure: &Measure, compared: &Compared) -> &'static str {
    let Some((low, high)) = compared.change_low.zip(compared.change_high) else { return "unclear" };
    if low <= 0.0 && 0.0 <= high {
        return "steady";
    }
    match measure.ways.more_is_worse {
        None => "different",
        Some(worse) if worse == (low > 0.0) => "worse",
        Some(_) => "better",
    }
}

/// The sentence: what changed by how much, how sure that is, how strong, and from how many values.
pub(super) fn verdict(
    measure: &Measure,
    unit: &Unit,
    sides: (&Side, &Side),
    compared: &Compared,
    effect: Option<f64>,
) -> String {
    let (before, after) = sides;
    let (Some(first), Some(second)) = (compared.before, compared.after) else {
        let (empty, other) = if compared.before.is_none() { (before, after) } else { (after, before) };
        return format!(
            "nothing to compare: no {} of {} where {}; {} where {}",
            measure.origin.rows.1,
            measure.word,
            empty.words,
            count(other.rows),
            other.words
        );
    };
    let change = second - first;
    let way = if change < 0.0 { measure.ways.less } else { measure.ways.more };
    let name = if measure.is_share { measure.word } else { compared.number.as_str() };
    let is_points = *unit == Unit::Share;
    let (amount, interval) = if is_points {
        (
            points(change),
            compared
                .change_low
                .zip(compared.change_high)
                .map(|ends| between(ends, change, points_number, " points")),
        )
    } else if let Some(ratio) = compared.ratio {
        let relative = ratio - 1.0;
        let ends = compared.ratio_low.zip(compared.ratio_high).map(|(low, high)| (low - 1.0, high - 1.0));
        (format!("{} %", percent(relative.abs())), ends.map(|ends| between(ends, relative, percent, " %")))
    } else {
        let ends = compared.change_low.zip(compared.change_high);
        (
            unit.show(Some(change.abs())),
            ends.map(|(low, high)| format!("{} to {}", unit.show(Some(low)), unit.show(Some(high)))),
        )
    };
    let found = match (direction(measure, compared), interval) {
        ("unclear", _) => format!("{name} {way} by {amount}, from too few runs to say how sure that is"),
        ("steady", Some(interval)) => {
            format!("no clear change of {name} ({amount} {way}; 95 % CI {interval})")
        }
        (_, Some(interval)) => format!("{name} {way} by {amount} (95 % CI {interval})"),
        (_, None) => format!("{name} {way} by {amount}"),
    };
    let strength = effect.map(|delta| format!(", {} effect", effect_word(delta))).unwrap_or_default();
    format!(
        "{found}{strength}: {} → {}, {}",
        unit.show(Some(first)),
        unit.show(Some(second)),
        counted(measure, before, after)
    )
}

/// `4,210 vs 3,980 runs`, or of what runs hold many `4,210 vs 3,980 tests in 311 vs 298 runs`.
fn counted(measure: &Measure, before: &Side, after: &Side) -> String {
    let rows = format!("{} vs {} {}", count(before.rows), count(after.rows), measure.origin.rows.1);
    if measure.origin.table == "runs" || before.runs + after.runs == 0 {
        return rows;
    }
    format!("{rows} in {} vs {} runs", count(before.runs), count(after.runs))
}

/// Both ends, turned to the way of the change: `18–28 %`; with a sign where they lie on both sides of 0.
fn between((low, high): (f64, f64), change: f64, write: fn(f64) -> String, unit: &str) -> String {
    if low <= 0.0 && 0.0 <= high {
        return format!("{} to {}{unit}", signed(low, write), signed(high, write));
    }
    let (near, far) = if change < 0.0 { (-high, -low) } else { (low, high) };
    format!("{}–{}{unit}", write(near), write(far))
}

fn signed(value: f64, write: fn(f64) -> String) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", write(value.abs()))
}

/// A share as percent, without the sign of percent: two digits below ten.
fn percent(share: f64) -> String {
    let hundredths = share * 100.0;
    if hundredths.abs() < 9.95 { format!("{hundredths:.1}") } else { format!("{hundredths:.0}") }
}

fn points(change: f64) -> String {
    format!("{} points", points_number(change.abs()))
}

fn points_number(change: f64) -> String {
    format!("{:.1}", change * 100.0)
}
