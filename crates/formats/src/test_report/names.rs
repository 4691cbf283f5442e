//! What is inside the names that frameworks write.

/// Splits `test_total[eur-2]` into the name and its parameters.
///
/// Parameters stand in brackets at the very end, directly after the name (pytest, JUnit under Surefire), or
/// after PHPUnit's `with data set`. A name that begins with a bracket, or has white space before it
/// (`adds [1, 2]`), is a title and left whole.
pub(crate) fn split_parameters(name: &str) -> (&str, Option<&str>) {
    match name.as_bytes().last() {
        Some(b']') => split_brackets(name),
        Some(b'"') => split_data_set(name, " with data set \"", "\""),
        // Many names end with a digit; hardly one has a `#`, which is found quickly.
        Some(b'0'..=b'9') if memchr::memchr(b'#', name.as_bytes()).is_some() => {
            split_data_set(name, " with data set #", "")
        }
        _ => (name, None),
    }
}

fn split_brackets(name: &str) -> (&str, Option<&str>) {
    let whole = (name, None);
    let bracket = memchr::memchr(b'[', name.as_bytes()).and_then(|at| name.split_at_checked(at));
    let Some((before, rest)) = bracket else { return whole };
    if before.is_empty() || before.ends_with(char::is_whitespace) {
        return whole;
    }
    match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(parameters) => (before, Some(parameters)),
        None => whole,
    }
}

fn split_data_set<'a>(name: &'a str, opening: &str, closing: &str) -> (&'a str, Option<&'a str>) {
    match name.split_once(opening).map(|(before, rest)| (before, rest.strip_suffix(closing))) {
        Some((before, Some(parameters))) if !before.is_empty() => (before, Some(parameters)),
        _ => (name, None),
    }
}

/// The first line of a failure that says something about it: not PHPUnit's line with the name of the test,
/// not Catch2's `FAILED:`.
pub(crate) fn first_meaning_line<'a>(details: &'a str, classname: &str) -> Option<&'a str> {
    let is_own_name = |line: &str| {
        !classname.is_empty() && line.strip_prefix(classname).is_some_and(|rest| rest.starts_with("::"))
    };
    let mut lines = details.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.clone().find(|line| *line != "FAILED:" && !is_own_name(line)).or_else(|| lines.next())
}

/// The exception a message begins with, where no attribute names it: `TypeError` of `TypeError: x is not…`.
pub(crate) fn kind_from_message(message: &str) -> Option<&str> {
    let (kind, _) = message.split_once(':')?;
    let is_name =
        kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'\\'));
    let is_exception =
        ["Error", "Exception", "Failure", "Failed"].iter().any(|ending| kind.ends_with(ending));
    (is_name && is_exception).then_some(kind)
}

/// A suite name without the time that unittest-xml-reporting appends (`cart.TestTotals-20261121061338`),
/// which would make every run's tests other tests.
pub(crate) fn without_run_time(suite: &str) -> &str {
    let Some((name, digits)) = suite.rsplit_once('-') else { return suite };
    let looks_like_time = digits.len() == 14
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.starts_with("19") || digits.starts_with("20"));
    if looks_like_time && !name.is_empty() { name } else { suite }
}

/// What stands between the names of nested suites.
pub(crate) const SUITE_SEPARATOR: &str = " > ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_what_the_last_brackets_hold() {
        assert_eq!(split_parameters("test_total[eur-2]"), ("test_total", Some("eur-2")));
        assert_eq!(split_parameters("test_x[a[b]]"), ("test_x", Some("a[b]")));
        assert_eq!(split_parameters("test_x[[]"), ("test_x", Some("[")));
        assert_eq!(split_parameters("test_x[]"), ("test_x", Some("")));
        assert_eq!(split_parameters("adds(int, int)[1]"), ("adds(int, int)", Some("1")));
        assert_eq!(split_parameters("testSum with data set #12"), ("testSum", Some("12")));
        assert_eq!(split_parameters("testSum with data set \"a \"b\"\""), ("testSum", Some("a \"b\"")));
    }

    #[test]
    fn titles_stay_whole() {
        for title in [
            "adds [1, 2]",
            "[1] adds",
            "]",
            "[]",
            "a]",
            "adds [1] and [2] well",
            "",
            "has 2 digits 2",
            "says \"no\"",
        ] {
            assert_eq!(split_parameters(title), (title, None), "{title}");
        }
    }

    #[test]
    fn the_time_of_a_run_is_no_part_of_a_suite_name() {
        assert_eq!(without_run_time("cart.TestTotals-20261121061338"), "cart.TestTotals");
        for name in ["a-12345678901234", "a-2026112106133", "-20261121061338", "a-b"] {
            assert_eq!(without_run_time(name), name);
        }
    }

    #[test]
    fn the_first_line_that_says_something_is_the_message() {
        assert_eq!(first_meaning_line("\n  CartTest::testSum\n3 is not 4\n", "CartTest"), Some("3 is not 4"));
        assert_eq!(first_meaning_line("\nFAILED:\n  CHECK( 0 == 2 )", ""), Some("CHECK( 0 == 2 )"));
        assert_eq!(first_meaning_line("FAILED:", ""), Some("FAILED:"));
        assert_eq!(first_meaning_line("  \n", ""), None);
    }

    #[test]
    fn an_exception_at_the_start_of_a_message_is_its_kind() {
        assert_eq!(kind_from_message("TypeError: x is undefined"), Some("TypeError"));
        assert_eq!(kind_from_message("java.io.IOException: gone"), Some("java.io.IOException"));
        assert_eq!(kind_from_message("failed on setup with \"E: x\""), None);
        assert_eq!(kind_from_message("an Error: x"), None);
        assert_eq!(kind_from_message("TypeError"), None);
    }
}
