//! Rust's test harness as JSON lines (`cargo test -- -Z unstable-options --format json`), and nextest's
//! `--message-format libtest-json` and `libtest-json-plus`.
//!
//! ```text
//! { "type": "suite", "event": "started", "test_count": 5 }
//! { "type": "test", "event": "started", "name": "cart::adds" }
//! { "type": "test", "name": "cart::adds", "event": "ok", "exec_time": 0.0001 }
//! ```
//!
//! The harness does not say which binary it is. Where Cargo's own lines are in the same file (`Running tests/cart.rs
//! (target/debug/deps/cart-…)`), the suite is named after the binary; nextest names it (`shop::cart$adds`), and counts
//! attempts (`adds#2`), of which only the last is told: those before it failed.
//!
//! Memory: one line, one test, and the numbering of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, TestStatus};

use crate::ReadError;
use crate::detect::Look;
use crate::test_report::json_lines::{Fields, LineReport, read_report};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};

/// Reads the events of Rust's test harness.
///
/// # Errors
/// When the input fails, is empty, or has not one event.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let reader =
        LibTest { tests: TestsIn::new(limits, sink), binary: String::new(), suites_open: 0, events: 0 };
    read_report(input, limits, reader)
}

/// Is there an object with the types of the harness?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|json| {
        matches!(json.text_of("type"), Some("suite" | "test" | "bench" | "report"))
            && (json.has("event") || json.has("total_time"))
    })
}

struct LibTest<'l, 's> {
    tests: TestsIn<'l, 's>,
    binary: String,
    suites_open: u64,
    events: u64,
}

impl<'l, 's> LineReport<'l, 's> for LibTest<'l, 's> {
    const LACKS: &'static str = "no event of Rust's test harness";
    const EXPECTED: &'static str = "expected lines with `type` and `event`";

    fn tests(&mut self) -> &mut TestsIn<'l, 's> {
        &mut self.tests
    }

    fn object(&mut self, event: Fields<'_>) {
        self.event(event);
    }

    fn other(&mut self, text: &str, _line: u64) {
        self.cargo_line(text);
    }

    fn was_met(&self) -> bool {
        self.events > 0
    }

    fn end(&mut self) {
        if self.suites_open > 0 && !self.tests.is_done {
            self.tests.note_truncated();
            let message = "a suite has no end: the output ends too early, or the test binary crashed";
            self.tests.problem(0, "suite", message);
        }
    }

    fn into_tests(self) -> TestsIn<'l, 's> {
        self.tests
    }
}

impl LibTest<'_, '_> {
    fn event(&mut self, event: Fields<'_>) {
        let problems = self.tests.problems();
        let (kind, what) = (event.text("type", problems), event.text("event", problems));
        let (Some(kind), Some(what)) = (kind, what) else {
            // The closing report of documentation tests, and whatever else a binary prints as JSON.
            return;
        };
        self.events += 1;
        match (kind, what) {
            ("suite", "started") => {
                self.suites_open += 1;
                if event.number("test_count", self.tests.problems()) != Some(0.0) {
                    self.tests.count_suite();
                }
            }
            ("suite", _) => {
                self.suites_open = self.suites_open.saturating_sub(1);
                let seconds = event.duration("exec_time", 1.0, self.tests.problems());
                self.tests.add_stated(seconds);
            }
            ("test", "ok") => self.end_test(event, TestStatus::Passed),
            ("test", "failed") => self.end_test(event, TestStatus::Failed),
            ("test", "ignored" | "allowed_failure") => self.end_test(event, TestStatus::Skipped),
            ("test", "started" | "timeout") | ("bench" | "doctest", _) => {}
            _ => self.tests.problem(event.line, "event", "not known, left out"),
        }
    }

