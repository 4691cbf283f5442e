//! The page shown where the wanted one cannot be.

use askama::Template;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use manometer_query::QueryError;

use super::layout::{Layout, Section};
use super::shown::plain_text;
use super::view::Choice;
use super::view::problem::ProblemPage;

/// Why there is no page, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRefusal {
    status: StatusCode,
    heading: &'static str,
    explanation: String,
    ways_on: Vec<Choice>,
    retry_after_seconds: Option<u64>,
    signed_in: bool,
}

impl PageRefusal {
    fn new(status: StatusCode, heading: &'static str, explanation: impl Into<String>) -> Self {
        Self {
            status,
            heading,
            explanation: plain_text(&explanation.into()),
            ways_on: Vec::new(),
            retry_after_seconds: None,
            signed_in: false,
        }
    }

    /// 404.
    pub(crate) fn not_found(explanation: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", explanation)
    }

    /// 400: the address makes no sense.
    pub(crate) fn bad_address(explanation: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "This address is not complete", explanation)
    }

    /// 500: what happened is logged, not told.
    pub(crate) fn failed(what: &dyn std::fmt::Display) -> Self {
        tracing::error!(%what, "failed to make a page");
        let explanation = "Its log says why. Other pages may work.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed on this page", explanation)
    }

    /// The same for a caller who may sign out.
    #[must_use]
    pub(crate) fn for_caller(mut self, signed_in: bool) -> Self {
        self.signed_in = signed_in;
        self
    }

    /// The same with an address to go on to.
    #[must_use]
    pub(crate) fn with_way_on(mut self, label: impl Into<String>, url: String) -> Self {
        self.ways_on.push(Choice { label: label.into(), url, current: false });
        self
    }
}

impl From<QueryError> for PageRefusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Overloaded { retry_after_seconds, .. } => Self {
                retry_after_seconds: Some(retry_after_seconds.max(1)),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "Too much at once", error.to_string())
            },
            QueryError::TimeLimit { .. } | QueryError::MemoryLimit { .. } | QueryError::Execution { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "This takes too much", error.to_string())
            }
            fault => Self::failed(&fault),
        }
    }
}

impl From<askama::Error> for PageRefusal {
    fn from(error: askama::Error) -> Self {
        Self::failed(&error)
    }
}

impl PageRefusal {
    /// It as a page.
    pub(crate) fn page(&self) -> ProblemPage {
        ProblemPage {
            layout: Layout::new(self.heading, Section::Other, self.signed_in),
            status: self.status.as_u16(),
            heading: self.heading,
            explanation: self.explanation.clone(),
            ways_on: self.ways_on.clone(),
        }
    }
}

impl IntoResponse for PageRefusal {
    fn into_response(self) -> Response {
        let body = self.page().render().unwrap_or_else(|_| self.heading.to_owned());
        let mut response = (self.status, Html(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What every handler of a page answers.
pub(crate) type PageResult = Result<Html<String>, PageRefusal>;

/// The page as HTML.
pub(crate) fn render(page: &impl Template) -> PageResult {
    Ok(Html(page.render()?))
}

/// The page for an address that leads nowhere.
pub(crate) fn not_found() -> Response {
    PageRefusal::not_found("There is no page at this address.").into_response()
}
