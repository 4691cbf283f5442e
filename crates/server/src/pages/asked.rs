//! What a page was asked for: the parameters of its address, and who asks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use manometer_query::Access;
use manometer_query::answers::Answers;

use super::layout::{Layout, Section};
use super::refusal::PageRefusal;
use crate::access::Caller;
use crate::state::App;

/// Days a page may look back.
const DAYS: RangeInclusive<u32> = 1..=366;
/// Pages of a list.
const PAGES: RangeInclusive<u32> = 0..=100_000;

/// The parameters of a page's address, and its caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    values: BTreeMap<String, String>,
    caller: Option<Caller>,
}

impl Asked {
    /// From the query part of an address. Of a name given twice the first value counts.
    pub(crate) fn of(query: &str, caller: Option<Caller>) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            values.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self { values, caller }
    }

    /// A parameter that is there and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every parameter that is there and not empty.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let given = self.values.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// A parameter without which there is no page.
    pub(crate) fn needed(&self, name: &'static str) -> Result<&str, PageRefusal> {
        self.text(name).ok_or_else(|| self.bad(format!("The address lacks `{name}`.")))
    }

    /// `days`: how far to look back.
    pub(crate) fn days(&self, usual: u32) -> Result<u32, PageRefusal> {
        self.number("days", usual, DAYS)
    }

    /// `page`: which page of a list, from 0.
    pub(crate) fn page(&self) -> Result<u32, PageRefusal> {
        self.number("page", 0, PAGES)
    }

    /// A whole number in a range.
    fn number(&self, name: &str, usual: u32, range: RangeInclusive<u32>) -> Result<u32, PageRefusal> {
        let Some(text) = self.text(name) else { return Ok(usual) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            self.bad(format!(
                "`{name}` in the address must be a whole number, {} to {}.",
                range.start(),
                range.end()
            ))
        })
    }

    /// 400, with what is wrong with the address.
    pub(crate) fn bad(&self, explanation: String) -> PageRefusal {
        PageRefusal::bad_address(explanation).for_caller(self.signed_in())
    }

    /// May the caller sign out?
    pub(crate) fn signed_in(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.token_name().is_some())
    }

    /// May the caller see every project?
    pub(crate) fn sees_everything(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.projects().is_none())
    }

    /// Answers over what is stored now, of the projects the caller may see. Without a caller, of none.
    pub(crate) fn answers(&self, app: &App) -> Answers {
        let access = self.caller.as_ref().map_or_else(|| Access::projects::<_, String>([]), Caller::access);
        Answers::new(app.engine.clone(), app.source(), access)
    }

    /// The frame of the page asked for.
    pub(crate) fn layout(&self, title: impl Into<String>, section: Section) -> Layout {
        Layout::new(title, section, self.signed_in())
    }
}

impl FromRequestParts<App> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts.uri.query().unwrap_or_default(), parts.extensions.get::<Caller>().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_are_refused_and_not_ignored() {
        for query in ["days=abc", "days=0", "days=367", "days=-1", "days=7.5"] {
            assert!(Asked::of(query, None).days(30).is_err(), "{query}");
        }
        assert_eq!(Asked::of("days=7", None).days(30).ok(), Some(7));
        assert_eq!(Asked::of("days=", None).days(30).ok(), Some(30));
    }

    #[test]
    fn values_are_decoded_and_the_first_of_a_name_counts() {
        let asked = Asked::of("project=github.com%2Facme%2Fshop&project=other&service=a+b", None);
        assert_eq!(asked.text("project"), Some("github.com/acme/shop"));
        assert_eq!(asked.text("service"), Some("a b"));
        assert!(asked.needed("run_id").is_err());
    }

    #[test]
    fn without_a_caller_nothing_is_seen() {
        assert!(!Asked::default().sees_everything());
    }
}
