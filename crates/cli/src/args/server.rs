//! Commands of the server and its store; what the small build for CI machines leaves out.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::{AskCommand, BackfillArgs, ContextArgs, Format, PollCommand, RemoteArgs};
use crate::env;

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "one of them is made in the life of the process")]
pub(crate) enum ServerCommand {
    /// Fill a store with an example organisation and serve its pages
    Demo(DemoArgs),
    /// Serve pages, API and the store behind them
    Serve(ServeArgs),
    /// Take in report files: test results, records
    Ingest(IngestArgs),
    /// Ask a question in SQL
    Query(QueryArgs),
    /// Ask for a trend, a comparison, what is slowest, what fails, or the history of a test
    #[command(subcommand)]
    Ask(AskCommand),
    /// Look at what arrived, and read webhooks again
    #[command(subcommand)]
    Deliveries(DeliveriesCommand),
    /// Look at the polling of CI systems
    #[command(subcommand)]
    Poll(PollCommand),
    /// Fill in history from the API of a CI system
    Backfill(BackfillArgs),
    /// Create, list and revoke access tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Check, back up and look after a data folder
    #[command(subcommand)]
    Store(StoreCommand),
    /// Write the reference documentation (commands, tables, limits, API)
    #[command(hide = true)]
    Reference {
        /// Folder to write it to
        folder: PathBuf,
    },
}

/// Where a data folder is.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataArgs {
    /// Folder of the embedded store [default: ./manometer-data]
    #[arg(long, value_name = "FOLDER", env = env::DATA, hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
}

/// `manometer serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Address and port to listen on; another one than loopback needs a token first [default: 127.0.0.1:8420]
    #[arg(long, value_name = "ADDRESS:PORT", env = env::LISTEN, hide_env_values = true)]
    pub(crate) listen: Option<String>,
    /// A name, besides loopback, under which browsers reach the pages; may be repeated
    #[arg(long = "hostname", value_name = "NAME")]
    pub(crate) hostnames: Vec<String>,
    /// Take StatsD over UDP here; it knows no tokens: whoever reaches it may write [default: off]
    #[arg(long, value_name = "ADDRESS:PORT", env = env::STATSD, hide_env_values = true)]
    pub(crate) statsd: Option<String>,
    /// Address and port of the Postgres wire, for Grafana, psql and every other client of PostgreSQL, or `off`; another
    /// address than loopback needs a token first [default: 127.0.0.1:5420]
    #[arg(long, value_name = "ADDRESS:PORT", env = env::POSTGRES, hide_env_values = true)]
    pub(crate) postgres: Option<String>,
    /// Encrypt the Postgres wire with this certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "postgres_key", value_hint = ValueHint::FilePath)]
    pub(crate) postgres_certificate: Option<PathBuf>,
    /// The key of that certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "postgres_certificate", value_hint = ValueHint::FilePath)]
    pub(crate) postgres_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) flush: FlushArgs,
}

/// When rows move from the journal into segments. Hidden: the defaults are right for everything but crash tests,
/// which want it all the time, and measurements of recovery, which want it never.
#[derive(Debug, Args)]
pub(crate) struct FlushArgs {
    /// Flush when the journal holds this many bytes
    #[arg(long, hide = true, value_name = "BYTES")]
    pub(crate) flush_journal_bytes: Option<u64>,
    /// Flush a table when this many of its rows are in memory
    #[arg(long, hide = true, value_name = "ROWS")]
    pub(crate) flush_rows: Option<u64>,
    /// Refuse deliveries while rows in no segment take this many bytes of memory; flush at a quarter of it
    #[arg(long, hide = true, value_name = "BYTES")]
    pub(crate) flush_memory_bytes: Option<u64>,
    /// Flush rows older than this
    #[arg(long, hide = true, value_name = "SECONDS")]
    pub(crate) flush_age_seconds: Option<u64>,
}

/// `manometer demo`
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder for the example's store; filled once, then reused
    #[arg(long, value_name = "FOLDER", default_value = "manometer-demo", value_hint = ValueHint::DirPath)]
    pub(crate) data: PathBuf,
    /// Days of history
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=730))]
    pub(crate) days: u32,
    /// Services in the monorepo
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) services: u32,
    /// Test results, about
    #[arg(long, default_value_t = 2_000_000)]
    pub(crate) tests: u64,
    /// Seed of the random numbers: the same seed gives the same organisation
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// Fill the store and stop, without serving
    #[arg(long)]
    pub(crate) no_serve: bool,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8420")]
    pub(crate) listen: String,
}

