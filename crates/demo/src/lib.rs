//! A made-up organisation: months of pipelines, deterministic and realistic, with known faults planted in it.
//!
//! `manometer demo` fills a store with it, and tests of the analyses look for what is planted. It is a company with
//! a monorepo of some twenty services and a few other repositories on other CI systems: people push in working
//! hours, runners run short, tests fail for reasons and without.
//!
//! ```text
//! DemoOptions ──► Organisation ──► History (hour by hour) ──► RunPlan ──► Upload { records, tests… } ──► a store
//!                      │                                         ▲
//!                      └── Planted: the facts to be found ───────┘
//! ```
//!
//! **Invariant:** the stream is a pure function of [`DemoOptions`]: no clock, no I/O, no randomness but the seed's.
//! It never holds more than what is going on at one moment of history. What is planted stands in [`planted`] and
//! nowhere else.

mod calendar;
mod chance;
mod failure;
mod history;
mod incident;
mod naming;
mod options;
mod organisation;
mod outcome;
mod pipeline;
mod plan;
pub mod planted;
mod pools;
mod products;
mod record_of_run;
mod runners;
mod services;
mod suite;
mod titles;
mod upload;

pub use options::{DemoOptions, OptionOutOfRange};
pub use organisation::Organisation;
pub use planted::Planted;
pub use upload::Upload;
