//! What a caller is told when a request is refused: one shape for every route.
//!
//! ```json
//! {"error": {"code": "missing_scope", "message": "the token lacks the scope `query`: …", "request_id": "8c1f…"}}
//! ```

use axum::http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use manometer_ingest::{FileReport, IngestError};
use manometer_model::Problems;
use manometer_query::QueryError;
use manometer_query::answers::AnswerError;
use manometer_store::{CommitError, StoreError, SubmitError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{AccessError, Scope};

/// A refusal: status, a fixed word for programs, and a sentence for people that says what to do.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_seconds: Option<u64>,
    ends_connection: bool,
    wants_credentials: bool,
    details: Option<Box<Details>>,
}

#[derive(Debug, Clone)]
struct Details {
    files: Vec<FileReport>,
    problems: Problems,
}

/// The body of every refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody<'a> {
    /// What is wrong.
    error: ErrorFields<'a>,
}

/// What is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorFields<'a> {
    /// A fixed word for programs.
    code: &'a str,
    /// A sentence for people that says what to do.
    message: &'a str,
    /// Names this request in the server's log.
    request_id: &'a str,
    /// Each file of the upload, where files are to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<&'a [FileReport]>,
    /// What is wrong with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    problems: Option<&'a Problems>,
}

impl ApiError {
    /// A refusal.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after_seconds: None,
            ends_connection: false,
            wants_credentials: false,
            details: None,
        }
    }

    /// 400.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404: nothing there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 500: a fault of this program. What happened is logged, not told.
    pub fn internal(what: &dyn std::fmt::Display) -> Self {
        tracing::error!(%what, "failed to answer a request");
        let message = "the server failed on this request: its log has the details under the request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// 503: too much at once.
    pub(crate) fn overloaded(message: impl Into<String>, retry_after_seconds: u64) -> Self {
        let mut refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message);
        refusal.retry_after_seconds = Some(retry_after_seconds.max(1));
        refusal
    }

    /// 401: no credentials where some are needed.
    pub(crate) fn missing_credentials() -> Self {
        Self::unauthorized("missing_token", "this server wants a token: send `Authorization: Bearer mano_…`")
    }

    /// 401: credentials that are not valid (any more).
    pub(crate) fn wrong_credentials() -> Self {
        let message =
            "the token is unknown, expired or revoked: send a valid one as `Authorization: Bearer mano_…`";
        Self::unauthorized("wrong_token", message)
    }

    fn unauthorized(code: &'static str, message: &str) -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, code, message);
        refusal.wants_credentials = true;
        refusal
    }

    /// 403: valid credentials that do not allow this.
    pub(crate) fn missing_scope(needed: Scope) -> Self {
        let message = format!(
            "the token lacks the scope `{needed}`: make one with `manometer token create NAME --scope {needed}`"
        );
        Self::new(StatusCode::FORBIDDEN, "missing_scope", message)
    }

    /// The same, after which the connection ends: its request was not read to the end.
    #[must_use]
    pub(crate) fn ending_connection(mut self) -> Self {
        self.ends_connection = true;
        self
    }

    /// The status it answers with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its fixed word.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Its sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The body, for a request of this id.
    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let details = self.details.as_deref();
        let body = ErrorBody {
            error: ErrorFields {
                code: self.code,
                message: &self.message,
                request_id,
                files: details.map(|details| details.files.as_slice()),
                problems: details.map(|details| &details.problems),
            },
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.wants_credentials {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="manometer""#));
        }
        if self.ends_connection {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        headers
    }
}

