//! The table of routes. What it lists is what `/api/openapi.json` describes.

use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{self, answers, deliveries, openapi, polls, records, reports, sql, store};
use crate::receivers::{influxdb, remote_write};
use crate::state::App;
use crate::webhooks::replay;
use crate::{door, health, login, metrics, pages, save_metrics, webhooks};

/// The routes for programs, and the document that describes them.
fn api_routes() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(openapi::description())
        //                       route                        needs     what it does
        .routes(routes!(reports::upload)) //    POST /api/v1/reports         ingest    reports of any kind, with their run
        .routes(routes!(records::upload)) //    POST /api/v1/records         ingest    records as NDJSON
        .routes(routes!(save_metrics::save)) // POST /save_metrics           ingest    one pipeline as one document
        .routes(routes!(influxdb::write_1x)) // POST /write                  ingest    line protocol, as InfluxDB 1.x
        .routes(routes!(influxdb::write_2x)) // POST /api/v2/write           ingest    line protocol, as InfluxDB 2.x
        .routes(routes!(remote_write::write)) // POST /api/v1/write          ingest    samples, as Prometheus sends them
        .routes(routes!(webhooks::receive)) //  POST /webhooks/{provider}    secret    what a CI system tells by itself
        .routes(routes!(webhooks::receive_from)) //           …/{source}     secret    the same, of one of several senders
        .routes(routes!(sql::query)) //         POST /api/v1/sql             query     a question in SQL
        .routes(routes!(answers::trend)) //     GET  /api/v1/answers/trend   query     a measure over time
        .routes(routes!(answers::compare)) //   GET  …/answers/compare       query     a measure before and after
        .routes(routes!(answers::slowest)) //   GET  …/answers/slowest       query     what takes longest
        .routes(routes!(answers::failures)) //  GET  …/answers/failures      query     failures by cause
        .routes(routes!(answers::history)) //   GET  …/answers/history       query     one test through time
        .routes(routes!(answers::completeness)) // GET …/answers/completeness  query     what is complete, what is missing
        .routes(routes!(deliveries::list)) //   GET  /api/v1/deliveries      query     what arrived lately
        .routes(routes!(replay::again)) //      POST …/{receipt}/replay      admin     reads a webhook again
        .routes(routes!(polls::list)) //        GET  /api/v1/polls           query     how polling stands
        .routes(routes!(polls::backfill)) //    POST …/backfill              admin     asks for history
        .routes(routes!(store::holdings)) //    GET  /api/v1/store           admin     what the store holds, and when it goes
        .routes(routes!(store::retain)) //      POST …/store/retention       admin     removes what is over, or tells what would go
        .routes(routes!(metrics::exposition)) // GET /metrics                query     numbers for Prometheus
        .routes(routes!(openapi::document)) //  GET  /api/openapi.json       -         this table, for programs
        .routes(routes!(health::alive)) //      GET  /healthz                -         is the process there?
        .routes(routes!(health::ready)) //      GET  /ready                  -         does the store take deliveries?
        .split_for_parts();
    answers::describe_parameters(&mut document);
    (router, document)
}

/// The OpenAPI document of all routes for programs, as JSON.
///
/// # Errors
/// When it cannot be written as JSON, which its tests rule out.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    api_routes().1.to_pretty_json()
}

/// Everything the server answers.
pub(crate) fn router(app: App) -> Router {
    let (api, document) = api_routes();
    let browser = Router::new()
        .route("/logout", post(login::log_out))
        .merge(pages::routes())
        .layer(from_fn_with_state(app.clone(), login::page_guard))
        .route("/login", get(pages::login).post(login::log_in));

    api.merge(browser)
        .layer(Extension(openapi::Document::new(&document)))
        .fallback(api::no_such_route)
        .method_not_allowed_fallback(api::no_such_method)
        .layer(from_fn_with_state(app.clone(), door::guard))
        .layer(from_fn_with_state(app.clone(), door::finish))
        .with_state(app)
}
