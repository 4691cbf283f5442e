//! `manometer context`: which CI run this is, and where each word of that comes from.

use manometer_providers::environment::{CiContext, Field, Surroundings, detect};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

use crate::args::ContextFormat;
use crate::config::Config;
use crate::output;

/// Prints what was detected; what could not be used is told on standard error.
pub(crate) fn run(format: ContextFormat, config: &Config) -> anyhow::Result<()> {
    let context = detect(&Surroundings::of_this_process(), &config.service_rules()?);
    context.problems.first.iter().for_each(|problem| output::warn(problem.to_string()));
    output::data(&match format {
        ContextFormat::Table => table(&context),
        ContextFormat::Json => format!("{:#}\n", json_of(&context)),
        ContextFormat::Env => shell(&context),
    })?;
    Ok(())
}

/// Field, value, source in aligned columns.
fn table(context: &CiContext) -> String {
    let mut rows = vec![
        ("system".to_owned(), context.system.to_owned(), context.detected_by.to_owned()),
        ("provider".to_owned(), context.provider.clone().unwrap_or_default(), String::new()),
    ];
    for other in &context.also_found {
        rows.push(("also found".to_owned(), (*other).to_owned(), String::new()));
    }
    for (field, told) in &context.told {
        rows.push((field.name().to_owned(), told.value.clone(), told.origin.clone()));
    }
    for (key, value) in &context.labels {
        rows.push((format!("label {key}"), value.clone(), String::new()));
    }
    rows.retain(|(_, value, _)| !value.is_empty());
    let width = |of: fn(&(String, String, String)) -> &String| {
        rows.iter().map(|row| of(row).chars().count()).max().unwrap_or_default()
    };
    let (names, values) = (width(|row| &row.0), width(|row| &row.1).min(WIDEST_VALUE));
    let mut text = String::new();
    for (name, value, origin) in &rows {
        let line = format!("{name:names$}  {value:values$}  {origin}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A longer value pushes its own source aside, not everybody's.
const WIDEST_VALUE: usize = 60;

fn json_of(context: &CiContext) -> Value {
    let mut object = Map::new();
    object.insert("system".to_owned(), json!(context.system));
    object.insert("provider".to_owned(), json!(context.provider));
    for field in Field::ALL {
        let value = match field {
            Field::Attempt => json!(context.attempt()),
            Field::Number => json!(context.number()),
            Field::IsDefaultBranch => json!(context.is_default_branch()),
            _ => json!(context.get(field)),
        };
        object.insert(field.name().to_owned(), value);
    }
    object.insert("labels".to_owned(), json!(context.labels));
    let sources: Map<String, Value> =
        context.told.iter().map(|(field, told)| (field.name().to_owned(), json!(told.origin))).collect();
    object.insert("sources".to_owned(), Value::Object(sources));
    object.insert("detected_by".to_owned(), json!(context.detected_by));
    object.insert("also_found".to_owned(), json!(context.also_found));
    object.insert("problems".to_owned(), json!(context.problems.first));
    Value::Object(object)
}

/// Assignments a POSIX shell takes; values are quoted, so that none of them can do anything. Every field is assigned,
/// so that nothing is left over from another call.
fn shell(context: &CiContext) -> String {
    let mut text = String::new();
    let provider = ("provider", context.provider.as_deref().unwrap_or_default());
    let fields = Field::ALL.iter().map(|field| (field.name(), context.get(*field).unwrap_or_default()));
    for (name, value) in std::iter::once(provider).chain(fields) {
        let quoted = value.replace('\'', r"'\''");
        // Writing to a string cannot fail.
        writeln!(text, "CI_CONTEXT_{}='{quoted}'", name.to_uppercase()).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use manometer_providers::environment::Told;

    fn context() -> CiContext {
        let told = |value: &str, origin: &str| Told { value: value.to_owned(), origin: origin.to_owned() };
        CiContext {
            provider: Some("github".to_owned()),
            system: "GitHub Actions",
            detected_by: "GITHUB_ACTIONS=true",
            told: [
                (Field::Branch, told("it's; $(rm -rf /)", "GITHUB_REF_NAME")),
                (Field::Attempt, told("2", "GITHUB_RUN_ATTEMPT")),
            ]
            .into(),
            ..CiContext::default()
        }
    }

    #[test]
    fn a_shell_gets_every_field_and_no_commands() {
        let text = shell(&context());
        assert!(text.contains("CI_CONTEXT_BRANCH='it'\\''s; $(rm -rf /)'\n"), "{text}");
        assert!(text.contains("CI_CONTEXT_CHANGE_ID=''\n"), "{text}");
        assert_eq!(text.lines().count(), Field::ALL.len() + 1);
    }

    #[test]
    fn json_has_types_nulls_and_sources() {
        let value = json_of(&context());
        assert_eq!(value["attempt"], json!(2));
        assert_eq!(value["project"], Value::Null);
        assert_eq!(value["sources"]["branch"], json!("GITHUB_REF_NAME"));
    }

    #[test]
    fn the_table_says_where_each_value_comes_from() {
        let text = table(&context());
        assert!(
            text.lines().any(|line| line.starts_with("attempt") && line.ends_with("GITHUB_RUN_ATTEMPT")),
            "{text}"
        );
        assert!(!text.contains("project"), "{text}");
    }
}
