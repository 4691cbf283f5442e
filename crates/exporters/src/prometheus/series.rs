//! Measures as Prometheus has them: names and labels of its alphabet, times in milliseconds.

use std::collections::BTreeMap;

use manometer_model::Timestamp;

use crate::records::Measure;

/// One sample with its series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
    /// Milliseconds since the Unix epoch.
    pub(super) at_millis: i64,
}

/// A measure as a sample; one whose time is not known gets `now`.
pub(super) fn sample(measure: &Measure<'_>, now: Timestamp) -> Sample {
    let mut labels = BTreeMap::new();
    for (key, value) in &measure.labels {
        labels.entry(label_name(key)).or_insert_with(|| (*value).to_owned());
    }
    let at = if measure.at == Timestamp::default() { now } else { measure.at };
    Sample {
        name: metric_name(measure.name),
        labels,
        value: measure.value,
        at_millis: at.as_micros().div_euclid(1_000),
    }
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`: whatever else stands in a name becomes `_`.
fn metric_name(name: &str) -> String {
    in_alphabet(name, |letter| letter == ':')
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, no name that Prometheus keeps for itself, and neither `job` nor `instance`, which say
/// there who was asked and not what a pipeline calls its parts.
fn label_name(key: &str) -> String {
    match key {
        "job" | "instance" | "le" | "quantile" => format!("ci_{key}"),
        _ => {
            let name = in_alphabet(key, |_| false);
            if name.starts_with("__") { format!("ci{name}") } else { name }
        }
    }
}

fn in_alphabet(text: &str, is_also_fine: fn(char) -> bool) -> String {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || is_also_fine(letter);
    let name: String = text.chars().map(|letter| if is_fine(letter) { letter } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        format!("_{name}")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::MeasureKind;

    #[test]
    fn names_and_labels_are_of_the_alphabet_and_never_the_reserved_ones() {
        let labels = vec![("job", "unit"), ("__name__", "x"), ("1st", "a"), ("größe", "b"), ("gr__e", "c")];
        let kind = MeasureKind::Level;
        let at = Timestamp::from_micros(1_999);
        let measure = Measure { name: "ram.peak-mb", kind, value: 1.0, unit: None, labels, at };
        let sample = sample(&measure, Timestamp::default());
        assert_eq!(sample.name, "ram_peak_mb");
        assert_eq!(sample.at_millis, 1);
        let keys: Vec<&str> = sample.labels.keys().map(String::as_str).collect();
        assert_eq!(keys, ["_1st", "ci__name__", "ci_job", "gr__e"]);
        assert_eq!(metric_name("9lives"), "_9lives");
    }
}
