//! TAP, the Test Anything Protocol, versions 12 to 14: node, tape, tap, Bats, Perl's Test::More, `prove -v`.
//!
//! ```text
//! TAP version 14
//! # Subtest: money
//!     ok 1 - rounds              ◄ suite `money`
//!     1..1
//! ok 1 - money                   ◄ the subtest itself: no test, unless it alone failed
//! not ok 2 - adds                ◄ what follows, indented or as comments, are its details
//!   ---
//!   message: 3 is not 4
//!   ...
//! 1..2
//! ```
//!
//! A run that was bailed out of, or told of fewer tests than it planned, has one test more, with the status of an
//! error: `(bail out)`, `(plan)`.
//!
//! Memory: one line, one test, a name for each level of subtests, and the numbering of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problem, TestStatus};

use super::tap_line::{self, Directive, Point, TapLine, unescaped};
use crate::ReadError;
use crate::detect::Look;
use crate::lines::{Line, Lines};
use crate::test_report::names::SUITE_SEPARATOR;
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};
use crate::text_lines::Utf8Input;

/// Reads TAP.
///
/// # Errors
/// When the input fails, is empty, or has no line of TAP.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut reader = Tap {
        tests: TestsIn::new(limits, sink),
        levels: vec![Level::default()],
        pending: None,
        yaml: None,
        has_tap: false,
        was_bailed_out: false,
    };
    let mut utf8 = Utf8Input::new(input)?;
    let mut lines = Lines::new(&mut utf8, limits.record_bytes);
    let mut decoded = String::new();
    let mut is_empty = true;
    while let Some((number, line)) = lines.next()? {
        let bytes = match line {
            Line::Whole(bytes) => bytes,
            Line::TooLong => {
                let limit = limits.record_bytes;
                let message = format!("longer than {limit} bytes (limit `record_bytes`), left out");
                reader.tests.problem(number, "line", &message);
                continue;
            }
        };
        is_empty &= bytes.trim_ascii().is_empty();
        decoded.clear();
        match std::str::from_utf8(bytes) {
            Ok(text) => decoded.push_str(text),
            Err(_) => crate::xml::decode_leniently(bytes, &mut decoded),
        }
        reader.line(&decoded, number);
        if reader.tests.is_done {
            break;
        }
    }
    if is_empty {
        return Err(ReadError::Empty);
    }
    if !reader.has_tap {
        return Err(ReadError::UnknownFormat {
            found: "no line of TAP".to_owned(),
            expected: "expected `1..N`, `ok` or `not ok`",
        });
    }
    reader.end();
    Ok(reader.tests.finish())
}

/// Is there a version, a plan or a test among the first lines?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.is_none()
        && look.xml_root.is_none()
        && !look.text.contains('\0')
        && look.text.lines().take(50).any(|line| {
            let is_indented = line.starts_with(char::is_whitespace);
            !is_indented
                && match tap_line::read(line) {
                    TapLine::Version | TapLine::Plan { .. } | TapLine::BailOut(_) => true,
                    TapLine::Test(point) => {
                        point.number.is_some() || point.description.is_empty() || line.contains(" - ")
                    }
                    _ => false,
                }
        })
}

struct Tap<'l, 's> {
    tests: TestsIn<'l, 's>,
    /// The open levels of subtests, the outermost first.
    levels: Vec<Level>,
    /// The test told last, which what follows it may add to.
    pending: Option<Pending>,
    yaml: Option<Yaml>,
    has_tap: bool,
    was_bailed_out: bool,
}

/// One level of subtests.
#[derive(Debug, Default)]
struct Level {
    indentation: usize,
    /// Its name, where one was announced.
    name: String,
    plan: Option<u64>,
    seen: u64,
    failed: u64,
    /// Name of the subtest that is announced to begin inside of it.
    announced: Option<String>,
    /// What the deeper level that ended last held: tests, failures.
    inner: Option<(u64, u64)>,
}

