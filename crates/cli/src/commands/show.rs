//! `manometer show`: everything about one measured run.

use std::fmt::Write as _;

use manometer_agent::local::RunRecord;
use manometer_agent::metric::Unit;
use serde_json::Value;

use crate::args::{ShowArgs, ShowFormat};
use crate::output;
use crate::runs::headline::time;
use crate::runs::sheet::Cell;
use crate::runs::{self, name};

/// Longest text of one further field.
const FIELD_LETTERS: usize = 200;

/// Shows.
pub(crate) fn run(arguments: &ShowArgs) -> anyhow::Result<()> {
    let source = runs::source(&arguments.source)?;
    let run = name::find(source.as_ref(), &arguments.run)?;
    let text = match arguments.format {
        ShowFormat::Text => text(&run),
        ShowFormat::Json => format!("{}\n", serde_json::to_string_pretty(&run)?),
    };
    Ok(output::data(&text)?)
}

fn text(run: &RunRecord) -> String {
    let mut lines = vec![
        format!("Run ID: {}", run.run_id),
        format!("Type: {}", run.kind),
        format!("Timestamp: {}", time(run.timestamp)),
    ];
    if let Some(commit) = &run.git_commit {
        lines.push(format!("Git Commit: {commit}"));
    }
    if !run.metrics.is_empty() {
        lines.push(String::new());
        lines.push("Metrics:".to_owned());
        lines.extend(run.metrics.iter().map(|(name, value)| metric(run, name, *value)));
    }
    let facts = facts(run);
    if !facts.is_empty() {
        lines.push(String::new());
        lines.push("Additional Data:".to_owned());
        lines.extend(facts.iter().map(|(name, value)| format!("  {name}: {}", shown(value))));
    }
    let mut text = String::new();
    for line in lines {
        // Every line may hold what somebody else wrote.
        writeln!(text, "{}", Cell::new(line).text()).ok();
    }
    text
}

fn metric(run: &RunRecord, name: &str, value: f64) -> String {
    let mut line = format!("  {name}: {}", Unit::of(name).show(value));
    let tags: Vec<String> =
        run.tags.get(name).into_iter().flatten().map(|(key, value)| format!("{key}: {value}")).collect();
    if !tags.is_empty() {
        write!(line, "  ({})", tags.join(", ")).ok();
    }
    line
}

fn facts(run: &RunRecord) -> Vec<(&str, Value)> {
    let mut facts: Vec<(&str, Value)> = Vec::new();
    facts.extend(run.operation.as_ref().map(|operation| ("operation", operation.as_str().into())));
    facts.extend(run.duration.map(|duration| ("duration", duration.into())));
    facts.extend(run.success.map(|success| ("success", success.into())));
    facts.extend(run.info.iter().map(|(name, value)| (name.as_str(), value.clone())));
    facts
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) if value.to_string().chars().count() > FIELD_LETTERS => {
            return format!("{} entries; see --format json", output::grouped(entries.len() as u64));
        }
        other => other.to_string(),
    };
    if text.chars().count() <= FIELD_LETTERS {
        return text;
    }
    text.chars().take(FIELD_LETTERS).chain(['…']).collect()
}
