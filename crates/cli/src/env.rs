//! Every environment variable the program reads; those of the agent are its own (`manometer_agent::settings`), those of
//! the exporters theirs (`manometer_exporters::settings`).

use manometer_agent::settings;

/// Settings file; like `--config`.
pub(crate) const CONFIG: &str = "MANOMETER_CONFIG";
/// Data folder; like `--data`.
pub(crate) const DATA: &str = "MANOMETER_DATA";
/// Address to listen on; like `--listen`.
pub(crate) const LISTEN: &str = "MANOMETER_LISTEN";
/// Address to take StatsD on; like `--statsd`.
pub(crate) const STATSD: &str = "MANOMETER_STATSD";
/// Address of a server; like `--server`.
pub(crate) const SERVER: &str = settings::SERVER;
/// Token sent to the server; like `--token`.
pub(crate) const TOKEN: &str = settings::TOKEN;
/// What to log, in the syntax of tracing's `EnvFilter`: `info`, `manometer_store=debug`.
pub(crate) const LOG: &str = "MANOMETER_LOG";
/// Part of a monorepo; like `--service`.
pub(crate) const SERVICE: &str = "CI_SERVICE_NAME";
/// `true`: `exec` and `step` run their commands and do nothing else.
pub(crate) const DISABLED: &str = settings::DISABLED;
/// Folder of the local store, instead of `.manometer` in the checkout; like `--path`.
pub(crate) const PATH: &str = settings::PATH;
/// The same, by the name PANTHER's metrics system gave it; read where `MANOMETER_PATH` is not set.
pub(crate) const PANTHER_PATH: &str = settings::PANTHER_PATH;
/// Seconds between two looks at the processes of a command; 0 for none.
pub(crate) const SAMPLE_INTERVAL: &str = settings::SAMPLE_INTERVAL;
/// Longest time, in seconds, that sending may take at the end of a run; 0 leaves it to a later call.
pub(crate) const SEND_SECONDS: &str = settings::SEND_SECONDS;
/// Folder of what waits for the server.
pub(crate) const SPOOL: &str = settings::SPOOL;
/// Set by `exec` for the steps inside it: the folder they tell their times in.
pub(crate) const RUN_FOLDER: &str = manometer_agent::steps::FOLDER_VARIABLE;
/// Prefix of variables that set one limit each: `MANOMETER_LIMITS_QUERY_SECONDS=30`.
pub(crate) const LIMITS_PREFIX: &str = "MANOMETER_LIMITS_";
/// Prefix of all of them: a variable with it that is none of these is reported.
pub(crate) const PREFIX: &str = "MANOMETER_";
/// Every fixed name.
pub(crate) const ALL: &[&str] = &[
    CONFIG,
    DATA,
    LISTEN,
    STATSD,
    SERVER,
    TOKEN,
    LOG,
    DISABLED,
    PATH,
    SAMPLE_INTERVAL,
    SEND_SECONDS,
    SPOOL,
    RUN_FOLDER,
];
