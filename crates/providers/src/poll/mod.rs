//! Reconciliation: what a provider's API knows and no webhook told.
//!
//! ```text
//!                 ┌──────────── Cursor (saved: where the sweep is, what is settled) ◄── CursorStore
//!                 ▼
//! Source ──► Reconciler ──► RecordSink::accept_durable(run with its jobs)
//! (GitHub,    window by window, page by page, run by run; stops at every limit and says until when
//!  GitLab,        │
//!  Jenkins,       ▼
//!  TeamCity)     Api: one guarded HTTP client a provider: budget, ETag, Retry-After, caps
//! ```
//!
//! What an API answers is laid into the shape of that provider's webhook and decoded by the same decoder, so that a
//! run, a job and its steps have the same natural keys whoever told of them, and telling twice has no effect.
//!
//! A sweep lists the runs of a span of time in windows of a day. Pages shift while they are read: what comes twice has no
//! effect, and where fewer runs were seen than the provider counts, the window is read again. Runs that are settled (they
//! had ended, and nothing about them changed) cost no further request. Runs that had not ended are looked up again. The
//! last days before the newest run known are always listed again, for runs that were started again.
//!
//! History is filled by the same loop with an older beginning ([`Start::Since`]).
//!
//! **Invariants:** nothing here sleeps, reads a clock but the one handed in, or touches the store. A limit that is met
//! ends [`Reconciler::run`] with the time from which it may go on. A record counts as told only after the sink said that
//! it is durable, and the cursor is saved after that: a crash in between tells something twice, never not at all.

mod api;
mod budget;
mod cache;
mod cursor;
mod github;
mod gitlab;
mod jenkins;
mod limits;
mod reconciler;
mod redelivery;
mod source;
mod target;
mod teamcity;
mod webhook;

pub use api::{Api, ApiOptions, Auth};
pub use budget::Budget;
pub use cursor::{Cursor, Start};
pub use github::GitHubSource;
pub use gitlab::GitLabSource;
pub use jenkins::JenkinsSource;
pub use reconciler::{
    CursorStore, Pause, PollError, PollOptions, Progress, Reconciler, RecordSink, StoreError,
};
pub use source::{Fault, Listed, Listing, Redeliveries, Source, Window};
pub use target::{Polled, Target, TargetSource};
pub use teamcity::TeamCitySource;
