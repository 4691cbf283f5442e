//! Zip archives: their entries as files.

use std::io::{BufReader, SeekFrom};

use zip::ZipArchive;
use zip::result::ZipError;

use super::allowance::Counted;
use super::codec::{self, BUFFER_BYTES, Codec};
use super::{Allowance, Exceeded, FileVisitor, Source, UnpackError};

/// The signature of one entry in an archive's directory (APPNOTE 4.3.12).
const DIRECTORY_ENTRY: &[u8; 4] = b"PK\x01\x02";

/// Hands every file of the archive to `visitor`, after the whole directory was found harmless.
pub(super) fn visit_entries(
    archive_name: &str,
    source: &mut dyn Source,
    packed_bytes: u64,
    allowance: &Allowance,
    visitor: &mut dyn FileVisitor,
) -> Result<(), UnpackError> {
    if directory_is_larger_than(source, allowance.most_files())
        .map_err(|error| UnpackError::Read { name: archive_name.to_owned(), source: error })?
    {
        allowance.exceed(Exceeded::Files { limit: allowance.most_files() });
        return Ok(());
    }
    let broken =
        |error: ZipError| UnpackError::Archive { name: archive_name.to_owned(), why: error.to_string() };
    #[expect(
        clippy::disallowed_methods,
        reason = "the directory was counted, and what comes out is counted below"
    )]
    let mut archive = ZipArchive::new(source).map_err(broken)?;
    if archive.has_duplicate_names() {
        let why = "two of its entries have the same name".to_owned();
        return Err(UnpackError::Archive { name: archive_name.to_owned(), why });
    }
    refuse_unsafe_entries(archive_name, &archive)?;
    if visitor.archive(archive_name, packed_bytes, &directory_of(&archive)) {
        return Ok(());
    }

    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(broken)?;
        if entry.is_dir() {
            continue;
        }
        let entry_name = format!("{archive_name}/{}", display_name(entry.name_raw()));
        let encrypted = entry.encrypted();
        if !allowance.count_file() {
            return Ok(());
        }
        if encrypted {
            visitor.unreadable(&entry_name, "is encrypted: send it without a password".to_owned());
            continue;
        }
        match archive.by_index(index) {
            Ok(content) => visit_entry(&entry_name, content, allowance, visitor),
            Err(error) => visitor.unreadable(&entry_name, error.to_string()),
        }
        if allowance.exceeded().is_some() {
            return Ok(());
        }
    }
    Ok(())
}

/// The files of an archive, with their sizes when unpacked as the directory states them.
fn directory_of<R: std::io::Read + std::io::Seek>(archive: &ZipArchive<R>) -> Vec<(String, u64)> {
    (0..archive.len())
        .filter_map(|index| archive.by_index_data(index).ok())
        .filter(|entry| !entry.is_dir())
        .map(|entry| (display_name(entry.name_raw()), entry.size()))
        .collect()
}

fn visit_entry(
    entry_name: &str,
    content: impl std::io::Read,
    allowance: &Allowance,
    visitor: &mut dyn FileVisitor,
) {
    let counted = BufReader::with_capacity(BUFFER_BYTES, Counted::new(content, allowance));
    let opened = super::unpack_by_content(Box::new(counted), allowance);
    match opened {
        Ok(mut file) => match Codec::of(file.fill_buf().unwrap_or_default()) {
            Codec::Zip => {
                visitor.unreadable(
                    entry_name,
                    "is an archive inside an archive, which is not opened".to_owned(),
                );
            }
            codec::Codec::Plain | codec::Codec::Gzip | codec::Codec::Zstd => {
                visitor.file(entry_name, file.as_mut())
            }
        },
        Err(error) => visitor.unreadable(entry_name, error.to_string()),
    }
}

/// Entry names become labels in a receipt and nothing else, but an archive that tries is not taken.
fn refuse_unsafe_entries<R: std::io::Read + std::io::Seek>(
    archive_name: &str,
    archive: &ZipArchive<R>,
) -> Result<(), UnpackError> {
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_data(index) else { continue };
        let raw = entry.name_raw();
        let refused =
            |why| Err(UnpackError::Unsafe { name: archive_name.to_owned(), entry: display_name(raw), why });
        if entry.is_symlink() {
            return refused("is a symbolic link");
        }
        let drive = matches!(raw, [letter, b':', ..] if letter.is_ascii_alphabetic());
        if drive || matches!(raw, [b'/' | b'\\', ..]) {
            return refused("has an absolute name");
        }
        if raw.split(|byte| matches!(byte, b'/' | b'\\')).any(|step| step == b"..") {
            return refused("has a name that leaves the archive (`..`)");
        }
        if raw.contains(&0) {
            return refused("has a name with a zero byte");
        }
    }
    Ok(())
}

fn display_name(raw: &[u8]) -> String {
    const SHOWN_BYTES: usize = 512;
    let shown = raw.get(..SHOWN_BYTES).unwrap_or(raw);
    String::from_utf8_lossy(shown)
        .chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect()
}

/// Counts directory signatures before the directory is read into memory: whatever its end record claims, it
/// cannot list more entries than there are signatures.
fn directory_is_larger_than(source: &mut dyn Source, most_files: usize) -> std::io::Result<bool> {
    source.seek(SeekFrom::Start(0))?;
    let overlap = DIRECTORY_ENTRY.len() - 1;
    let mut window = vec![0_u8; BUFFER_BYTES];
    let (mut kept, mut count) = (0, 0);
    loop {
        let read = super::read_up_to(source, window.get_mut(kept..).unwrap_or_default())?;
        let filled = kept + read;
        count += memchr::memmem::find_iter(window.get(..filled).unwrap_or_default(), DIRECTORY_ENTRY).count();
        if count > most_files {
            return Ok(true);
        }
        if read == 0 || filled < window.len() {
            source.seek(SeekFrom::Start(0))?;
            return Ok(false);
        }
        window.copy_within(filled - overlap..filled, 0);
        kept = overlap;
    }
}
