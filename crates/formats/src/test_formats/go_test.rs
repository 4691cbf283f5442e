//! `go test -json`: the events of test2json, one a line, those of parallel tests and packages between each other.
//!
//! ```text
//! {"Time":"…","Action":"run","Package":"shop/cart","Test":"TestAdds"}
//! {"Time":"…","Action":"output","Package":"shop/cart","Test":"TestAdds","Output":"    cart_test.go:9: 3 is not 4\n"}
//! {"Time":"…","Action":"fail","Package":"shop/cart","Test":"TestAdds","Elapsed":0.01}
//! ```
//!
//! Suite and class name are the package, as go-junit-report writes them. What fails without a test (a build, `TestMain`,
//! an exit) is a test of its package named `(build)` or `(package)`, with the status of an error. A test that did not
//! end before its package did counts as passed where its output says so, else as an error.
//!
//! Memory: one line, and for each test and package that has begun and not ended its names and at most
//! [`Limits::details_bytes`] of output; outputs together at most 64 MiB, past which they are left out with a problem.

use std::collections::HashMap;
use std::io::BufRead;

use manometer_model::{Limits, Problem, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::test_report::json_lines::{Fields, LineReport, read_report};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};

/// Reads the events of `go test -json`.
///
/// # Errors
/// When the input fails, is empty, or has not one event.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let reader = GoTest {
        tests: TestsIn::new(limits, sink),
        packages: HashMap::new(),
        builds: HashMap::new(),
        bare: String::new(),
        output_bytes: 0,
        told_full: false,
        events: 0,
    };
    read_report(input, limits, reader)
}

/// Is there an object with an action?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|json| {
        json.has("Action") && (json.has("Package") || json.has("ImportPath")) && !json.is_array
    })
}

struct GoTest<'l, 's> {
    tests: TestsIn<'l, 's>,
    packages: HashMap<String, Package>,
    /// Output of builds by what was built.
    builds: HashMap<String, String>,
    /// The same where it came as bare lines: `# shop/cart` begins it.
    bare: String,
    output_bytes: usize,
    told_full: bool,
    events: u64,
}

/// A package whose tests run.
#[derive(Debug, Default)]
struct Package {
    open: HashMap<String, Open>,
    output: String,
    failures: u64,
}

/// A test that has begun.
#[derive(Debug, Default)]
struct Open {
    at: Option<Timestamp>,
    output: String,
}

/// Most bytes of output held.
const MOST_OUTPUT_BYTES: usize = 64 * 1024 * 1024;

/// Packages, tests of a package and builds that may be open at the same time; nothing real comes near.
const MOST_OPEN: usize = 100_000;

impl<'l, 's> LineReport<'l, 's> for GoTest<'l, 's> {
    const LACKS: &'static str = "no event of go test";
    const EXPECTED: &'static str = "expected the output of go test -json";

    fn tests(&mut self) -> &mut TestsIn<'l, 's> {
        &mut self.tests
    }

    fn object(&mut self, event: Fields<'_>) {
        self.event(event);
    }

    fn other(&mut self, text: &str, line: u64) {
        self.bare_line(text, line);
    }

    fn was_met(&self) -> bool {
        self.events > 0
    }

    /// The input ends: so do all packages that had not.
    fn end(&mut self) {
        let mut open: Vec<(String, Package)> = self.packages.drain().collect();
        open.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, mut package) in open {
            self.tests.note_truncated();
            let message = format!("the package {name} has no end: the output ends too early");
            self.tests.problems().push(Problem::new(message));
            self.end_open_tests(&name, &mut package);
        }
    }

    fn into_tests(self) -> TestsIn<'l, 's> {
        self.tests
    }
}

impl GoTest<'_, '_> {
    fn event(&mut self, event: Fields<'_>) {
        let problems = self.tests.problems();
        let Some(action) = event.text("Action", problems) else {
            let message = "no event of go test, the line was left out";
            return self.tests.problem(event.line, "Action", message);
        };
        self.events += 1;
        let at = event.text("Time", problems).and_then(|text| match Timestamp::parse_rfc3339(text) {
            Ok(at) => Some(at),
            Err(error) => {
                problems.push_with(|| {
                    Problem::new(format!("{error}, left out")).at_line(event.line).in_field("Time")
                });
                None
            }
        });
        let elapsed = event.duration("Elapsed", 1.0, problems);
        let output = event.text("Output", problems).unwrap_or_default();
        let package = event.text("Package", problems);
        let test = event.text("Test", problems).filter(|name| !name.is_empty());
        if action == "build-output" {
            let import_path = event.text("ImportPath", problems).unwrap_or_default();
            return self.build_output(import_path, output);
        }
        let Some(package) = package else {
            if action != "build-fail" {
                self.tests.problem(event.line, "Package", "missing, the event was left out");
            }
            return;
        };
        match (action, test) {
            ("run", Some(test)) => {
                if let Some(open) = self.open_test(package, test, event.line) {
                    open.at = at;
                }
            }
            ("output", Some(test)) => self.output_of_test(package, test, output, event.line),
            ("output", None) => self.output_of_package(package, output),
            ("pass" | "fail" | "skip", Some(test)) => self.end_test(package, test, action, elapsed, at),
            ("pass" | "fail" | "skip", None) => {
                let build = event.text("FailedBuild", self.tests.problems());
                self.end_package(package, action, elapsed, at, build);
            }
            ("start", None) => self.tests.note_time(at),
            ("bench" | "pause" | "cont" | "start" | "run" | "attr" | "artifacts", _) => {}
            _ => self.tests.problem(event.line, "Action", "not known, the event was left out"),
        }
    }

