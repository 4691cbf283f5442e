//! One measured run: what a line of the local store holds.

use std::collections::BTreeMap;

use manometer_model::{Labels, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

/// One measured run.
///
/// The field names and their order are those of the files; whatever else a line holds is kept in `info` and stands in
/// the file beside the other fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRecord {
    /// Identity of the run: a UUID where this program made it.
    pub run_id: String,
    /// Kind of run, by which runs are compared: `build`, `tests`, `build_wheel`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// When the run ended, which is when its record was made.
    #[serde(serialize_with = "with_numeric_offset")]
    pub timestamp: Timestamp,
    /// Commit that was checked out.
    pub git_commit: Option<String>,
    /// Values by the name of the metric.
    #[serde(serialize_with = "finite_values")]
    pub metrics: BTreeMap<String, f64>,
    /// Key-value pairs of single metrics, by the name of the metric.
    pub tags: BTreeMap<String, Labels>,
    /// What was done, in the words of who started it.
    pub operation: Option<String>,
    /// How long it took, in seconds.
    pub duration: Option<f64>,
    /// Did it end well?
    pub success: Option<bool>,
    /// Every further field of the line. A name of one of the fields above is not written from here.
    #[serde(flatten, serialize_with = "without_reserved_names")]
    pub info: Map<String, Value>,
}

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableRecord {
    /// Not JSON, or not an object.
    #[error("is no JSON object ({0}); skipped")]
    NotAnObject(String),
    /// A field without which a run cannot be named or placed in time.
    #[error("has no usable `{field}`: expected {expected}; skipped")]
    Field {
        /// The field.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
}

const RESERVED: &[&str] =
    &["run_id", "type", "timestamp", "git_commit", "metrics", "tags", "operation", "duration", "success"];

impl RunRecord {
    /// A record with a new random identity and nothing measured yet.
    pub fn new(kind: impl Into<String>, timestamp: Timestamp) -> Self {
        Self {
            run_id: Uuid::new_v4().to_string(),
            kind: kind.into(),
            timestamp,
            git_commit: None,
            metrics: BTreeMap::new(),
            tags: BTreeMap::new(),
            operation: None,
            duration: None,
            success: None,
            info: Map::new(),
        }
    }

    /// Adds a value. One that is no number (NaN, infinite) is left out: JSON cannot say it.
    pub fn measure(&mut self, name: impl Into<String>, value: f64) {
        if value.is_finite() {
            self.metrics.insert(name.into(), value);
        }
    }

    /// Adds a value with key-value pairs of its own.
    pub fn measure_tagged(&mut self, name: &str, value: f64, tags: Labels) {
        self.measure(name, value);
        if !tags.is_empty() {
            self.tags.insert(name.to_owned(), tags);
        }
    }

    /// The branch, where the record tells one: the field `branch`, or `git_branch`.
    pub fn branch(&self) -> Option<&str> {
        ["branch", "git_branch"].iter().find_map(|name| self.info.get(*name)?.as_str())
    }

    /// Reads one line. The second part says, field by field, what of it could not be used.
    ///
    /// # Errors
    /// When the line is no JSON object, or names no run or no time.
    pub fn parse(line: &[u8]) -> Result<(Self, Vec<String>), UnreadableRecord> {
        let mut fields: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| UnreadableRecord::NotAnObject(error.to_string()))?;
        let mut faults = Vec::new();
        let run_id = text(fields.remove("run_id"))
            .filter(|id| !id.is_empty())
            .ok_or(UnreadableRecord::Field { field: "run_id", expected: "text" })?;
        let timestamp = text(fields.remove("timestamp"))
            .and_then(|time| Timestamp::parse_lenient(&time).ok())
            .ok_or(UnreadableRecord::Field { field: "timestamp", expected: "RFC 3339" })?;
        let operation = take(&mut fields, "operation", "text", &mut faults, |value| text(Some(value)));
        let kind = take(&mut fields, "type", "text", &mut faults, |value| text(Some(value)))
            .or_else(|| operation.clone())
            .unwrap_or_else(|| "unknown".to_owned());
        let record = Self {
            run_id,
            kind,
            timestamp,
            git_commit: take(&mut fields, "git_commit", "text", &mut faults, |value| text(Some(value))),
            metrics: metrics(fields.remove("metrics"), &mut faults),
            tags: tags(fields.remove("tags"), &mut faults),
            operation,
            duration: take(&mut fields, "duration", "a number of seconds", &mut faults, |value| {
                value.as_f64()
            }),
            success: take(&mut fields, "success", "true or false", &mut faults, |value| truth(&value)),
            info: fields,
        };
        Ok((record, faults))
    }

    /// The record as one line, with its newline.
    pub fn to_line(&self) -> String {
        // A map with text keys and finite numbers always becomes JSON.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_f64().map(|number| number != 0.0))
}

/// Takes a field out; one that is there and of the wrong kind is a fault, `null` is the same as missing.
fn take<T>(
    fields: &mut Map<String, Value>,
    name: &str,
    expected: &str,
    faults: &mut Vec<String>,
    read: impl FnOnce(Value) -> Option<T>,
) -> Option<T> {
    let value = fields.remove(name).filter(|value| !value.is_null())?;
    let taken = read(value);
    if taken.is_none() {
        faults.push(format!("{name}: expected {expected}; taken as not known"));
    }
    taken
}

fn metrics(value: Option<Value>, faults: &mut Vec<String>) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(entries)) => {
            for (name, value) in entries {
                match &value {
                    Value::Null => {}
                    Value::Bool(truth) => drop(metrics.insert(name, f64::from(u8::from(*truth)))),
                    other => match other.as_f64() {
                        Some(number) => drop(metrics.insert(name, number)),
                        None => faults.push(format!("metrics.{name}: expected a number; left out")),
                    },
                }
            }
        }
        Some(_) => faults.push("metrics: expected an object of numbers; left out".to_owned()),
    }
    metrics
}