    /// `Running unittests src/lib.rs (target/debug/deps/shop-507999230d6984fa)`, `Doc-tests shop`.
    fn cargo_line(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("Doc-tests ") {
            self.binary = format!("{} (doc)", name.trim());
        } else if let Some(rest) = line.strip_prefix("Running ")
            && let Some((_, path)) = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('('))
        {
            let file = texts::file_name(path).trim_end_matches(".exe");
            let name = file.rsplit_once('-').filter(|(_, hash)| is_hash(hash)).map_or(file, |(name, _)| name);
            name.clone_into(&mut self.binary);
        }
    }

    fn end_test(&mut self, event: Fields<'_>, status: TestStatus) {
        let limits = self.tests.limits;
        let problems = self.tests.problems();
        let written = event.text("name", problems).unwrap_or_default();
        let seconds = event.duration("exec_time", 1.0, problems);
        let stdout = event.text("stdout", problems).unwrap_or_default();
        let reason = event.text("message", problems).or_else(|| event.text("reason", problems));
        let (binary, name, attempt) = match written.split_once('$') {
            Some((binary, rest)) => {
                let (name, attempt) = attempt_of(rest);
                (binary_id(binary), name, attempt)
            }
            None => (self.binary.clone(), written, 1),
        };
        let case = &mut self.tests.case;
        binary.clone_into(&mut case.classname);
        let mut was_cut = texts::append(&mut case.name, name, limits.name_bytes);
        case.main.status = status;
        case.main.duration = seconds;
        case.failed_before(attempt - 1);
        if status != TestStatus::Passed {
            let panic = Panic::first_in(stdout);
            if let Some(message) = reason.or(panic.as_ref().map(|panic| panic.message)) {
                texts::append(&mut case.main.message, message, limits.message_bytes);
            }
            if let Some(panic) = panic {
                case.file.push_str(panic.file);
                case.line = panic.line;
            }
            was_cut |= texts::append(&mut case.main.details, stdout, limits.details_bytes);
        }
        if was_cut {
            texts::cut_off(self.tests.problems(), limits.details_bytes, "stdout", event.line);
        }
        self.tests.give(&binary, None);
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// nextest's name of a binary, without the package where it is the package's library: `shop` of `shop::shop`.
fn binary_id(binary: &str) -> String {
    match binary.split_once("::") {
        Some((package, name)) if package.replace('-', "_") == name.replace('-', "_") => package.to_owned(),
        _ => binary.to_owned(),
    }
}

/// The name of a test without the number of its attempt, and this number.
fn attempt_of(name: &str) -> (&str, u64) {
    match name.rsplit_once('#').and_then(|(name, number)| Some((name, number.parse::<u64>().ok()?))) {
        Some((name, attempt)) if attempt > 0 => (name, attempt),
        _ => (name, 1),
    }
}

/// How a test panicked, and where.
struct Panic<'a> {
    message: &'a str,
    file: &'a str,
    line: Option<i64>,
}

impl<'a> Panic<'a> {
    /// `thread 'cart::adds' panicked at src/lib.rs:13:9:` and the message in the lines after it.
    fn first_in(stdout: &'a str) -> Option<Self> {
        let (_, after) =
            stdout.split_once("' panicked at ").or_else(|| stdout.split_once(") panicked at "))?;
        let (place, rest) = after.split_once('\n').unwrap_or((after, ""));
        // Before Rust 1.73: `panicked at 'message', src/lib.rs:13:9`.
        if let Some((message, place)) = place.strip_prefix('\'').and_then(|quoted| quoted.rsplit_once("', "))
        {
            let (file, line) = file_and_line(place);
            return Some(Self { message, file, line });
        }
        let (file, line) = file_and_line(place.trim_end_matches(':'));
        let end = ["\nstack backtrace:", "\nnote: "].iter().filter_map(|mark| rest.find(mark)).min();
        let message = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().trim();
        Some(Self { message, file, line })
    }
}

fn file_and_line(place: &str) -> (&str, Option<i64>) {
    let mut parts = place.rsplitn(3, ':');
    let (_column, line, file) = (parts.next(), parts.next(), parts.next());
    match (file, line.and_then(|line| line.parse().ok())) {
        (Some(file), Some(line)) => (file, Some(line)),
        _ => ("", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_read_in_the_words_of_every_version() {
        let new = Panic::first_in(
            "x\nthread 'a' (7) panicked at src/lib.rs:3:5:\ntwo\nlines\nstack backtrace:\n 0",
        )
        .unwrap();
        assert_eq!((new.message, new.file, new.line), ("two\nlines", "src/lib.rs", Some(3)));
        let newer = Panic::first_in("thread 'a' panicked at src/lib.rs:3:5:\nboom\nnote: run with").unwrap();
        assert_eq!((newer.message, newer.line), ("boom", Some(3)));
        let old = Panic::first_in("thread 'a' panicked at 'it''s', src/x.rs:3:5\nnote: run").unwrap();
        assert_eq!((old.message, old.file), ("it''s", "src/x.rs"));
        assert!(Panic::first_in("Error: \"no\"").is_none());
        assert!(Panic::first_in("thread 'a' panicked at ").is_some());
    }

    #[test]
    fn names_of_nextest_hold_binary_and_attempt() {
        assert_eq!(attempt_of("cart::adds#2"), ("cart::adds", 2));
        assert_eq!(attempt_of("cart::adds"), ("cart::adds", 1));
        assert_eq!(attempt_of("a#0"), ("a#0", 1));
        assert_eq!(binary_id("shop-app::shop_app"), "shop-app");
        assert_eq!(binary_id("shop::cart"), "shop::cart");
    }
}
