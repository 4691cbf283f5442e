//! What tests and measurements of the whole program share: a real `manometer serve` in a process of its own, a
//! small HTTP client to talk to it, and the means to hurt it.
//!
//! ```text
//!  test ──► HttpClient ──► ServerProcess (manometer serve) ──► data folder on a real disk,
//!    │                        ▲      ▲                          or on a SmallDisk
//!    │ oracle                 │      └── Faults: a shim between program and system calls
//!    └── what was acknowledged└── kill, terminate, restart, memory, processor time
//! ```
//!
//! **Invariant:** nothing of the product is used here, so a fault of the product cannot hide in its own test. For
//! tests and `bench` only: no room of the product depends on this one.

pub mod faults;
pub mod http;
pub mod peers;
pub mod process;
pub mod programs;
pub mod small_disk;
pub mod sql;
pub mod usage;

pub use faults::Faults;
pub use http::{HttpClient, Response};
pub use process::{ServerOptions, ServerProcess};
pub use small_disk::SmallDisk;