    /// Lines between the events: compilers write theirs there, before Go 1.24.
    fn bare_line(&mut self, text: &str, line: u64) {
        if let Some(name) = text.strip_prefix("FAIL\t").and_then(|rest| rest.split_whitespace().next()) {
            if text.contains("[build failed]") || text.contains("[setup failed]") {
                let output = std::mem::take(&mut self.bare);
                return self.failed_build(name, &output);
            }
            return;
        }
        if text.starts_with("# ") {
            self.bare.clear();
        }
        let limit = self.tests.limits.details_bytes;
        for part in [text, "\n"] {
            texts::append_noting(
                &mut self.bare,
                part,
                limit,
                self.tests.problems(),
                "output of the build",
                line,
            );
        }
    }

    fn build_output(&mut self, import_path: &str, output: &str) {
        if self.builds.len() < MOST_OPEN || self.builds.contains_key(import_path) {
            let limit = self.tests.limits.details_bytes;
            let kept = self.builds.entry(import_path.to_owned()).or_default();
            let before = kept.len();
            if self.output_bytes < MOST_OUTPUT_BYTES {
                texts::append(kept, output, limit);
                self.output_bytes += kept.len() - before;
            }
        }
    }

    fn failed_build(&mut self, package: &str, output: &str) {
        let case = &mut self.tests.case;
        package.clone_into(&mut case.classname);
        case.name.push_str("(build)");
        case.main.status = TestStatus::Error;
        case.main.details.push_str(output);
        let message = output.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty());
        texts::append(
            &mut case.main.message,
            message.unwrap_or("the build failed"),
            self.tests.limits.message_bytes,
        );
        self.tests.give(package, None);
    }

    fn package(&mut self, package: &str) -> Option<&mut Package> {
        if !self.packages.contains_key(package) {
            if self.packages.len() >= MOST_OPEN {
                return None;
            }
            self.tests.count_suite();
            self.packages.insert(package.to_owned(), Package::default());
        }
        self.packages.get_mut(package)
    }

    fn open_test(&mut self, package: &str, test: &str, line: u64) -> Option<&mut Open> {
        let open = self.package(package).map_or(MOST_OPEN, |package| package.open.len());
        let is_known = self.packages.get(package).is_some_and(|package| package.open.contains_key(test));
        if !is_known && open >= MOST_OPEN {
            self.tests.problem(line, "Test", "more tests run at the same time than are held, left out");
            return None;
        }
        self.packages.get_mut(package).map(|package| package.open.entry(test.to_owned()).or_default())
    }

    fn output_of_test(&mut self, package: &str, test: &str, output: &str, line: u64) {
        // What frames the output, but for the verdict that Go lost behind output without a line end.
        if output.starts_with("=== ") || is_verdict(output) {
            return;
        }
        let (limit, is_full) = (self.tests.limits.details_bytes, self.is_full());
        let mut grown = 0;
        if let Some(open) = self.open_test(package, test, line)
            && !is_full
        {
            let before = open.output.len();
            texts::append(&mut open.output, output, limit);
            grown = open.output.len() - before;
        }
        self.output_bytes += grown;
    }

    fn output_of_package(&mut self, package: &str, output: &str) {
        let (limit, is_full) = (self.tests.limits.details_bytes, self.is_full());
        let mut grown = 0;
        if let Some(package) = self.package(package)
            && !is_full
        {
            let before = package.output.len();
            texts::append(&mut package.output, output, limit);
            grown = package.output.len() - before;
        }
        self.output_bytes += grown;
    }

    fn is_full(&mut self) -> bool {
        let is_full = self.output_bytes >= MOST_OUTPUT_BYTES;
        if is_full && !self.told_full {
            self.told_full = true;
            let message =
                format!("more than {} MiB of output of tests that run, left out", MOST_OUTPUT_BYTES >> 20);
            self.tests.problems().push(Problem::new(message).in_field("Output"));
        }
        is_full
    }

    fn end_test(
        &mut self,
        package: &str,
        test: &str,
        action: &str,
        elapsed: Option<f64>,
        at: Option<Timestamp>,
    ) {
        let status = match action {
            "pass" => TestStatus::Passed,
            "skip" => TestStatus::Skipped,
            _ => TestStatus::Failed,
        };
        let Some(running) = self.package(package) else { return };
        let open = running.open.remove(test).unwrap_or_default();
        running.failures += u64::from(status.is_failure());
        self.give(package, test, status, elapsed, open.at.or(at), open);
    }

    fn give(
        &mut self,
        package: &str,
        test: &str,
        status: TestStatus,
        elapsed: Option<f64>,
        at: Option<Timestamp>,
        open: Open,
    ) {
        self.output_bytes = self.output_bytes.saturating_sub(open.output.len());
        let limits = self.tests.limits;
        let case = &mut self.tests.case;
        package.clone_into(&mut case.classname);
        let mut was_cut = texts::append(&mut case.name, test, limits.name_bytes);
        case.main.status = status;
        case.main.duration = elapsed;
        case.main.at = at;
        if status != TestStatus::Passed {
            if let Some(said) = Said::first_in(&open.output) {
                was_cut |= texts::append(&mut case.main.message, said.message, limits.message_bytes);
                case.file.push_str(said.file);
                case.line = said.line;
            }
            case.main.details = open.output;
        }
        if was_cut {
            texts::cut_off(self.tests.problems(), limits.name_bytes, "Test", 0);
        }
        self.tests.give(package, None);
    }

    fn end_package(
        &mut self,
        name: &str,
        action: &str,
        elapsed: Option<f64>,
        at: Option<Timestamp>,
        failed_build: Option<&str>,
    ) {
        let mut package = self.packages.remove(name).unwrap_or_default();
        self.output_bytes = self.output_bytes.saturating_sub(package.output.len());
        self.tests.add_stated(elapsed);
        self.end_open_tests(name, &mut package);
        if action != "fail" || package.failures > 0 {
            return;
        }
        if let Some(build) = failed_build {
            let output = self.builds.remove(build).unwrap_or_default();
            self.output_bytes = self.output_bytes.saturating_sub(output.len());
            return self.failed_build(name, &output);
        }
        let limits = self.tests.limits;
        let case = &mut self.tests.case;
        name.clone_into(&mut case.classname);
        case.name.push_str("(package)");
        case.main.status = TestStatus::Error;
        (case.main.duration, case.main.at) = (elapsed, at);
        let said = package
            .output
            .lines()
            .find(|line| line.starts_with("panic:"))
            .unwrap_or("failed outside of its tests");
        texts::append(&mut case.main.message, said, limits.message_bytes);
        case.main.details = package.output;
        self.tests.give(name, None);
    }

    /// Gives the tests that the end of their package found running.
    fn end_open_tests(&mut self, name: &str, package: &mut Package) {
        let mut open: Vec<(String, Open)> = package.open.drain().collect();
        open.sort_by(|one, other| one.0.cmp(&other.0));
        for (test, mut open) in open {
            let (status, seconds) = match lost_verdict(&open.output, &test) {
                Some(verdict) => verdict,
                None => {
                    open.output.push_str("the test did not end before its package did");
                    (TestStatus::Error, None)
                }
            };
            package.failures += u64::from(status.is_failure());
            let at = open.at;
            self.give(name, &test, status, seconds, at, open);
        }
    }
}

