//! Messages of clients, read with every length checked.

use bytes::{Buf as _, Bytes};

use super::failure::Failure;

/// Longest message that carries SQL, in bytes.
const SQL_BYTES: usize = 1024 * 1024 + 1024;
/// Longest message that binds parameters.
const BIND_BYTES: usize = 4 * 1024 * 1024;
/// Longest of any other.
const SMALL_BYTES: usize = 8 * 1024;

/// A message of a client.
#[derive(Debug)]
pub(super) enum Message {
    Query(String),
    Parse {
        name: String,
        sql: String,
        types: Vec<u32>,
    },
    Bind(Bind),
    Describe {
        target: Target,
        name: String,
    },
    Execute {
        portal: String,
        rows: usize,
    },
    Close {
        target: Target,
        name: String,
    },
    Flush,
    Sync,
    Terminate,
    /// A step of the authentication.
    Password(Bytes),
    /// Input of a COPY, of which there is none: ignored, as PostgreSQL does after an error.
    CopyInput,
}

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Statement,
    Portal,
}

/// Values for the parameters of a statement.
#[derive(Debug)]
pub(super) struct Bind {
    pub(super) portal: String,
    pub(super) statement: String,
    pub(super) parameter_formats: Vec<i16>,
    pub(super) parameters: Vec<Option<Bytes>>,
    pub(super) result_formats: Vec<i16>,
}

/// The longest body of a kind of message; `None` for a kind there is not.
pub(super) fn longest(kind: u8) -> Option<usize> {
    match kind {
        b'Q' | b'P' => Some(SQL_BYTES),
        b'B' | b'd' => Some(BIND_BYTES),
        b'D' | b'E' | b'C' | b'H' | b'S' | b'X' | b'p' | b'c' | b'f' => Some(SMALL_BYTES),
        _ => None,
    }
}

/// Reads one message.
pub(super) fn read(kind: u8, body: Bytes) -> Result<Message, Failure> {
    let mut reader = Reader { body };
    let message = match kind {
        b'Q' => Message::Query(reader.text()?),
        b'P' => {
            let (name, sql) = (reader.text()?, reader.text()?);
            let count = reader.count()?;
            let types = (0..count).map(|_| reader.u32()).collect::<Result<_, _>>()?;
            Message::Parse { name, sql, types }
        }
        b'B' => Message::Bind(bind(&mut reader)?),
        b'D' => Message::Describe { target: reader.target()?, name: reader.text()? },
        b'E' => {
            let portal = reader.text()?;
            // As in PostgreSQL, zero and what is below it is no limit.
            let rows = usize::try_from(reader.i32()?).unwrap_or(0);
            Message::Execute { portal, rows }
        }
        b'C' => Message::Close { target: reader.target()?, name: reader.text()? },
        b'H' => Message::Flush,
        b'S' => Message::Sync,
        b'X' => Message::Terminate,
        b'p' => return Ok(Message::Password(reader.body)),
        b'd' | b'c' | b'f' => return Ok(Message::CopyInput),
        other => return Err(Failure::protocol(format!("there is no message of the kind {other}"))),
    };
    if reader.body.has_remaining() {
        return Err(Failure::protocol("a message is longer than what it says"));
    }
    Ok(message)
}

fn bind(reader: &mut Reader) -> Result<Bind, Failure> {
    let (portal, statement) = (reader.text()?, reader.text()?);
    let parameter_formats = reader.formats()?;
    let count = reader.count()?;
    let parameters = (0..count).map(|_| reader.value()).collect::<Result<_, _>>()?;
    Ok(Bind { portal, statement, parameter_formats, parameters, result_formats: reader.formats()? })
}

/// Takes a body apart from its front.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) body: Bytes,
}

impl Reader {
    pub(super) fn new(body: Bytes) -> Self {
        Self { body }
    }

    /// A text that ends with a zero byte.
    pub(super) fn text(&mut self) -> Result<String, Failure> {
        let Some(end) = self.body.iter().position(|byte| *byte == 0) else {
            return Err(Failure::protocol("a text in a message has no end"));
        };
        let text = self.body.split_to(end);
        self.body.advance(1);
        String::from_utf8(text.to_vec())
            .map_err(|_| Failure::fatal("22021", "a text in a message is not UTF-8"))
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<Bytes, Failure> {
        if count > self.body.len() {
            return Err(Failure::protocol("a message ends before what it announces"));
        }
        Ok(self.body.split_to(count))
    }

    fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Failure> {
        let taken = self.bytes(COUNT)?;
        taken.as_ref().try_into().map_err(|_| Failure::protocol("a message ends before what it announces"))
    }

    pub(super) fn i16(&mut self) -> Result<i16, Failure> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(super) fn i32(&mut self) -> Result<i32, Failure> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Failure> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn i64(&mut self) -> Result<i64, Failure> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// A number of things to follow; it is not believed, only counted down.
    fn count(&mut self) -> Result<u16, Failure> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn formats(&mut self) -> Result<Vec<i16>, Failure> {
        let count = self.count()?;
        (0..count)
            .map(|_| match self.i16()? {
                format @ (0 | 1) => Ok(format),
                other => Err(Failure::protocol(format!("there is no format {other}"))),
            })
            .collect()
    }

    /// A value behind its length; a length of -1 is null.
    pub(super) fn value(&mut self) -> Result<Option<Bytes>, Failure> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let count = usize::try_from(length)
                    .map_err(|_| Failure::protocol("a value has a negative length"))?;
                self.bytes(count).map(Some)
            }
        }
    }

    fn target(&mut self) -> Result<Target, Failure> {
        match self.bytes(1)?.first() {
            Some(b'S') => Ok(Target::Statement),
            Some(b'P') => Ok(Target::Portal),
            _ => Err(Failure::protocol("a name is of a statement (S) or a portal (P)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_lie_are_refused_and_nothing_is_allocated_for_them() {
        for (kind, body) in [
            (b'Q', b"no end".as_slice()),
            (b'P', b"\0select\0\xff\xff"),
            (b'B', b"\0\0\xff\xff"),
            (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"),
            (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xf0"),
            (b'B', b"\0\0\0\x01\0\x07\0\0\0\0"),
            (b'D', b"Zname\0"),
            (b'D', b""),
            (b'E', b"portal\0\0"),
            (b'S', b"more"),
            (b'?', b""),
        ] {
            assert_eq!(read(kind, Bytes::copy_from_slice(body)).unwrap_err().code, "08P01", "{body:?}");
        }
        assert_eq!(read(b'Q', Bytes::from_static(b"\xff\0")).unwrap_err().code, "22021");
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let body: Vec<u8> = (0..seed % 40)
                .map(|_| {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    if seed >> 62 == 0 { 0 } else { (seed >> 33) as u8 }
                })
                .collect();
            seed = seed.wrapping_add(1);
            for kind in *b"QPBDECHSXp" {
                let _read_or_refused = read(kind, Bytes::from(body.clone()));
            }
        }
    }
}
