//! Every limit of the product, in one table, each with its default.
//!
//! A limit is met with a clear refusal or a problem in the receipt that names it, never with silence.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty = $default:expr,)*) => {
        /// The limits; in the config file the section `[limits]`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Limits { $($(#[doc = $doc])* pub $name: $type,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// Name, default and meaning of each limit, for the documentation.
            pub fn described() -> Vec<(&'static str, u64, &'static str)> {
                let defaults = Self::default();
                vec![$((stringify!($name), defaults.$name as u64, concat!($($doc),*).trim_ascii())),*]
            }
        }
    };
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

limits! {
    /// Largest request body, as sent (compressed), in bytes.
    body_bytes: usize = 256 * MIB,
    /// Most bytes one upload may unpack to.
    unpacked_bytes: u64 = 8 * 1024 * MIB as u64,
    /// Most times larger than its packed form an upload may be, once past 16 MiB.
    unpack_ratio: u64 = 2_000,
    /// Most files in one upload (multipart parts, zip entries).
    files_per_upload: usize = 10_000,
    /// Deepest nesting of an XML or JSON document.
    nesting: usize = 64,
    /// Longest single XML tag with its attributes, in bytes; a longer one ends the reading of its file.
    tag_bytes: usize = 4 * MIB,
    /// Longest text kept of a name, in bytes; the rest is cut off and reported.
    name_bytes: usize = 4 * KIB,
    /// Longest text kept of a failure message, in bytes.
    message_bytes: usize = 4 * KIB,
    /// Longest text kept of a stack trace or of a test's output, in bytes.
    details_bytes: usize = 16 * KIB,
    /// Most labels kept of one row.
    labels: usize = 64,
    /// Most tests in one report file.
    tests_per_file: u64 = 20_000_000,
    /// Longest line of NDJSON, in bytes.
    record_bytes: usize = MIB,
    /// Requests that may wait for the committer; past it the answer is 503 with Retry-After.
    queue_requests: usize = 4_096,
    /// Bytes of encoded rows that may wait for the committer.
    queue_bytes: usize = 128 * MIB,
    /// Days for which a delivery is remembered, so that its repetition has no second effect. The pipelines of
    /// `/save_metrics` are remembered for ever.
    delivery_days: u64 = 400,
    /// Days for which webhooks are kept as they came, so that they can be read again after a mend.
    raw_days: u64 = 14,
    /// Bytes kept for exporters that lag behind, encoded; past it the oldest is given up and counted.
    export_backlog_bytes: u64 = 1024 * MIB as u64,
    /// Uploads decoded at the same time; more wait for their turn, up to `queue_requests`.
    decoding_uploads: usize = 8,
    /// Memory for request bodies, all of them together, in bytes; past it the answer is 503 with Retry-After.
    upload_memory_bytes: usize = 1024 * MIB,
    /// Connections open at the same time; more wait until one ends.
    connections: usize = 2_048,
    /// Connections of the Postgres wire open at the same time; more are told so and closed.
    postgres_connections: usize = 100,
    /// Longest silence of a client of the Postgres wire between two questions, in seconds.
    postgres_idle_seconds: u64 = 3_600,
    /// Longest silence of a client inside a request, in seconds.
    idle_seconds: u64 = 15,
    /// Longest time one query may run, in seconds.
    query_seconds: u64 = 60,
    /// Memory of one query, in bytes.
    query_memory_bytes: usize = 1024 * MIB,
    /// Most rows one query answers with; past it the answer says that it was cut.
    query_rows: usize = 1_000_000,
}
