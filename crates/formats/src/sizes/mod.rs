//! Sizes of what a run produced: packages, images, and whatever the sender measured.
//!
//! ```text
//! wheel  ──► its directory (names and sizes)   ──► the package, unpacked, and each of its folders
//! image  ──► headers of the tarball, manifests ──► the image and each of its layers, as stored
//! listing ─► sizes the sender took itself      ──► as they are
//! ```
//!
//! Nothing is unpacked for it: sizes are those that directories and headers state, of which only the whole file's is
//! known better.

pub mod image;
pub mod listing;
mod tarball;
pub mod wheel;
