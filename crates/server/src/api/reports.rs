//! `POST /api/v1/reports`: report files, and the run they belong to.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use bytes::Bytes;
use manometer_ingest::{ContentEncoding, ContextFields, Part};

use super::arriving::{Arrived, Arriving, Seat, UploadAnswers};
use super::delivered;
use crate::door::{self, MultipartError};
use crate::error::ApiError;
use crate::state::App;

/// What context headers begin with: `X-Manometer-Run-Id` is the field `run_id`.
const HEADER_PREFIX: &str = "x-manometer-";

/// What label headers begin with: `X-Manometer-Label-Pool` is the field `label.pool`.
const LABEL_HEADER_PREFIX: &str = "label-";

/// Takes one or many report files. The kind of each is found from its content.
///
/// The body is a report, or `multipart/form-data` with files and context fields; each may be packed with gzip,
/// zstd or zip. The context comes from headers (`X-Manometer-Project`), the query (`?project=`) and form fields,
/// of which the later one wins: provider, project (needed), service, pipeline, run_id, attempt, number, job_id,
/// job_name, branch, is_default_branch, commit_sha, trigger, actor, change_id, url, started_at, and label.KEY.
#[utoipa::path(post, path = "/api/v1/reports", tag = "ingest", security(("token" = ["ingest"])),
    params(
        ("project" = Option<String>, Query, description = "repository, as github.com/acme/shop; and every other field of the context"),
        ("Idempotency-Key" = Option<String>, Header, description = "names this delivery: sent again it has no second effect"),
    ),
    request_body(content(
        (Vec<u8> = "application/octet-stream"), (Vec<u8> = "application/xml"), (Vec<u8> = "multipart/form-data"),
    ), description = "a report, or a form with several"),
    responses(UploadAnswers))]
pub(crate) async fn upload(State(app): State<App>, arriving: Arriving) -> Result<Response, ApiError> {
    let mut fields = ContextFields::new();
    fields_of_headers(&mut fields, arriving.headers())?;
    fields_of_query(&mut fields, &arriving.head.uri)?;

    let Arrived { head, encoding, bytes, seat } = arriving.read(&app).await?;
    let sent_bytes = bytes.len() as u64;
    let parts = parts(&app, &mut fields, &head, bytes, encoding)?;
    let work = move || {
        let Seat { admission, received_at, .. } = &seat;
        manometer_ingest::reports::prepare(
            seat.store(),
            &fields,
            parts,
            admission,
            seat.limits(),
            *received_at,
        )
    };
    let prepared = app.decode(work).await??;
    delivered::answer(&app, prepared, sent_bytes).await
}

fn set(fields: &mut ContextFields, name: &str, value: &str) -> Result<(), ApiError> {
    fields.set(name, value).map_err(|error| ApiError::bad_request("context", error.to_string()))
}

fn fields_of_headers(fields: &mut ContextFields, headers: &HeaderMap) -> Result<(), ApiError> {
    for (name, value) in headers {
        let Some(field) = name.as_str().strip_prefix(HEADER_PREFIX) else { continue };
        let text = std::str::from_utf8(value.as_bytes())
            .map_err(|_| ApiError::bad_request("context", format!("the header {name} is not UTF-8")))?;
        match field.strip_prefix(LABEL_HEADER_PREFIX) {
            Some(key) => set(fields, &format!("label.{key}"), text)?,
            None => set(fields, &field.replace('-', "_"), text)?,
        }
    }
    Ok(())
}

fn fields_of_query(fields: &mut ContextFields, uri: &Uri) -> Result<(), ApiError> {
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        set(fields, &name, &value)?;
    }
    Ok(())
}

/// The files of the body; the other fields of a form go to the context.
fn parts(
    app: &App,
    fields: &mut ContextFields,
    head: &Parts,
    body: Bytes,
    encoding: ContentEncoding,
) -> Result<Vec<Part>, ApiError> {
    let Some(boundary) = door::boundary_of(&head.headers) else {
        return Ok(vec![Part::from_memory("body", body).encoded(encoding)]);
    };
    let boundary = boundary.map_err(|why| ApiError::bad_request("multipart", why))?;
    if encoding != ContentEncoding::Identity {
        let message = "a multipart body cannot have a Content-Encoding: pack each file of it instead";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding", message));
    }
    let most_parts = app.limits.files_per_upload;
    let mut parts = Vec::new();
    for field in door::split(&body, &boundary, most_parts).map_err(|error| refused_form(&error))? {
        match field.file_name {
            Some(file_name) => {
                parts.push(Part::from_memory(shown_name(&file_name, &field.name), field.content))
            }
            None => {
                let text = std::str::from_utf8(&field.content)
                    .map_err(|_| ApiError::bad_request("context", format!("{}: is not UTF-8", field.name)))?;
                set(fields, &field.name, text)?;
            }
        }
    }
    Ok(parts)
}

fn refused_form(error: &MultipartError) -> ApiError {
    match error {
        MultipartError::TooManyParts { .. } => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", error.to_string())
        }
        _ => ApiError::bad_request("multipart", error.to_string()),
    }
}

/// What a file is called in the receipt.
fn shown_name(file_name: &str, field_name: &str) -> String {
    const MOST_LETTERS: usize = 255;
    let name = if file_name.is_empty() { field_name } else { file_name };
    name.chars()
        .take(MOST_LETTERS)
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect()
}