/// Status and headers; the body follows where the request id is known, in `door::finish`.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.headers()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        let message = error.to_string();
        match error {
            IngestError::Empty => Self::bad_request("empty", message),
            IngestError::Context(_) => Self::bad_request("context", message),
            IngestError::Document(_) => Self::bad_request("document", message),
            IngestError::Exceeded(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message),
            IngestError::Unpack(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", message),
            IngestError::NothingReadable { files, problems } => {
                let mut refusal = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", message);
                refusal.details = Some(Box::new(Details { files, problems }));
                refusal
            }
            IngestError::ForbiddenProject { .. } => {
                Self::new(StatusCode::FORBIDDEN, "forbidden_project", message)
            }
            IngestError::NotKept { .. } => Self::not_found(message),
            IngestError::UnreadableRaw { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", message)
            }
            IngestError::Envelope(fault) => Self::internal(&fault),
            // The upload is in memory here, so only unpacking it can fail.
            IngestError::Read(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", message),
            // Records are only written out where nothing is stored, which no door does.
            IngestError::Write(fault) => Self::internal(&fault),
            IngestError::Store(store) => store.into(),
            IngestError::Submit(submit) => submit.into(),
            IngestError::Commit(commit) => commit.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::DiskFull { .. } => Self::disk_full(),
            StoreError::Poisoned { reason } => Self::poisoned(&reason),
            StoreError::Closed => Self::closing(),
            StoreError::TooManyEntities { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            }
            StoreError::ValueTooLarge { .. } | StoreError::MissingValue { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", message)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        let message = error.to_string();
        match error {
            SubmitError::Overloaded { retry_after_seconds } => {
                Self::overloaded(message, retry_after_seconds.into())
            }
            SubmitError::DiskFull => Self::disk_full(),
            SubmitError::Poisoned { reason } => Self::poisoned(&reason),
            SubmitError::Closed => Self::closing(),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::DiskFull => Self::disk_full(),
            CommitError::Poisoned { reason } => Self::poisoned(&reason),
            CommitError::Closed => Self::closing(),
        }
    }
}

impl ApiError {
    /// 507: nothing was stored, and it goes on by itself when there is space.
    fn disk_full() -> Self {
        const RETRY_SECONDS: u64 = 30;
        let message = "no space is left on the server's disk: nothing was stored, send it again later";
        let mut refusal = Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", message);
        refusal.retry_after_seconds = Some(RETRY_SECONDS);
        refusal
    }

    fn poisoned(reason: &str) -> Self {
        let message = format!("the store stopped writing and wants a restart of the server: {reason}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_stopped", message)
    }

    fn closing() -> Self {
        let mut refusal = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "closing",
            "the server is stopping: send it again in a moment",
        );
        refusal.retry_after_seconds = Some(5);
        refusal
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let message = error.to_string();
        let code = error.code();
        match error {
            QueryError::Overloaded { retry_after_seconds, .. } => {
                Self::overloaded(message, retry_after_seconds)
            }
            QueryError::TimeLimit { .. } | QueryError::MemoryLimit { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
            }
            ref fault if fault.is_the_querys_fault() => Self::bad_request(code, message),
            fault => Self::internal(&fault),
        }
    }
}

impl From<AnswerError> for ApiError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Asked { message } => Self::bad_request("parameter", message),
            AnswerError::NotFound { message } => Self::not_found(message),
            AnswerError::Query(fault) => fault.into(),
        }
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(refusal: &ApiError) -> (u16, &'static str, bool) {
        (refusal.status().as_u16(), refusal.code(), refusal.headers().contains_key(RETRY_AFTER))
    }

    #[test]
    fn a_full_disk_is_507_wherever_it_shows() {
        let path = std::path::PathBuf::from("data/tmp/x");
        assert_eq!(told(&StoreError::DiskFull { path }.into()), (507, "disk_full", true));
        assert_eq!(told(&SubmitError::DiskFull.into()), (507, "disk_full", true));
        assert_eq!(told(&CommitError::DiskFull.into()), (507, "disk_full", true));
        assert_eq!(told(&IngestError::Commit(CommitError::DiskFull).into()), (507, "disk_full", true));
    }

    #[test]
    fn overload_and_the_end_are_503_with_a_time_to_come_again_and_a_stopped_store_without() {
        assert_eq!(
            told(&SubmitError::Overloaded { retry_after_seconds: 0 }.into()),
            (503, "overloaded", true)
        );
        assert_eq!(told(&CommitError::Closed.into()), (503, "closing", true));
        let stopped = ApiError::from(CommitError::Poisoned { reason: "fsync: EIO".to_owned() });
        assert_eq!(told(&stopped), (503, "store_stopped", false));
        assert!(stopped.message().contains("fsync: EIO"));
    }

    #[test]
    fn faults_of_this_program_are_not_told_in_detail() {
        let refusal = ApiError::internal(&"secret path /var/lib");
        assert!(!refusal.message().contains("/var/lib"));
        let body: serde_json::Value = serde_json::from_slice(&refusal.body("abc")).unwrap();
        assert_eq!(body["error"]["request_id"], "abc");
    }
}
