//! Pages for people: rendered here, useful without JavaScript, under a policy that allows no inline code.
//!
//! ```text
//! GET /service?project=… ──► handler (one file a page) ──► answer (query) ──► view (what is shown) ──► template
//!                            asked: parameters               typed              shown: how values are written
//! ```
//!
//! **Invariants**
//! - Text from data reaches HTML only through a template's escaping: no template says `safe`.
//! - No page has inline code or style; what a script needs travels in `data-` attributes.
//! - Every list on a page has an end, and says so where it was cut.
//! - What is not known is shown as not known, never as zero.

mod ask;
mod asked;
mod assets;
mod chart;
mod compare;
mod completeness;
mod drawing;
mod failures;
mod heard;
#[cfg(test)]
mod hostile;
mod lanes;
mod layout;
mod links;
mod login;
#[cfg(test)]
mod markup;
mod naming;
mod refusal;
mod run;
mod service;
mod services;
mod shown;
mod slowest;
mod sql;
mod test;
mod tests;
mod trend;
mod view;

use axum::Router;
use axum::routing::get;

use crate::state::App;

pub(crate) use login::get as login;
pub(crate) use refusal::not_found;

/// Every page.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(services::get))
        .route("/service", get(service::get))
        .route("/run", get(run::get))
        .route("/test", get(test::get))
        .route("/tests", get(tests::get))
        .route("/trend", get(trend::get))
        .route("/compare", get(compare::get))
        .route("/slowest", get(slowest::get))
        .route("/failures", get(failures::get))
        .route("/completeness", get(completeness::get))
        .route("/sql", get(sql::get))
        .route("/assets/{hash}/{name}", get(assets::get))
        .route("/favicon.ico", get(assets::favicon))
}