#[derive(Debug)]
struct Pending {
    /// Is it the line that closes a subtest with tests of its own?
    closes: bool,
    /// Did one of these fail?
    inner_failed: bool,
}

/// A block of diagnostics being read.
#[derive(Debug)]
struct Yaml {
    indentation: usize,
    /// The key whose value goes on in deeper lines.
    open_key: String,
}

/// Deepest indentation followed; deeper subtests count as of this level.
const MOST_LEVELS: usize = 64;

impl Tap<'_, '_> {
    fn line(&mut self, text: &str, number: u64) {
        let line = text.trim_end();
        let content = line.trim_start();
        let indentation = line.len() - content.len();
        if let Some(yaml) = self.yaml.take() {
            return self.yaml_line(yaml, line, indentation, content);
        }
        if content.is_empty() {
            return;
        }
        match tap_line::read(content) {
            TapLine::Version => self.has_tap = true,
            TapLine::Pragma => {}
            TapLine::Plan { last, skip } => {
                self.has_tap = true;
                self.settle();
                self.enter(indentation);
                self.plan(last, skip, number);
            }
            TapLine::Test(point) => {
                self.has_tap = true;
                self.settle();
                self.enter(indentation);
                self.point(point, number);
            }
            TapLine::Subtest(name) => {
                self.settle();
                let named = if name.starts_with('/') { texts::file_name(name) } else { name };
                self.enter(indentation);
                if let Some(level) = self.levels.last_mut() {
                    level.announced = Some(unescaped(named));
                }
            }
            TapLine::YamlBegin if self.pending.is_some() => {
                self.yaml = Some(Yaml { indentation, open_key: String::new() });
            }
            TapLine::BailOut(reason) => {
                self.has_tap = true;
                self.settle();
                self.bail_out(reason, number);
            }
            TapLine::Comment(comment) => self.detail(comment, number),
            TapLine::Other(other) if indentation > 0 => self.detail(other, number),
            TapLine::Other(other) => self.begin_file(other),
            TapLine::YamlBegin | TapLine::YamlEnd => {}
        }
    }

    /// Comes to the level of an indentation: ends deeper ones, begins a new one.
    fn enter(&mut self, indentation: usize) {
        while self.levels.len() > 1 && self.levels.last().is_some_and(|level| level.indentation > indentation)
        {
            self.end_level();
        }
        let Some(level) = self.levels.last_mut() else { return };
        if level.indentation < indentation && self.levels.len() < MOST_LEVELS {
            let name = self.levels.last_mut().and_then(|level| level.announced.take()).unwrap_or_default();
            self.tests.count_suite();
            self.levels.push(Level { indentation, name, ..Level::default() });
        }
    }

    fn end_level(&mut self) {
        self.check_plan();
        if let Some(ended) = self.levels.pop()
            && let Some(outer) = self.levels.last_mut()
        {
            outer.inner = Some((ended.seen, ended.failed));
        }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for level in self.levels.iter().filter(|level| !level.name.is_empty()) {
            let separator = if path.is_empty() { "" } else { SUITE_SEPARATOR };
            for part in [separator, &level.name] {
                texts::append(&mut path, part, self.tests.limits.name_bytes);
            }
        }
        path
    }

    fn plan(&mut self, last: u64, skip: Option<&str>, number: u64) {
        let Some(level) = self.levels.last_mut() else { return };
        if level.plan.is_some() {
            let message = "a second plan: another program's output begins, read as well";
            self.check_plan();
            self.tests.problem(number, "plan", message);
            if let Some(level) = self.levels.last_mut() {
                (level.seen, level.failed) = (0, 0);
            }
        }
        let Some(level) = self.levels.last_mut() else { return };
        level.plan = Some(last);
        if let Some(reason) = skip.filter(|_| self.levels.len() == 1) {
            self.synthetic("(all)", TestStatus::Skipped, reason);
        }
    }

