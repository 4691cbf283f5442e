//! Which objects records become.
//!
//! `RUN_ID.jsonl` is the whole of a run that nobody else tells of: its records with the run itself, from the
//! machine it ran on (`provider` is `local`, the id is unique). Whatever may be one part of several (a job of a CI
//! run, a later delivery) is `RUN_ID.HASH.jsonl`, so that no part overwrites another, and the same part sent twice
//! is one object. Records of no run are `no-run.HASH.jsonl`.

use std::collections::BTreeMap;

use manometer_model::{Record, Timestamp, Value};
use xxhash_rust::xxh3::xxh3_64;

use crate::ExportReport;

/// An object to be put.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) lines: u64,
    pub(super) body: Vec<u8>,
}

/// Which run a record belongs to: provider, project, run, attempt; `None` for records of no run.
type Owner = Option<(String, String, String, i64)>;

#[derive(Default)]
struct Group {
    body: Vec<u8>,
    lines: u64,
    /// The run's own time, else the earliest of its records.
    at: Option<Timestamp>,
    has_ended_run: bool,
}

pub(super) fn objects(records: &[Record], prefix: &str, report: &mut ExportReport) -> Vec<Object> {
    let mut groups: BTreeMap<Owner, Group> = BTreeMap::new();
    for record in records {
        let (owner, at) = seen(record);
        let group = groups.entry(owner).or_default();
        let length = group.body.len();
        if let Err(error) = serde_json::to_writer(&mut group.body, record) {
            group.body.truncate(length);
            report.drop_items(1, format!("a record cannot be written as JSON: {error}"));
            continue;
        }
        group.body.push(b'\n');
        group.lines += 1;
        if let Record::Run(run) = record {
            group.at = run.started_at.or(run.finished_at).or(group.at);
            group.has_ended_run |= run.conclusion.is_some();
        } else if !group.has_ended_run {
            group.at = match (group.at, at) {
                (Some(known), Some(at)) => Some(known.min(at)),
                (known, at) => known.or(at),
            };
        }
    }
    groups.into_iter().map(|(owner, group)| object(owner.as_ref(), group, prefix)).collect()
}

fn object(owner: Option<&(String, String, String, i64)>, group: Group, prefix: &str) -> Object {
    let hash = xxh3_64(&group.body);
    let name = match owner {
        Some((provider, _, run_id, 1)) if provider == "local" && group.has_ended_run => {
            format!("{}.jsonl", safe(run_id))
        }
        Some((_, _, run_id, _)) => format!("{}.{hash:016x}.jsonl", safe(run_id)),
        None => format!("no-run.{hash:016x}.jsonl"),
    };
    let day = group.at.map_or_else(|| "unknown".to_owned(), |at| at.to_string().chars().take(10).collect());
    let slash = if prefix.is_empty() { "" } else { "/" };
    Object { key: format!("{prefix}{slash}date={day}/{name}"), lines: group.lines, body: group.body }
}

/// A run id as part of a key: no path of its own, no character that needs care.
fn safe(run_id: &str) -> String {
    const LONGEST: usize = 200;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let name: String =
        run_id.chars().take(LONGEST).map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    if name.starts_with('.') || name.is_empty() { format!("_{name}") } else { name }
}

/// Whose record it is, and its time.
fn seen(record: &Record) -> (Owner, Option<Timestamp>) {
    let row = record.row();
    let table = row.table_of();
    let cells = row.cells();
    let cell = |column: &str| cells.get(table.position(column)?).copied();
    let text = |column: &str| match cell(column) {
        Some(Value::Text(text)) if !text.is_empty() => Some(text.to_owned()),
        _ => None,
    };
    let attempt = ["attempt", "run_attempt"];
    let column = if matches!(record, Record::Run(_)) { attempt[0] } else { attempt[1] };
    let attempt = match cell(column) {
        Some(Value::Int(attempt)) => attempt.max(1),
        _ => 1,
    };
    let owner = text("run_id").map(|run_id| {
        (text("provider").unwrap_or_default(), text("project").unwrap_or_default(), run_id, attempt)
    });
    let at = ["at", "started_at", "finished_at"].iter().find_map(|column| match cell(column) {
        Some(Value::Time(at)) if at != Timestamp::default() => Some(at),
        _ => None,
    });
    (owner, at)
}

#[cfg(test)]
mod tests {
    use manometer_model::Conclusion;
    use manometer_model::records::{Run, Sample};

    use super::*;

    fn keys(records: &[Record]) -> Vec<String> {
        let objects = objects(records, "ci/metrics", &mut ExportReport::default());
        objects.into_iter().map(|object| object.key).collect()
    }

    fn run(provider: &str, run_id: &str) -> Run {
        Run {
            provider: provider.to_owned(),
            project: "p".to_owned(),
            run_id: run_id.to_owned(),
            attempt: 1,
            conclusion: Some(Conclusion::Success),
            started_at: Some(Timestamp::from_seconds(1_700_000_000)),
            ..Run::default()
        }
    }

    #[test]
    fn a_run_of_its_own_is_named_after_itself_and_a_part_of_one_never_overwrites_another() {
        let sample = Sample {
            provider: "local".into(),
            project: "p".into(),
            run_id: Some("a1".into()),
            ..Sample::default()
        };
        assert_eq!(
            keys(&[run("local", "a1").into(), sample.clone().into()]),
            ["ci/metrics/date=2023-11-14/a1.jsonl"]
        );
        let part = keys(&[Sample { value: 1.0, ..sample.clone() }.into()]);
        let other = keys(&[Sample { value: 2.0, ..sample }.into()]);
        assert_ne!(part, other);
        assert!(part[0].starts_with("ci/metrics/date=unknown/a1."), "{part:?}");
        let of_ci = keys(&[run("github", "42").into()]);
        assert!(of_ci[0].starts_with("ci/metrics/date=2023-11-14/42.") && of_ci[0].len() > 50, "{of_ci:?}");
    }

    #[test]
    fn a_run_id_is_never_a_path() {
        assert_eq!(
            keys(&[run("local", "../../x y").into()]),
            ["ci/metrics/date=2023-11-14/_.._.._x_y.jsonl"]
        );
    }
}
