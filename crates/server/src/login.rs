//! Browsers: `POST /login`, `POST /logout`, and the guard before the pages.

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::access::{Caller, SESSION_COOKIE, SESSION_SECONDS, Scope, session_of};
use crate::door::read_body;
use crate::error::ApiError;
use crate::state::App;

/// Largest login form.
const FORM_BYTES: usize = 8 * 1024;

/// Lets a browser see pages, or sends it to the login form. Pages find the [`Caller`] among the extensions.
pub(crate) async fn page_guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/assets/") || matches!(path, "/logout" | "/favicon.ico") {
        return next.run(request).await;
    }
    match Caller::check(&app, request.headers(), Scope::Query) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => {
            let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
            Redirect::to(&login_address(wanted, false)).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// Trades a token for a session: the form's `token`, and `next`, the page to go on to.
pub(crate) async fn log_in(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let form = read_body(body, &parts.headers, FORM_BYTES, &app.upload_memory, &app.timeouts).await?;
    let (mut token_text, mut wanted) = (String::new(), String::new());
    for (name, value) in form_urlencoded::parse(&form.bytes) {
        match name.as_ref() {
            "token" => value.trim().clone_into(&mut token_text),
            "next" => wanted = value.into_owned(),
            _ => {}
        }
    }
    let wanted = local_path(&wanted);
    let now = app.clock.now();
    let Some(token) = app.access.token(&token_text, now)?.filter(|token| token.allows(Scope::Query)) else {
        return Ok(Redirect::to(&login_address(wanted, true)).into_response());
    };
    let session = app.access.log_in(&token.id, now)?;
    let cookie = cookie(session.reveal(), SESSION_SECONDS, &parts.headers)?;
    Ok(([(SET_COOKIE, cookie)], Redirect::to(wanted)).into_response())
}

/// Ends the session.
pub(crate) async fn log_out(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Some(session) = session_of(&headers) {
        app.access.log_out(session)?;
    }
    Ok(([(SET_COOKIE, cookie("", 0, &headers)?)], Redirect::to("/login")).into_response())
}

fn login_address(wanted: &str, failed: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", wanted);
    if failed {
        query.append_pair("failed", "1");
    }
    format!("/login?{}", query.finish())
}

/// A path of this server; anything that could lead a browser elsewhere becomes `/`.
fn local_path(wanted: &str) -> &str {
    let is_local = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && !wanted.contains('\\')
        && wanted.bytes().all(|byte| byte.is_ascii_graphic());
    if is_local { wanted } else { "/" }
}

/// Not readable by scripts, not sent along by other sites, and only over TLS where a proxy says there is TLS.
fn cookie(value: &str, seconds: i64, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    let is_tls = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https");
    let secure = if is_tls { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    ))
    .map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_never_leads_to_another_server() {
        for (wanted, path) in [
            ("/runs?project=a%2Fb", "/runs?project=a%2Fb"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\nSet-Cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_path(wanted), path, "{wanted:?}");
        }
    }
}
