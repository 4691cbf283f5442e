//! Bazel's Build Event Protocol as JSON lines (`--build_event_json_file=FILE`).
//!
//! ```text
//! {"id": {"testResult": {"label": "//cart:adds", "run": 1, "shard": 1, "attempt": 1}},
//!  "testResult": {"status": "PASSED", "testAttemptDurationMillis": "123", …}}
//! {"id": {"testSummary": {"label": …}}, "testSummary": {"overallStatus": "FLAKY"}}
//! {"id": {"targetCompleted": {"label": …}}, "completed": {"success": true}}
//! ```
//!
//! A test target is a test: suite and class name its package (`//cart`), name the target (`adds`), and the run and shard
//! its parameters where there are several. The attempts of `--flaky_test_attempts` are attempts. A target that could not
//! be built, or was aborted, has the status of an error and is named `TARGET (build)`. Each target, and the whole
//! invocation (`bazel test`), is a build too: [`TestSink::build`].
//!
//! Memory: one line, at most 64 MiB of results between their attempts and the summary of their target, and the numbering
//! of repetitions.

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::{Limits, Problem, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::measured::BuildRow;
use crate::test_report::case::Case;
use crate::test_report::held::Held;
use crate::test_report::json_fields::from_epoch;
use crate::test_report::json_lines::{Fields, LineReport, read_report};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};

/// Reads the build events of Bazel.
///
/// # Errors
/// When the input fails, is empty, or has not one event.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let reader = Bazel {
        tests: TestsIn::new(limits, sink),
        held: Held::new(),
        command: "build".to_owned(),
        started_at: None,
        started: None,
        events: 0,
        is_finished: false,
    };
    read_report(input, limits, reader)
}

/// Is the first object an event with an id of Bazel's?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let id = look.json.as_ref().filter(|json| !json.is_array).and_then(|json| json.inside("id"));
    id.is_some_and(|id| {
        [
            "started",
            "testResult",
            "testSummary",
            "targetCompleted",
            "buildFinished",
            "progress",
            "targetConfigured",
        ]
        .iter()
        .any(|kind| id.has(kind))
    })
}

struct Bazel<'l, 's> {
    tests: TestsIn<'l, 's>,
    held: Held<Execution>,
    command: String,
    started_at: Option<Timestamp>,
    /// The same in seconds since the epoch.
    started: Option<f64>,
    events: u64,
    is_finished: bool,
}

/// Which execution of which target a result is of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Execution {
    label: String,
    configuration: String,
    run: u64,
    shard: u64,
}

impl<'l, 's> LineReport<'l, 's> for Bazel<'l, 's> {
    const LACKS: &'static str = "no build event";
    const EXPECTED: &'static str = "expected the build events of Bazel as JSON lines";

    fn tests(&mut self) -> &mut TestsIn<'l, 's> {
        &mut self.tests
    }

    fn object(&mut self, event: Fields<'_>) {
        self.event(event);
    }

    fn was_met(&self) -> bool {
        self.events > 0
    }

    fn end(&mut self) {
        self.give_held(|_| true);
        if !self.is_finished && !self.tests.is_done {
            self.tests.note_truncated();
            self.tests.problems().push(Problem::new("no buildFinished: the events end too early"));
        }
    }

    fn into_tests(self) -> TestsIn<'l, 's> {
        self.tests
    }
}

impl Bazel<'_, '_> {
    fn event(&mut self, event: Fields<'_>) {
        let Some(id) = event.object("id") else {
            return self.tests.problem(event.line, "id", "missing, the event was left out");
        };
        self.events += 1;
        if let Some(started) = event.object("started") {
            self.begin(started);
        } else if let (Some(id), Some(result)) = (id.object("testResult"), event.object("testResult")) {
            self.result(id, result);
        } else if let (Some(id), Some(_)) = (id.object("testSummary"), event.object("testSummary")) {
            let label = id.text("label", self.tests.problems()).unwrap_or_default().to_owned();
            self.give_held(|execution| execution.label == label);
        } else if let Some(id) = id.object("targetCompleted") {
            self.target(id, event);
        } else if let Some(finished) = event.object("finished") {
            self.finish(finished);
        }
    }

