//! Settings of the InfluxDB exporter.

use serde::Deserialize;

use super::environment::{Environment, put};
use crate::Secret;

/// An InfluxDB: with `bucket` it is spoken to as 2.x (`/api/v2/write`), with `database` as 1.x (`/write`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InfluxdbSettings {
    /// Address: `http://localhost:8086`.
    pub url: Option<String>,
    /// Token (2.x, 3.x).
    pub token: Option<Secret>,
    /// Organisation, name or id (2.x).
    pub org: Option<String>,
    /// Bucket, name or id (2.x).
    pub bucket: Option<String>,
    /// Database (1.x).
    pub database: Option<String>,
    /// Retention policy (1.x); the database's default where not given.
    pub retention_policy: Option<String>,
    /// User (1.x).
    pub username: Option<String>,
    /// Password (1.x).
    pub password: Option<Secret>,
}

impl InfluxdbSettings {
    pub(super) fn with_environment(file: Option<Self>, environment: &mut Environment<'_>) -> Option<Self> {
        let url = environment.text(&["INFLUXDB_URL"]);
        let mut settings = match (file, &url) {
            (None, None) => return None,
            (file, _) => file.unwrap_or_default(),
        };
        put(&mut settings.url, url);
        put(&mut settings.token, environment.secret(&["INFLUXDB_TOKEN"]));
        put(&mut settings.org, environment.text(&["INFLUXDB_ORG"]));
        put(&mut settings.bucket, environment.text(&["INFLUXDB_BUCKET"]));
        put(&mut settings.database, environment.text(&["INFLUXDB_DATABASE"]));
        put(&mut settings.username, environment.text(&["INFLUXDB_USERNAME"]));
        put(&mut settings.password, environment.secret(&["INFLUXDB_PASSWORD"]));
        Some(settings)
    }
}