    /// Does the level have as many tests as it planned?
    fn check_plan(&mut self) {
        let Some(level) = self.levels.last() else { return };
        let Some(planned) = level.plan else { return };
        let seen = level.seen;
        if seen < planned && !self.was_bailed_out {
            let message = format!("planned {planned} tests, told of {seen}: the others did not run");
            self.tests.problems().push(Problem::new(message.clone()).in_field("plan"));
            self.synthetic("(plan)", TestStatus::Error, &message);
        } else if seen > planned {
            let message = format!("planned {planned} tests, told of {seen}");
            self.tests.problems().push(Problem::new(message).in_field("plan"));
        }
    }

    /// Gives a test that the input does not name.
    fn synthetic(&mut self, name: &str, status: TestStatus, message: &str) {
        let path = self.path();
        let case = &mut self.tests.case;
        case.name.push_str(name);
        case.main.status = status;
        texts::append(&mut case.main.message, message, self.tests.limits.message_bytes);
        self.tests.give(&path, None);
        if let Some(level) = self.levels.last_mut() {
            level.failed += u64::from(status.is_failure());
        }
    }

    fn point(&mut self, point: Point<'_>, number: u64) {
        let limits = self.tests.limits;
        let Some(level) = self.levels.last_mut() else { return };
        level.seen += 1;
        level.announced = None;
        if point.number.is_some_and(|told| told != level.seen)
            && level.plan.is_none_or(|plan| level.seen <= plan)
        {
            level.seen = point.number.unwrap_or(level.seen);
        }
        let inner = level.inner.take();
        let (status, reason) = match (point.is_ok, point.directive) {
            (_, Directive::Skip(reason)) => (TestStatus::Skipped, reason),
            // A failure that is expected, as pytest's xfail.
            (false, Directive::Todo(reason)) => (TestStatus::Skipped, reason),
            (true, _) => (TestStatus::Passed, ""),
            (false, _) => (TestStatus::Failed, ""),
        };
        level.failed += u64::from(status.is_failure());
        let case = &mut self.tests.case;
        case.clear();
        let was_cut = texts::append(&mut case.name, &unescaped(point.description), limits.name_bytes);
        case.main.status = status;
        texts::append(&mut case.main.message, reason, limits.message_bytes);
        if let Directive::Time(seconds) = point.directive {
            case.main.duration = Some(seconds);
        }
        if case.name.is_empty() {
            let ordinal = self.levels.last().map_or(0, |level| level.seen);
            self.tests.case.name = format!("test {ordinal}");
        }
        if was_cut {
            texts::cut_off(self.tests.problems(), limits.name_bytes, "description", number);
        }
        self.pending = Some(Pending {
            closes: inner.is_some_and(|(tests, _)| tests > 0),
            inner_failed: inner.is_some_and(|(_, failed)| failed > 0),
        });
    }

    /// Gives the test told last; what follows is not about it.
    fn settle(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        let is_told_inside =
            pending.closes && (pending.inner_failed || !self.tests.case.main.status.is_failure());
        if is_told_inside {
            self.tests.case.clear();
            return;
        }
        let path = self.path();
        self.tests.give(&path, None);
    }

    /// A line that adds to the test told last, where it did not pass.
    fn detail(&mut self, text: &str, number: u64) {
        if self.pending.is_none() || self.tests.case.main.status == TestStatus::Passed {
            return;
        }
        let limit = self.tests.limits.details_bytes;
        let mut details = std::mem::take(&mut self.tests.case.main.details);
        for part in [text, "\n"] {
            texts::append_noting(&mut details, part, limit, self.tests.problems(), "details", number);
        }
        self.tests.case.main.details = details;
    }

