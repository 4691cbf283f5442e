//! The Notification plugin: one object of the job and its build, at each phase.
//!
//! `timestamp` means something else in each phase: when the build was queued (`QUEUED`), began (`STARTED`), ended
//! (`COMPLETED`), and when everything after it was done (`FINALIZED`). The plugin sends `QUEUED` when the build begins,
//! and with 0 where Jenkins does not know.

use manometer_model::records::{Run, Sample};
use manometer_model::{Record, Status, Timestamp};

use super::{NAME, conclusion, job_path};
use crate::reading::{self, labels};
use crate::repository::{branch_of, host_of, path_of, project_of};
use crate::tree::View;
use crate::{Decoded, ServiceRules};

/// What a phase's `timestamp` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Queued,
    Started,
    Completed,
    Finalized,
}

impl Phase {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "QUEUED" => Self::Queued,
            "STARTED" => Self::Started,
            "COMPLETED" => Self::Completed,
            "FINALIZED" => Self::Finalized,
            _ => return None,
        })
    }
}

/// A build as the Notification and the CloudEvents plugin tell it, with the names of their fields taken off.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) phase: Phase,
    pub(super) number: i64,
    pub(super) page: Option<String>,
    pub(super) path: Option<String>,
    pub(super) at: Option<Timestamp>,
    pub(super) duration_seconds: Option<f64>,
    pub(super) result: Option<String>,
    pub(super) queue_id: Option<String>,
    pub(super) service: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) actor: Option<String>,
}

pub(super) fn read(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let build = root.object("build");
    let scm = build.object("scm");
    let Some(phase) = build.text("phase").as_deref().and_then(Phase::of) else { return };
    let Some(number) = build.int("number") else { return reading::expect_told(decoded, "build.number") };
    let told = Told {
        phase,
        number,
        page: build.text("full_url"),
        path: build.text("url").or_else(|| root.text("url")),
        at: build.time("timestamp"),
        duration_seconds: build.float("duration").map(|milliseconds| milliseconds / 1_000.0),
        result: build.text("status"),
        queue_id: build.text("queue_id"),
        service: build.object("parameters").text("CI_SERVICE_NAME"),
        repository: scm.text("url"),
        branch: scm.text("branch"),
        commit: scm.text("commit"),
        actor: None,
    };
    let Some(run) = told.run(rules) else { return reading::expect_told(decoded, "build.url") };
    decoded.known = true;
    decoded.project = Some(run.project.clone());
    if matches!(phase, Phase::Completed | Phase::Finalized) {
        let key = format!("test_counts/{NAME}/{}/{}", run.project, run.run_id);
        decoded.add_facts(key, test_counts(build.object("test_summary"), &run));
    }
    decoded.entities.push(run.into());
}

impl Told {
    pub(super) fn run(self, rules: &ServiceRules) -> Option<Run> {
        let address = self.page.as_deref();
        let path = address.and_then(path_of).map(str::to_owned).or(self.path)?;
        let names = job_path(&path);
        let name = names.last()?.clone();
        let host = address.and_then(host_of).unwrap_or_else(|| NAME.to_owned());
        let project = format!("{host}/{}", names.join("/"));
        let ended = matches!(self.phase, Phase::Completed | Phase::Finalized);
        let status = match self.phase {
            Phase::Queued => Status::Queued,
            Phase::Started => Status::Running,
            Phase::Completed | Phase::Finalized => Status::Completed,
        };
        let result = self.result.filter(|_| ended);
        Some(Run {
            provider: NAME.to_owned(),
            service: rules.service(&project, self.service.as_deref()),
            project,
            pipeline: Some(name),
            run_id: format!("{}#{}", names.join("/"), self.number),
            attempt: 1,
            number: Some(self.number),
            branch: self.branch.as_deref().and_then(branch_of).filter(|branch| branch != "detached"),
            commit_sha: self.commit,
            actor: self.actor,
            status: Some(status),
            conclusion: result.as_deref().and_then(conclusion),
            queued_at: self.at.filter(|_| self.phase == Phase::Queued),
            started_at: self.at.filter(|_| self.phase == Phase::Started),
            finished_at: self.at.filter(|_| ended),
            duration_seconds: self.duration_seconds.filter(|_| ended),
            url: self.page,
            labels: labels([
                ("repository", self.repository.as_deref().and_then(project_of)),
                ("result", result),
                ("queue_id", self.queue_id),
            ]),
            updated_at: self.at,
            ..Run::default()
        })
    }
}

/// How many tests there were and how they ended, where Jenkins read reports.
fn test_counts(summary: View<'_>, run: &Run) -> Vec<Record> {
    let counts = ["total", "failed", "passed", "skipped"];
    counts
        .into_iter()
        .filter_map(|name| {
            let row = Sample {
                provider: NAME.to_owned(),
                project: run.project.clone(),
                service: run.service.clone(),
                pipeline: run.pipeline.clone(),
                run_id: Some(run.run_id.clone()),
                run_attempt: 1,
                branch: run.branch.clone(),
                commit_sha: run.commit_sha.clone(),
                name: format!("tests.{name}"),
                value: summary.float(name)?,
                at: run.finished_at?,
                ..Sample::default()
            };
            Some(row.into())
        })
        .collect()
}