fn tags(value: Option<Value>, faults: &mut Vec<String>) -> BTreeMap<String, Labels> {
    let mut tags = BTreeMap::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(entries)) => {
            for (metric, pairs) in entries {
                match pairs {
                    Value::Null => {}
                    Value::Object(pairs) => {
                        let labels = pairs.into_iter().map(|(key, value)| (key, as_label(value))).collect();
                        tags.insert(metric, labels);
                    }
                    _ => faults.push(format!("tags.{metric}: expected an object; left out")),
                }
            }
        }
        Some(_) => faults.push("tags: expected an object of objects; left out".to_owned()),
    }
    tags
}

fn as_label(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// RFC 3339 with microseconds and `+00:00`, as Python's `isoformat()` writes it.
fn with_numeric_offset<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let text = time.to_string();
    serializer.collect_str(&format_args!("{}+00:00", text.strip_suffix('Z').unwrap_or(&text)))
}

fn finite_values<S: Serializer>(metrics: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(metrics.iter().filter(|(_, value)| value.is_finite()))
}

fn without_reserved_names<S: Serializer>(
    info: &Map<String, Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(info.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"{
      "run_id": "550e8400-e29b-41d4-a716-446655440000",
      "type": "build_wheel",
      "timestamp": "2025-05-30T14:30:45.123456+00:00",
      "git_commit": "abc123def456",
      "metrics": {"container.build_seconds": 12.3, "ram.peak_mb": 128},
      "tags": {"container.build_seconds": {"stage": "build_wheel", "try": 2}},
      "operation": "build_wheel",
      "duration": 12.3,
      "success": true,
      "config_hash": "abc123"
    }"#;

    #[test]
    fn a_record_of_the_documented_shape_is_read_and_written_back_field_by_field() {
        let (record, faults) = RunRecord::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(record.kind, "build_wheel");
        assert_eq!(record.metrics["ram.peak_mb"], 128.0);
        assert_eq!(record.tags["container.build_seconds"]["try"], "2");
        assert_eq!(record.info["config_hash"], "abc123");
        let line = record.to_line();
        assert!(
            line.starts_with(
                r#"{"run_id":"550e8400-e29b-41d4-a716-446655440000","type":"build_wheel","timestamp":"2025-05-30T14:30:45.123456+00:00","git_commit":"abc123def456","metrics":{"#
            ),
            "{line}"
        );
        assert_eq!(RunRecord::parse(line.as_bytes()).unwrap(), (record, Vec::new()));
    }

    #[test]
    fn one_wrong_field_costs_that_field_and_is_named() {
        let line = br#"{"run_id":"1","timestamp":"2025-05-30T14:30:45","metrics":{"a":"much","b":true,"c":null,"d":1e3},"tags":{"d":5},"duration":"long","success":1}"#;
        let (record, faults) = RunRecord::parse(line).unwrap();
        assert_eq!(record.metrics, BTreeMap::from([("b".to_owned(), 1.0), ("d".to_owned(), 1000.0)]));
        assert_eq!((record.kind.as_str(), record.success), ("unknown", Some(true)));
        assert_eq!(
            faults,
            [
                "metrics.a: expected a number; left out",
                "tags.d: expected an object; left out",
                "duration: expected a number of seconds; taken as not known",
            ]
        );
    }

    #[test]
    fn a_line_without_name_or_time_is_no_record() {
        for line in ["", "{", "[]", "7", "{}", r#"{"run_id":"1"}"#, r#"{"run_id":"1","timestamp":"soon"}"#] {
            assert!(RunRecord::parse(line.as_bytes()).is_err(), "{line}");
        }
        let bottomless = "[".repeat(100_000);
        assert!(RunRecord::parse(bottomless.as_bytes()).is_err());
    }

    #[test]
    fn what_json_cannot_say_or_would_say_twice_is_not_written() {
        let mut record = RunRecord::new("build", Timestamp::from_seconds(0));
        record.measure("a", f64::NAN);
        record.metrics.insert("b".to_owned(), f64::INFINITY);
        record.info.insert("metrics".to_owned(), 7.into());
        let (read, faults) = RunRecord::parse(record.to_line().as_bytes()).unwrap();
        assert!(read.metrics.is_empty() && read.info.is_empty() && faults.is_empty());
    }
}
