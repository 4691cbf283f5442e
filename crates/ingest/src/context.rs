//! Which run an upload belongs to, as its sender tells it: read once at the door, valid from there on.

use std::collections::BTreeMap;

use manometer_model::{Labels, Limits, Timestamp};

use crate::name::{Name, NameError};

/// The run reports belong to.
///
/// Only `project` must be told; the rest is `None` where it is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// CI system; `local` where not told.
    pub provider: Name,
    /// Repository.
    pub project: Name,
    /// Part of a monorepo; the last segment of the project where not told.
    pub service: Name,
    /// Did somebody say so? Else it is the last part of the project's name.
    pub service_is_told: bool,
    /// Name of the pipeline.
    pub pipeline: Option<Name>,
    /// Identity of the run; made from the content where not told.
    pub run_id: Option<Name>,
    /// Attempt of the run, from 1.
    pub attempt: i64,
    /// Number shown to people.
    pub number: Option<i64>,
    /// Job the reports come from.
    pub job_id: Option<Name>,
    /// Name of that job.
    pub job_name: Option<Name>,
    /// Source branch.
    pub branch: Option<Name>,
    /// Is that the branch others start from?
    pub is_default_branch: Option<bool>,
    /// Commit tested.
    pub commit_sha: Option<Name>,
    /// What started the run.
    pub trigger: Option<Name>,
    /// Who started it.
    pub actor: Option<Name>,
    /// Pull or merge request.
    pub change_id: Option<Name>,
    /// Page of the run, `http` or `https`.
    pub url: Option<Name>,
    /// When the run began.
    pub started_at: Option<Timestamp>,
    /// Free key-value pairs.
    pub labels: Labels,
}

/// What a sender says about a run, as text: field name → value, of which later ones win.
///
/// A label is a field named `label.KEY`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextFields(BTreeMap<String, String>);

