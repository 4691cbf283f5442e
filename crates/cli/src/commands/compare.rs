//! `manometer compare`: two measured runs side by side.

use manometer_agent::comparison::{ComparedMetric, compare};
use manometer_agent::local::RunRecord;
use serde_json::{Value, json};

use crate::args::{CompareArgs, ReportFormat};
use crate::output;
use crate::runs::headline::{facts, heading, percent};
use crate::runs::sheet::{Cell, Sheet, Side, Tone, markdown_text};
use crate::runs::{self, name};

/// Compares.
pub(crate) fn run(arguments: &CompareArgs) -> anyhow::Result<()> {
    let source = runs::source(&arguments.source)?;
    let before = name::find(source.as_ref(), &arguments.before)?;
    let after = name::find(source.as_ref(), &arguments.after)?;
    if before.kind != after.kind {
        output::warn(format!(
            "these are runs of different types: {} and {}",
            Cell::new(&before.kind).text(),
            Cell::new(&after.kind).text()
        ));
    }
    let metrics = compare(&before, &after);
    let text = match arguments.format {
        ReportFormat::Table => {
            let heading = format!("before  {}\nafter   {}\n\n", heading(&before), heading(&after));
            heading + &sheet(&metrics).plain(output::is_coloured())
        }
        ReportFormat::Markdown => format!(
            "Before: {}  \nAfter: {}\n\n{}",
            markdown_text(&heading(&before)),
            markdown_text(&heading(&after)),
            sheet(&metrics).markdown()
        ),
        ReportFormat::Json => format!("{:#}\n", document(&before, &after, &metrics)),
    };
    Ok(output::data(&text)?)
}

fn sheet(metrics: &[ComparedMetric]) -> Sheet {
    let mut sheet = Sheet::new(&[
        ("Metric", Side::Left),
        ("Before", Side::Right),
        ("After", Side::Right),
        ("Difference", Side::Right),
        ("Percent", Side::Right),
    ]);
    for metric in metrics {
        let value =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| metric.unit.show(value));
        let tone = match metric.is_worse() {
            Some(true) => Tone::Bad,
            Some(false) => Tone::Good,
            None => Tone::Plain,
        };
        let difference = metric.difference().map_or_else(|| "–".to_owned(), |it| metric.unit.show_change(it));
        sheet.push(vec![
            Cell::new(&metric.name),
            Cell::new(value(metric.before)),
            Cell::new(value(metric.after)),
            Cell::new(difference).toned(tone),
            Cell::new(percent(metric.percent())).toned(tone),
        ]);
    }
    sheet
}

fn document(before: &RunRecord, after: &RunRecord, metrics: &[ComparedMetric]) -> Value {
    let rows: Vec<Value> = metrics
        .iter()
        .map(|metric| {
            json!({
                "name": metric.name,
                "unit": metric.unit.word(),
                "before": metric.before,
                "after": metric.after,
                "difference": metric.difference(),
                "percent": metric.percent(),
                "is_worse": metric.is_worse(),
            })
        })
        .collect();
    json!({ "before": facts(before), "after": facts(after), "metrics": rows })
}
