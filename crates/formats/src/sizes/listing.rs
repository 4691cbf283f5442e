//! Sizes that the sender measured: of files and folders that are too large, or too private, to be sent.
//!
//! ```text
//! {"manometer_artifacts": 1, "artifacts": [{"name": "dist", "kind": "folder", "size_bytes": 48213}, …]}
//! ```
//!
//! `manometer ingest --artifact PATH` sends it; whoever can write JSON can too.

use std::io::BufRead;

use manometer_model::{Limits, Problem};

use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::measured::{ArtifactRow, MeasuredSink, Outlet, Summary};

/// The key a listing is known by; its value is the version of the form.
pub const MARK: &str = "manometer_artifacts";

/// Reads a listing.
///
/// # Errors
/// When the input fails, is empty, or is no listing.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut json = Json::open(input, limits.name_bytes)?;
    let mut outlet = Outlet::new(sink);
    match document(&mut json, &mut outlet) {
        Ok(true) => {}
        Ok(false) => {
            return Err(ReadError::UnknownFormat {
                found: format!("JSON without `{MARK}`"),
                expected: "expected a listing of artifacts",
            });
        }
        Err(Stop::Io(error)) => return Err(error.into()),
        Err(stop) => {
            outlet.summary.truncated = true;
            outlet.summary.problems.push(stop.into_problem());
        }
    }
    Ok(outlet.summary)
}

/// Has it the key of a listing?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|start| !start.is_array && start.has(MARK))
}

fn document(json: &mut Json<'_>, outlet: &mut Outlet<'_>) -> Result<bool, Stop> {
    let mut is_marked = false;
    if !json.enter_object()? {
        return Ok(false);
    }
    while let Some(key) = json.next_key()? {
        match key {
            MARK => {
                is_marked = true;
                json.skip()?;
            }
            "artifacts" => {
                if json.enter_array()? {
                    while json.next_element()? {
                        artifact(json, outlet)?;
                    }
                }
            }
            _ => json.skip()?,
        }
    }
    Ok(is_marked)
}

fn artifact(json: &mut Json<'_>, outlet: &mut Outlet<'_>) -> Result<(), Stop> {
    let line = json.line();
    let (mut name, mut kind, mut size_bytes) = (String::new(), "file".to_owned(), None);
    if json.enter_object()? {
        while let Some(key) = json.next_key()? {
            match key {
                "name" => json.string()?.unwrap_or_default().clone_into(&mut name),
                "kind" => json.string()?.unwrap_or("file").clone_into(&mut kind),
                "size_bytes" => size_bytes = json.number()?.and_then(|text| text.parse::<u64>().ok()),
                _ => json.skip()?,
            }
        }
    }
    match size_bytes.filter(|_| !name.is_empty()) {
        Some(size_bytes) => outlet.artifact(ArtifactRow { name: &name, kind: &kind, size_bytes, at: None }),
        None => outlet.summary.problems.push_with(|| {
            let field = if name.is_empty() { "name" } else { "size_bytes" };
            Problem::new("missing or no value of its kind, the artifact was left out")
                .at_line(line)
                .in_field(field)
        }),
    }
    Ok(())
}
