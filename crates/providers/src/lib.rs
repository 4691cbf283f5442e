//! CI systems: their webhooks, their environments and their APIs, turned into records.

pub mod environment;
mod platform;
mod repository;
pub mod rules;