/// `--- PASS: TestAdds (0.00s)`, indented for a test inside another.
fn is_verdict(output: &str) -> bool {
    let line = output.trim_start();
    ["--- PASS: ", "--- FAIL: ", "--- SKIP: "].iter().any(|start| line.starts_with(start))
}

/// The verdict that stands behind output without a line end, which test2json did not see.
fn lost_verdict(output: &str, test: &str) -> Option<(TestStatus, Option<f64>)> {
    [("PASS", TestStatus::Passed), ("FAIL", TestStatus::Failed), ("SKIP", TestStatus::Skipped)]
        .iter()
        .find_map(|(word, status)| {
            let (_, after) = output.split_once(format!("--- {word}: {test} (").as_str())?;
            let seconds = after.split_once("s)").and_then(|(seconds, _)| seconds.parse().ok());
            Some((*status, seconds))
        })
}

/// What a test said with its place: `    cart_test.go:25: jpy has 0 digits`, or how it panicked.
struct Said<'a> {
    file: &'a str,
    line: Option<i64>,
    message: &'a str,
}

impl<'a> Said<'a> {
    fn first_in(output: &'a str) -> Option<Self> {
        let with_place = output.lines().find_map(|line| {
            let (file, rest) = line.trim_start().split_once(".go:")?;
            let (number, message) = rest.split_once(": ")?;
            let file = line.trim_start().get(..file.len() + ".go".len())?;
            let number = number.parse().ok()?;
            (!file.contains(' ')).then_some(Self { file, line: Some(number), message })
        });
        with_place.or_else(|| {
            let message = output.lines().map(str::trim).find(|line| line.starts_with("panic: "))?;
            Some(Self { file: "", line: None, message })
        })
    }
}
