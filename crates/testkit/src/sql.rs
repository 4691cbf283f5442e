//! Questions to a server, answered as JSON.

use std::io;

use serde_json::{Value, json};

use crate::http::HttpClient;

/// The rows of an answer, whole.
///
/// # Errors
/// When the server does not answer, refuses, or cut the answer short; the message holds the question.
pub fn rows(client: &mut HttpClient, sql: &str) -> io::Result<Vec<Vec<Value>>> {
    let body = json!({ "sql": sql }).to_string();
    let response = client.post("/api/v1/sql", &[("content-type", "application/json")], body.as_bytes())?;
    let answer = response.json()?;
    if response.status != 200 {
        return Err(io::Error::other(format!("{sql}: {} {answer}", response.status)));
    }
    if answer.get("truncated") != Some(&Value::Bool(false)) {
        return Err(io::Error::other(format!("{sql}: the answer was cut short")));
    }
    let rows = answer.get("rows").and_then(Value::as_array);
    let rows =
        rows.and_then(|rows| rows.iter().map(|row| row.as_array().cloned()).collect::<Option<Vec<_>>>());
    rows.ok_or_else(|| io::Error::other(format!("{sql}: no rows in {answer}")))
}

/// The one number of an answer.
///
/// # Errors
/// As [`rows`], and when the answer is not one whole number.
pub fn number(client: &mut HttpClient, sql: &str) -> io::Result<u64> {
    let answer = rows(client, sql)?;
    let number = answer.first().and_then(|row| row.first()).and_then(Value::as_u64);
    number.ok_or_else(|| io::Error::other(format!("{sql}: not a number: {answer:?}")))
}
