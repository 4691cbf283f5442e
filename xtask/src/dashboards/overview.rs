//! The pipelines of one project: how many, how long, how well, and what is not known.

use super::panel::{Drawn, Panel, SHARE_HIGH_IS_GOOD, SHARE_LOW_IS_GOOD, WAITING, WORKING};
use super::{Dashboard, branch, pages, project};

const WHERE: &str =
    "$__timeFilter(started_at) AND project = '$project' AND ('$branch' = '' OR branch = '$branch')";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "overview",
        title: "Pipelines",
        description: "Every pipeline of one project: runs, success, durations, waiting, and what is missing.",
        variables: vec![project(), branch(false), pages()],
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    vec![
        Panel::new("Runs", Drawn::Number, "short", format!("SELECT count(*) AS runs FROM runs WHERE {WHERE}"))
            .about("Runs that began in the range; a re-run counts again."),
        Panel::new(
            "Success rate",
            Drawn::Number,
            "percentunit",
            format!(
                "SELECT count(*) FILTER (WHERE conclusion = 'success')::double precision\n  / nullif(count(*) FILTER (WHERE conclusion IN ('success', 'failure', 'timed_out', 'error')), 0) AS success\nFROM runs WHERE {WHERE}"
            ),
        )
        .about("Of the runs that succeeded or failed, the share that succeeded; cancelled and skipped ones do not count.")
        .judged(SHARE_HIGH_IS_GOOD),
        Panel::new(
            "Duration, p95",
            Drawn::Number,
            "s",
            format!("SELECT p95(duration_seconds) AS p95 FROM runs WHERE {WHERE} AND conclusion = 'success'"),
        )
        .about("19 of 20 successful runs were quicker. Within 0.8 %.")
        .judged(WORKING),
        Panel::new(
            "Waiting, p95",
            Drawn::Number,
            "s",
            format!("SELECT p95(queue_seconds) AS p95 FROM jobs WHERE {WHERE}"),
        )
        .about("19 of 20 jobs waited shorter for a runner. Within 0.8 %.")
        .judged(WAITING),
        Panel::new(
            "Runs by outcome",
            Drawn::Bars,
            "short",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL), coalesce(conclusion, status) AS metric, count(*) AS runs\nFROM runs WHERE {WHERE}\nGROUP BY 1, 2 ORDER BY 1, 2"
            ),
        )
        .about("What began in each stretch of time and how it ended. Where nothing is known there is no bar."),
        Panel::new(
            "Duration of successful runs",
            Drawn::Lines,
            "s",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL), p50(duration_seconds) AS p50, p95(duration_seconds) AS p95\nFROM runs WHERE {WHERE} AND conclusion = 'success'\nGROUP BY 1 ORDER BY 1"
            ),
        )
        .about("Median and 95th percentile of the working time, without the waiting. A gap is a stretch without a successful run."),
        Panel::new(
            "Waiting for a runner",
            Drawn::Lines,
            "s",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL), p50(queue_seconds) AS p50, p95(queue_seconds) AS p95\nFROM jobs WHERE {WHERE} AND queue_seconds IS NOT NULL\nGROUP BY 1 ORDER BY 1"
            ),
        )
        .about("How long jobs stood in the queue before a runner took them."),
        Panel::new(
            "Runs without a test report",
            Drawn::Lines,
            "percentunit",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL),\n  count(*) FILTER (WHERE tested.run_id IS NULL)::double precision / count(*) AS missing\nFROM runs LEFT JOIN (SELECT DISTINCT provider AS tested_provider, project AS tested_project, run_id FROM tests WHERE at >= date_trunc('hour', $__timeFrom()::timestamptz) AND at <= $__timeTo() AND project = '$project') tested\n  ON tested.tested_provider = runs.provider AND tested.tested_project = runs.project AND tested.run_id = runs.run_id\nWHERE {} AND status = 'completed'\nGROUP BY 1 ORDER BY 1",
                WHERE.replace("started_at", "runs.started_at").replace("project =", "runs.project =").replace("branch =", "runs.branch =")
            ),
        )
        .about("The share of finished runs of which no test result arrived: what the panels about tests cannot know of."),
        Panel::new(
            "Services",
            Drawn::Table,
            "short",
            format!(
                "SELECT service, count(*) AS runs,\n  count(*) FILTER (WHERE conclusion = 'success')::double precision / nullif(count(*) FILTER (WHERE conclusion IN ('success', 'failure', 'timed_out', 'error')), 0) AS success,\n  p50(duration_seconds) AS p50, p95(duration_seconds) AS p95, max(started_at) AS last_run\nFROM runs WHERE {WHERE} AND service IS NOT NULL\nGROUP BY service ORDER BY p95 DESC NULLS LAST"
            ),
        )
        .about("Each service, the slowest first. The name leads to its dashboard.")
        .units(&[("success", "percentunit"), ("p50", "s"), ("p95", "s"), ("last_run", "dateTimeAsIso")])
        .linked(
            &[("service", "Dashboard of this service", "/d/manometer-service?var-service=${__value.text:percentencode}&${project:queryparam}&${__url_time_range}")],
            &[],
        ),
        Panel::new(
            "Latest failures",
            Drawn::Table,
            "short",
            format!(
                "SELECT started_at, service, pipeline, branch, number, conclusion, duration_seconds, provider, run_id, attempt\nFROM runs WHERE {WHERE} AND conclusion IN ('failure', 'timed_out', 'error')\nORDER BY started_at DESC LIMIT 50"
            ),
        )
        .about("Runs that failed, the latest first. The number leads to the run in Manometer.")
        .units(&[("started_at", "dateTimeAsIso"), ("duration_seconds", "s"), ("number", "none")])
        .linked(
            &[("number", "This run in Manometer", "${manometer}/run?provider=${__data.fields.provider:percentencode}&project=${project:percentencode}&run_id=${__data.fields.run_id:percentencode}&attempt=${__data.fields.attempt}")],
            &["provider", "run_id", "attempt"],
        ),
        Panel::new(
            "Share of failed jobs by name",
            Drawn::Table,
            "short",
            format!(
                "SELECT name, count(*) AS jobs,\n  count(*) FILTER (WHERE conclusion IN ('failure', 'timed_out', 'error'))::double precision / count(*) AS failed,\n  p95(duration_seconds) AS p95\nFROM jobs WHERE {WHERE} AND status = 'completed'\nGROUP BY name ORDER BY failed DESC, jobs DESC LIMIT 50"
            ),
        )
        .about("Which jobs fail most, and how long they take.")
        .judged(SHARE_LOW_IS_GOOD)
        .units(&[("failed", "percentunit"), ("p95", "s")]),
    ]
}
