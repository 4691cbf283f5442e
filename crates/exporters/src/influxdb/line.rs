//! Points as lines of the protocol.
//!
//! ```text
//! ci_build,branch=main,event=push,service=payments duration_seconds=12.5,commit_sha="9f3c2a1" 1700000000000000000
//! ```
//!
//! Escapes as InfluxDB documents them: a comma, an equals sign and a space in keys and tag values, a quote and a
//! backslash in text fields. A line break cannot be part of a name: it becomes `\n`, as in InfluxData's own
//! clients. A name that would end in a backslash gets a space after it: it would swallow the separator.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One point of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) measurement: &'a str,
    /// Sorted by key; empty values are left out, as the protocol has none.
    pub(super) tags: Vec<(&'a str, Cow<'a, str>)>,
    pub(super) fields: Vec<(&'a str, FieldValue<'a>)>,
    /// Nanoseconds since the Unix epoch.
    pub(super) at_nanos: i64,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FieldValue<'a> {
    Float(f64),
    Int(i64),
    Text(&'a str),
}

impl Point<'_> {
    /// What makes two points one: measurement and tags, as the line begins.
    pub(super) fn series(&self) -> String {
        let mut line = escaped(self.measurement, &[',', ' ']).into_owned();
        for (key, value) in self.tags.iter().filter(|(_, value)| !value.is_empty()) {
            line.push(',');
            line.push_str(&escaped(key, KEY_SPECIALS));
            line.push('=');
            line.push_str(&escaped(value, KEY_SPECIALS));
        }
        line
    }

    /// The line with its end; `None` when no field has a value that can be written.
    pub(super) fn line(&self) -> Option<String> {
        let mut line = self.series();
        let mut separator = ' ';
        for (key, value) in &self.fields {
            let mut text = String::new();
            match value {
                FieldValue::Float(number) if number.is_finite() => write!(text, "{number}").ok()?,
                FieldValue::Float(_) => continue,
                FieldValue::Int(number) => write!(text, "{number}i").ok()?,
                FieldValue::Text(words) => {
                    write!(text, "\"{}\"", words.replace('\\', "\\\\").replace('"', "\\\"")).ok()?;
                }
            }
            line.push(separator);
            line.push_str(&escaped(key, KEY_SPECIALS));
            line.push('=');
            line.push_str(&text);
            separator = ',';
        }
        if separator == ' ' {
            return None;
        }
        writeln!(line, " {}", self.at_nanos).ok()?;
        Some(line)
    }
}

const KEY_SPECIALS: &[char] = &[',', '=', ' '];

fn escaped<'t>(text: &'t str, specials: &[char]) -> Cow<'t, str> {
    let is_plain = |letter: char| !specials.contains(&letter) && !letter.is_control() && letter != '\\';
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            other => {
                if specials.contains(&other) {
                    written.push('\\');
                }
                written.push(other);
            }
        }
    }
    if written.ends_with('\\') {
        // Reads as the backslash and a space that is part of the name.
        written.push_str("\\ ");
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use manometer_formats::dialects::line_protocol;
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_escaped_and_values_that_do_not_exist_are_left_out() {
        let point = Point {
            measurement: "ci test,results",
            tags: vec![("k=1", "a b,c=d".into()), ("none", "".into()), ("path", "C:\\tmp\\".into())],
            fields: vec![
                ("f", FieldValue::Float(1.5)),
                ("nan", FieldValue::Float(f64::NAN)),
                ("i", FieldValue::Int(-3)),
                ("t", FieldValue::Text("say \"hi\" \\ bye")),
            ],
            at_nanos: 7,
        };
        let expected = r#"ci\ test\,results,k\=1=a\ b\,c\=d,path=C:\tmp\\ "#;
        assert_eq!(point.series(), expected);
        let line = point.line().unwrap();
        assert!(line.ends_with(" f=1.5,i=-3i,t=\"say \\\"hi\\\" \\\\ bye\" 7\n"), "{line}");
    }

    #[test]
    fn a_point_without_a_value_is_no_line() {
        let fields = vec![("f", FieldValue::Float(f64::INFINITY))];
        assert_eq!(Point { measurement: "m", tags: Vec::new(), fields, at_nanos: 0 }.line(), None);
    }

    #[test]
    fn a_line_break_never_starts_a_second_line() {
        let tags = vec![("test_name", "adds\nci_build,x=y f=1".into())];
        let point = Point { measurement: "m", tags, fields: vec![("f", FieldValue::Int(1))], at_nanos: 0 };
        assert_eq!(point.line().unwrap().matches('\n').count(), 1);
    }

    /// Text as names have it; a line break has no way through, a backslash at the end gets company.
    fn name() -> impl Strategy<Value = String> {
        "[ -~äß€😀]{1,20}".prop_filter("does not end in a backslash", |text| !text.ends_with('\\'))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            measurement in name().prop_filter("is not a comment", |text| !text.starts_with(['#', ' '])),
            tags in btree_map(name(), name(), 0..4),
            number in -1e300..1e300,
            whole in any::<i64>(),
            text in "[ -~äß€😀\n]{0,40}",
            at_nanos in any::<i64>(),
        ) {
            let fields = vec![
                ("f", FieldValue::Float(number)),
                ("a=b, c", FieldValue::Int(whole)),
                ("t", FieldValue::Text(&text)),
            ];
            let pairs = tags.iter().map(|(key, value)| (key.as_str(), Cow::Borrowed(value.as_str())));
            let written = Point { measurement: &measurement, tags: pairs.collect(), fields, at_nanos };
            let line = written.line().unwrap();
            let read = line_protocol::Point::parse(line.strip_suffix('\n').unwrap()).unwrap();
            prop_assert_eq!(read.measurement, measurement.as_str());
            prop_assert_eq!(
                read.tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect::<Vec<_>>(),
                tags.clone().into_iter().collect::<Vec<_>>()
            );
            prop_assert_eq!(read.fields, vec![
                ("f".into(), line_protocol::FieldValue::Float(number)),
                ("a=b, c".into(), line_protocol::FieldValue::Int(whole)),
                ("t".into(), line_protocol::FieldValue::Text(text.as_str().into())),
            ]);
            prop_assert_eq!(read.timestamp, Some(at_nanos));
        }
    }
}
