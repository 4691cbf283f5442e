//! The text form in which the Pushgateway takes metrics.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::series::Sample;

/// Writes samples, each series once: of several samples of one the latest counts. Times are left out, since the
/// Pushgateway refuses them: it would be asked later and tell of the past.
pub(super) fn text(samples: &[Sample]) -> String {
    let mut latest: BTreeMap<(&str, &BTreeMap<String, String>), &Sample> = BTreeMap::new();
    for sample in samples {
        let slot = latest.entry((&sample.name, &sample.labels)).or_insert(sample);
        if sample.at_millis >= slot.at_millis {
            *slot = sample;
        }
    }
    let mut written = String::new();
    let mut last_name = "";
    for ((name, labels), sample) in latest {
        if name != last_name {
            write_line(&mut written, format_args!("# TYPE {name} gauge"));
            last_name = name;
        }
        let pairs: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
        let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        write_line(&mut written, format_args!("{name}{labels} {}", sample.value));
    }
    written
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let is_written = writeln!(text, "{line}");
    debug_assert!(is_written.is_ok());
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_stands_once_with_its_latest_value_under_the_type_of_its_metric() {
        let sample = |name: &str, branch: &str, value: f64, at_millis: i64| Sample {
            name: name.to_owned(),
            labels: BTreeMap::from([("branch".to_owned(), branch.to_owned())]),
            value,
            at_millis,
        };
        let samples = [
            sample("b", "main", 2.0, 9),
            sample("a", "x\"y\\z\n", 1.0, 1),
            sample("b", "main", 1.0, 5),
            sample("b", "old", 0.5, 5),
        ];
        assert_eq!(
            text(&samples),
            "# TYPE a gauge\na{branch=\"x\\\"y\\\\z\\n\"} 1\n# TYPE b gauge\nb{branch=\"main\"} 2\nb{branch=\"old\"} 0.5\n"
        );
    }
}
