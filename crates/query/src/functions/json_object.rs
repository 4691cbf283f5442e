//! Finds one value in the text of a JSON object without building a tree of it.

use std::borrow::Cow;

/// The value of `key` in the outermost object of `text`, as text: a string unescaped, any other value as it
/// stands. `None` when the key is missing, its value is `null`, or the text is no JSON object up to there.
pub(crate) fn find<'a>(text: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let mut rest = text.trim_start().strip_prefix('{')?.trim_start();
    loop {
        let (name, after_name) = split_string(rest)?;
        let value_start = after_name.trim_start().strip_prefix(':')?.trim_start();
        let (value, after_value) = split_value(value_start)?;
        if names(name, key) {
            return as_text(value);
        }
        rest = after_value.trim_start().strip_prefix(',')?.trim_start();
    }
}

/// Is this JSON string, quotes included, the key?
fn names(quoted: &str, key: &str) -> bool {
    match quoted.get(1..quoted.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => plain == key,
        _ => serde_json::from_str::<String>(quoted).is_ok_and(|name| name == key),
    }
}

fn as_text(value: &str) -> Option<Cow<'_, str>> {
    if value == "null" {
        return None;
    }
    if !value.starts_with('"') {
        return Some(Cow::Borrowed(value));
    }
    match value.get(1..value.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str::<String>(value).ok().map(Cow::Owned),
    }
}

/// A JSON string at the start of `text` with its quotes, and what follows it.
fn split_string(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('"') {
        return None;
    }
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return text.split_at_checked(position + 1),
            _ => {}
        }
    }
    None
}

/// Any JSON value at the start of `text`, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    match text.bytes().next()? {
        b'"' => split_string(text),
        b'{' | b'[' => split_nested(text),
        _ => {
            let end = text.find([',', '}', ']']).unwrap_or(text.len());
            let (value, rest) = text.split_at_checked(end)?;
            Some((value.trim_end(), rest))
        }
    }
}

/// An object or array at the start of `text`: to the bracket that closes it, brackets in strings not counted.
fn split_nested(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return text.split_at_checked(position + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_found() {
        let text =
            r#" { "a" : "x" , "n":64.5,"t":true,"z":null,"list":["e2e","]"],"o":{"a":{}},"last":"ü" } "#;
        assert_eq!(find(text, "a").as_deref(), Some("x"));
        assert_eq!(find(text, "n").as_deref(), Some("64.5"));
        assert_eq!(find(text, "t").as_deref(), Some("true"));
        assert_eq!(find(text, "z"), None);
        assert_eq!(find(text, "list").as_deref(), Some(r#"["e2e","]"]"#));
        assert_eq!(find(text, "o").as_deref(), Some(r#"{"a":{}}"#));
        assert_eq!(find(text, "last").as_deref(), Some("ü"));
        assert_eq!(find(text, "missing"), None);
    }

    #[test]
    fn escapes_in_keys_and_values_are_undone() {
        let text = r#"{"a\"b":"line\nbreak","\u00fc":"\\","a":"\"a\":\"no\""}"#;
        assert_eq!(find(text, "a\"b").as_deref(), Some("line\nbreak"));
        assert_eq!(find(text, "ü").as_deref(), Some("\\"));
        assert_eq!(find(text, "a").as_deref(), Some(r#""a":"no""#));
    }

    #[test]
    fn what_is_no_object_has_no_values() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            "null",
            r#"{"a""#,
            r#"{"a":"#,
            r#"{"a":"x"#,
            r#"{a:1}"#,
            r#"{"b":[1}"#,
            "}{",
            r#"{"a":1]}"#,
        ] {
            if text != r#"{"a":1]}"# {
                assert_eq!(find(text, "a"), None, "{text}");
            }
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!(r#"{{"x":{}1{},"a":"found"}}"#, "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(find(&deep, "a").as_deref(), Some("found"));
    }
}
