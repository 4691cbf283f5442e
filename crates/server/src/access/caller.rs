//! The one who calls, after the check.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use manometer_ingest::{Admission, Name};
use manometer_query::Access;

use super::{SESSION_COOKIE, Scope, TokenInfo};
use crate::error::ApiError;
use crate::state::App;

/// A caller that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    token: Option<TokenInfo>,
}

impl Caller {
    /// The sender of a delivery this caller makes.
    pub(crate) fn admission(&self, idempotency_key: Option<Name>) -> Admission {
        match &self.token {
            None => Admission { idempotency_key, ..Admission::open() },
            Some(token) => {
                Admission { sender: token.id.clone(), projects: token.projects.clone(), idempotency_key }
            }
        }
    }

    /// The rows this caller may see.
    pub fn access(&self) -> Access {
        match self.projects() {
            None => Access::All,
            Some(projects) => Access::Projects(projects.clone()),
        }
    }

    /// The projects it is limited to; `None` is all of them.
    pub fn projects(&self) -> Option<&BTreeSet<String>> {
        self.token.as_ref().and_then(|token| token.projects.as_ref())
    }

    /// What its token is called; `None` where the door is open.
    pub fn token_name(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.name.as_str())
    }

    /// Checks the credentials of a request against what a route needs.
    ///
    /// A session counts for what browsers do: it opens pages and queries, never the doors reports come through.
    pub(crate) fn check(app: &App, headers: &HeaderMap, needed: Scope) -> Result<Self, ApiError> {
        let now = app.clock.now();
        if let Some(header) = headers.get(AUTHORIZATION) {
            let text = header.to_str().unwrap_or_default();
            let bearer = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let Some((_, secret)) = bearer else { return Err(ApiError::wrong_credentials()) };
            let token = app.access.token(secret.trim(), now)?.ok_or_else(ApiError::wrong_credentials)?;
            return Self::with_scope(token, needed);
        }
        if needed == Scope::Query
            && let Some(text) = session_of(headers)
            && let Some(token) = app.access.session(text, now)?
        {
            return Self::with_scope(token, needed);
        }
        if app.is_guarded()? {
            return Err(ApiError::missing_credentials());
        }
        Ok(Self { token: None })
    }

    fn with_scope(token: TokenInfo, needed: Scope) -> Result<Self, ApiError> {
        if token.allows(needed) {
            Ok(Self { token: Some(token) })
        } else {
            Err(ApiError::missing_scope(needed))
        }
    }
}

/// The session cookie of a request.
pub(crate) fn session_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == SESSION_COOKIE).then_some(value))
}

macro_rules! callers {
    ($($(#[doc = $doc:literal])* $name:ident needs $scope:expr;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name(pub(crate) Caller);

        impl FromRequestParts<App> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
                Caller::check(app, &parts.headers, $scope).map(Self)
            }
        }
    )*};
}

callers! {
    /// A caller that may send.
    IngestCaller needs Scope::Ingest;
    /// A caller that may ask and look.
    QueryCaller needs Scope::Query;
    /// A caller that may do everything.
    AdminCaller needs Scope::Admin;
}
