//! The guard against other web sites that use a visitor's browser as their hand.
//!
//! - **DNS rebinding**: an open server answers only under loopback names and configured ones, so a page of
//!   another site cannot reach it under its own name.
//! - **Cross-site requests**: what changes something is refused when the browser says that another origin made it.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;
use crate::state::App;

/// Lets a request through, or refuses it with 403.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(app: &App, request: &Request) -> Result<(), ApiError> {
    let host = request
        .uri()
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| text(request.headers(), HOST));
    let is_configured = |name: &str| app.hostnames.iter().any(|known| known.eq_ignore_ascii_case(name));
    if !app.is_guarded()? {
        let name = host.map(without_port).unwrap_or_default();
        if !is_loopback_name(name) && !is_configured(name) {
            let shown: String = name.chars().take(64).collect();
            let message = format!(
                "this open server does not answer under the name `{shown}`: use 127.0.0.1 or localhost, \
                 add it with `--hostname`, or make a token"
            );
            return Err(ApiError::new(StatusCode::FORBIDDEN, "unknown_host", message));
        }
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let site = request.headers().get("sec-fetch-site").map(|site| site.as_bytes());
    let is_cross_site = site == Some(b"cross-site");
    let is_other_origin = request.headers().get(ORIGIN).is_some_and(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_none_or(|name| Some(name) != host && !is_configured(without_port(name)))
    });
    if is_cross_site || is_other_origin {
        let message = "a browser sent this for another web site, which is refused";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "cross_site", message));
    }
    Ok(())
}

fn text(headers: &HeaderMap, name: axum::http::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host of `host:port`; an IPv6 address without its brackets.
fn without_port(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    authority.split(':').next().unwrap_or(authority)
}

/// Is it a name that only this machine answers to?
fn is_loopback_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_only_look_like_loopback_are_not() {
        for name in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1"] {
            assert!(is_loopback_name(name), "{name}");
        }
        for name in
            ["", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "10.0.0.1", "evil.example"]
        {
            assert!(!is_loopback_name(name), "{name}");
        }
    }

    #[test]
    fn ports_and_brackets_are_taken_off() {
        for (authority, name) in [
            ("localhost:8420", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:8420", "::1"),
            ("[::1]", "::1"),
            ("127.0.0.1:1", "127.0.0.1"),
        ] {
            assert_eq!(without_port(authority), name);
        }
    }
}
