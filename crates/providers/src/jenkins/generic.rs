//! The Generic Event plugin: Jenkins' own model of a run, at each change of its state.
//!
//! `{"type": "run.completed", "source": "job/acme/job/shop/", "url": …, "time": …, "id": …, "data": RUN}`; older
//! versions of the plugin lay the run of a pipeline into `data.run`, newer ones lay `_multiBranch` and the like beside
//! its own fields.

use manometer_model::records::{Job, Run};
use manometer_model::{Labels, Status};

use super::{NAME, conclusion, job_path, percent_decoded};
use crate::reading::{self, labels};
use crate::repository::project_of;
use crate::tree::View;
use crate::{Decoded, ServiceRules, rows, waits};

pub(super) fn read(event: &str, root: View<'_>, host: &str, rules: &ServiceRules, decoded: &mut Decoded) {
    let status = match event {
        "run.initialize" | "run.started" => Status::Running,
        "run.completed" | "run.finalized" => Status::Completed,
        _ => return,
    };
    let data = root.object("data");
    let run = if data.object("run").is_some() { data.object("run") } else { data };
    let Some(row) = run_of(root, run, status, host, rules) else {
        return reading::expect_told(decoded, "data.number");
    };
    decoded.known = true;
    decoded.project = Some(row.project.clone());
    decoded.entities.extend(job_of(run, &row).map(Into::into));
    decoded.entities.push(row.into());
}

fn run_of(root: View<'_>, run: View<'_>, status: Status, host: &str, rules: &ServiceRules) -> Option<Run> {
    let data = root.object("data");
    let number = run.int("number")?;
    let names = job_path(&root.text("source")?);
    let (last, folders) = names.split_last()?;
    let is_multibranch = data.flag("_multiBranch").or_else(|| data.flag("multiBranch")) == Some(true);
    let job = if is_multibranch && !folders.is_empty() { folders } else { names.as_slice() };
    let project = format!("{host}/{}", job.join("/"));
    let actions = Actions::of(run);
    let has_ended = status == Status::Completed;
    let started = run.time("timestamp");
    let seconds = run.float("duration").filter(|_| has_ended).map(|milliseconds| milliseconds / 1_000.0);
    let finished = started.zip(seconds).map(|(started, seconds)| started.plus_seconds(seconds));
    let result = run.text("result").filter(|_| has_ended);
    let change_id = last.strip_prefix("PR-").filter(|_| is_multibranch).map(str::to_owned);
    let page = root.text("url").filter(|_| host != NAME).map(|path| format!("https://{host}/{path}"));
    let mut row_labels = labels([
        ("repository", actions.repository),
        ("result", result.clone()),
        ("queue_id", run.text("queueId")),
    ]);
    row_labels.extend(actions.waits);
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, actions.service.as_deref()),
        project,
        pipeline: job.last().cloned(),
        run_id: format!("{}#{number}", names.join("/")),
        attempt: 1,
        number: Some(number),
        // The name of a branch's job is the branch, escaped: `feature%2Frefunds`.
        branch: is_multibranch
            .then(|| percent_decoded(last))
            .filter(|_| change_id.is_none())
            .or(actions.branch),
        commit_sha: actions.commit,
        trigger: change_id.as_ref().map(|_| "pull_request".to_owned()).or(actions.trigger),
        actor: actions.actor,
        status: Some(status),
        conclusion: result.as_deref().and_then(conclusion),
        started_at: started,
        finished_at: finished,
        queue_seconds: actions.queue_seconds,
        duration_seconds: seconds,
        change_id,
        url: page,
        labels: row_labels,
        updated_at: finished.or(started),
        ..Run::default()
    })
}

/// A freestyle build is worked off by one node, which it names when it has begun; a pipeline's nodes are not told.
fn job_of(run: View<'_>, row: &Run) -> Option<Job> {
    let node = run.text("builtOn")?;
    Some(Job {
        job_id: "build".to_owned(),
        name: row.pipeline.clone(),
        status: row.status,
        conclusion: row.conclusion,
        started_at: row.started_at,
        finished_at: row.finished_at,
        queue_seconds: row.queue_seconds,
        runner_id: Some(node.clone()),
        runner_name: Some(node),
        url: row.url.clone(),
        updated_at: row.updated_at,
        ..rows::job_of(row)
    })
}

/// What plugins attach to a run.
#[derive(Debug, Default)]
struct Actions {
    repository: Option<String>,
    branch: Option<String>,
    commit: Option<String>,
    service: Option<String>,
    actor: Option<String>,
    trigger: Option<String>,
    queue_seconds: Option<f64>,
    waits: Labels,
}

impl Actions {
    fn of(run: View<'_>) -> Self {
        let mut found = Self::default();
        for action in run.items("actions") {
            found.take_git(action);
            found.take_cause(action);
            found.take_queue(action);
            let mut parameters = action.items("parameters");
            let service =
                parameters.find(|parameter| parameter.text("name").as_deref() == Some("CI_SERVICE_NAME"));
            found.service =
                found.service.take().or_else(|| service.and_then(|parameter| parameter.text("value")));
        }
        found
    }

    /// The Git plugin's `BuildData`.
    fn take_git(&mut self, action: View<'_>) {
        let revision = action.object("lastBuiltRevision");
        if self.commit.is_some() || !revision.is_some() {
            return;
        }
        self.commit = revision.text("SHA1");
        let branch = revision.items("branch").next().and_then(|branch| branch.text("name"));
        self.branch =
            branch.as_deref().and_then(crate::repository::branch_of).filter(|name| name != "detached");
        self.repository = action.texts("remoteUrls").first().and_then(|address| project_of(address));
    }

    fn take_cause(&mut self, action: View<'_>) {
        let Some(cause) = action.items("causes").next() else { return };
        self.actor = cause.text("userId").or_else(|| cause.text("userName"));
        let class = cause.text("_class").unwrap_or_default();
        let words = [
            ("UserIdCause", "manual"),
            ("TimerTrigger", "schedule"),
            ("SCMTrigger", "push"),
            ("PushCause", "push"),
            ("BranchEventCause", "push"),
            ("BranchIndexingCause", "push"),
            ("UpstreamCause", "upstream"),
            ("ReplayCause", "replay"),
        ];
        let word = words.into_iter().find(|(part, _)| class.contains(part)).map(|(_, word)| word.to_owned());
        self.trigger = self.trigger.take().or(word);
    }

    /// The Metrics plugin's `TimeInQueueAction`, in milliseconds.
    fn take_queue(&mut self, action: View<'_>) {
        let seconds = |key| action.float(key).map(|milliseconds| milliseconds / 1_000.0);
        let parts = [
            (waits::DELAY, seconds("waitingDurationMillis")),
            (waits::CONCURRENCY, seconds("blockedDurationMillis")),
            (waits::RUNNER, seconds("buildableDurationMillis")),
        ];
        for (name, wait) in parts {
            waits::put(&mut self.waits, name, wait);
            if let Some(wait) = wait {
                self.queue_seconds = Some(self.queue_seconds.unwrap_or_default() + wait);
            }
        }
    }
}