    fn begin(&mut self, started: Fields<'_>) {
        let problems = self.tests.problems();
        if let Some(command) = started.text("command", problems) {
            command.clone_into(&mut self.command);
        }
        self.started = time(started, "startTimeMillis", "startTime", problems);
        self.started_at = self.started.and_then(from_epoch);
        self.tests.note_time(self.started_at);
    }

    fn finish(&mut self, finished: Fields<'_>) {
        self.is_finished = true;
        let problems = self.tests.problems();
        let end = time(finished, "finishTimeMillis", "finishTime", problems);
        let exit = finished.object("exitCode");
        // A code of 0 is left out, as every default of the protocol. Tests that failed (3) were built.
        let code = exit.and_then(|exit| exit.number("code", problems)).unwrap_or(0.0);
        let seconds = self.started.zip(end).map(|(start, end)| end - start).filter(|seconds| *seconds >= 0.0);
        self.tests.stated_seconds = seconds;
        let name = format!("bazel {}", self.command);
        let success = matches!(code as i64, 0 | 3 | 4);
        self.build(&name, seconds, success);
    }

    fn build(&mut self, name: &str, seconds: Option<f64>, success: bool) {
        let row = BuildRow { name, duration_seconds: seconds, success: Some(success), at: self.started_at };
        if self.tests.build(&row) == ControlFlow::Break(()) {
            self.tests.is_done = true;
        }
    }

    fn target(&mut self, id: Fields<'_>, event: Fields<'_>) {
        let problems = self.tests.problems();
        // An aspect on a target is no target.
        let Some(label) = id.text("label", problems).filter(|_| !id.has("aspect")) else { return };
        if let Some(completed) = event.object("completed") {
            let success = completed.boolean("success").unwrap_or(false);
            self.build(label, None, success);
            if !success {
                let message =
                    failure_detail(completed, self.tests.problems()).unwrap_or("the target failed to build");
                self.broken(label, message);
            }
        } else if let Some(aborted) = event.object("aborted") {
            let problems = self.tests.problems();
            let reason = aborted.text("reason", problems).unwrap_or("UNKNOWN");
            // Targets that were asked to be left out are no failures.
            if matches!(reason, "SKIPPED" | "NO_BUILD" | "NO_ANALYZE") {
                return;
            }
            let description = aborted.text("description", problems).unwrap_or_default();
            let message = format!("{reason} {description}");
            self.build(label, None, false);
            self.broken(label, message.trim());
        }
    }

    fn broken(&mut self, label: &str, message: &str) {
        let limits = self.tests.limits;
        let mut case = Case::default();
        let package = name_case(&mut case, label, limits);
        case.name.push_str(" (build)");
        case.main.status = TestStatus::Error;
        texts::append(&mut case.main.message, message, limits.message_bytes);
        self.tests.give_case(&mut case, &package, self.started_at);
    }

