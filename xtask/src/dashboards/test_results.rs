//! The tests of one service: results, durations, the slow, the failing and the flaky.

use super::panel::{Drawn, Panel, SHARE_HIGH_IS_GOOD, SHARE_LOW_IS_GOOD};
use super::{Dashboard, branch, pages, project, service};

/// From the whole hour on in which the chosen time begins: what roll-ups answer without a look at the rows.
const WHERE: &str = "at >= date_trunc('hour', $__timeFrom()::timestamptz) AND at <= $__timeTo() AND project = '$project' AND service = '$service' AND ('$branch' = '' OR branch = '$branch')";

/// Where a test's name leads.
const TEST_LINK: &[(&str, &str, &str)] = &[(
    "name",
    "This test in Manometer",
    "${manometer}/test?project=${project:percentencode}&service=${service:percentencode}&id=${__data.fields.test_id}",
)];

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "tests",
        title: "Tests",
        description: "The tests of one service: how many, how long, which fail, and which cannot be believed.",
        variables: vec![project(), service(), branch(true), pages()],
        panels: panels(),
    }
}

fn panels() -> Vec<Panel> {
    vec![
        Panel::new(
            "Tests",
            Drawn::Number,
            "short",
            format!("SELECT count(DISTINCT test_id) AS tests FROM tests WHERE {WHERE}"),
        )
        .about("Different tests that were executed."),
        Panel::new(
            "Passed",
            Drawn::Number,
            "percentunit",
            format!(
                "SELECT count(*) FILTER (WHERE status = 'passed')::double precision / nullif(count(*) FILTER (WHERE status <> 'skipped'), 0) AS passed\nFROM tests WHERE {WHERE} AND is_final"
            ),
        )
        .about("Of the executions that count, without the skipped, the share that passed.")
        .judged(SHARE_HIGH_IS_GOOD),
        Panel::new(
            "Passed only when repeated",
            Drawn::Number,
            "percentunit",
            format!(
                "SELECT count(*) FILTER (WHERE status = 'passed' AND attempt > 1)::double precision / nullif(count(*), 0) AS repeated\nFROM tests WHERE {WHERE} AND is_final"
            ),
        )
        .about("Executions that failed first and passed when the framework ran them again: flaky by definition.")
        .judged(SHARE_LOW_IS_GOOD),
        Panel::new(
            "Duration of a test, p95",
            Drawn::Number,
            "s",
            format!("SELECT p95(duration_seconds) AS p95 FROM tests WHERE {WHERE}"),
        )
        .about("19 of 20 executions were quicker. Within 0.8 %."),
        Panel::new(
            "Results",
            Drawn::Bars,
            "short",
            format!(
                "SELECT $__timeGroupAlias(at, $__interval, NULL), status AS metric, count(*) AS results\nFROM tests WHERE {WHERE} AND is_final\nGROUP BY 1, 2 ORDER BY 1, 2"
            ),
        )
        .about("Results that count, by status. Where no report arrived there is no bar: a gap is not zero failures."),
        Panel::new(
            "Duration of a test",
            Drawn::Lines,
            "s",
            format!(
                "SELECT $__timeGroupAlias(at, $__interval, NULL), p50(duration_seconds) AS p50, p95(duration_seconds) AS p95, p99(duration_seconds) AS p99\nFROM tests WHERE {WHERE}\nGROUP BY 1 ORDER BY 1"
            ),
        )
        .about("Percentiles of single executions."),
        Panel::new(
            "Slowest tests",
            Drawn::Table,
            "short",
            format!(
                "SELECT name, max(suite) AS suite, count(*) AS executions, p50(duration_seconds) AS p50, p95(duration_seconds) AS p95, sum(duration_seconds) AS total, test_id\nFROM tests WHERE {WHERE}\nGROUP BY test_id, name ORDER BY p95 DESC NULLS LAST LIMIT 100"
            ),
        )
        .about("The tests with the longest 95th percentile. The name leads to the test's history.")
        .units(&[("p50", "s"), ("p95", "s"), ("total", "s")])
        .linked(TEST_LINK, &["test_id"]),
        Panel::new(
            "Failing tests",
            Drawn::Table,
            "short",
            format!(
                "SELECT name, max(suite) AS suite, count(*) AS executions,\n  count(*) FILTER (WHERE status IN ('failed', 'error')) AS failures,\n  count(*) FILTER (WHERE status IN ('failed', 'error'))::double precision / count(*) AS failed,\n  max(at) FILTER (WHERE status IN ('failed', 'error')) AS last_failure, test_id\nFROM tests WHERE {WHERE} AND is_final\nGROUP BY test_id, name HAVING count(*) FILTER (WHERE status IN ('failed', 'error')) > 0\nORDER BY failures DESC LIMIT 100"
            ),
        )
        .about("Tests that failed, the most often failing first.")
        .units(&[("failed", "percentunit"), ("last_failure", "dateTimeAsIso")])
        .linked(TEST_LINK, &["test_id"]),
        Panel::new(
            "Failures of one kind",
            Drawn::Table,
            "short",
            format!(
                "SELECT max(failure_message) AS message, max(failure_kind) AS kind, count(*) AS failures, count(DISTINCT test_id) AS tests,\n  min(at) AS first_seen, max(at) AS last_seen\nFROM tests WHERE {WHERE} AND failure_fingerprint IS NOT NULL\nGROUP BY failure_fingerprint ORDER BY failures DESC LIMIT 50"
            ),
        )
        .about("Failures with the same fingerprint, whichever tests they hit.")
        .units(&[("first_seen", "dateTimeAsIso"), ("last_seen", "dateTimeAsIso")]),
        Panel::new(
            "Coverage",
            Drawn::Lines,
            "percentunit",
            format!(
                "SELECT $__timeGroupAlias(at, $__interval, NULL), sum(lines_covered)::double precision / nullif(sum(lines_valid), 0) AS lines\nFROM coverage WHERE {WHERE} AND scope = 'total'\nGROUP BY 1 ORDER BY 1"
            ),
        )
        .about("The share of lines that tests ran through."),
    ]
}
