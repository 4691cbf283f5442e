//! A payload as a tree of bounded size, and views into it that never fail.
//!
//! Decoders of systems whose payloads differ from version to version ask a [`View`] for what they need. What is
//! missing is `None`; what is there but of another type is `None` too, and is reported under its full path, so
//! that one bad value costs one field and never the delivery.
//!
//! **Invariants**: memory is bounded by [`MOST_NODES`], whatever the payload holds; the depth was checked before
//! ([`crate::json::check`]), so nothing here recurses deeper than the limit on nesting.

use std::cell::RefCell;
use std::fmt;

use manometer_model::{Problem, Problems, Timestamp};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::moment;

/// Most values kept of one payload; what comes after them is passed over and reported.
const MOST_NODES: usize = 100_000;

/// Longest text kept of one value, in bytes.
const LONGEST_TEXT: usize = 4 * 1024;

#[derive(Debug)]
enum Node {
    Null,
    Flag(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    List(Vec<Node>),
    Object(Vec<(Box<str>, Node)>),
}

impl Node {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// A payload, read.
#[derive(Debug)]
pub(crate) struct Tree {
    root: Node,
    problems: RefCell<Problems>,
}

impl Tree {
    /// Reads a payload whose size and depth were checked before.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(crate) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let mut room = MOST_NODES;
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let root = Seed { room: &mut room }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        let mut problems = Problems::new();
        if room == 0 {
            problems.push(Problem::new(format!(
                "the payload holds more than {MOST_NODES} values, the rest was passed over"
            )));
        }
        Ok(Self { root, problems: RefCell::new(problems) })
    }

    /// The whole payload.
    pub(crate) fn view(&self) -> View<'_> {
        View { node: Some(&self.root), problems: &self.problems, path: Path::default() }
    }

    /// What could not be used, as far as views were asked for it.
    pub(crate) fn into_problems(self) -> Problems {
        self.problems.into_inner()
    }
}

/// Where a view stands, for the message that blames a field.
#[derive(Debug, Clone, Copy, Default)]
struct Path {
    names: [&'static str; 8],
    length: usize,
}

impl Path {
    fn below(mut self, name: &'static str) -> Self {
        if let Some(slot) = self.names.get_mut(self.length) {
            *slot = name;
            self.length += 1;
        }
        self
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.names.iter().take(self.length).enumerate() {
            if position > 0 && *name != "[]" {
                formatter.write_str(".")?;
            }
            formatter.write_str(name)?;
        }
        Ok(())
    }
}

/// A place in a payload, there or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'t> {
    node: Option<&'t Node>,
    problems: &'t RefCell<Problems>,
    path: Path,
}

impl<'t> View<'t> {
    /// Is something here?
    pub(crate) const fn is_some(self) -> bool {
        self.node.is_some()
    }

    /// This view, or `other` where nothing is here.
    pub(crate) const fn or(self, other: Self) -> Self {
        if self.is_some() { self } else { other }
    }

    /// The object under a key; nothing where it is missing, null or no object.
    pub(crate) fn object(self, key: &'static str) -> Self {
        let found = self.child(key);
        match found.node {
            None | Some(Node::Object(_)) => found,
            Some(other) => {
                found.blame(other.kind(), "an object");
                Self { node: None, ..found }
            }
        }
    }

    /// The items of the array under a key.
    pub(crate) fn items(self, key: &'static str) -> impl Iterator<Item = View<'t>> + use<'t> {
        let found = self.child(key);
        let items: &[Node] = match found.node {
            Some(Node::List(items)) => items,
            None => &[],
            Some(other) => {
                found.blame(other.kind(), "an array");
                &[]
            }
        };
        items.iter().map(move |node| found.item(node))
    }

