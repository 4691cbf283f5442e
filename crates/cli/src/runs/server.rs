//! A server as a source of runs: its table `samples`, asked page by page.

use anyhow::Context as _;
use manometer_agent::local::RunRecord;
use manometer_model::{Labels, Timestamp};
use manometer_providers::environment::GitFacts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{RunFilter, RunSource, Visit, sql};
use crate::exit;
use crate::output;
use crate::remote::Remote;

/// Records asked for at a time: the first page is small, since most questions are about the newest few.
const FIRST_PAGE: usize = 50;
const NEXT_PAGES: usize = 500;
/// Names the project of `--project` that stands for all.
const ALL_PROJECTS: &str = "*";

/// The server.
#[derive(Debug)]
pub(super) struct Server {
    remote: Remote,
    /// `None` for all.
    project: Option<String>,
}

/// An answer of `/api/v1/sql`.
#[derive(Debug, Deserialize)]
struct Answer {
    rows: Vec<Row>,
    truncated: bool,
}

/// The columns of [`sql::COLUMNS`].
#[derive(Debug, Deserialize)]
struct Row(
    String,
    String,
    String,
    Option<f64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Server {
    /// The server, limited to a project: the one named, else that of the checkout around the current folder.
    pub(super) fn new(remote: Remote, project: Option<&str>) -> Self {
        let project = match project {
            Some(ALL_PROJECTS) => None,
            Some(named) => Some(named.to_owned()),
            None => GitFacts::of_current_folder().project,
        };
        Self { remote, project }
    }

    fn page(
        &self,
        filter: &RunFilter,
        after: Option<&(Timestamp, String)>,
        count: usize,
    ) -> anyhow::Result<Vec<RunRecord>> {
        let statement = sql::page(filter, self.project.as_deref(), after, count);
        let body = json!({ "sql": statement, "format": "json" });
        let text =
            self.remote.post_json("/api/v1/sql", &body)?.text().context("the server's answer broke off")?;
        let answer: Answer = serde_json::from_str(&text).map_err(|error| {
            exit::server(format!("the server's answer is not what this version understands: {error}"))
        })?;
        if answer.truncated {
            return Err(exit::usage("the server's limit query_rows is too small for one page of runs"));
        }
        records(answer.rows)
    }
}

impl RunSource for Server {
    fn visit(&self, filter: &RunFilter, visit: &mut Visit<'_>) -> anyhow::Result<()> {
        let mut after = None;
        let mut count = FIRST_PAGE;
        loop {
            let page = self.page(filter, after.as_ref(), count)?;
            let is_last = page.len() < count;
            after = page.last().map(|run| (run.timestamp, run.run_id.clone()));
            for run in page {
                if visit(run)?.is_break() {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
            count = NEXT_PAGES;
        }
    }

    fn description(&self) -> String {
        match &self.project {
            Some(project) => format!("{}, project {project}", self.remote.address()),
            None => self.remote.address().to_owned(),
        }
    }
}

/// Rows of one record follow each other.
fn records(rows: Vec<Row>) -> anyhow::Result<Vec<RunRecord>> {
    let mut records: Vec<RunRecord> = Vec::new();
    for row in rows {
        let Row(record, at, name, value, tags, commit, branch, provider, project, pipeline, run_id) = row;
        if records.last().is_none_or(|last| last.run_id != record) {
            let time = Timestamp::parse_lenient(&at).map_err(|error| exit::server(error.to_string()))?;
            let mut begun = RunRecord::of_samples(record, time);
            begun.git_commit = commit;
            let facts = [
                ("branch", branch),
                ("provider", provider),
                ("project", project),
                ("pipeline", pipeline),
                ("ci_run_id", run_id),
            ];
            begun.info.extend(
                facts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?)))),
            );
            records.push(begun);
        }
        let tags: Labels = match tags.as_deref().map(serde_json::from_str) {
            Some(Ok(tags)) => tags,
            None => Labels::new(),
            Some(Err(error)) => {
                output::warn(format!("tags of {name} are no object of texts ({error}); left out"));
                Labels::new()
            }
        };
        if let (Some(last), Some(value)) = (records.last_mut(), value) {
            last.add_sample(&name, value, tags);
        }
    }
    Ok(records)
}