/// `manometer ingest`
#[derive(Debug, Args)]
#[command(after_help = "\
The kind of each file is found from its content: reports of tests, coverage and builds, wheels, container images, or
NDJSON records (docs/FORMATS.md lists them). Reports may be packed with gzip, zstd or zip. Folders are searched for
reports. `-` reads standard input.
What is not said about project, branch and commit is taken from the git checkout around the current folder.")]
pub(crate) struct IngestArgs {
    /// Files, folders or patterns such as 'target/**/TEST-*.xml'; `-` is standard input
    #[arg(required_unless_present = "artifacts", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<String>,
    /// Note the size of a file or folder, without sending it: dist, or NAME=PATH; may be given several times
    #[arg(long = "artifact", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) artifacts: Vec<String>,
    /// Print the records that the files hold, as NDJSON, and store and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    #[command(flatten)]
    pub(crate) context: ContextArgs,
    /// Name this delivery: sent again under the same key it has no second effect
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

/// `manometer query`
#[derive(Debug, Args)]
#[command(after_help = "\
Tables: runs jobs steps tests coverage artifacts builds samples deployments incidents commits runners caches spans logs
deliveries; views metrics_pipeline metrics_build metrics_job. `manometer query 'show tables'` lists them all,
`manometer query 'describe tests'` the columns of one. The dialect is PostgreSQL's.
A folder that a server has open may be queried at the same time.")]
pub(crate) struct QueryArgs {
    /// The question; `-` reads it from standard input
    pub(crate) sql: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Longest time the query may run
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
    /// Most rows to answer with
    #[arg(long, value_name = "ROWS")]
    pub(crate) rows: Option<usize>,
}

/// `manometer deliveries`
#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// List what arrived, newest first
    List {
        #[command(flatten)]
        data: DataArgs,
        #[command(flatten)]
        remote: RemoteArgs,
        /// Only those of this treatment
        #[arg(long, value_enum)]
        treatment: Option<TreatmentWord>,
        /// Only those of this source: reports, records, github, …
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// Form of the answer
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Read webhooks again that were kept as they came: after an upgrade, or with other path rules
    #[command(after_help = "\
Webhooks are kept for the limit raw_days (14). What is read again merges with what is known; steps that are stored are
not stored twice. Exit code 1 when one cannot be read.")]
    Replay {
        #[command(flatten)]
        data: DataArgs,
        #[command(flatten)]
        remote: RemoteArgs,
        /// Receipts, as `deliveries list` shows them
        #[arg(required = true, value_name = "RECEIPT")]
        receipts: Vec<String>,
    },
}

/// What became of a delivery's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TreatmentWord {
    /// Its rows are stored
    Stored,
    /// Understood, and tells nothing that is kept
    Ignored,
    /// Could not be read
    Failed,
}

impl TreatmentWord {
    /// The word in the table `deliveries`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}

/// `manometer token`
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token; it is shown once
    Create {
        #[command(flatten)]
        data: DataArgs,
        /// A name to know it by
        name: String,
        /// What it may do; may be repeated
        #[arg(long = "scope", value_enum, required = true)]
        scopes: Vec<TokenScope>,
        /// Only this project; may be repeated [default: all]
        #[arg(long = "project")]
        projects: Vec<String>,
        /// Days until it expires [default: never]
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<u32>,
    },
    /// List the tokens
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Make a token invalid at once
    Revoke {
        #[command(flatten)]
        data: DataArgs,
        /// Its id, as `token list` shows it: tok_…
        token: String,
    },
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenScope {
    /// Send data
    Ingest,
    /// Ask and look
    Query,
    /// Everything
    Admin,
}

const STATS_EXAMPLES: &str = "\
Examples:
  manometer store stats                                   one line a table
  manometer store stats --by month --table tests          where the bytes of the test results lie, and when they go
  manometer store stats --by day --format csv > days.csv";

const RETAIN_NOTE: &str = "\
A server removes by itself what is over, every day, a little at a time: this command is for folders that no server has
open, for not waiting, and, with --dry-run, for seeing what a change of the settings would do. With --server the server
works by its own settings.";

/// How finely `manometer store stats` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatsDetail {
    /// One line a table
    Table,
    /// One line a table and month
    Month,
    /// One line a table and day; small days that are over lie together, as their month
    Day,
}

/// Forms of what `store` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreFormat {
    /// Aligned columns for people
    Table,
    /// A JSON array of objects
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// `manometer store`
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Verify every checksum, the catalog against the files, and every key
    Check {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Copy the store to a new folder, while it is in use
    Backup {
        #[command(flatten)]
        data: DataArgs,
        /// Folder to create
        #[arg(value_hint = ValueHint::DirPath)]
        destination: PathBuf,
    },
    /// Make a data folder from a backup, verifying it
    Restore {
        /// The backup
        #[arg(value_hint = ValueHint::DirPath)]
        backup: PathBuf,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Rows, bytes and bytes per row, by table and time, and when they go
    #[command(after_help = STATS_EXAMPLES)]
    Stats {
        #[command(flatten)]
        data: DataArgs,
        /// How finely to tell
        #[arg(long, value_enum, default_value_t = StatsDetail::Table)]
        by: StatsDetail,
        /// Only this table; may be repeated
        #[arg(long = "table", value_name = "TABLE")]
        tables: Vec<String>,
        /// Form of the answer
        #[arg(long, value_enum, default_value_t = StoreFormat::Table)]
        format: StoreFormat,
    },
    /// Remove rows that are older than their table keeps them (`[retention]` in the settings), now
    #[command(after_help = RETAIN_NOTE)]
    Retain {
        #[command(flatten)]
        data: DataArgs,
        #[command(flatten)]
        remote: RemoteArgs,
        /// Only tell what would go; works beside a server that has the folder open
        #[arg(long)]
        dry_run: bool,
        /// Form of the answer
        #[arg(long, value_enum, default_value_t = StoreFormat::Table)]
        format: StoreFormat,
    },
    /// Move everything into segments and merge small ones, now
    Compact {
        #[command(flatten)]
        data: DataArgs,
    },
}
