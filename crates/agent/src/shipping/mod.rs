//! From this machine to a server, whatever happens in between.
//!
//! ```text
//! records, reports ──► Shipment ──► spool (on disk, complete) ──► server: 201, 208 ──► removed
//!                                     ▲                            away, 401, 429, 5xx ──► stays, for any later call
//!                                     └── later calls              refused in itself ──► rejected/, with its words
//! ```
//!
//! Everything goes through the spool, also what is sent at once: a kill at any moment loses nothing, and the
//! `Idempotency-Key` inside each shipment makes a second delivery have no effect.
//!
//! **Invariants**
//! - A shipment leaves the spool only when the server has said that it holds it, or that it never will.
//! - What does not fit into the spool is refused with a message and counted in the spool; nothing is pushed out for it.
//! - No token is ever written to the spool.

mod client;
mod multipart;
mod packing;
mod pause;
mod sending;
mod server;
mod shipment;
mod spool;

pub use packing::{reports, run_records};
pub use sending::{Delivery, Patience, deliver, leave_alone};
pub use server::Server;
pub use shipment::Shipment;
pub use spool::{SPOOL_BYTES, Spool, SpoolError, Waiting};
