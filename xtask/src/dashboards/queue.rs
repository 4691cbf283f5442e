//! The queue and the runners: who waits, for which pool, and on which runner jobs fail.

use super::panel::{Drawn, Panel, SHARE_LOW_IS_GOOD, WAITING};
use super::{Dashboard, pages, project};

const WHERE: &str = "$__timeFilter(started_at) AND project = '$project'";

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "queue",
        title: "Queue and runners",
        description: "How long jobs wait, for which pool of runners, and how the runners do.",
        variables: vec![project(), pages()],
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    vec![
        Panel::new("Jobs", Drawn::Number, "short", format!("SELECT count(*) AS jobs FROM jobs WHERE {WHERE}"))
            .about("Jobs that began in the range."),
        Panel::new("Waiting, median", Drawn::Number, "s", format!("SELECT p50(queue_seconds) AS p50 FROM jobs WHERE {WHERE}"))
            .about("Half of the jobs waited shorter for a runner.")
            .judged(WAITING),
        Panel::new("Waiting, p95", Drawn::Number, "s", format!("SELECT p95(queue_seconds) AS p95 FROM jobs WHERE {WHERE}"))
            .about("19 of 20 jobs waited shorter. Within 0.8 %.")
            .judged(WAITING),
        Panel::new(
            "Time lost to waiting",
            Drawn::Number,
            "s",
            format!("SELECT sum(queue_seconds) AS waited FROM jobs WHERE {WHERE}"),
        )
        .about("All waiting of all jobs together."),
        Panel::new(
            "Waiting by pool, p95",
            Drawn::Lines,
            "s",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL), coalesce(runner_pool, 'no pool') AS metric, p95(queue_seconds) AS p95\nFROM jobs WHERE {WHERE} AND queue_seconds IS NOT NULL\nGROUP BY 1, 2 ORDER BY 1, 2"
            ),
        )
        .about("Where the queue grows, a pool is short of runners."),
        Panel::new(
            "Work by pool",
            Drawn::Bars,
            "s",
            format!(
                "SELECT $__timeGroupAlias(started_at, $__interval, NULL), coalesce(runner_pool, 'no pool') AS metric, sum(duration_seconds) AS work\nFROM jobs WHERE {WHERE}\nGROUP BY 1, 2 ORDER BY 1, 2"
            ),
        )
        .about("Seconds that runners worked, by pool."),
        Panel::new(
            "Pools",
            Drawn::Table,
            "short",
            format!(
                "SELECT coalesce(runner_pool, 'no pool') AS pool, count(*) AS jobs, count(DISTINCT runner_name) AS runners,\n  p50(queue_seconds) AS waiting_p50, p95(queue_seconds) AS waiting_p95, sum(duration_seconds) AS work\nFROM jobs WHERE {WHERE}\nGROUP BY 1 ORDER BY waiting_p95 DESC NULLS LAST"
            ),
        )
        .about("Each pool: its jobs, the runners that were seen, and the waiting for them.")
        .units(&[("waiting_p50", "s"), ("waiting_p95", "s"), ("work", "s")]),
        Panel::new(
            "Runners",
            Drawn::Table,
            "short",
            format!(
                "SELECT runner_name, max(runner_pool) AS pool, count(*) AS jobs,\n  count(*) FILTER (WHERE conclusion IN ('failure', 'timed_out', 'error'))::double precision / count(*) AS failed,\n  sum(duration_seconds) AS work, max(finished_at) AS last_seen\nFROM jobs WHERE {WHERE} AND runner_name IS NOT NULL\nGROUP BY runner_name ORDER BY failed DESC, jobs DESC LIMIT 200"
            ),
        )
        .about("Each runner. One on which far more jobs fail than on its neighbours is ill.")
        .judged(SHARE_LOW_IS_GOOD)
        .units(&[("failed", "percentunit"), ("work", "s"), ("last_seen", "dateTimeAsIso")]),
    ]
}
