//! The document of `/save_metrics`, read strictly.

use manometer_model::{Labels, Limits, Timestamp};
use serde_json::{Map, Value};

use crate::name::{Name, NameError};

/// One pipeline with its jobs and builds.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Repository.
    pub project: Name,
    /// Number of the pipeline, as text.
    pub pipeline_id: String,
    /// Branch.
    pub branch: Name,
    /// When the pipeline was created.
    pub created_at: Timestamp,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// Are there failed jobs? `None` where `jobs_failed` was not sent.
    pub has_failed_jobs: Option<bool>,
    /// Its jobs, in the order sent.
    pub jobs: Vec<DocumentJob>,
    /// Its builds: name and seconds.
    pub builds: Vec<(Name, f64)>,
    /// Every other key, as text.
    pub labels: Labels,
}

/// One job of the document.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentJob {
    /// Name of the job.
    pub name: Name,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
    /// Its further keys, numbers all of them, as text.
    pub labels: Labels,
}

/// Why the document is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON at all.
    #[error("the body is not JSON: {why}")]
    NotJson {
        /// What the JSON reader said, with line and column.
        why: String,
    },
    /// A field that must be there.
    #[error("{field}: is missing; expected {expected}")]
    Missing {
        /// The field, as `jobs[0].name`.
        field: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A field that holds something else.
    #[error("{field}: found {found}, expected {expected}")]
    Wrong {
        /// The field.
        field: String,
        /// What it holds, shortened.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A text that cannot be a name.
    #[error("{field}: {error}")]
    Name {
        /// The field.
        field: String,
        /// What is wrong with it.
        error: NameError,
    },
    /// More free keys than are kept.
    #[error("{field}: holds {found} further keys, at most {limit} are taken (limit `labels`)")]
    TooManyKeys {
        /// The object.
        field: String,
        /// How many it has.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

const SECONDS: &str = "seconds as a number from 0";
const TIME: &str = "a time with its zone, as 2023-06-13T14:12:33.677+07:00";
const NUMBER: &str = "a number";
const TEXT: &str = "text";

impl Document {
    /// Reads the document.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let json: Value = serde_json::from_slice(body)
            .map_err(|error| DocumentError::NotJson { why: error.to_string() })?;
        let mut top = Object::of(json, String::new(), limits)?;
        let has_failed_jobs = match top.fields.get("jobs_failed") {
            None | Some(Value::Null) => None,
            Some(Value::Array(failed)) => Some(!failed.is_empty()),
            Some(other) => {
                return Err(wrong("jobs_failed".to_owned(), other, "a list of the jobs that failed"));
            }
        };
        if let Some(other) =
            top.fields.get("has_restarts").filter(|value| !value.is_boolean() && !value.is_null())
        {
            return Err(wrong("has_restarts".to_owned(), other, "true or false"));
        }
        for field in ["duration_e2e", "build"] {
            top.check_optional_number(field)?;
        }
        Ok(Self {
            project: top.name("project")?,
            pipeline_id: top.whole_number("pipeline_id")?,
            branch: top.name("ref")?,
            created_at: top.time("created_at")?.ok_or_else(|| top.missing("created_at", TIME))?,
            duration_seconds: top.seconds("duration")?.ok_or_else(|| top.missing("duration", SECONDS))?,
            has_failed_jobs,
            jobs: top
                .list("jobs")?
                .into_iter()
                .enumerate()
                .map(|entry| job(entry, limits))
                .collect::<Result<_, _>>()?,
            builds: top
                .list("builds")?
                .into_iter()
                .enumerate()
                .map(|entry| build(entry, limits))
                .collect::<Result<_, _>>()?,
            labels: top.labels(|_, value| Ok(label_text(value)))?,
        })
    }
}

fn job((index, json): (usize, Value), limits: &Limits) -> Result<DocumentJob, DocumentError> {
    let mut fields = Object::of(json, format!("jobs[{index}]"), limits)?;
    Ok(DocumentJob {
        name: fields.name("name")?,
        started_at: fields.time("started_at")?,
        finished_at: fields.time("finished_at")?,
        duration_seconds: fields.seconds("duration")?,
        labels: fields.labels(|field, value| match value {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(Some(number.to_string())),
            other => Err(wrong(field, other, NUMBER)),
        })?,
    })
}

fn build((index, json): (usize, Value), limits: &Limits) -> Result<(Name, f64), DocumentError> {
    const ONE_KEY: &str = "an object of one key, the build's name, with its seconds";
    let field = format!("builds[{index}]");
    let Value::Object(fields) = &json else { return Err(wrong(field, &json, ONE_KEY)) };
    let mut entries = fields.iter();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else {
        return Err(wrong(field, &json, ONE_KEY));
    };
    let seconds = positive(value).ok_or_else(|| wrong(format!("{field}.{name}"), value, SECONDS))?;
    let name = Name::parse(name, limits.name_bytes).map_err(|error| DocumentError::Name { field, error })?;
    Ok((name, seconds))
}

/// An object whose fields are taken out one by one; what is left over are its labels.
struct Object<'a> {
    path: String,
    fields: Map<String, Value>,
    limits: &'a Limits,
}

impl<'a> Object<'a> {
    fn of(json: Value, path: String, limits: &'a Limits) -> Result<Self, DocumentError> {
        match json {
            Value::Object(fields) => Ok(Self { path, fields, limits }),
            other => {
                let field = if path.is_empty() { "the body".to_owned() } else { path };
                Err(wrong(field, &other, "an object"))
            }
        }
    }

    fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    fn missing(&self, field: &str, expected: &'static str) -> DocumentError {
        DocumentError::Missing { field: self.path_of(field), expected }
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field).filter(|value| !value.is_null())
    }

    fn name(&mut self, field: &str) -> Result<Name, DocumentError> {
        match self.take(field) {
            None => Err(self.missing(field, TEXT)),
            Some(Value::String(text)) => Name::parse(&text, self.limits.name_bytes)
                .map_err(|error| DocumentError::Name { field: self.path_of(field), error }),
            Some(other) => Err(wrong(self.path_of(field), &other, TEXT)),
        }
    }

    fn whole_number(&mut self, field: &str) -> Result<String, DocumentError> {
        const WHOLE: &str = "a whole number";
        match self.take(field) {
            None => Err(self.missing(field, WHOLE)),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
            Some(other) => Err(wrong(self.path_of(field), &other, WHOLE)),
        }
    }

    fn time(&mut self, field: &str) -> Result<Option<Timestamp>, DocumentError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let parsed = value.as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok());
        parsed.map(Some).ok_or_else(|| wrong(self.path_of(field), &value, TIME))
    }

    fn seconds(&mut self, field: &str) -> Result<Option<f64>, DocumentError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        positive(&value).map(Some).ok_or_else(|| wrong(self.path_of(field), &value, SECONDS))
    }

    fn check_optional_number(&self, field: &str) -> Result<(), DocumentError> {
        match self.fields.get(field) {
            None | Some(Value::Null | Value::Number(_)) => Ok(()),
            Some(other) => Err(wrong(self.path_of(field), other, NUMBER)),
        }
    }

    fn list(&mut self, field: &str) -> Result<Vec<Value>, DocumentError> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(entries)) => Ok(entries),
            Some(other) => Err(wrong(self.path_of(field), &other, "a list")),
        }
    }

    fn labels(
        &mut self,
        text_of: impl Fn(String, &Value) -> Result<Option<String>, DocumentError>,
    ) -> Result<Labels, DocumentError> {
        if self.fields.len() > self.limits.labels {
            let field = if self.path.is_empty() { "the body".to_owned() } else { self.path.clone() };
            return Err(DocumentError::TooManyKeys {
                field,
                found: self.fields.len(),
                limit: self.limits.labels,
            });
        }
        let mut labels = Labels::new();
        for (key, value) in std::mem::take(&mut self.fields) {
            let field = self.path_of(&key);
            let key = Name::parse(&key, self.limits.name_bytes)
                .map_err(|error| DocumentError::Name { field: shortened(&field), error })?;
            if let Some(text) = text_of(field, &value)? {
                labels.insert(key.into_string(), text);
            }
        }
        Ok(labels)
    }
}

fn positive(value: &Value) -> Option<f64> {
    value.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

fn label_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn wrong(field: String, found: &Value, expected: &'static str) -> DocumentError {
    DocumentError::Wrong { field: shortened(&field), found: shortened(&found.to_string()), expected }
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
