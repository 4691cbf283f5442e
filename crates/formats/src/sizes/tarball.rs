//! The headers of a tarball, and where each of its files lies.

use std::io::{self, Read, Seek, SeekFrom};

use tar::Header;

/// Bytes of a header, and of what everything is rounded up to.
const BLOCK_BYTES: u64 = 512;

/// Entries that are looked at; images have a few for each layer.
const MOST_ENTRIES: usize = 100_000;

/// Longest name that is kept.
const MOST_NAME_BYTES: usize = 512;

/// A tarball that can be read more than once.
pub trait Source: Read + Seek {}

impl<T: Read + Seek + ?Sized> Source for T {}

/// One file of a tarball.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    offset: u64,
}

/// The files of a tarball.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) entries: Vec<Entry>,
    /// Does the tarball end too early, or is a header broken?
    pub(super) is_truncated: bool,
}

/// Does it begin with a header of a tarball?
pub(super) fn is_tarball(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

impl Files {
    /// Reads the headers, skipping what lies between them.
    pub(super) fn read(source: &mut dyn Source) -> io::Result<Self> {
        let length = source.seek(SeekFrom::End(0))?;
        let mut files = Self::default();
        let mut at = 0_u64;
        let mut block = [0_u8; BLOCK_BYTES as usize];
        while at + BLOCK_BYTES <= length && files.entries.len() < MOST_ENTRIES {
            source.seek(SeekFrom::Start(at))?;
            source.read_exact(&mut block)?;
            if block.iter().all(|byte| *byte == 0) {
                return Ok(files);
            }
            let header = Header::from_byte_slice(&block);
            let (Ok(size_bytes), true) = (header.entry_size(), has_right_sum(header)) else { break };
            let offset = at + BLOCK_BYTES;
            let Some(next) =
                size_bytes.checked_next_multiple_of(BLOCK_BYTES).and_then(|size| offset.checked_add(size))
            else {
                break;
            };
            let path = header.path_bytes();
            let name = path.get(..MOST_NAME_BYTES).unwrap_or(&path);
            let is_whole = offset.saturating_add(size_bytes) <= length;
            if header.entry_type().is_file() && is_whole {
                let name = String::from_utf8_lossy(name).trim_start_matches("./").to_owned();
                files.entries.push(Entry { name, size_bytes, offset });
            }
            at = next;
        }
        files.is_truncated = true;
        Ok(files)
    }

    /// The file of that name; of several the last, as unpacking would leave it.
    pub(super) fn named(&self, name: &str) -> Option<&Entry> {
        let name = name.trim_start_matches("./");
        self.entries.iter().rev().find(|entry| entry.name == name)
    }

    /// The content of a file, if it is not longer than `most` bytes.
    pub(super) fn content(source: &mut dyn Source, entry: &Entry, most: u64) -> io::Result<Option<Vec<u8>>> {
        if entry.size_bytes > most {
            return Ok(None);
        }
        source.seek(SeekFrom::Start(entry.offset))?;
        let mut content = vec![0; entry.size_bytes as usize];
        source.read_exact(&mut content)?;
        Ok(Some(content))
    }
}

/// Does the header add up to the sum it states? Every byte counts but those of the sum, which stand for spaces.
fn has_right_sum(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    let of_sum: u32 = bytes.get(148..156).unwrap_or_default().iter().map(|byte| u32::from(*byte)).sum();
    header.cksum().ok() == Some(sum - of_sum + 8 * u32::from(b' '))
}
