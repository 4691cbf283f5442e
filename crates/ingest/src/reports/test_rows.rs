//! Tests of a report as rows of `tests`, without an allocation a row.

use std::ops::ControlFlow;

use manometer_formats::measured::{BuildRow, Measured};
use manometer_formats::test_report::{TestCase, TestSink};
use manometer_model::records::{TESTS, Test};
use manometer_model::{Row as _, Timestamp, Value};

use super::measured;
use crate::context::Context;
use crate::error::IngestError;
use crate::name::Name;
use crate::rows::RowSink;

/// Columns of `tests`.
const COLUMNS: usize = TESTS.columns.len();

/// The cells that all tests of an upload share, at the start of a row.
const SHARED: usize = 11;

/// What became of a report of tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// Executions of tests.
    pub(super) tests: u64,
    /// How many of them count as failed.
    pub(super) failures: u64,
    /// Builds that the report tells of besides.
    pub(super) builds: u64,
}

/// Writes each test it is given as a row.
pub(super) struct TestRows<'a> {
    context: &'a Context,
    shared: [Value<'a>; SHARED],
    fallback_at: Timestamp,
    writer: &'a mut dyn RowSink,
    tests: u64,
    failures: u64,
    builds: u64,
    error: Option<IngestError>,
}

impl<'a> TestRows<'a> {
    pub(super) fn new(context: &'a Context, received_at: Timestamp, writer: &'a mut dyn RowSink) -> Self {
        Self {
            context,
            shared: shared_cells(context),
            fallback_at: context.started_at.unwrap_or(received_at),
            writer,
            tests: 0,
            failures: 0,
            builds: 0,
            error: None,
        }
    }

    /// What was written.
    pub(super) fn finish(self) -> Result<Written, IngestError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Written { tests: self.tests, failures: self.failures, builds: self.builds }),
        }
    }
}

impl TestSink for TestRows<'_> {
    fn test(&mut self, test: &TestCase<'_>) -> ControlFlow<()> {
        let row = row(self.shared, test, self.fallback_at);
        if let Err(error) = self.writer.append(Test::table(), &row) {
            self.error = Some(error);
            return ControlFlow::Break(());
        }
        self.tests += 1;
        self.failures += u64::from(test.is_final && test.status.is_failure());
        ControlFlow::Continue(())
    }

    fn build(&mut self, build: &BuildRow<'_>) -> ControlFlow<()> {
        if let Err(error) =
            measured::append(&Measured::Build(*build), self.context, self.fallback_at, self.writer)
        {
            self.error = Some(error);
            return ControlFlow::Break(());
        }
        self.builds += 1;
        ControlFlow::Continue(())
    }
}

fn shared_cells(context: &Context) -> [Value<'_>; SHARED] {
    [
        Value::Text(context.provider.as_str()),
        Value::Text(context.project.as_str()),
        Value::Text(context.service.as_str()),
        name(context.pipeline.as_ref()),
        Value::Text(context.run_id.as_ref().map_or("", Name::as_str)),
        Value::Int(context.attempt),
        name(context.job_id.as_ref()),
        name(context.job_name.as_ref()),
        name(context.branch.as_ref()),
        context.is_default_branch.map_or(Value::Null, Value::Bool),
        name(context.commit_sha.as_ref()),
    ]
}

fn name(value: Option<&Name>) -> Value<'_> {
    text(value.map(Name::as_str))
}

fn text(value: Option<&str>) -> Value<'_> {
    value.map_or(Value::Null, Value::Text)
}

/// One row, in the order of the table's columns.
fn row<'row>(
    shared: [Value<'row>; SHARED],
    test: &'row TestCase<'_>,
    fallback_at: Timestamp,
) -> [Value<'row>; COLUMNS] {
    let [
        provider,
        project,
        service,
        pipeline,
        run_id,
        run_attempt,
        job_id,
        job_name,
        branch,
        is_default,
        sha,
    ] = shared;
    [
        provider,
        project,
        service,
        pipeline,
        run_id,
        run_attempt,
        job_id,
        job_name,
        branch,
        is_default,
        sha,
        Value::TestId(test.test_id),
        text((!test.suite.is_empty()).then_some(test.suite)),
        text(test.classname),
        Value::Text(test.name),
        text(test.parameters),
        text(test.file),
        test.line.map_or(Value::Null, Value::Int),
        Value::Text(test.status.as_str()),
        test.duration_seconds.map_or(Value::Null, Value::Float),
        Value::Int(test.attempt),
        Value::Bool(test.is_final),
        text(test.failure_kind),
        text(test.failure_message),
        text(test.failure_details),
        text(test.failure_fingerprint),
        text(test.output),
        if test.labels.is_empty() { Value::Null } else { Value::Labels(test.labels) },
        Value::Time(test.at.unwrap_or(fallback_at)),
    ]
}

#[cfg(test)]
mod tests {
    use manometer_model::{Labels, Limits, TestId, TestStatus};

    use super::*;
    use crate::context::ContextFields;

    #[test]
    fn every_cell_stands_in_its_own_column() {
        let mut fields = ContextFields::new();
        for (name, value) in [
            ("provider", "ci"),
            ("project", "shop"),
            ("service", "cart"),
            ("pipeline", "main.yml"),
            ("run_id", "7"),
            ("attempt", "2"),
            ("job_id", "9"),
            ("job_name", "unit"),
            ("branch", "main"),
            ("is_default_branch", "true"),
            ("commit_sha", "abc"),
        ] {
            fields.set(name, value).unwrap();
        }
        let context = Context::parse(&fields, &Limits::default()).unwrap();
        let labels = Labels::from([("key".to_owned(), "value".to_owned())]);
        let case = TestCase {
            test_id: TestId::new("suite", "class", "name", "p", 0),
            suite: "suite",
            classname: Some("class"),
            name: "name",
            parameters: Some("p"),
            file: Some("file.rs"),
            line: Some(3),
            status: TestStatus::Failed,
            duration_seconds: Some(1.5),
            attempt: 4,
            is_final: true,
            failure_kind: Some("kind"),
            failure_message: Some("message"),
            failure_details: Some("details"),
            failure_fingerprint: Some("fingerprint"),
            output: Some("output"),
            labels: &labels,
            at: Some(Timestamp::from_seconds(5)),
        };
        let expected = Test {
            provider: "ci".to_owned(),
            project: "shop".to_owned(),
            service: Some("cart".to_owned()),
            pipeline: Some("main.yml".to_owned()),
            run_id: "7".to_owned(),
            run_attempt: 2,
            job_id: Some("9".to_owned()),
            job_name: Some("unit".to_owned()),
            branch: Some("main".to_owned()),
            is_default_branch: Some(true),
            commit_sha: Some("abc".to_owned()),
            ..Test::from(&case)
        };
        let shared = shared_cells(&context);
        assert_eq!(row(shared, &case, Timestamp::default()).as_slice(), expected.values());
    }
}
