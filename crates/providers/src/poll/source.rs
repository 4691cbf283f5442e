//! What a provider's API is to the reconciler: it lists runs, fetches one with its jobs, and tells what stands around.

use std::collections::BTreeMap;
use std::future::Future;

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Api;
use crate::Decoded;

/// Why an API gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It may be asked again later: the budget is used up, or the provider said so.
    #[error("waiting until {until}: {reason}")]
    Wait {
        /// When it may be asked again.
        until: Timestamp,
        /// Why not now.
        reason: String,
    },
    /// Something that passes: no connection, an answer that broke off, a server's error.
    #[error("{message}")]
    Passing {
        /// What happened.
        message: String,
    },
    /// There is no such thing, or no more.
    #[error("{path}: is not there")]
    Gone {
        /// What was asked for.
        path: String,
    },
    /// The provider does not answer this request, and will not next time.
    #[error("refused: {message}")]
    Refused {
        /// Its status; 0 where it was not asked.
        status: u16,
        /// What it said.
        message: String,
    },
}

/// A span of time: from the first moment on, to before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// A run, as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What names it in this API.
    pub key: String,
    /// Differs whenever something about the run has changed.
    pub stamp: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Has it ended?
    pub is_finished: bool,
    /// All the list told of it.
    pub told: Value,
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// Its runs.
    pub runs: Vec<Listed>,
    /// Is there another page?
    pub has_next: bool,
    /// How many runs there are on all pages, where the API says so.
    pub total: Option<u64>,
}

/// Deliveries that were asked for again: their name, and how often.
pub type Redeliveries = BTreeMap<String, u32>;

/// One repository, project or server of a provider.
pub trait Source: std::fmt::Debug + Send + Sync {
    /// Longest span listed at once, in seconds; `None` where the API lists every span at the same cost.
    fn window_seconds(&self) -> Option<i64> {
        Some(86_400)
    }

    /// Most runs the API lists of one span; a span with more is halved.
    fn most_listed(&self) -> Option<u64> {
        None
    }

    /// The runs of a span, page by page from 1.
    fn list(
        &self,
        api: &Api,
        window: Window,
        page: u32,
    ) -> impl Future<Output = Result<Listing, Fault>> + Send;

    /// One run by its key, as a list would show it.
    fn look_up(&self, api: &Api, key: &str) -> impl Future<Output = Result<Listed, Fault>> + Send;

    /// A run with its jobs, as the provider's webhooks would tell them.
    fn fetch(&self, api: &Api, run: &Listed) -> impl Future<Output = Result<Vec<Decoded>, Fault>> + Send;

    /// What stands around runs: runners, agents, nodes, and caches made since a moment. Asked once a sweep.
    fn surroundings(
        &self,
        api: &Api,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<Decoded>, Fault>> + Send;

    /// Has the provider send again the webhooks that failed. Answers how many.
    fn redeliver(
        &self,
        _api: &Api,
        _done: &mut Redeliveries,
    ) -> impl Future<Output = Result<u64, Fault>> + Send {
        std::future::ready(Ok(0))
    }
}
