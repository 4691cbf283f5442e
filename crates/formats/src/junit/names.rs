//! What is inside the names that frameworks write.

/// Splits `test_total[eur-2]` into the name and its parameters.
///
/// Parameters stand in brackets at the very end, directly after the name (pytest, JUnit 5 under Surefire). A
/// name that begins with a bracket, or has white space before it (`adds [1, 2]`), is a title and left whole.
pub(super) fn split_parameters(name: &str) -> (&str, Option<&str>) {
    if !name.ends_with(']') {
        return (name, None);
    }
    let whole = (name, None);
    let Some((before, rest)) = name.split_once('[') else { return whole };
    if before.is_empty() || before.ends_with(char::is_whitespace) {
        return whole;
    }
    match rest.strip_suffix(']') {
        Some(parameters) => (before, Some(parameters)),
        None => whole,
    }
}

/// A suite name without the time that unittest-xml-reporting appends (`cart.TestTotals-20261121061338`),
/// which would make every run's tests other tests.
pub(super) fn without_run_time(suite: &str) -> &str {
    let Some((name, digits)) = suite.rsplit_once('-') else { return suite };
    let looks_like_time = digits.len() == 14
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.starts_with("19") || digits.starts_with("20"));
    if looks_like_time && !name.is_empty() { name } else { suite }
}

/// What stands between the names of nested suites.
pub(super) const SUITE_SEPARATOR: &str = " > ";

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
    }

    #[test]
    fn titles_stay_whole() {
        for title in ["adds [1, 2]", "[1] adds", "]", "[]", "a]", "adds [1] and [2] well", ""] {
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
}