    /// The items of this view where it is an array, else the view itself alone.
    pub(crate) fn one_or_many(self) -> Vec<View<'t>> {
        match self.node {
            Some(Node::List(items)) => items.iter().map(|node| self.item(node)).collect(),
            Some(_) => vec![self],
            None => Vec::new(),
        }
    }

    /// The texts, numbers and flags of the object under a key, by name.
    pub(crate) fn scalars(self, key: &'static str) -> impl Iterator<Item = (&'t str, String)> + use<'t> {
        let entries: &[(Box<str>, Node)] = match self.object(key).node {
            Some(Node::Object(entries)) => entries,
            _ => &[],
        };
        entries.iter().filter_map(|(name, node)| Some((&**name, shown(node)?)))
    }

    /// The texts of the array under a key.
    pub(crate) fn texts(self, key: &'static str) -> Vec<String> {
        self.items(key).filter_map(|item| item.node.and_then(shown)).collect()
    }

    /// A text, number or flag as text; nothing where it is empty.
    pub(crate) fn text(self, key: &'static str) -> Option<String> {
        let found = self.child(key);
        let node = found.node?;
        if matches!(node, Node::List(_) | Node::Object(_)) {
            found.blame(node.kind(), "a text");
        }
        shown(node)
    }

    /// A text, or the text under `inner` where an object stands in its place.
    pub(crate) fn text_or_in(self, key: &'static str, inner: &'static str) -> Option<String> {
        let found = self.child(key);
        if matches!(found.node, Some(Node::Object(_))) { found.text(inner) } else { self.text(key) }
    }

    /// A whole number, or a text that is one.
    pub(crate) fn int(self, key: &'static str) -> Option<i64> {
        let found = self.child(key);
        let number = match found.node? {
            Node::Int(number) => Some(*number),
            Node::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(*number as i64),
            Node::Text(text) if text.trim().is_empty() => return None,
            Node::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        found.or_blame(number, "a whole number")
    }

    /// A finite number, or a text that is one.
    pub(crate) fn float(self, key: &'static str) -> Option<f64> {
        let found = self.child(key);
        let number = match found.node? {
            Node::Int(number) => Some(*number as f64),
            Node::Float(number) => Some(*number),
            Node::Text(text) if text.trim().is_empty() => return None,
            Node::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        found.or_blame(number, "a number")
    }

    /// True or false, also as text.
    pub(crate) fn flag(self, key: &'static str) -> Option<bool> {
        let found = self.child(key);
        let truth = match found.node? {
            Node::Flag(truth) => Some(*truth),
            Node::Text(text) => match text.trim() {
                "" => return None,
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        };
        found.or_blame(truth, "true or false")
    }

    /// A point in time, in any shape [`moment`] reads; zero is how many systems say "not yet".
    pub(crate) fn time(self, key: &'static str) -> Option<Timestamp> {
        let found = self.child(key);
        let time = match found.node? {
            Node::Int(0) => return None,
            Node::Int(number) => moment::from_epoch(*number),
            Node::Float(number) if number.abs() < 1e11 => moment::from_epoch((*number * 1_000.0) as i64),
            Node::Text(text) if text.trim().is_empty() => return None,
            Node::Text(text) => moment::parse(text),
            _ => None,
        };
        found.or_blame(time, "a time")
    }

    fn child(self, key: &'static str) -> Self {
        let node = match self.node {
            // Where a key stands twice, the last one counts, as in most readers.
            Some(Node::Object(entries)) => {
                entries.iter().rev().find(|(name, _)| **name == *key).map(|(_, node)| node)
            }
            _ => None,
        };
        let node = node.filter(|node| !matches!(node, Node::Null));
        Self { node, problems: self.problems, path: self.path.below(key) }
    }

    fn item(self, node: &'t Node) -> Self {
        Self { node: Some(node), problems: self.problems, path: self.path.below("[]") }
    }

    fn or_blame<T>(self, value: Option<T>, expected: &str) -> Option<T> {
        if value.is_none() {
            self.blame(self.node.map_or("nothing", Node::kind), expected);
        }
        value
    }

    fn blame(self, found: &str, expected: &str) {
        self.problems.borrow_mut().push_with(|| {
            Problem::new(format!("found {found} that cannot be read as {expected}, the field was left out"))
                .in_field(self.path.to_string())
        });
    }
}

fn shown(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) => (!text.trim().is_empty()).then(|| text.trim().to_owned()),
        Node::Int(number) => Some(number.to_string()),
        Node::Float(number) => Some(number.to_string()),
        Node::Flag(truth) => Some(truth.to_string()),
        Node::Null | Node::List(_) | Node::Object(_) => None,
    }
}

/// Builds nodes while there is room; afterwards reads past everything.
struct Seed<'r> {
    room: &'r mut usize,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        if *self.room == 0 {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Node::Null);
        }
        *self.room -= 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Node, E> {
        Ok(Node::Flag(truth))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Int(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or(Node::Float(number as f64), Node::Int))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Float(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(clipped(text).into()))
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while *self.room > 0 {
            let Some(item) = access.next_element_seed(Seed { room: &mut *self.room })? else {
                return Ok(Node::List(items));
            };
            items.push(item);
        }
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while *self.room > 0 {
            let Some(key) = access.next_key::<std::borrow::Cow<'_, str>>()? else {
                return Ok(Node::Object(entries));
            };
            let key = clipped(&key).into();
            entries.push((key, access.next_value_seed(Seed { room: &mut *self.room })?));
        }
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Node::Object(entries))
    }
}

/// The text up to [`LONGEST_TEXT`], cut between characters.
fn clipped(text: &str) -> &str {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_costs_its_field_and_is_named_by_its_path() {
        let tree = Tree::read(br#"{"build":{"stages":[{"number":[1],"name":7}],"repo":"text"}}"#).unwrap();
        let build = tree.view().object("build");
        let stage = build.items("stages").next().unwrap();
        assert_eq!(stage.int("number"), None);
        assert_eq!(stage.text("name").as_deref(), Some("7"), "a number will do for a text");
        assert!(!build.object("repo").is_some());
        let fields: Vec<_> =
            tree.into_problems().first.into_iter().filter_map(|problem| problem.field).collect();
        assert_eq!(fields, ["build.stages[].number", "build.repo"]);
    }

    #[test]
    fn missing_null_empty_and_zero_times_are_no_problem() {
        let tree = Tree::read(br#"{"a":null,"b":"","c":0}"#).unwrap();
        let root = tree.view();
        assert_eq!((root.text("a"), root.int("b"), root.time("c")), (None, None, None));
        assert_eq!((root.flag("b"), root.float("b"), root.time("missing")), (None, None, None));
        assert!(tree.into_problems().is_empty());
    }

    #[test]
    fn a_payload_of_many_values_is_cut_and_said_so() {
        let body = format!("{{\"numbers\":[{}1],\"after\":5}}", "1,".repeat(2 * MOST_NODES));
        let tree = Tree::read(body.as_bytes()).unwrap();
        assert!(tree.view().items("numbers").count() < MOST_NODES);
        assert_eq!(tree.view().int("after"), None);
        assert_eq!(tree.into_problems().total, 1);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let body = format!("{{\"name\":\"{}\"}}", "ä".repeat(LONGEST_TEXT));
        let tree = Tree::read(body.as_bytes()).unwrap();
        assert_eq!(tree.view().text("name").map(|text| text.len()), Some(LONGEST_TEXT));
    }

    #[test]
    fn what_is_no_json_or_goes_on_after_its_end_is_refused() {
        for body in ["", "{", "{}{}", "{\"a\":}", "\u{feff}{}"] {
            assert!(Tree::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
