//! `GET /healthz` and `GET /ready`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use manometer_store::Health;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::App;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthBody {
    /// `ok`, `ready`, `disk_full` or `stopped`.
    status: &'static str,
    /// Why it is not ready, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Is the process there? Looks at nothing else, so that a full disk does not get it killed.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "it is", body = HealthBody)))]
pub(crate) async fn alive() -> Json<HealthBody> {
    Json(HealthBody { status: "ok", reason: None })
}

/// Does the store take deliveries?
#[utoipa::path(get, path = "/ready", tag = "health", responses(
    (status = 200, description = "it does", body = HealthBody),
    (status = 503, description = "it does not, and why", body = HealthBody),
))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let (status, word, reason) = describe(app.store.health());
    (status, Json(HealthBody { status: word, reason })).into_response()
}

fn describe(health: Health) -> (StatusCode, &'static str, Option<String>) {
    match health {
        Health::Ready => (StatusCode::OK, "ready", None),
        Health::DiskFull => {
            let reason = "no space is left for the data folder: free some, and it goes on by itself";
            (StatusCode::SERVICE_UNAVAILABLE, "disk_full", Some(reason.to_owned()))
        }
        Health::Poisoned { reason } => {
            let advice = format!("writing failed, check the disk and start the server again: {reason}");
            (StatusCode::SERVICE_UNAVAILABLE, "stopped", Some(advice))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_stopped_store_are_not_ready_and_say_what_to_do() {
        assert_eq!(describe(Health::Ready), (StatusCode::OK, "ready", None));
        let (status, word, reason) = describe(Health::DiskFull);
        assert_eq!((status, word), (StatusCode::SERVICE_UNAVAILABLE, "disk_full"));
        assert!(reason.unwrap().contains("goes on by itself"));
        let (status, word, reason) = describe(Health::Poisoned { reason: "fsync: EIO".to_owned() });
        assert_eq!((status, word), (StatusCode::SERVICE_UNAVAILABLE, "stopped"));
        assert!(reason.unwrap().contains("fsync: EIO"));
    }
}
