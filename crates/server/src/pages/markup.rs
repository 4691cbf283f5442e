//! For tests: reads a page as a browser would and finds what must not be in it.

use std::collections::BTreeSet;

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

/// Elements our templates use. Anything else came from data.
const ELEMENTS: &[&str] = &[
    "a", "article", "aside", "body", "button", "circle", "code", "dd", "defs", "details", "div", "dl", "dt",
    "footer", "form", "h1", "h2", "h3", "head", "header", "html", "input", "kbd", "label", "li", "line",
    "link", "main", "meta", "nav", "noscript", "option", "p", "path", "pattern", "pre", "rect", "script",
    "section", "select", "small", "span", "strong", "summary", "svg", "table", "tbody", "td", "text",
    "textarea", "th", "thead", "time", "title", "tr", "ul",
];
const VOID_ELEMENTS: &[&str] = &["input", "link", "meta"];
const ADDRESSES: &[&str] = &["href", "src", "action"];

/// What a page holds.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    /// All text between tags.
    pub(crate) text: String,
    /// Every address it links to or loads.
    pub(crate) addresses: BTreeSet<String>,
    ids: BTreeSet<String>,
    references: Vec<String>,
    open: Vec<String>,
}

impl Markup {
    /// Reads a page and fails on everything that is wrong with it.
    pub(crate) fn checked(html: &str) -> Self {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut markup = Self::default();
        for token in Tokenizer::new_with_emitter(html, emitter) {
            match token.unwrap() {
                Token::StartTag(tag) => markup.start(&tag),
                Token::EndTag(tag) => {
                    let name = text(&tag.name);
                    assert_eq!(markup.open.pop().as_ref(), Some(&name), "</{name}> closes another element");
                }
                Token::String(piece) => {
                    let inside = markup.open.last().map(String::as_str);
                    assert!(!matches!(inside, Some("script" | "style")), "inline code: {}", text(&piece));
                    markup.text.push_str(&text(&piece));
                }
                Token::Comment(comment) => panic!("a comment: {}", text(&comment)),
                Token::Doctype(doctype) => assert_eq!(text(&doctype.name), "html"),
                Token::Error(error) => panic!("not HTML: {error:?}"),
            }
        }
        assert!(markup.open.is_empty(), "left open: {:?}", markup.open);
        for reference in &markup.references {
            assert!(markup.ids.contains(reference), "nothing has the id {reference}");
        }
        markup
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name = text(&tag.name);
        assert!(ELEMENTS.contains(&name.as_str()), "<{name}> is no element of ours");
        let has = |wanted: &str| tag.attributes.keys().any(|attribute| text(attribute) == wanted);
        assert!(name != "script" || has("src"), "a script without an address");
        for (attribute, value) in &tag.attributes {
            let (attribute, value) = (text(attribute), text(value));
            assert!(attribute != "style" && !attribute.starts_with("on"), "inline {attribute} in <{name}>");
            if ADDRESSES.contains(&attribute.as_str()) {
                self.address(value.clone(), has("rel"));
            }
            match attribute.as_str() {
                "id" => assert!(self.ids.insert(value.clone()), "the id {value} stands twice"),
                "aria-labelledby" | "aria-describedby" | "for" => self.references.push(value),
                _ => {}
            }
        }
        if !tag.self_closing && !VOID_ELEMENTS.contains(&name.as_str()) {
            self.open.push(name);
        }
    }

    fn address(&mut self, value: String, has_relation: bool) {
        let is_ours = value.starts_with('/') && !value.starts_with("//");
        let is_outside = value.starts_with("https://") || value.starts_with("http://");
        assert!(is_ours || value == "#content" || (is_outside && has_relation), "leads to {value}");
        self.addresses.insert(value);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
