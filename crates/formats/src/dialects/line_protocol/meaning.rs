//! What points mean as records.

use std::collections::HashSet;
use std::ops::ControlFlow;

use manometer_model::records::{Artifact, Build, Run, Test};
use manometer_model::{Record, Status, TestId, TestStatus, Timestamp};

use super::point::Point;
use crate::dialects::sender::{Gathering, Sender, sample};
use crate::test_report::names::split_parameters;

/// Makes records of the points of one input.
pub(super) struct Meaning<'a> {
    sender: &'a Sender<'a>,
    /// Runs that were told of already.
    told: HashSet<u128>,
}

/// Most runs that are remembered; a further one may be told of again, which changes nothing.
const MOST_REMEMBERED: usize = 10_000;

const UNKNOWN: &str = "unknown";

/// The name of builds and artifacts that have none.
const BUILD_NAME: &str = "build";

impl<'a> Meaning<'a> {
    pub(super) fn new(sender: &'a Sender<'a>) -> Self {
        Self { sender, told: HashSet::new() }
    }

    pub(super) fn records(
        &mut self,
        point: &Point<'_>,
        at: Timestamp,
        gathering: &mut Gathering<'_>,
        sink: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match point.measurement.as_ref() {
            "ci_build" => self.build(point, at, gathering, sink),
            "ci_test_results" => match point.tag("test_name") {
                Some(name) => self.test(point, name, at, gathering, sink),
                None => self.samples(point, at, gathering, sink),
            },
            _ => self.samples(point, at, gathering, sink),
        }
    }

    fn build(
        &mut self,
        point: &Point<'_>,
        at: Timestamp,
        gathering: &mut Gathering<'_>,
        sink: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut run = self.run_of(point, at, gathering);
        let number = |key: &str| point.field(key).and_then(super::FieldValue::number);
        run.status = Some(Status::Completed);
        run.finished_at = Some(at);
        run.duration_seconds = number("duration_seconds");
        let build = Build {
            provider: run.provider.clone(),
            project: run.project.clone(),
            service: run.service.clone(),
            run_id: run.run_id.clone(),
            run_attempt: 1,
            branch: run.branch.clone(),
            commit_sha: run.commit_sha.clone(),
            name: run.service.clone().unwrap_or_else(|| BUILD_NAME.to_owned()),
            duration_seconds: run.duration_seconds,
            at,
            ..Build::default()
        };
        let artifact = number("artifact_size_bytes").map(|size| Artifact {
            provider: run.provider.clone(),
            project: run.project.clone(),
            service: run.service.clone(),
            run_id: run.run_id.clone(),
            run_attempt: 1,
            branch: run.branch.clone(),
            commit_sha: run.commit_sha.clone(),
            name: build.name.clone(),
            size_bytes: size as i64,
            at,
            ..Artifact::default()
        });
        sink(run.into())?;
        sink(build.into())?;
        artifact.map_or(ControlFlow::Continue(()), |artifact| sink(artifact.into()))
    }

    fn test(
        &mut self,
        point: &Point<'_>,
        name: &str,
        at: Timestamp,
        gathering: &mut Gathering<'_>,
        sink: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let said = point.tag("status").unwrap_or_default();
        let status = said.parse().unwrap_or_else(|_| {
            gathering.problem(|| {
                "`status` is not one of passed, failed, skipped, error: taken as error".to_owned()
            });
            TestStatus::Error
        });
        let run = self.run_of(point, at, gathering);
        let classname = point.tag("test_class").filter(|text| *text != UNKNOWN);
        let (bare, parameters) = split_parameters(name);
        let test = Test {
            provider: run.provider.clone(),
            project: run.project.clone(),
            service: run.service.clone(),
            run_id: run.run_id.clone(),
            run_attempt: 1,
            branch: run.branch.clone(),
            commit_sha: run.commit_sha.clone(),
            test_id: TestId::new("", classname.unwrap_or_default(), bare, parameters.unwrap_or_default(), 0),
            classname: classname.map(|text| gathering.clipped("test_class", text)),
            name: gathering.clipped("test_name", bare),
            parameters: parameters.map(|text| gathering.clipped("test_name", text)),
            status,
            duration_seconds: point.field("duration_seconds").and_then(super::FieldValue::number),
            attempt: 1,
            is_final: true,
            at,
            ..Test::default()
        };
        if self.tells_of(&run) {
            sink(run.into())?;
        }
        sink(test.into())
    }

    /// One sample for each field that is a number; what is text goes along with each of them.
    fn samples(
        &self,
        point: &Point<'_>,
        at: Timestamp,
        gathering: &mut Gathering<'_>,
        sink: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let is_own = point.measurement == "ci_samples";
        let texts = || {
            let fields = point.fields.iter().filter_map(|(key, value)| Some((key.as_ref(), value.text()?)));
            fields.filter(|(_, text)| *text != UNKNOWN)
        };
        let tags = || point.tags.iter().map(|(key, value)| (key.as_ref(), value.as_ref()));
        let mut has_number = false;
        for (key, value) in &point.fields {
            let Some(number) = value.number() else { continue };
            has_number = true;
            let name = match (is_own, point.tag("name"), key.as_ref()) {
                (true, Some(name), "value") => name.to_owned(),
                (_, _, "value") => point.measurement.to_string(),
                (_, _, key) => format!("{}.{key}", point.measurement),
            };
            let is_column = |key: &str| is_own && matches!(key, "name" | "unit");
            // A service or branch our own exporter did not know comes back as not known.
            let tags = tags().filter(|(key, text)| !(is_column(key) || is_own && *text == UNKNOWN));
            let mut sample = sample(self.sender, &name, number, tags.chain(texts()), at, gathering);
            if is_own {
                sample.unit = point.tag("unit").map(str::to_owned);
            }
            sink(sample.into())?;
        }
        if !has_number {
            let measurement = point.measurement.to_string();
            gathering.problem(|| {
                format!("`{}` has text alone and no number, it was left out", super::shown(&measurement))
            });
        }
        ControlFlow::Continue(())
    }

    /// The run a point of the agreed measurements belongs to.
    fn run_of(&self, point: &Point<'_>, at: Timestamp, gathering: &mut Gathering<'_>) -> Run {
        let mut said = |key: &str| {
            let text = point.tag(key).or_else(|| point.field(key)?.text());
            text.filter(|text| !text.is_empty() && *text != UNKNOWN).map(|text| gathering.clipped(key, text))
        };
        let (service, branch, commit_sha) = (said("service"), said("branch"), said("commit_sha"));
        let run_id = said("run_id").unwrap_or_else(|| {
            let part = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_owned());
            let day: String = at.to_string().chars().take(10).collect();
            format!("{}/{}/{}", part(&service), part(&branch), commit_sha.clone().unwrap_or(day))
        });
        Run {
            provider: said("provider").unwrap_or_else(|| self.sender.provider.to_owned()),
            project: said("project").unwrap_or_else(|| self.sender.project.to_owned()),
            pipeline: said("pipeline"),
            trigger: said("event"),
            service,
            branch,
            commit_sha,
            run_id,
            attempt: 1,
            updated_at: Some(at),
            ..Run::default()
        }
    }

    fn tells_of(&mut self, run: &Run) -> bool {
        let key = [run.provider.as_str(), &run.project, &run.run_id].join("\u{1f}");
        self.told.len() >= MOST_REMEMBERED || self.told.insert(xxhash_rust::xxh3::xxh3_128(key.as_bytes()))
    }
}
