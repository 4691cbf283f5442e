//! One service: its runs, its jobs and steps, its failures.

use super::panel::{Drawn, Panel, SHARE_HIGH_IS_GOOD, WAITING, WORKING};
use super::{Dashboard, branch, pages, project, service};

const WHERE: &str = "$__timeFilter(started_at) AND project = '$project' AND service = '$service' AND ('$branch' = '' OR branch = '$branch')";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "service",
        title: "Service",
        description: "One service: what its pipelines take, where the time goes, and what fails.",
        variables: vec![project(), service(), branch(true), pages()],
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    vec![
        Panel::new("Runs", Drawn::Number, "short", format!("SELECT count(*) AS runs FROM runs WHERE {WHERE}"))
            .about("Runs of the service that began in the range."),
        Panel::new(
            "Success rate",
            Drawn::Number,
            "percentunit",
            format!(
                "SELECT count(*) FILTER (WHERE conclusion = 'success')::double precision\n  / nullif(count(*) FILTER (WHERE conclusion IN ('success', 'failure', 'timed_out', 'error')), 0) AS success\nFROM runs WHERE {WHERE}"
            ),
        )
        .about("Of the runs that succeeded or failed, the share that succeeded.")
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
            "Duration by pipeline, p95",
            Drawn::Lines,
            "s",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL), pipeline AS metric, p95(duration_seconds) AS p95\nFROM runs WHERE {WHERE} AND conclusion = 'success'\nGROUP BY 1, 2 ORDER BY 1, 2"
            ),
        )
        .about("95th percentile of the working time of successful runs."),
        Panel::new(
            "Runs by outcome",
            Drawn::Bars,
            "short",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL), coalesce(conclusion, status) AS metric, count(*) AS runs\nFROM runs WHERE {WHERE}\nGROUP BY 1, 2 ORDER BY 1, 2"
            ),
        )
        .about("What began in each stretch of time and how it ended."),
        Panel::new(
            "Jobs",
            Drawn::Table,
            "short",
            format!(
                "SELECT name, count(*) AS jobs, p50(duration_seconds) AS p50, p95(duration_seconds) AS p95,\n  p95(queue_seconds) AS waiting_p95,\n  count(*) FILTER (WHERE conclusion IN ('failure', 'timed_out', 'error'))::double precision / nullif(count(*), 0) AS failed\nFROM jobs WHERE {WHERE}\nGROUP BY name ORDER BY p95 DESC NULLS LAST LIMIT 100"
            ),
        )
        .about("Each job: how long it works, how long it waits, how often it fails.")
        .sized(12, 9)
        .units(&[("p50", "s"), ("p95", "s"), ("waiting_p95", "s"), ("failed", "percentunit")]),
        Panel::new(
            "Slowest steps",
            Drawn::Table,
            "short",
            "SELECT job_name, name, count(*) AS executions, p50(duration_seconds) AS p50, p95(duration_seconds) AS p95, sum(duration_seconds) AS total\nFROM steps WHERE at >= date_trunc('hour', $__timeFrom()::timestamptz) AND at <= $__timeTo() AND project = '$project' AND service = '$service' AND ('$branch' = '' OR branch = '$branch')\nGROUP BY job_name, name ORDER BY total DESC NULLS LAST LIMIT 100",
        )
        .about("Where the time of the jobs goes; the steps that took most in all are first.")
        .sized(12, 9)
        .units(&[("p50", "s"), ("p95", "s"), ("total", "s")]),
        Panel::new(
            "Latest runs",
            Drawn::Table,
            "short",
            format!(
                "SELECT started_at, pipeline, branch, number, conclusion, duration_seconds, queue_seconds, actor, provider, run_id, attempt\nFROM runs WHERE {WHERE}\nORDER BY started_at DESC LIMIT 100"
            ),
        )
        .about("The latest runs. The number leads to the run in Manometer.")
        .units(&[("started_at", "dateTimeAsIso"), ("duration_seconds", "s"), ("queue_seconds", "s"), ("number", "none")])
        .linked(
            &[("number", "This run in Manometer", "${manometer}/run?provider=${__data.fields.provider:percentencode}&project=${project:percentencode}&run_id=${__data.fields.run_id:percentencode}&attempt=${__data.fields.attempt}")],
            &["provider", "run_id", "attempt"],
        ),
    ]
}
