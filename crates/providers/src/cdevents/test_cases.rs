//! Runs of test cases: one finished or skipped is one result.

use manometer_model::records::Test;
use manometer_model::{TestId, TestStatus};

use super::{Event, NAME};
use crate::reading::labels;
use crate::{Decoded, ServiceRules};

/// The result belongs to the run it says in its custom data, else to its suite's run, else to its chain of events.
pub(super) fn case_run(event: &Event<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let outcome = event.content.text("outcome");
    let status = match (event.predicate.as_str(), outcome.as_deref()) {
        ("skipped", _) | ("finished", Some("cancel")) => TestStatus::Skipped,
        ("finished", Some("success" | "pass")) => TestStatus::Passed,
        ("finished", Some("failure" | "fail")) => TestStatus::Failed,
        ("finished", Some("error")) => TestStatus::Error,
        _ => return,
    };
    let (Some(project), Some(id), Some(at)) = (event.project(), event.subject.text("id"), event.at()) else {
        return;
    };
    let case = event.content.object("testCase");
    let suite_run = event.content.object("testSuiteRun").text("id");
    let run_id = event
        .custom
        .text("pipelineRun")
        .or_else(|| suite_run.clone())
        .or_else(|| event.context.text("chainId"))
        .unwrap_or_else(|| id.clone());
    let name = case.text("name").or_else(|| case.text("id")).unwrap_or_else(|| id.clone());
    let identity = case.text("id").unwrap_or_else(|| name.clone());
    let test = Test {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project: project.clone(),
        run_id,
        run_attempt: 1,
        test_id: TestId::new("", "", &identity, "", 0),
        name,
        status,
        attempt: 1,
        is_final: true,
        failure_message: event.content.text("reason"),
        labels: labels([
            ("type", case.text("type")),
            ("severity", event.content.text("severity")),
            ("environment", event.content.object("environment").text("id")),
            ("suite_run", suite_run),
        ]),
        at,
        ..Test::default()
    };
    decoded.known = true;
    decoded.add_facts(format!("test/{NAME}/{project}/{id}"), vec![test.into()]);
    decoded.project = Some(project);
}