/// Why what a sender says about a run is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// A field nobody knows.
    #[error("`{name}` is not a field of the context: known are {known}, and label.KEY", known = FIELDS.join(", "))]
    UnknownField {
        /// The field.
        name: String,
    },
    /// A field that must be there.
    #[error("{field}: is missing; say which repository this belongs to, as github.com/acme/shop")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field whose text cannot be a name.
    #[error("{field}: {error}")]
    Name {
        /// The field.
        field: String,
        /// What is wrong with it.
        error: NameError,
    },
    /// A field of another kind.
    #[error("{field}: `{found}` is not {expected}")]
    Value {
        /// The field.
        field: &'static str,
        /// What was sent, shortened.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// More labels than are kept.
    #[error("labels: {found} were sent, at most {limit} are taken (limit `labels`)")]
    TooManyLabels {
        /// How many were sent.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

/// The fields of a context, in the order the documentation lists them.
pub const FIELDS: &[&str] = &[
    "provider",
    "project",
    "service",
    "pipeline",
    "run_id",
    "attempt",
    "number",
    "job_id",
    "job_name",
    "branch",
    "is_default_branch",
    "commit_sha",
    "trigger",
    "actor",
    "change_id",
    "url",
    "started_at",
];

const LABEL_PREFIX: &str = "label.";

/// The provider of an upload that names none: a person's machine, or a script.
pub const LOCAL_PROVIDER: &str = "local";

impl ContextFields {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says one thing; a later word on the same field wins. An empty value takes an earlier one back.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ContextError> {
        let is_label = name.strip_prefix(LABEL_PREFIX).is_some_and(|key| !key.is_empty());
        if !is_label && !FIELDS.contains(&name) {
            return Err(ContextError::UnknownField { name: name.chars().take(64).collect() });
        }
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// What was said about a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every field and value, in the order of their names: the same words give the same list.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Context {
    /// Reads a context, every field checked.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn parse(fields: &ContextFields, limits: &Limits) -> Result<Self, ContextError> {
        let name = |field: &str| {
            fields
                .get(field)
                .map(|text| Name::parse(text, limits.name_bytes))
                .transpose()
                .map_err(|error| ContextError::Name { field: field.to_owned(), error })
        };
        let project = name("project")?.ok_or(ContextError::Missing { field: "project" })?;
        let told_service = name("service")?;
        let url = name("url")?;
        if let Some(address) = url.as_ref().filter(|address| !is_web_address(address.as_str())) {
            return Err(wrong("url", address.as_str(), "an http:// or https:// address"));
        }
        Ok(Self {
            provider: name("provider")?.unwrap_or_else(|| Name::fixed(LOCAL_PROVIDER)),
            service_is_told: told_service.is_some(),
            service: told_service.unwrap_or_else(|| project.last_segment()),
            pipeline: name("pipeline")?,
            run_id: name("run_id")?,
            attempt: whole_number(fields, "attempt", 1, "a whole number from 1")?.unwrap_or(1),
            number: whole_number(fields, "number", 0, "a whole number from 0")?,
            job_id: name("job_id")?,
            job_name: name("job_name")?,
            branch: name("branch")?,
            is_default_branch: truth(fields, "is_default_branch")?,
            commit_sha: name("commit_sha")?,
            trigger: name("trigger")?,
            actor: name("actor")?,
            change_id: name("change_id")?,
            url,
            started_at: time(fields, "started_at")?,
            labels: labels(fields, limits)?,
            project,
        })
    }

    /// Does nobody but the upload tell of this run?
    pub fn is_local(&self) -> bool {
        self.provider.as_str() == LOCAL_PROVIDER
    }
}

fn is_web_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn wrong(field: &'static str, found: &str, expected: &'static str) -> ContextError {
    ContextError::Value { field, found: found.chars().take(64).collect(), expected }
}

fn whole_number(
    fields: &ContextFields,
    field: &'static str,
    least: i64,
    expected: &'static str,
) -> Result<Option<i64>, ContextError> {
    let Some(text) = fields.get(field) else { return Ok(None) };
    match text.trim().parse::<i64>() {
        Ok(number) if number >= least => Ok(Some(number)),
        _ => Err(wrong(field, text, expected)),
    }
}

fn truth(fields: &ContextFields, field: &'static str) -> Result<Option<bool>, ContextError> {
    match fields.get(field) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(other) => Err(wrong(field, other, "true or false")),
    }
}

fn time(fields: &ContextFields, field: &'static str) -> Result<Option<Timestamp>, ContextError> {
    let Some(text) = fields.get(field) else { return Ok(None) };
    Timestamp::parse_rfc3339(text)
        .map(Some)
        .map_err(|_| wrong(field, text, "a time: write RFC 3339, as 2026-11-21T06:13:38Z"))
}

fn labels(fields: &ContextFields, limits: &Limits) -> Result<Labels, ContextError> {
    let mut labels = Labels::new();
    for (field, text) in fields.iter() {
        let Some(key) = field.strip_prefix(LABEL_PREFIX) else { continue };
        let checked = |part| {
            Name::parse(part, limits.name_bytes)
                .map_err(|error| ContextError::Name { field: field.chars().take(64).collect(), error })
        };
        labels.insert(checked(key)?.into_string(), checked(text)?.into_string());
    }
    if labels.len() > limits.labels {
        return Err(ContextError::TooManyLabels { found: labels.len(), limit: limits.labels });
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(said: &[(&str, &str)]) -> Result<Context, ContextError> {
        let mut fields = ContextFields::new();
        for (name, value) in said {
            fields.set(name, value)?;
        }
        Context::parse(&fields, &Limits::default())
    }

    #[test]
    fn a_project_is_enough() {
        let context = parse(&[("project", "github.com/acme/shop")]).unwrap();
        assert_eq!(context.provider.as_str(), "local");
        assert_eq!(context.service.as_str(), "shop");
        assert_eq!(context.attempt, 1);
        assert_eq!(context.run_id, None);
    }

    #[test]
    fn every_wrong_field_is_named() {
        for (field, value) in [
            ("project", "a\u{7}b"),
            ("project", "   "),
            ("attempt", "0"),
            ("attempt", "two"),
            ("number", "-1"),
            ("is_default_branch", "maybe"),
            ("started_at", "2026-11-21T06:13:38"),
            ("url", "javascript:alert(1)"),
            ("branch", &"x".repeat(5_000)),
            ("label.pool", "a\nb"),
        ] {
            let said = if field == "project" {
                vec![(field, value)]
            } else {
                vec![("project", "p"), (field, value)]
            };
            let refused = parse(&said).unwrap_err().to_string();
            assert!(refused.starts_with(field), "{field}={value}: {refused}");
        }
        assert!(parse(&[]).unwrap_err().to_string().starts_with("project: is missing"));
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_known_ones() {
        let refused = parse(&[("projct", "p")]).unwrap_err().to_string();
        assert!(refused.contains("`projct`") && refused.contains("commit_sha"), "{refused}");
        assert!(parse(&[("project", "p"), ("label.", "x")]).is_err());
    }

    #[test]
    fn too_many_labels_are_refused() {
        let keys: Vec<String> = (0..65).map(|number| format!("label.k{number}")).collect();
        let mut said: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
        said.push(("project", "p"));
        assert!(parse(&said).unwrap_err().to_string().contains("at most 64"));
    }
}
