//! A trend in the terminal: a line of blocks for each group; the buckets one by one where there is only one.

use manometer_query::answers::{Bucket, Figures, Series, TrendAnswer};

use super::bars::{bar, sparkline};
use super::{minute, range_words};
use crate::output::grouped;
use crate::runs::sheet::{Cell, Sheet, Side};

const SPARK_LETTERS: usize = 40;
const BAR_LETTERS: usize = 30;

/// The answer in words and columns.
pub(super) fn shown(answer: &TrendAnswer) -> String {
    let mut text = format!(
        "{}: {}\n{}, by {}\n\n",
        answer.measure,
        answer.meaning,
        range_words(&answer.range),
        word(answer.bucket)
    );
    match answer.series.as_slice() {
        [] => text.push_str("nothing is known of it in this time\n"),
        [only] if answer.group.is_none() => text.push_str(&one(answer, only)),
        several => text.push_str(&groups(answer, several)),
    }
    if answer.groups_left_out > 0 {
        text.push_str(&format!(
            "\n{} more groups are not shown: raise --groups\n",
            grouped(answer.groups_left_out)
        ));
    }
    text
}

const fn word(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Hour => "hour",
        Bucket::Day => "day",
        Bucket::Week => "week",
    }
}

/// The number that is drawn: the median, of a rate the share.
fn drawn(answer: &TrendAnswer, figures: &Figures) -> Option<f64> {
    if answer.is_share { figures.mean } else { figures.p50 }
}

fn one(answer: &TrendAnswer, series: &Series) -> String {
    let mut sheet = sheet(answer, word(answer.bucket));
    let values: Vec<Option<f64>> = series.points.iter().map(|point| drawn(answer, &point.figures)).collect();
    let largest = values.iter().flatten().copied().fold(0.0, f64::max);
    for (point, value) in series.points.iter().zip(&values) {
        let when = minute(point.at).replace(" UTC", "");
        let day = if answer.bucket == Bucket::Hour { when } else { when.chars().take(10).collect() };
        let drawing = value.map_or_else(|| "·".to_owned(), |value| bar(value, largest, BAR_LETTERS));
        sheet.push(row(answer, &day, &point.figures, &drawing));
    }
    sheet.push(row(answer, "all", &series.total, ""));
    sheet.plain(false)
}

fn groups(answer: &TrendAnswer, several: &[Series]) -> String {
    let mut sheet = sheet(answer, answer.group.as_deref().unwrap_or("group"));
    for series in several {
        let values: Vec<Option<f64>> =
            series.points.iter().map(|point| drawn(answer, &point.figures)).collect();
        sheet.push(row(answer, &series.label, &series.total, &sparkline(&values, SPARK_LETTERS)));
    }
    sheet.plain(false)
}

fn sheet(answer: &TrendAnswer, first: &str) -> Sheet {
    let mut header = vec![(first, Side::Left), ("count", Side::Right)];
    if answer.is_share {
        header.push(("share", Side::Right));
    } else {
        header.extend(["mean", "p50", "p95", "p99"].map(|title| (title, Side::Right)));
    }
    header.push(("", Side::Left));
    Sheet::new(&header)
}

fn row(answer: &TrendAnswer, first: &str, figures: &Figures, drawing: &str) -> Vec<Cell> {
    let shown = |value| Cell::new(answer.unit.show(value));
    let mut cells = vec![Cell::new(first), Cell::new(grouped(figures.count)), shown(figures.mean)];
    if !answer.is_share {
        cells.extend([figures.p50, figures.p95, figures.p99].map(shown));
    }
    cells.push(Cell::new(drawing));
    cells
}
