//! The question to a server's table `samples` that brings measured runs back, in PostgreSQL's dialect.

use manometer_agent::local::{TAG_OPERATION, TAG_RECORD, TAG_TYPE};
use manometer_model::Timestamp;

use super::RunFilter;

/// The columns of an answer, in order.
pub(super) const COLUMNS: [&str; 11] = [
    "record",
    "at",
    "name",
    "value",
    "tags",
    "commit_sha",
    "branch",
    "provider",
    "project",
    "pipeline",
    "run_id",
];

/// The samples of the newest `count` records of a project that come after `after` in the order newest first.
pub(super) fn page(
    filter: &RunFilter,
    project: Option<&str>,
    after: Option<&(Timestamp, String)>,
    count: usize,
) -> String {
    let conditions = conditions(filter, project, after).join("\n      AND ");
    let columns: Vec<String> = COLUMNS.iter().skip(2).map(|column| format!("s.{column}")).collect();
    format!(
        "SELECT newest.record, newest.last_at, {columns}
FROM (
    SELECT label(tags, '{TAG_RECORD}') AS record, max(at) AS last_at
    FROM samples
    WHERE {conditions}
    GROUP BY label(tags, '{TAG_RECORD}')
    ORDER BY last_at DESC, record DESC
    LIMIT {count}
) AS newest
JOIN samples AS s ON s.at = newest.last_at AND label(s.tags, '{TAG_RECORD}') = newest.record
ORDER BY newest.last_at DESC, newest.record DESC, s.name",
        columns = columns.join(", ")
    )
}

fn conditions(filter: &RunFilter, project: Option<&str>, after: Option<&(Timestamp, String)>) -> Vec<String> {
    let record = format!("label(tags, '{TAG_RECORD}')");
    let mut all = vec![format!("{record} IS NOT NULL")];
    if let Some(project) = project {
        all.push(format!("project = {}", text(project)));
    }
    if let Some(kind) = &filter.kind {
        all.push(format!("label(tags, '{TAG_TYPE}') = {}", text(kind)));
    }
    if let Some(operation) = &filter.operation {
        all.push(format!("label(tags, '{TAG_OPERATION}') = {}", text(operation)));
    }
    if let Some(prefix) = &filter.id_prefix {
        all.push(format!("starts_with({record}, {})", text(prefix)));
    }
    if let Some(since) = filter.since {
        all.push(format!("at >= {}", time(since)));
    }
    if let Some(until) = filter.until {
        all.push(format!("at < {}", time(until)));
    }
    if let Some((at, id)) = after {
        // All samples of a record have its time, so the place of a record in the list is known from each of them.
        let at = time(*at);
        all.push(format!("(at < {at} OR (at = {at} AND {record} < {}))", text(id)));
    }
    all
}

/// A text as an SQL literal. Standard strings know one special character.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''").replace('\0', ""))
}

/// A time as an SQL literal without a zone, as the columns are.
fn time(value: Timestamp) -> String {
    let shown = value.to_string();
    format!("TIMESTAMP '{}'", shown.trim_end_matches('Z').replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_name_is_quoted() {
        let filter = RunFilter {
            kind: Some("it's".to_owned()),
            id_prefix: Some("'; DROP TABLE samples; --".to_owned()),
            since: Some(Timestamp::from_micros(1_795_219_200_500_000)),
            ..RunFilter::default()
        };
        let sql = page(&filter, Some("github.com/acme/shop"), None, 7);
        for expected in [
            "label(tags, 'record_type') = 'it''s'",
            "starts_with(label(tags, 'record'), '''; DROP TABLE samples; --')",
            "at >= TIMESTAMP '2026-11-21 00:00:00.500000'",
            "project = 'github.com/acme/shop'",
            "LIMIT 7",
        ] {
            assert!(sql.contains(expected), "{expected} missing in\n{sql}");
        }
    }
}