    fn result(&mut self, id: Fields<'_>, result: Fields<'_>) {
        let limits = self.tests.limits;
        let problems = self.tests.problems();
        let Some(label) = id.text("label", problems) else {
            return self.tests.problem(id.line, "label", "missing, the result was left out");
        };
        let whole =
            |key: &str, problems: &mut _| id.number(key, problems).map_or(1, |number| number.max(0.0) as u64);
        let execution = Execution {
            label: label.to_owned(),
            configuration: id
                .object("configuration")
                .and_then(|configuration| configuration.text("id", problems))
                .unwrap_or_default()
                .to_owned(),
            run: whole("run", problems),
            shard: whole("shard", problems),
        };
        let mut case = Case::default();
        case.main.duration = duration(result, problems);
        case.main.at =
            time(result, "testAttemptStartMillisEpoch", "testAttemptStart", problems).and_then(from_epoch);
        let word = result.text("status", problems).unwrap_or_default();
        case.main.status = match word {
            "PASSED" | "FLAKY" => TestStatus::Passed,
            "FAILED" | "TIMEOUT" => TestStatus::Failed,
            "NO_STATUS" => TestStatus::Skipped,
            _ => TestStatus::Error,
        };
        if case.main.status != TestStatus::Passed {
            let said = result.text("statusDetails", problems).filter(|text| !text.is_empty());
            texts::append(&mut case.main.message, said.unwrap_or(word), limits.message_bytes);
            for output in result.objects("testActionOutput") {
                if output.text("name", problems) == Some("test.log")
                    && let Some(uri) = output.text("uri", problems)
                {
                    texts::append(&mut case.main.details, &format!("test.log: {uri}"), limits.details_bytes);
                }
            }
        }
        if result.boolean("cachedLocally") == Some(true) {
            case.labels.insert("cached".to_owned(), "locally".to_owned());
        } else if result.object("executionInfo").and_then(|info| info.boolean("cachedRemotely")) == Some(true)
        {
            case.labels.insert("cached".to_owned(), "remotely".to_owned());
        }
        if let Some((_, mut earlier)) = self.held.take_first(|held, _| *held == execution) {
            case.precede_with(&mut earlier);
        }
        if self.held.is_full_to_search() {
            self.give_held(|_| true);
        }
        self.held.push(execution, case);
    }

    /// Gives the executions of which all is known.
    fn give_held(&mut self, is_known: impl Fn(&Execution) -> bool) {
        let mut kept = Vec::new();
        let mut given = Vec::new();
        for (execution, case) in self.held.take_all() {
            if is_known(&execution) { given.push((execution, case)) } else { kept.push((execution, case)) }
        }
        for (execution, case) in kept {
            self.held.push(execution, case);
        }
        given.sort_by_key(|(execution, _)| (execution.run, execution.shard));
        let has_several =
            |number: fn(&Execution) -> u64| given.iter().any(|(execution, _)| number(execution) > 1);
        let (has_runs, has_shards) =
            (has_several(|execution| execution.run), has_several(|execution| execution.shard));
        for (execution, mut case) in given {
            let package = name_case(&mut case, &execution.label, self.tests.limits);
            let mut parts = Vec::new();
            if has_runs {
                parts.push(format!("run {}", execution.run));
            }
            if has_shards {
                parts.push(format!("shard {}", execution.shard));
            }
            case.parameters = parts.join(", ");
            self.tests.count_suite();
            self.tests.give_case(&mut case, &package, self.started_at);
        }
    }
}

/// Names a test after its label, `//cart:adds`; answers the package.
fn name_case(case: &mut Case, label: &str, limits: &Limits) -> String {
    let (package, target) = label.rsplit_once(':').unwrap_or(("", label));
    texts::append(&mut case.classname, package, limits.name_bytes);
    texts::append(&mut case.name, target, limits.name_bytes);
    case.classname.clone()
}

fn failure_detail<'a>(completed: Fields<'a>, problems: &mut manometer_model::Problems) -> Option<&'a str> {
    completed.object("failureDetail")?.text("message", problems)
}

/// Milliseconds in one field, or a time in another that newer versions write.
fn time(
    fields: Fields<'_>,
    millis: &str,
    text: &str,
    problems: &mut manometer_model::Problems,
) -> Option<f64> {
    if let Some(milliseconds) = fields.number(millis, problems) {
        return Some(milliseconds / 1e3);
    }
    let written = fields.text(text, problems)?;
    match Timestamp::parse_rfc3339(written) {
        Ok(at) => Some(at.as_micros() as f64 / 1e6),
        Err(error) => {
            problems
                .push_with(|| Problem::new(format!("{error}, left out")).at_line(fields.line).in_field(text));
            None
        }
    }
}

/// How long an attempt took: milliseconds, or `1.5s`.
fn duration(result: Fields<'_>, problems: &mut manometer_model::Problems) -> Option<f64> {
    if let Some(text) = result.text("testAttemptDuration", problems) {
        let seconds = text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok());
        return seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    }
    result.duration("testAttemptDurationMillis", 1e3, problems)
}
