//! One webhook request as it came: headers, query and raw body.

use manometer_model::Timestamp;

/// One delivery, not yet believed: [`crate::Provider::verify`] decides on these bytes and no others.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Headers of the request.
    pub headers: &'a Headers,
    /// Parameters of the address, decoded, in order.
    pub query: &'a [(String, String)],
    /// The body as it came over the wire, after transfer decoding alone.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: Timestamp,
}

/// The headers of a request, by name in any case. At most [`Headers::MOST`] are kept, the first ones: a sender
/// who sends more is none of the systems known here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    pairs: Vec<(String, String)>,
}

impl Headers {
    /// How many headers are kept.
    pub const MOST: usize = 64;

    /// From names and values as they came.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let pairs = pairs
            .into_iter()
            .take(Self::MOST)
            .map(|(name, value)| (name.as_ref().to_ascii_lowercase(), value.as_ref().trim().to_owned()))
            .collect();
        Self { pairs }
    }

    /// Names, in small letters, and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value under a name; `None` too where that value is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// The value of the first of these names that is there.
    pub fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_empty_values_are_none() {
        let headers = Headers::from_pairs([("X-GitHub-Event", " push "), ("X-Empty", "")]);
        assert_eq!(headers.get("x-github-event"), Some("push"));
        assert_eq!(headers.get("x-empty"), None);
        assert_eq!(headers.first_of(&["x-missing", "X-GITHUB-EVENT"]), Some("push"));
    }

    #[test]
    fn a_flood_of_headers_is_cut() {
        let flood = (0..10_000).map(|number| (format!("x-{number}"), "1"));
        assert_eq!(Headers::from_pairs(flood).pairs.len(), Headers::MOST);
    }
}
