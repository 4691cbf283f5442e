//! Settings of the Pushgateway and remote-write exporters.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::environment::{Environment, put};
use crate::Secret;

/// A Pushgateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushgatewaySettings {
    /// Address: `http://localhost:9091`; user and password may stand in it.
    pub url: String,
    /// Label `job` of the group; `manometer` where not given.
    pub job: Option<String>,
    /// Label `instance` of the group; the service where not given.
    pub instance: Option<String>,
    /// Replace the whole group (PUT), not only the metrics that are sent (POST)?
    pub replace_group: bool,
}

impl PushgatewaySettings {
    pub(super) fn with_environment(file: Option<Self>, environment: &mut Environment<'_>) -> Option<Self> {
        let url = environment.text(&["MANOMETER_PUSHGATEWAY_URL"]);
        let mut settings = file.or_else(|| url.as_ref().map(|_| Self::default()))?;
        settings.url = url.unwrap_or(settings.url);
        put(&mut settings.job, environment.text(&["MANOMETER_PUSHGATEWAY_JOB"]));
        put(&mut settings.instance, environment.text(&["MANOMETER_PUSHGATEWAY_INSTANCE"]));
        Some(settings)
    }
}

/// A receiver of remote-write 1.0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteWriteSettings {
    /// Address with its path: `http://localhost:9090/api/v1/write`; user and password may stand in it.
    pub url: String,
    /// Token, sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// Labels every series gets besides its own; `job` is `manometer` where not given.
    pub labels: BTreeMap<String, String>,
}

impl RemoteWriteSettings {
    pub(super) fn with_environment(file: Option<Self>, environment: &mut Environment<'_>) -> Option<Self> {
        let url = environment.text(&["MANOMETER_REMOTE_WRITE_URL"]);
        let mut settings = file.or_else(|| url.as_ref().map(|_| Self::default()))?;
        settings.url = url.unwrap_or(settings.url);
        put(&mut settings.token, environment.secret(&["MANOMETER_REMOTE_WRITE_TOKEN"]));
        Some(settings)
    }
}
