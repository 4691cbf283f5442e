//! What every request passes before and after its handler.
//!
//! ```text
//! socket ──► finish (request id, log, panics, error bodies, security headers) ──► guard (Host, Origin) ──► handler
//!                                                                  the handler: caller, then body, then work
//! ```

mod body;
mod decoding;
mod finish;
mod guard;
mod multipart;

pub(crate) use body::{UploadMemory, read_body};
pub(crate) use decoding::Decoding;
pub(crate) use finish::finish;
pub(crate) use guard::guard;
pub(crate) use multipart::{MultipartError, boundary_of, split};
