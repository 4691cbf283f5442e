//! The one place that unpacks anything.
//!
//! ```text
//! part ──► Content-Encoding ──► gzip or zstd by its first bytes ──► zip? ──► its entries, each perhaps gzip or zstd
//!                   every byte that comes out is counted by one Allowance per upload
//! ```
//!
//! What is sent decides nothing: kinds are found from the first bytes, sizes written in headers are not believed,
//! and names inside archives are only labels in receipts, never paths. Decoders hold a fixed amount of memory
//! (zstd windows above 8 MiB are refused), so an upload costs its own packed size plus a constant.

mod allowance;
mod archive;
mod codec;
mod part;

use std::io::{BufRead, Read};

use manometer_formats::sizes::image;

pub use allowance::{Allowance, Exceeded};
pub use codec::{ContentEncoding, UnknownEncoding};
pub use part::{Part, Source};

use codec::Codec;

/// Why a part of an upload cannot be opened at all. Problems of single files are told to the visitor instead.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Reading the part itself failed.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The part.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The archive's directory cannot be read.
    #[error("cannot open the zip archive {name}: {why}")]
    Archive {
        /// The part.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// An archive that tries to reach outside itself; nothing of it is read.
    #[error("the zip archive {name} is refused: its entry `{entry}` {why}")]
    Unsafe {
        /// The part.
        name: String,
        /// The entry to blame.
        entry: String,
        /// What it does.
        why: &'static str,
    },
    /// A zip archive inside another encoding, which could only be read from memory.
    #[error(
        "the zip archive {name} is packed once more: send it as it is, without Content-Encoding, gzip or zstd"
    )]
    PackedArchive {
        /// The part.
        name: String,
    },
}

/// Who is told of the files an upload holds.
pub trait FileVisitor {
    /// A file, unpacked as it is read.
    fn file(&mut self, name: &str, content: &mut dyn BufRead);
    /// A file that cannot be opened, and why.
    fn unreadable(&mut self, name: &str, why: String);

    /// A zip archive, from its directory: the names of its files and their sizes when unpacked. `true` says that it
    /// was taken as what it is, so that its files are not visited.
    fn archive(&mut self, _name: &str, _packed_bytes: u64, _files: &[(String, u64)]) -> bool {
        false
    }

    /// A tarball. `true` says that it was taken as what it is.
    fn tarball(&mut self, _name: &str, _source: &mut dyn Source) -> bool {
        false
    }
}

/// What a tarball is told by.
const TAR_HEADER_BYTES: usize = 512;

/// How many of a file's first bytes are looked at to tell what it is.
pub const HEAD_BYTES: usize = manometer_formats::detect::DETECT_BYTES;

/// Opens a part and hands every file it holds to `visitor`.
///
/// A limit that is exceeded shows to the visitor as a read error and stays on record in
/// [`Allowance::exceeded`]: ask it afterwards, for then the whole upload is to be refused.
///
/// # Errors
/// When the part as a whole cannot be opened.
pub fn visit_files(
    part: &mut Part,
    allowance: &Allowance,
    visitor: &mut dyn FileVisitor,
) -> Result<(), UnpackError> {
    let name = part.name.clone();
    let encoding = part.encoding;
    let read_error = |source| UnpackError::Read { name: name.clone(), source };
    part.source.rewind().map_err(read_error)?;
    let mut raw_head = [0_u8; TAR_HEADER_BYTES];
    let raw_length = read_up_to(part.source.as_mut(), &mut raw_head).map_err(read_error)?;
    part.source.rewind().map_err(read_error)?;
    let raw_head = raw_head.get(..raw_length).unwrap_or_default();
    let raw_kind = Codec::of(raw_head);

    if raw_kind == Codec::Zip && encoding == ContentEncoding::Identity {
        let packed_bytes = part.bytes();
        return archive::visit_entries(&name, part.source.as_mut(), packed_bytes, allowance, visitor);
    }
    if !allowance.count_file() {
        return Ok(());
    }
    if image::may_be_image(raw_head) && encoding == ContentEncoding::Identity {
        if visitor.tarball(&name, part.source.as_mut()) {
            return Ok(());
        }
        part.source.rewind().map_err(read_error)?;
    }
    let buffered = Box::new(std::io::BufReader::with_capacity(codec::BUFFER_BYTES, part.source.as_mut()));
    let decoded = codec::open(encoding.codec(), buffered, allowance).map_err(read_error)?;
    let mut content = match unpack_by_content(decoded, allowance) {
        Ok(content) => content,
        Err(error) => {
            visitor.unreadable(&name, error.to_string());
            return Ok(());
        }
    };
    if Codec::of(content.fill_buf().unwrap_or_default()) == Codec::Zip {
        return Err(UnpackError::PackedArchive { name });
    }
    visitor.file(&name, content.as_mut());
    Ok(())
}

/// Undoes one layer of gzip or zstd where the first bytes show it; the result starts with all of
/// [`HEAD_BYTES`] (or the whole file) in its buffer.
fn unpack_by_content<'a>(
    content: Box<dyn BufRead + 'a>,
    allowance: &'a Allowance,
) -> std::io::Result<Box<dyn BufRead + 'a>> {
    let mut peeked = peek(content)?;
    let kind = Codec::of(peeked.fill_buf()?);
    match kind {
        Codec::Gzip | Codec::Zstd => peek(codec::open(kind, peeked, allowance)?),
        Codec::Plain | Codec::Zip => Ok(peeked),
    }
}

/// A reader that shows its first [`HEAD_BYTES`] in one piece, however small its own reads are.
///
/// A broken stream that gave some bytes before it broke is still opened: its error comes when it is read on.
fn peek<'a>(mut content: Box<dyn BufRead + 'a>) -> std::io::Result<Box<dyn BufRead + 'a>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let outcome = content.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
    match outcome {
        Err(error) if head.is_empty() => Err(error),
        Err(error) => Ok(Box::new(std::io::Cursor::new(head).chain(part::Broken::new(error)))),
        Ok(_) => Ok(Box::new(std::io::Cursor::new(head).chain(content))),
    }
}

/// Reads until `buffer` is full or the source ends; answers how much there was.
fn read_up_to(source: &mut dyn Source, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
