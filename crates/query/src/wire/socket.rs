//! The bytes of a connection: read in bounded messages, written with patience.

use std::io;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::failure::Failure;

/// Output is sent when it reaches this size, in bytes.
const SEND_AT: usize = 64 * 1024;
/// Input that may wait unread while a query runs, in bytes.
const WAITING_INPUT: usize = 64 * 1024;
/// Bytes made room for at a read.
const READ_BYTES: usize = 8 * 1024;

/// A stream in both directions: TCP, or TLS over it.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection's bytes.
pub(super) struct Socket {
    stream: Box<dyn Duplex>,
    input: BytesMut,
    /// What is to be sent; [`Socket::send`] sends it.
    pub(super) output: BytesMut,
    /// Longest silence in the middle of something.
    patience: Duration,
}

/// Why a conversation ends, or a message is not answered.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The client is gone, or too slow to be there.
    Gone(String),
    /// The client is told.
    Failure(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Gone(error.to_string())
    }
}

impl Socket {
    pub(super) fn new(stream: Box<dyn Duplex>, patience: Duration) -> Self {
        Self { stream, input: BytesMut::new(), output: BytesMut::new(), patience }
    }

    /// Goes on under TLS. What the client sent beyond the request for it was sent in the clear and could be anybody's.
    pub(super) async fn encrypt(&mut self, acceptor: &TlsAcceptor) -> Result<(), Trouble> {
        if !self.input.is_empty() {
            return Err(Failure::protocol("unencrypted data after the request for encryption").into());
        }
        let clear = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        match timeout(self.patience, acceptor.accept(clear)).await {
            Ok(encrypted) => {
                self.stream = Box::new(encrypted?);
                Ok(())
            }
            Err(_) => Err(Trouble::Gone("the handshake of TLS did not end in time".to_owned())),
        }
    }

    async fn fill(&mut self) -> Result<(), Trouble> {
        self.input.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(Trouble::Gone("the client closed the connection".to_owned())),
            _ => Ok(()),
        }
    }

    /// Waits for this many bytes: for the first as long as `first` says, then as long as patience lasts.
    async fn wait_for(&mut self, count: usize, first: Duration) -> Result<(), Trouble> {
        while self.input.len() < count {
            let wait = if self.input.is_empty() { first } else { self.patience };
            match timeout(wait, self.fill()).await {
                Ok(read) => read?,
                Err(_) if self.input.is_empty() => {
                    let sentence = "the connection was idle too long; the limit is `postgres_idle_seconds`";
                    return Err(Failure::fatal("57P05", sentence).into());
                }
                Err(_) => return Err(Trouble::Gone("a message did not arrive in time".to_owned())),
            }
        }
        Ok(())
    }

    /// The first message of a connection, which has no kind: its body.
    pub(super) async fn startup_packet(&mut self, longest: usize) -> Result<Bytes, Trouble> {
        self.wait_for(4, self.patience).await?;
        self.body(0, longest).await
    }

    /// The next message: its kind and body. May be dropped while it waits, and called again.
    pub(super) async fn message(
        &mut self,
        longest: fn(u8) -> Option<usize>,
        idle: Duration,
    ) -> Result<(u8, Bytes), Trouble> {
        self.wait_for(5, idle).await?;
        let kind = self.input.first().copied().unwrap_or_default();
        let Some(most) = longest(kind) else {
            return Err(Failure::protocol(format!("there is no message of the kind {kind}")).into());
        };
        let body = self.body(1, most).await?;
        Ok((kind, body))
    }

    async fn body(&mut self, kind_bytes: usize, longest: usize) -> Result<Bytes, Trouble> {
        let announced: [u8; 4] = self
            .input
            .get(kind_bytes..kind_bytes + 4)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| Failure::protocol("a message has no length"))?;
        let length = usize::try_from(i32::from_be_bytes(announced)).unwrap_or(0);
        if length < 4 || length - 4 > longest {
            let sentence = format!("a message of {length} bytes, where {longest} are the most");
            return Err(Failure::protocol(sentence).into());
        }
        self.wait_for(kind_bytes + length, self.patience).await?;
        self.input.advance(kind_bytes + 4);
        Ok(self.input.split_to(length - 4).freeze())
    }

    /// Comes back when the client has gone away. What it sends meanwhile is kept for later, up to a bound.
    pub(super) async fn gone(&mut self) -> Trouble {
        loop {
            if self.input.len() >= WAITING_INPUT {
                std::future::pending::<()>().await;
            }
            if let Err(trouble) = self.fill().await {
                return trouble;
            }
        }
    }

    /// Sends all output. May be dropped while it waits; what was sent is gone from the output then.
    pub(super) async fn send(&mut self) -> Result<(), Trouble> {
        while !self.output.is_empty() {
            let written = timeout(self.patience, self.stream.write_buf(&mut self.output)).await;
            let Ok(count) = written else {
                return Err(Trouble::Gone("the client does not read its answer".to_owned()));
            };
            if count? == 0 {
                return Err(Trouble::Gone("the client reads no more".to_owned()));
            }
        }
        match timeout(self.patience, self.stream.flush()).await {
            Ok(flushed) => Ok(flushed?),
            Err(_) => Err(Trouble::Gone("the client does not read its answer".to_owned())),
        }
    }

    /// Is there so much output that it should be sent?
    pub(super) fn is_full(&self) -> bool {
        self.output.len() >= SEND_AT
    }

    /// Says goodbye, as far as the client listens.
    pub(super) async fn close(mut self) {
        if self.send().await.is_ok() {
            let _ended = timeout(self.patience, self.stream.shutdown()).await;
        }
    }
}
