//! Measures as StatsD lines.
//!
//! ```text
//! statsd     payments.ci.build.duration.wheel:12500|ms
//! dogstatsd  ci.build.duration:12500|ms|#service:payments,branch:main,build:wheel
//! ```
//!
//! Plain StatsD knows no tags: the service goes before the name, and what tells one job, step, build or artifact
//! from another behind it. Times are sent in milliseconds, under the name without `_seconds`; free metrics are
//! gauges under their own name and in their own unit.

use crate::records::{Label, Measure, MeasureKind};
use crate::settings::StatsdFormat;

/// Labels whose value is part of a plain name, in this order.
const SUBJECTS: &[&str] = &["job", "step", "build", "artifact", "status"];

/// The lines of a measure; a plain gauge below zero takes two.
pub(super) fn lines(measure: &Measure<'_>, format: StatsdFormat, prefix: Option<&str>) -> Vec<String> {
    let name = measure.name;
    let (name, value, kind) = match measure.kind {
        MeasureKind::Duration => {
            (name.strip_suffix("_seconds").unwrap_or(name), measure.value * 1_000.0, "ms")
        }
        MeasureKind::Level => (name, measure.value, "g"),
        MeasureKind::Count => (name, measure.value, "c"),
    };
    let name = full_name(name, &measure.labels, format, prefix);
    let value = number(value);
    match format {
        StatsdFormat::Dogstatsd => vec![format!("{name}:{value}|{kind}{}", tags(&measure.labels))],
        // Plain StatsD takes a signed gauge for a change of it, unless it was set to zero before.
        StatsdFormat::Statsd if kind == "g" && value.starts_with('-') => {
            vec![format!("{name}:0|g"), format!("{name}:{value}|g")]
        }
        StatsdFormat::Statsd => vec![format!("{name}:{value}|{kind}")],
    }
}

/// Six digits behind the point are enough for microseconds of a time in milliseconds, and for what a gauge shows.
fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn full_name(name: &str, labels: &[Label<'_>], format: StatsdFormat, prefix: Option<&str>) -> String {
    let mut parts: Vec<String> = prefix.into_iter().map(|prefix| sane(prefix, true)).collect();
    let value_of =
        |key: &str| labels.iter().find(|(known, _)| *known == key).map(|(_, value)| sane(value, false));
    if format == StatsdFormat::Statsd {
        parts.extend(value_of("service"));
    }
    parts.push(sane(name, true));
    if format == StatsdFormat::Statsd {
        parts.extend(SUBJECTS.iter().filter_map(|key| value_of(key)));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(".")
}

fn tags(labels: &[Label<'_>]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let tags: Vec<String> =
        labels.iter().map(|(key, value)| format!("{}:{}", sane(key, true), sane_tag(value))).collect();
    format!("|#{}", tags.join(","))
}

/// A part of a name: what StatsD reserves, and whatever is not plain, becomes `_`.
fn sane(text: &str, dots_stay: bool) -> String {
    text.chars()
        .map(|letter| match letter {
            '.' if dots_stay => '.',
            letter if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') => letter,
            _ => '_',
        })
        .collect::<String>()
        .trim_matches('.')
        .to_owned()
}

/// A tag value: only what would end it becomes `_`.
fn sane_tag(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            ',' | '|' | '#' => '_',
            letter if letter.is_whitespace() || letter.is_control() => '_',
            letter => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use manometer_model::Timestamp;

    use super::*;

    fn measure<'a>(name: &'a str, kind: MeasureKind, value: f64, labels: Vec<Label<'a>>) -> Measure<'a> {
        Measure { name, kind, value, unit: None, labels, at: Timestamp::default() }
    }

    #[test]
    fn each_kind_is_written_in_both_formats() {
        let labels = vec![("service", "pay|ments"), ("branch", "feature/a b,c"), ("build", "wheel:x")];
        let took = measure("ci.build.duration_seconds", MeasureKind::Duration, 12.5, labels);
        assert_eq!(
            lines(&took, StatsdFormat::Statsd, None),
            ["pay_ments.ci.build.duration.wheel_x:12500|ms"]
        );
        assert_eq!(
            lines(&took, StatsdFormat::Dogstatsd, Some("acme")),
            ["acme.ci.build.duration:12500|ms|#service:pay_ments,branch:feature/a_b_c,build:wheel:x"]
        );
    }

    #[test]
    fn a_gauge_below_zero_is_set_and_not_lowered() {
        let level = measure("temperature", MeasureKind::Level, -2.25, Vec::new());
        assert_eq!(lines(&level, StatsdFormat::Statsd, None), ["temperature:0|g", "temperature:-2.25|g"]);
        assert_eq!(lines(&level, StatsdFormat::Dogstatsd, None), ["temperature:-2.25|g"]);
        let nearly = measure("t", MeasureKind::Level, -1e-9, Vec::new());
        assert_eq!(lines(&nearly, StatsdFormat::Statsd, None), ["t:0|g"]);
    }
}
