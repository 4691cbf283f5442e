//! A look at the start of JSON whose end may be cut off.

/// The keys of the first object: of the document, of its first element where it is an array, or of the first line
/// that is an object where text goes before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonStart<'a> {
    /// Does the document begin with `[`?
    pub(crate) is_array: bool,
    /// Keys in order as far as they are visible, each with the text from its value on.
    keys: Vec<(&'a str, &'a str)>,
}

/// Keys looked at; formats are known by fewer.
const MOST_KEYS: usize = 64;

impl<'a> JsonStart<'a> {
    /// `None` where there is no object in `text`, of which white space at the start was taken off.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let is_array = text.starts_with('[');
        let object = if text.starts_with('{') {
            text
        } else if is_array {
            text.trim_start_matches('[').trim_start()
        } else {
            let start = text.match_indices('\n').find_map(|(at, _)| {
                let line = text.get(at..)?.trim_start();
                line.starts_with('{').then_some(line)
            });
            start?
        };
        let keys = keys_of(object.strip_prefix('{').unwrap_or_default());
        Some(Self { is_array, keys })
    }

    /// Has the object this key?
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// The text under a key, as written, when it is a string.
    pub(crate) fn text_of(&self, key: &str) -> Option<&'a str> {
        let value = self.value(key)?.strip_prefix('"')?;
        value.split_once('"').map(|(text, _)| text)
    }

    /// The keys of the object under a key.
    pub(crate) fn inside(&self, key: &str) -> Option<Self> {
        let value = self.value(key)?;
        value.starts_with('{').then(|| Self::of(value)).flatten()
    }

    /// The keys, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.keys.iter().map(|(key, _)| *key)
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.keys.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
    }
}

/// The keys of an object, from behind its `{`.
fn keys_of(text: &str) -> Vec<(&str, &str)> {
    let mut keys = Vec::new();
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(at) = rest.find(['"', '{', '[', '}', ']']) {
        let Some((_, from)) = rest.split_at_checked(at) else { break };
        match from.as_bytes().first() {
            Some(b'"') => {
                let Some((string, after)) = string_at(from) else { break };
                rest = after;
                let value = after.trim_start().strip_prefix(':').map(str::trim_start);
                if let (0, Some(value)) = (depth, value) {
                    keys.push((string, value));
                }
            }
            Some(b'{' | b'[') => {
                depth += 1;
                rest = from.get(1..).unwrap_or_default();
            }
            _ if depth == 0 => break,
            _ => {
                depth -= 1;
                rest = from.get(1..).unwrap_or_default();
            }
        }
        if keys.len() == MOST_KEYS {
            break;
        }
    }
    keys
}

/// The string at the start of `text`, escapes and all, and what follows it.
fn string_at(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut is_escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some((inside.get(..at)?, inside.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Option<Vec<&str>> {
        JsonStart::of(text).map(|start| start.keys().collect())
    }

    #[test]
    fn the_keys_of_the_first_object_are_seen_and_no_deeper_ones() {
        assert_eq!(
            keys(r#"{"a": {"b": [1, {"c": 2}]}, "d\"": "x: \"y\"", "e": {"#),
            Some(vec!["a", "d\\\"", "e"])
        );
        assert_eq!(keys("[\n {\"uri\": 1}, {\"x\": 2}]"), Some(vec!["uri"]));
        assert_eq!(keys("go: downloading x\n{\"Action\":\"start\"}\n"), Some(vec!["Action"]));
        assert_eq!(keys("{"), Some(vec![]));
        assert_eq!(keys("[1]"), Some(vec![]));
        assert_eq!(keys("{}}}{\"a\":1"), Some(vec![]));
        assert_eq!(keys("plain"), None);
    }

    #[test]
    fn values_are_looked_into() {
        let start = JsonStart::of(r#"{"type": "suite", "id": {"started": {}}, "n": 1, "cut": "of"#).unwrap();
        assert_eq!(start.text_of("type"), Some("suite"));
        assert_eq!(start.text_of("n"), None);
        assert_eq!(start.text_of("cut"), None);
        assert!(start.inside("id").is_some_and(|id| id.has("started")));
        assert!(start.inside("n").is_none());
    }
}
