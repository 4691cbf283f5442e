//! The webhooks of CI systems other than the forges: their payloads through verification, decoding and the store's merge.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests end with a panic when they fail")]

mod azure;
mod bitbucket;
mod buildkite;
mod cdevents;
mod circleci;
mod drone;
mod hostile;
mod jenkins;
mod merging;
mod sent;
mod signing;
mod teamcity;
mod woodpecker;
