//! The encodings that are understood, and their decoders.

use std::io::{self, BufRead, BufReader};
use std::str::FromStr;

use super::allowance::{Allowance, Counted};

/// Bytes read and unpacked at a time.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// The largest zstd window, as a power of two: 8 MiB, what every decoder must support (RFC 8878, 3.1.1.1.2)
/// and what `zstd -19` uses.
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a part is packed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Gzip,
    Zstd,
    Zip,
}

impl Codec {
    /// Tells it from the magic numbers: RFC 1952 (gzip), RFC 8878 (zstd), APPNOTE 4.3 (zip: a local file
    /// header, or the end record of an empty archive).
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }
}

/// The `Content-Encoding` of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentEncoding {
    /// As it is.
    #[default]
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// A `Content-Encoding` nobody here can undo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the content encoding `{found}` is not understood: use one of gzip, zstd, identity")]
pub struct UnknownEncoding {
    found: String,
}

impl FromStr for ContentEncoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, UnknownEncoding> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            other => Err(UnknownEncoding { found: other.chars().take(64).collect() }),
        }
    }
}

impl ContentEncoding {
    pub(super) fn codec(self) -> Codec {
        match self {
            Self::Identity => Codec::Plain,
            Self::Gzip => Codec::Gzip,
            Self::Zstd => Codec::Zstd,
        }
    }
}

/// Puts the decoder of `codec` over `packed`; plain and zip content is passed through.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that makes decoders, and counts what they give"
)]
pub(super) fn open<'a>(
    codec: Codec,
    packed: Box<dyn BufRead + 'a>,
    allowance: &'a Allowance,
) -> io::Result<Box<dyn BufRead + 'a>> {
    match codec {
        Codec::Plain | Codec::Zip => Ok(packed),
        Codec::Gzip => {
            let decoder = flate2::bufread::MultiGzDecoder::new(packed);
            Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, Counted::new(decoder, allowance))))
        }
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, Counted::new(decoder, allowance))))
        }
    }
}