    fn yaml_line(&mut self, mut yaml: Yaml, line: &str, indentation: usize, content: &str) {
        let is_inside = content.is_empty() || indentation >= yaml.indentation;
        if content == "..." || !is_inside {
            if !is_inside {
                self.line(line, 0);
            }
            return;
        }
        let limits = self.tests.limits;
        let main = &mut self.tests.case.main;
        let inner = line.get(yaml.indentation..).unwrap_or(content);
        if main.status != TestStatus::Passed {
            for part in [inner, "\n"] {
                texts::append(&mut main.details, part, limits.details_bytes);
            }
        }
        if indentation > yaml.indentation || content.is_empty() {
            if matches!(yaml.open_key.as_str(), "message" | "error")
                && main.message.len() < limits.message_bytes
            {
                let separator = if main.message.is_empty() { "" } else { "\n" };
                for part in [separator, content] {
                    texts::append(&mut main.message, part, limits.message_bytes);
                }
            }
        } else if let Some((key, value)) = content.split_once(':') {
            self.yaml_value(key.trim(), value.trim());
            key.trim().clone_into(&mut yaml.open_key);
        }
        self.yaml = Some(yaml);
    }

    fn yaml_value(&mut self, key: &str, value: &str) {
        let is_block = matches!(value, "|" | "|-" | "|+" | ">" | ">-" | ">+");
        let value = unquoted(value);
        let limits = self.tests.limits;
        let case = &mut self.tests.case;
        match key {
            "message" | "error" if case.main.status.is_failure() => {
                case.main.message.clear();
                if !is_block {
                    texts::append(&mut case.main.message, &value, limits.message_bytes);
                }
            }
            "name" if case.main.status.is_failure() && !is_block => {
                texts::append(&mut case.main.kind, &value, limits.name_bytes);
            }
            "duration_ms" => {
                let milliseconds =
                    value.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
                case.main.duration =
                    milliseconds.map(|milliseconds| milliseconds / 1e3).or(case.main.duration);
            }
            "location" => {
                let mut parts = value.rsplitn(3, ':');
                let (_column, line, file) = (parts.next(), parts.next(), parts.next());
                if let (Some(file), Some(Ok(line))) = (file, line.map(str::parse)) {
                    texts::append(&mut case.file, file, limits.name_bytes);
                    case.line = Some(line);
                }
            }
            _ => {}
        }
    }

    fn bail_out(&mut self, reason: &str, number: u64) {
        self.was_bailed_out = true;
        self.tests.note_truncated();
        let message = format!("bailed out: {reason}");
        self.tests.problems().push(Problem::new(message).at_line(number));
        self.levels.truncate(1);
        self.synthetic("(bail out)", TestStatus::Error, reason);
    }

    /// `t/cart.t ..`, with which `prove -v` begins the output of each file.
    fn begin_file(&mut self, line: &str) {
        let Some(file) = line.trim_end_matches('.').strip_suffix(' ').filter(|_| line.ends_with("..")) else {
            return;
        };
        self.settle();
        self.enter(0);
        self.check_plan();
        self.tests.count_suite();
        self.was_bailed_out = false;
        self.levels = vec![Level { name: file.trim().to_owned(), ..Level::default() }];
    }

    fn end(&mut self) {
        if self.tests.is_done {
            return;
        }
        self.settle();
        self.enter(0);
        let has_plan = self.levels.first().is_some_and(|level| level.plan.is_some());
        if has_plan {
            self.check_plan();
        } else if !self.was_bailed_out {
            self.tests.note_truncated();
            let message = "no plan (`1..N`): whether all tests were told of is not known";
            self.tests.problems().push(Problem::new(message).in_field("plan"));
        }
    }
}

/// A YAML scalar without its quotes.
fn unquoted(value: &str) -> String {
    let single = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    let double = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    match (single, double) {
        (Some(text), _) => text.replace("''", "'"),
        (_, Some(text)) => text.replace("\\\"", "\"").replace("\\n", "\n").replace("\\\\", "\\"),
        _ => value.to_owned(),
    }
}
