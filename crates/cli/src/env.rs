//! Every environment variable the program reads, in one place.

/// Settings file; like `--config`.
pub(crate) const CONFIG: &str = "MANOMETER_CONFIG";
/// Data folder; like `--data`.
pub(crate) const DATA: &str = "MANOMETER_DATA";
/// Address to listen on; like `--listen`.
pub(crate) const LISTEN: &str = "MANOMETER_LISTEN";
/// Address of a server; like `--server`.
pub(crate) const SERVER: &str = "MANOMETER_URL";
/// Token sent to the server; like `--token`.
pub(crate) const TOKEN: &str = "MANOMETER_TOKEN";
/// What to log, in the syntax of tracing's `EnvFilter`: `info`, `manometer_store=debug`.
pub(crate) const LOG: &str = "MANOMETER_LOG";
/// Folder of the local store; like `--path`.
pub(crate) const PATH: &str = "MANOMETER_PATH";
/// The same, by the name PANTHER's metrics system gave it; read where `MANOMETER_PATH` is not set.
pub(crate) const PANTHER_PATH: &str = "PANTHER_METRICS_PATH";
/// Prefix of variables that set one limit each: `MANOMETER_LIMITS_QUERY_SECONDS=30`.
pub(crate) const LIMITS_PREFIX: &str = "MANOMETER_LIMITS_";
/// Prefix of all of them: a variable with it that is none of these is reported.
pub(crate) const PREFIX: &str = "MANOMETER_";
/// Every fixed name.
pub(crate) const ALL: &[&str] = &[CONFIG, DATA, LISTEN, SERVER, TOKEN, LOG, PATH];
