//! What things are called on pages: plain text, and a name for what has none.

use manometer_query::answers::RunLine;

use super::shown::plain_text;

/// A service; one without a name goes by the last part of its project.
pub(crate) fn service(project: &str, name: Option<&str>) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => plain_text(name),
        None => plain_text(project.rsplit('/').next().unwrap_or(project)),
    }
}

/// An optional text, empty when not known.
pub(crate) fn optional(text: Option<&String>) -> String {
    text.map(|known| plain_text(known)).unwrap_or_default()
}

/// A run: its number where it has one, else its identity.
pub(crate) fn run(number: Option<i64>, run_id: &str) -> String {
    number.map_or_else(|| plain_text(run_id), |number| format!("#{number}"))
}

/// The heading of a run: `ci #1204`.
pub(crate) fn run_heading(line: &RunLine) -> String {
    let name = run(line.number, &line.run_id);
    match &line.pipeline {
        Some(pipeline) => format!("{} {name}", plain_text(pipeline)),
        None => format!("Run {name}"),
    }
}

/// Class and suite of a test in one line; the suite only where the class does not say it.
pub(crate) fn test_place(suite: Option<&str>, classname: Option<&str>) -> String {
    match (suite.map(plain_text), classname.map(plain_text)) {
        (Some(suite), Some(class)) if class.contains(&suite) || suite.contains(&class) => class,
        (Some(suite), Some(class)) => format!("{suite} > {class}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => String::new(),
    }
}

/// Name of a test with its parameters.
pub(crate) fn test(name: &str, parameters: Option<&str>) -> String {
    match parameters.filter(|parameters| !parameters.is_empty()) {
        Some(parameters) => format!("{}[{}]", plain_text(name), plain_text(parameters)),
        None => plain_text(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_gets_one() {
        assert_eq!(service("github.com/acme/shop", None), "shop");
        assert_eq!(service("github.com/acme/shop", Some("")), "shop");
        assert_eq!(run(None, "abc"), "abc");
        assert_eq!(run_heading(&RunLine { run_id: "7".into(), ..RunLine::default() }), "Run 7");
    }

    #[test]
    fn a_suite_is_not_said_twice() {
        assert_eq!(test_place(Some("pytest"), Some("tests.cart")), "pytest > tests.cart");
        assert_eq!(test_place(Some("tests.cart"), Some("tests.cart.TestTotal")), "tests.cart.TestTotal");
        assert_eq!(test_place(None, None), "");
        assert_eq!(test("total", Some("eur")), "total[eur]");
    }
}
