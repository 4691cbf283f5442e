//! An upload as it comes through a door: who sends it, under which key, how it is packed, and then its bytes.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use manometer_ingest::{Admission, ContentEncoding};
use manometer_model::{Limits, Timestamp};
use manometer_store::Store;
use utoipa::IntoResponses;

use super::delivered::{self, ReceiptBody};
use crate::access::IngestCaller;
use crate::door::read_body;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// An upload whose sender may send; its body is not read yet.
#[derive(Debug)]
pub(crate) struct Arriving {
    /// Method, address and headers.
    pub(crate) head: Parts,
    /// What `Content-Encoding` says.
    pub(crate) encoding: ContentEncoding,
    admission: Admission,
    body: Body,
}

impl FromRequest<App> for Arriving {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut head, body) = request.into_parts();
        let IngestCaller(caller) = IngestCaller::from_request_parts(&mut head, app).await?;
        let admission = caller.admission(delivered::idempotency_key(&head.headers)?);
        let encoding = delivered::content_encoding(&head.headers)?;
        Ok(Self { head, encoding, admission, body })
    }
}

impl Arriving {
    /// The headers of the request.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Reads the body, within the limits on size, memory and patience.
    pub(crate) async fn read(self, app: &App) -> Result<Arrived, ApiError> {
        let most_bytes = app.limits.body_bytes;
        let upload =
            read_body(self.body, &self.head.headers, most_bytes, &app.upload_memory, &app.timeouts).await?;
        let (bytes, claim) = upload.into_parts();
        let received_at = app.clock.now();
        let seat = Seat { app: app.clone(), admission: self.admission, received_at, _claim: Box::new(claim) };
        Ok(Arrived { head: self.head, encoding: self.encoding, bytes, seat })
    }
}

/// An upload that is in memory.
pub(crate) struct Arrived {
    pub(crate) head: Parts,
    pub(crate) encoding: ContentEncoding,
    pub(crate) bytes: Bytes,
    /// What its reading needs, on whatever thread that happens.
    pub(crate) seat: Seat,
}

/// What reading an upload needs besides its bytes; keeps its claim on the shared memory to the end.
pub(crate) struct Seat {
    app: App,
    pub(crate) admission: Admission,
    pub(crate) received_at: Timestamp,
    _claim: Box<dyn Send + Sync>,
}

impl Seat {
    pub(crate) fn store(&self) -> &Store {
        &self.app.store
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.app.limits
    }
}

/// The answers every door for uploads gives, for the API's description.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa's derive; the answers themselves are made where they are due")]
pub(crate) enum UploadAnswers {
    /// on disk; the receipt says what was taken of each file
    #[response(status = 201)]
    Committed(ReceiptBody),
    /// this delivery arrived before; its first receipt
    #[response(status = 208)]
    Known(ReceiptBody),
    /// the context, the form or the body is wrong
    #[response(status = 400)]
    Wrong(ErrorBody<'static>),
    /// no valid token
    #[response(status = 401)]
    NoToken(ErrorBody<'static>),
    /// the token lacks the scope `ingest` or may not write to the project
    #[response(status = 403)]
    NotAllowed(ErrorBody<'static>),
    /// the body arrived too slowly
    #[response(status = 408)]
    TooSlow(ErrorBody<'static>),
    /// the key was used for another upload
    #[response(status = 409)]
    KeyReused(ErrorBody<'static>),
    /// too large, packed or unpacked, or too many files
    #[response(status = 413)]
    TooLarge(ErrorBody<'static>),
    /// a content type or encoding that is not understood
    #[response(status = 415)]
    NotUnderstood(ErrorBody<'static>),
    /// nothing in it could be used; the problems are listed
    #[response(status = 422)]
    NothingUsable(ErrorBody<'static>),
    /// overloaded or stopping; try again after `Retry-After`
    #[response(status = 503)]
    Overloaded(ErrorBody<'static>),
    /// the server's disk is full
    #[response(status = 507)]
    DiskFull(ErrorBody<'static>),
}
