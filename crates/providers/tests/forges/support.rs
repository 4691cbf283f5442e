//! Deliveries made of fixtures, signed as their systems sign, and the rows they come to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use manometer_model::{EntityKey, Limits, Record, Timestamp};
use manometer_providers::{
    DecodeError, Decoded, Delivery, Headers, Provider, ServiceRules, decode, provider,
};
use manometer_store::{MergedRow, merged_rows};

/// When the deliveries of the tests arrive, unless a test says otherwise: some minutes after what they tell.
pub(crate) const RECEIVED_AT: &str = "2026-03-02T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

pub(crate) fn named(name: &str) -> &'static dyn Provider {
    provider(name).unwrap()
}

pub(crate) fn fixture(provider: &str, file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(provider);
    std::fs::read(folder.join(file).with_extension("json")).unwrap()
}

/// The header that names the event.
pub(crate) fn event_header(provider: &str) -> &'static str {
    match provider {
        "github" => "X-GitHub-Event",
        "gitlab" => "X-Gitlab-Event",
        "forgejo" => "X-Forgejo-Event",
        _ => "X-Gitea-Event",
    }
}

/// Decodes a body as the event of a provider.
pub(crate) fn decoded(
    provider: &str,
    event: &str,
    body: &[u8],
    received_at: Timestamp,
) -> Result<Decoded, DecodeError> {
    let headers =
        Headers::from_pairs([(event_header(provider), event), ("Content-Type", "application/json")]);
    let delivery = Delivery { headers: &headers, query: &[], body, received_at };
    decode(named(provider), &delivery, &ServiceRules::default(), &Limits::default())
}

/// Decodes a fixture that must be known and without problems.
pub(crate) fn told(provider: &str, event: &str, file: &str) -> Decoded {
    told_at(provider, event, file, at(RECEIVED_AT))
}

pub(crate) fn told_at(provider: &str, event: &str, file: &str, received_at: Timestamp) -> Decoded {
    let decoded = decoded(provider, event, &fixture(provider, file), received_at).unwrap();
    assert!(decoded.known, "{provider} {event} {file} is not known");
    assert!(decoded.problems.is_empty(), "{file}: {:?}", decoded.problems);
    decoded
}

/// The rows the store would show after these, whole seconds written without their zeros.
pub(crate) fn rows<'d>(all: impl IntoIterator<Item = &'d Decoded>) -> BTreeMap<EntityKey, MergedRow> {
    let observations = all.into_iter().flat_map(|decoded| decoded.entities.iter().map(Record::row));
    let mut merged = merged_rows(observations).unwrap();
    for cell in merged.values_mut().flat_map(BTreeMap::values_mut) {
        if let Some(seconds) = cell.strip_suffix(".000000Z") {
            *cell = format!("{seconds}Z");
        }
    }
    merged
}

/// The one row of a table among the rows of one delivery.
pub(crate) fn row_of(decoded: &Decoded, table: &str) -> MergedRow {
    only(&rows([decoded]), table)
}

pub(crate) fn only(rows: &BTreeMap<EntityKey, MergedRow>, table: &str) -> MergedRow {
    let mut found = rows.iter().filter(|(key, _)| key.table == table);
    let row = found.next().unwrap_or_else(|| panic!("no row of {table}")).1.clone();
    assert!(found.next().is_none(), "more than one row of {table}");
    row
}

/// Compares the named cells of a row; `-` stands for null.
#[track_caller]
pub(crate) fn assert_cells(row: &MergedRow, expected: &[(&str, &str)]) {
    for (column, value) in expected {
        assert_eq!(row.get(column).map_or("-", String::as_str), *value, "{column} of {row:#?}");
    }
}
