//! One line: from JSON to a record.

use std::borrow::Cow;

use manometer_model::records::{
    Artifact, Build, Cache, Commit, Coverage, Deployment, Incident, Job, Log, Run, Runner, Sample, Span,
    Step, TABLES, Test,
};
use manometer_model::{Limits, Problem, Problems, Record, Table, TableKind, TestId, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The kind of a line; everything else is read past.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
}

/// Reads one line. The problem of a line that cannot be used does not name the line yet.
pub(super) fn read(
    line: &[u8],
    number: u64,
    limits: &Limits,
    problems: &mut Problems,
) -> Result<Record, Problem> {
    let deepest = limits.nesting;
    if nests_deeper_than(line, deepest) {
        return Err(Problem::new(format!(
            "nested deeper than {deepest} levels (limit `nesting`), the line was left out"
        )));
    }
    let text = std::str::from_utf8(line).map_err(|error| {
        Problem::new(format!("not valid UTF-8 at byte {}, the line was left out", error.valid_up_to() + 1))
    })?;
    if !text.starts_with('{') {
        return Err(Problem::new("not a JSON object, the line was left out: write one object a line"));
    }
    let head: Head<'_> = serde_json::from_str(text).map_err(|error| refused(&error, None))?;
    let Some(kind) = head.kind else {
        return Err(Problem::new("missing, the line was left out: say what the record is").in_field("type"));
    };
    let mut unknown = |field: &str| {
        problems.push_with(|| {
            let message = format!("not a field of `{}`, ignored", shown(&kind));
            Problem::new(message).at_line(number).in_field(shown(field))
        });
    };
    let record = match kind.as_ref() {
        "run" => parse::<Run>(text, &mut unknown)?,
        "job" => parse::<Job>(text, &mut unknown)?,
        "step" => parse::<Step>(text, &mut unknown)?,
        "test" => with_identity(parse::<Test>(text, &mut unknown)?),
        "coverage" => parse::<Coverage>(text, &mut unknown)?,
        "artifact" => parse::<Artifact>(text, &mut unknown)?,
        "build" => parse::<Build>(text, &mut unknown)?,
        "sample" => parse::<Sample>(text, &mut unknown)?,
        "deployment" => parse::<Deployment>(text, &mut unknown)?,
        "incident" => parse::<Incident>(text, &mut unknown)?,
        "commit" => parse::<Commit>(text, &mut unknown)?,
        "runner" => parse::<Runner>(text, &mut unknown)?,
        "cache" => parse::<Cache>(text, &mut unknown)?,
        "span" => parse::<Span>(text, &mut unknown)?,
        "log" => parse::<Log>(text, &mut unknown)?,
        other => {
            let known: Vec<_> = TABLES.iter().map(|table| table.record).collect();
            let message = format!(
                "`{}` is not a record, the line was left out: expected one of {}",
                shown(other),
                known.join(" ")
            );
            return Err(Problem::new(message).in_field("type"));
        }
    };
    match empty_column(&record) {
        Some(column) => {
            Err(Problem::new("empty, the line was left out: it says what the record belongs to")
                .in_field(column))
        }
        None => Ok(record),
    }
}

fn parse<R: DeserializeOwned + Into<Record>>(
    text: &str,
    unknown: &mut dyn FnMut(&str),
) -> Result<Record, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed: Result<R, _> = serde_ignored::deserialize(&mut deserializer, |path| {
        let path = path.to_string();
        if path != "type" {
            unknown(&path);
        }
    });
    match parsed.and_then(|record| deserializer.end().map(|()| record)) {
        Ok(record) => Ok(record.into()),
        Err(error) => Err(refused(&error, field_to_blame::<R>(text))),
    }
}

/// Reads a line that was refused once more, slowly, to learn which field is to blame.
fn field_to_blame<R: DeserializeOwned>(text: &str) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let error = serde_path_to_error::deserialize::<_, R>(&mut deserializer).err()?;
    let path = error.path().to_string();
    (path != ".").then(|| shown(&path))
}

fn refused(error: &serde_json::Error, field: Option<String>) -> Problem {
    let text = error.to_string();
    // The line in serde_json's message is always 1: it saw one line.
    let (reason, column) = match text.rsplit_once(" at line 1 column ") {
        Some((reason, column)) => (reason, format!(" at column {column}")),
        None => (text.as_str(), String::new()),
    };
    let problem = Problem::new(format!("{reason}{column}, the line was left out"));
    match field {
        Some(field) => problem.in_field(field),
        None => problem,
    }
}

fn with_identity(record: Record) -> Record {
    let Record::Test(mut test) = record else { return record };
    if test.test_id == TestId::default() {
        let part = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        test.test_id =
            TestId::new(&part(&test.suite), &part(&test.classname), &test.name, &part(&test.parameters), 0);
    }
    Record::Test(test)
}

/// The column that says what the record is or belongs to, and is empty.
fn empty_column(record: &Record) -> Option<&'static str> {
    let row = record.row();
    let table = row.table_of();
    let cells = row.cells();
    let is_empty = |cell: &Value<'_>| matches!(cell, Value::Text(text) if text.trim().is_empty());
    table
        .columns
        .iter()
        .zip(&cells)
        .find(|(column, cell)| is_empty(cell) && must_be_given(table, column.name, column.nullable))
        .map(|(column, _)| column.name)
}

fn must_be_given(table: &Table, column: &str, is_nullable: bool) -> bool {
    match table.kind {
        TableKind::Entity { key } => key.contains(&column),
        // A line of a log may well be empty.
        TableKind::Fact { .. } => !is_nullable && column != "message",
    }
}

/// Does JSON text open more than `deepest` brackets inside each other? Looks at nothing else.
fn nests_deeper_than(line: &[u8], deepest: usize) -> bool {
    let mut depth = 0_usize;
    let mut rest = line.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => skip_string(&mut rest),
            b'{' | b'[' => {
                depth += 1;
                if depth > deepest {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

fn skip_string(rest: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => {
                rest.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}

fn shown(text: &str) -> String {
    text.get(..text.floor_char_boundary(64)).unwrap_or_default().to_owned()
}
