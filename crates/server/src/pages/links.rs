//! Addresses of pages. Every name from data stands in the query, encoded, so that projects with slashes,
//! branches with `#` and test names with anything at all make addresses that can be shared.

use form_urlencoded::Serializer;

/// `path?name=value&…`, without the pairs that have no value.
pub(crate) fn with_query(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let encoded = query.finish();
    if encoded.is_empty() { path.to_owned() } else { format!("{path}?{encoded}") }
}

/// The page of one service over some days. A service without a name is asked for without one.
pub(crate) fn service(project: &str, name: Option<&str>, days: Option<u32>) -> String {
    let days_text = days.map(|days| days.to_string());
    with_query("/service", &[("project", Some(project)), ("service", name), ("days", days_text.as_deref())])
}

/// The page of one run.
pub(crate) fn run(provider: &str, project: &str, run_id: &str, attempt: i64) -> String {
    let attempt_text = attempt.to_string();
    with_query(
        "/run",
        &[
            ("provider", Some(provider)),
            ("project", Some(project)),
            ("run_id", Some(run_id)),
            ("attempt", Some(&attempt_text)),
        ],
    )
}

/// The page of one test.
pub(crate) fn test(project: &str, service_name: Option<&str>, test_id: &str) -> String {
    with_query("/test", &[("project", Some(project)), ("service", service_name), ("id", Some(test_id))])
}

/// Text as an SQL literal.
pub(crate) fn sql_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The query console with a question in it.
pub(crate) fn sql(question: &str) -> String {
    with_query("/sql", &[("q", Some(question))])
}

/// The address at a provider, if it is one a browser may follow: `https:` or `http:`, nothing that runs.
pub(crate) fn outside(url: &str) -> Option<&str> {
    let scheme_is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    (scheme_is_web && !url.chars().any(char::is_control)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_separators_stay_one_value() {
        assert_eq!(
            service("github.com/acme/shop", Some("a&b=c#d"), Some(7)),
            "/service?project=github.com%2Facme%2Fshop&service=a%26b%3Dc%23d&days=7"
        );
        assert_eq!(service("p", None, None), "/service?project=p");
        assert_eq!(run("ci", "p", "1", 2), "/run?provider=ci&project=p&run_id=1&attempt=2");
    }

    #[test]
    fn a_quote_in_a_name_stays_in_its_literal() {
        assert_eq!(sql_literal("it's; drop"), "'it''s; drop'");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(outside("https://ci.example/run/1"), Some("https://ci.example/run/1"));
        for unsafe_url in ["javascript:alert(1)", "data:text/html,x", "//x", "", "https://x\ny", "é"] {
            assert_eq!(outside(unsafe_url), None, "{unsafe_url:?}");
        }
    }
}
