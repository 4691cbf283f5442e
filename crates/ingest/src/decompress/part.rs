//! One part of an upload, as it was sent.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};

use super::ContentEncoding;

/// Bytes that can be read more than once: a body in memory, or a file.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// One part of an upload: a raw body, a part of a multipart form, or a file given on the command line.
pub struct Part {
    /// What to call it in the receipt.
    pub name: String,
    /// The `Content-Encoding` it was sent with.
    pub encoding: ContentEncoding,
    pub(super) source: Box<dyn Source>,
    bytes: u64,
}

impl Part {
    /// A part held in memory.
    pub fn from_memory(name: impl Into<String>, content: impl AsRef<[u8]> + Send + 'static) -> Self {
        let bytes = content.as_ref().len() as u64;
        let source = Box::new(Cursor::new(content));
        Self { name: name.into(), encoding: ContentEncoding::Identity, source, bytes }
    }

    /// A part that is a file of this machine.
    ///
    /// # Errors
    /// When its size cannot be told, as for a pipe.
    pub fn from_file(name: impl Into<String>, mut file: File) -> io::Result<Self> {
        let bytes = file.seek(SeekFrom::End(0))?;
        Ok(Self { name: name.into(), encoding: ContentEncoding::Identity, source: Box::new(file), bytes })
    }

    /// The same, sent with a `Content-Encoding`.
    #[must_use]
    pub fn encoded(mut self, encoding: ContentEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Its size as sent, packed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads all of it as it was sent, `consume` taking one piece after another.
    ///
    /// # Errors
    /// When reading fails.
    pub fn each_piece(&mut self, consume: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.source.rewind()?;
        let mut buffer = vec![0_u8; 64 * 1024];
        loop {
            match self.source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => consume(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Part")
            .field("name", &self.name)
            .field("encoding", &self.encoding)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// The rest of a stream that broke: one error, then the end.
pub(super) struct Broken(Option<io::Error>);

impl Broken {
    pub(super) fn new(error: io::Error) -> Self {
        Self(Some(error))
    }
}

impl Read for Broken {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl BufRead for Broken {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.take().map_or(Ok(&[]), Err)
    }

    fn consume(&mut self, _amount: usize) {}
}
