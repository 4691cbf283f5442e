//! Settings of the exporter to object storage.

use serde::Deserialize;

use super::environment::{Environment, put};
use crate::Secret;

/// A bucket of S3, of something that speaks like it, or of Google Cloud Storage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BucketSettings {
    /// `NAME`, `s3://NAME/PREFIX` or `gs://NAME/PREFIX`.
    pub bucket: String,
    /// Address of the storage, where it is not Amazon's or Google's: `http://localhost:9000`.
    pub endpoint: Option<String>,
    /// Region; `us-east-1` where not given.
    pub region: Option<String>,
    /// Id of the access key; for Google Cloud Storage, of the HMAC key.
    pub access_key_id: Option<String>,
    /// The access key.
    pub secret_access_key: Option<Secret>,
    /// Token of a temporary access key.
    pub session_token: Option<Secret>,
    /// Access token of Google Cloud Storage, instead of a key.
    pub token: Option<Secret>,
}

impl BucketSettings {
    pub(super) fn with_environment(file: Option<Self>, environment: &mut Environment<'_>) -> Option<Self> {
        let bucket = environment.text(&["MANOMETER_S3_BUCKET", "PANTHER_METRICS_S3_BUCKET"]);
        let mut settings = file.or_else(|| bucket.as_ref().map(|_| Self::default()))?;
        settings.bucket = bucket.unwrap_or(settings.bucket);
        let endpoint =
            environment.text(&["MANOMETER_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        put(&mut settings.endpoint, endpoint);
        put(&mut settings.region, environment.text(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
        if let Some(id) = environment.text(&["AWS_ACCESS_KEY_ID"]) {
            // The three belong together: a token of the file would not fit a key of the environment.
            settings.access_key_id = Some(id);
            settings.secret_access_key = environment.secret(&["AWS_SECRET_ACCESS_KEY"]);
            settings.session_token = environment.secret(&["AWS_SESSION_TOKEN"]);
        }
        put(&mut settings.token, environment.secret(&["GCS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"]));
        Some(settings)
    }
}
