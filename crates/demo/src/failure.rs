//! What failing tests say, in the words of their tools.

use manometer_formats::fingerprint;

use crate::chance::{Chance, number_of};
use crate::services::Tool;

/// Kind, message and trace of a failure; `{n}` stands for a number that differs from failure to failure.
type Words = (&'static str, &'static str, &'static str);

const PYTEST: &[Words] = &[
    (
        "AssertionError",
        "assert {n} == 12",
        ">       assert total == 12\nE       assert {n} == 12\n\n{file}:{line}: AssertionError",
    ),
    (
        "TimeoutError",
        "timed out after {n} ms waiting for the consumer",
        "E   TimeoutError: timed out after {n} ms waiting for the consumer\n\n{file}:{line}: TimeoutError",
    ),
    (
        "KeyError",
        "'currency'",
        ">       return row['currency']\nE       KeyError: 'currency'\n\n{file}:{line}: KeyError",
    ),
];
const SUREFIRE: &[Words] = &[
    (
        "org.opentest4j.AssertionFailedError",
        "expected: <200> but was: <{n}>",
        "org.opentest4j.AssertionFailedError: expected: <200> but was: <{n}>\n\tat {class}.{test}({file}:{line})",
    ),
    (
        "java.lang.NullPointerException",
        "Cannot invoke \"String.length()\" because \"value\" is null",
        "java.lang.NullPointerException\n\tat {class}.{test}({file}:{line})",
    ),
    (
        "java.net.SocketTimeoutException",
        "Read timed out after {n} ms",
        "java.net.SocketTimeoutException: Read timed out after {n} ms\n\tat {class}.{test}({file}:{line})",
    ),
];
const JEST: &[Words] = &[
    (
        "Error",
        "expect(received).toBe(expected) // Object.is equality\n\nExpected: 3\nReceived: {n}",
        "    at Object.toBe ({file}:{line}:24)",
    ),
    (
        "TestingLibraryElementError",
        "Unable to find an element with the text: Pay now",
        "    at Object.getElementError ({file}:{line}:11)",
    ),
    ("Error", "thrown: \"Exceeded timeout of {n} ms for a test.\"", "    at {file}:{line}:3"),
];
const GO: &[Words] = &[
    ("Failed", "got status {n}, want 200", "    {file}:{line}: got status {n}, want 200"),
    (
        "Failed",
        "context deadline exceeded after {n}ms",
        "    {file}:{line}: context deadline exceeded after {n}ms",
    ),
    (
        "panic",
        "runtime error: index out of range [{n}] with length 3",
        "panic: runtime error: index out of range [{n}] with length 3\n\ngoroutine 21 [running]:\n    {file}:{line}",
    ),
];
const NEXTEST: &[Words] = &[
    (
        "test failure",
        "assertion `left == right` failed\n  left: {n}\n right: 7",
        "thread '{test}' panicked at {file}:{line}:9:\nassertion `left == right` failed\n  left: {n}\n right: 7",
    ),
    (
        "test failure",
        "called `Result::unwrap()` on an `Err` value: Timeout({n}ms)",
        "thread '{test}' panicked at {file}:{line}:31",
    ),
];
const XCTEST: &[Words] = &[
    ("XCTAssertEqual failed", "(\"{n}\") is not equal to (\"2\")", "{file}:{line}"),
    ("XCTAssertTrue failed", "button \"Pay\" did not appear within {n} seconds", "{file}:{line}"),
];
const NUNIT: &[Words] = &[
    ("AssertionException", "  Expected: 42\n  But was:  {n}", "   at {class}.{test}() in {file}:line {line}"),
    (
        "System.TimeoutException",
        "The operation took longer than {n} ms.",
        "   at {class}.{test}() in {file}:line {line}",
    ),
];

const fn words_of(tool: Tool) -> &'static [Words] {
    match tool {
        Tool::Pytest => PYTEST,
        Tool::Surefire => SUREFIRE,
        Tool::Jest => JEST,
        Tool::Go => GO,
        Tool::Nextest => NEXTEST,
        Tool::XcTest => XCTEST,
        Tool::NUnit => NUNIT,
    }
}

/// One failure, as its report tells it.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) details: String,
    /// Equal for failures of one cause; made as the readers of reports make it.
    pub(crate) fingerprint: String,
}

/// Where a failing test stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) class: &'a str,
    pub(crate) test: &'a str,
    pub(crate) file: &'a str,
    pub(crate) line: i64,
}

impl Failure {
    /// How a test fails. One test mostly fails for one reason.
    pub(crate) fn new(tool: Tool, place: Place<'_>, chance: &mut Chance) -> Self {
        let words = words_of(tool);
        let usual = number_of(place.test) as usize % words.len().max(1);
        let chosen = if chance.happens(0.85) { usual } else { chance.below(words.len()) };
        let (kind, message, details) = words.get(chosen).copied().unwrap_or_default();
        let number = (13 + chance.below(4_000)).to_string();
        let message = message.replace("{n}", &number);
        let mut fingerprint = String::new();
        fingerprint::of_failure(kind, &message, &mut fingerprint);
        let details = details
            .replace("{n}", &number)
            .replace("{file}", place.file)
            .replace("{line}", &place.line.to_string())
            .replace("{class}", place.class)
            .replace("{test}", place.test);
        Self { kind, message, details, fingerprint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_cause_share_a_fingerprint_but_not_their_numbers() {
        let place = Place { class: "a.B", test: "test_total", file: "a/b.py", line: 7 };
        let mut chance = Chance::new(1);
        let failures: Vec<Failure> = (0..60).map(|_| Failure::new(Tool::Jest, place, &mut chance)).collect();
        let alike: Vec<_> =
            failures.iter().filter(|one| one.fingerprint == failures[0].fingerprint).collect();
        assert!(alike.len() > 1 && alike.len() < 60);
        assert!(failures.iter().all(|one| !one.details.contains('{') && !one.message.contains('{')));
    }
}
