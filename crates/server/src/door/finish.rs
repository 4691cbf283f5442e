//! The outermost layer: gives every request an id, logs and counts it, turns panics into answers, writes the
//! bodies of refusals, sets the security headers, and lets refused senders finish talking.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::time::Instant;

use crate::error::ApiError;
use crate::state::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing but what the server itself serves; no frames, no plugins, no inline code.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The doors whose answers are counted as deliveries.
const DELIVERY_ROUTES: &[&str] =
    &["/api/v1/reports", "/api/v1/records", "/save_metrics", "/write", "/api/v2/write", "/api/v1/write"];

/// Wraps every request.
pub(crate) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let matched = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let route = matched.as_deref().unwrap_or("unknown");
    let linger = app.timeouts.idle;
    let request = request.map(|body| Body::new(Lingering { body: Some(body), linger }));

    let mut response = without_panic(next.run(request)).await;
    let refusal = write_refusal(&mut response, &request_id);
    set_headers(response.headers_mut(), &request_id);

    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    app.telemetry.answered(route, &method, response.status(), elapsed);
    if DELIVERY_ROUTES.contains(&route) {
        app.telemetry.delivery_answered(route, response.status(), refusal);
    }
    tracing::info!(%method, path, status, elapsed_ms = elapsed.as_millis() as u64, request_id, "request");
    response
}

/// Turns a panic of a handler into an answer.
async fn without_panic(handler: impl Future<Output = Response>) -> Response {
    let outcome = AssertUnwindSafe(handler).catch_unwind().await;
    outcome.unwrap_or_else(|panic| panicked(panic.as_ref()).into_response())
}

/// The caller's own id where it is harmless, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    const MOST_LETTERS: usize = 64;
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| {
        (1..=MOST_LETTERS).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    });
    match given {
        Some(id) => id.to_owned(),
        None => format!("{:016x}", getrandom::u64().unwrap_or_default()),
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> ApiError {
    let what =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ApiError::internal(&format_args!("panic: {}", what.unwrap_or("without a message")))
}

/// Writes the body of a refusal; answers its code.
fn write_refusal(response: &mut Response, request_id: &str) -> Option<&'static str> {
    let refusal = response.extensions_mut().remove::<ApiError>()?;
    *response.body_mut() = Body::from(refusal.body(request_id));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(refusal.code())
}

fn set_headers(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// A request body that is read to its end in the background when a handler drops it before.
///
/// A connection closed with unread data is reset, and the reset can overtake the answer that says why the body
/// was refused. So what still comes is read and thrown away, for a while and up to a size.
struct Lingering {
    body: Option<Body>,
    linger: Duration,
}

/// Most bytes read after a refusal.
const LINGER_BYTES: usize = 64 * 1024 * 1024;

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let linger = self.linger;
        drop(runtime.spawn(tokio::time::timeout(linger, discard(body))));
    }
}

async fn discard(mut body: Body) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, Bytes::len);
        if discarded > LINGER_BYTES {
            return;
        }
    }
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        Pin::new(body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_handler_is_a_500_with_a_body_that_hides_the_panic() {
        let mut response = without_panic(async { panic!("secret") }).await;
        assert_eq!(write_refusal(&mut response, "abc"), Some("internal"));
        let body = std::mem::take(response.body_mut()).collect().await.unwrap().to_bytes();
        assert_eq!(response.status().as_u16(), 500);
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("\"request_id\":\"abc\"") && !text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn a_body_nobody_read_is_read_to_its_end_after_the_refusal() {
        let (read, mut pieces) = tokio::sync::mpsc::channel(1);
        let stream = futures::stream::unfold(3, move |left: u32| {
            let read = read.clone();
            async move {
                read.send(left).await.ok()?;
                (left > 0).then(|| (Ok::<_, std::io::Error>(Bytes::from_static(b"x")), left - 1))
            }
        });
        drop(Lingering { body: Some(Body::from_stream(stream)), linger: Duration::from_secs(60) });
        let mut seen = Vec::new();
        while let Some(left) = pieces.recv().await {
            seen.push(left);
        }
        assert_eq!(seen, [3, 2, 1, 0]);
    }
}
