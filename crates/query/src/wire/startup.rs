//! The start of a connection: encryption, parameters, and who it is.

use bytes::{Buf as _, Bytes};
use tokio::sync::watch;

use std::sync::Arc;

use super::backend::{self, Transaction};
use super::conversation::Conversation;
use super::failure::Failure;
use super::frontend::{self, Message, Reader};
use super::gate::Guest;
use super::listener::Shared;
use super::scram::{self, Exchange};
use super::settings::Settings;
use super::socket::{Duplex, Socket, Trouble};
use crate::catalog::CATALOG;

/// Longest first message, in bytes; also PostgreSQL's limit.
const STARTUP_BYTES: usize = 10_000;

const TLS_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

/// What the first message of a connection was.
enum Opening {
    /// A client with these parameters, over TLS or not.
    Client { parameters: Vec<(String, String)>, is_encrypted: bool },
    /// A wish to cancel, which was passed on.
    Cancel,
}

/// A connection that came to nothing, and its socket for a last word.
pub(super) struct Unopened {
    pub(super) socket: Socket,
    pub(super) trouble: Trouble,
}

/// Opens a connection up to the first question; `None` where it wanted nothing more.
pub(super) async fn open(
    stream: Box<dyn Duplex>,
    is_local: bool,
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
) -> Result<Option<Conversation>, Box<Unopened>> {
    let mut socket = Socket::new(stream, shared.options.patience);
    let opening = match opening(&mut socket, &shared).await {
        Ok(opening) => opening,
        Err(trouble) => return Err(Box::new(Unopened { socket, trouble })),
    };
    let Opening::Client { parameters, is_encrypted } = opening else { return Ok(None) };
    match let_in(&mut socket, parameters, is_encrypted || is_local, &shared).await {
        Err(trouble) => Err(Box::new(Unopened { socket, trouble })),
        Ok((settings, guest)) => {
            let registered = match shared.cancellations.register() {
                Ok(registered) => registered,
                Err(error) => {
                    let failure = Failure::fatal("58000", format!("no random bytes: {error}"));
                    return Err(Box::new(Unopened { socket, trouble: failure.into() }));
                }
            };
            backend::authentication(&mut socket.output, 0, &[]);
            for (name, value) in settings.reported() {
                backend::parameter_status(&mut socket.output, name, value);
            }
            let (process, secret) = registered.key();
            backend::key_data(&mut socket.output, process, secret);
            Ok(Some(Conversation {
                socket,
                shared,
                guest,
                registered,
                settings,
                transaction: Transaction::None,
                before: None,
                local: Vec::new(),
                statements: std::collections::HashMap::new(),
                portals: std::collections::HashMap::new(),
                stopping,
            }))
        }
    }
}

/// Reads first messages until one is no request for encryption.
async fn opening(socket: &mut Socket, shared: &Shared) -> Result<Opening, Trouble> {
    let (mut is_encrypted, mut asked_gss) = (false, false);
    loop {
        let body = socket.startup_packet(STARTUP_BYTES).await?;
        let mut reader = Reader::new(body);
        match reader.u32()? {
            TLS_REQUEST if !is_encrypted => match &shared.tls {
                Some(acceptor) => {
                    socket.output.extend_from_slice(b"S");
                    socket.send().await?;
                    socket.encrypt(acceptor).await?;
                    is_encrypted = true;
                }
                None => {
                    socket.output.extend_from_slice(b"N");
                    socket.send().await?;
                }
            },
            GSS_REQUEST if !asked_gss => {
                asked_gss = true;
                socket.output.extend_from_slice(b"N");
                socket.send().await?;
            }
            CANCEL_REQUEST => {
                let (process, secret) = (reader.i32()?, reader.i32()?);
                shared.cancellations.cancel(process, secret);
                return Ok(Opening::Cancel);
            }
            version if version >> 16 == 3 => {
                let parameters = parameters(&mut reader)?;
                negotiate(socket, version & 0xffff, &parameters);
                return Ok(Opening::Client { parameters, is_encrypted });
            }
            version => {
                let message =
                    format!("protocol {}.{} is not spoken: use 3.0", version >> 16, version & 0xffff);
                return Err(Failure::fatal("0A000", message).into());
            }
        }
    }
}

fn parameters(reader: &mut Reader) -> Result<Vec<(String, String)>, Failure> {
    let mut parameters = Vec::new();
    loop {
        let name = reader.text()?;
        if name.is_empty() {
            return if reader.is_empty() {
                Ok(parameters)
            } else {
                Err(Failure::protocol("bytes after the parameters"))
            };
        }
        parameters.push((name, reader.text()?));
    }
}

/// Tells a client that wants a newer minor version, or options of it, what there is: 3.0.
fn negotiate(socket: &mut Socket, minor: u32, parameters: &[(String, String)]) {
    let unknown: Vec<String> =
        parameters.iter().map(|(name, _)| name).filter(|name| name.starts_with("_pq_.")).cloned().collect();
    if minor > 0 || !unknown.is_empty() {
        backend::negotiate_version(&mut socket.output, &unknown);
    }
}

/// Reads the parameters and asks for the password.
async fn let_in(
    socket: &mut Socket,
    parameters: Vec<(String, String)>,
    is_private: bool,
    shared: &Shared,
) -> Result<(Settings, Option<Guest>), Trouble> {
    if shared.tls.is_some() && !is_private {
        let message = "connections from other machines are encrypted here: connect with sslmode=require";
        return Err(Failure::fatal("28000", message).into());
    }
    let value =
        |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let user = value("user").filter(|user| !user.is_empty());
    let user = user.ok_or_else(|| Failure::fatal("28000", "a user name is needed; any will do"))?;
    let guest = if shared.gate.is_open().map_err(Failure::from)? {
        None
    } else {
        Some(password(socket, shared).await?)
    };
    if let Some(database) = value("database").filter(|name| !name.is_empty() && *name != CATALOG) {
        let failure = Failure::fatal("3D000", format!("database \"{database}\" does not exist"));
        return Err(failure.with_hint(format!("the one database is called {CATALOG}")).into());
    }
    if value("replication").is_some_and(|wanted| !matches!(wanted, "false" | "off" | "no" | "0")) {
        return Err(Failure::fatal("0A000", "there is no replication here").into());
    }
    let mut settings = Settings::new(user);
    for (name, value) in &parameters {
        match name.as_str() {
            "user" | "database" | "replication" => {}
            "options" => set_options(&mut settings, value)?,
            name if name.starts_with("_pq_.") => {}
            name => set(&mut settings, name, value)?,
        }
    }
    Ok((settings, guest))
}

/// A warning about a setting without effect has no place before the conversation; what holds is told with the parameters.
fn set(settings: &mut Settings, name: &str, value: &str) -> Result<(), Failure> {
    settings
        .set(&name.to_lowercase(), Some(value))
        .map(drop)
        .map_err(|failure| Failure { is_fatal: true, ..failure })
}

/// `-c name=value` and `--name=value`, as in PGOPTIONS; a backslash keeps the next letter.
fn set_options(settings: &mut Settings, text: &str) -> Result<(), Failure> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            space if space.is_whitespace() => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let setting = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(rest), _) => rest.to_owned(),
            (None, Some("")) => words.next().unwrap_or_default(),
            (None, Some(rest)) => rest.to_owned(),
            (None, None) => {
                return Err(Failure::fatal("42601", format!("`{word}` is no option: use -c name=value")));
            }
        };
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| Failure::fatal("42601", format!("`{setting}` is no option: use -c name=value")))?;
        set(settings, &name.replace('-', "_"), value)?;
    }
    Ok(())
}

/// SCRAM-SHA-256, in which the password is an access token.
async fn password(socket: &mut Socket, shared: &Shared) -> Result<Guest, Trouble> {
    let known = shared.gate.scram().map_err(Failure::from)?;
    backend::authentication(&mut socket.output, 10, format!("{}\0\0", scram::MECHANISM).as_bytes());
    socket.send().await?;

    let mut first = Reader::new(response(socket, shared).await?);
    let mechanism = first.text()?;
    if mechanism != scram::MECHANISM {
        let message = format!("the way to say the password is {}, not `{mechanism}`", scram::MECHANISM);
        return Err(Failure::fatal("28000", message).into());
    }
    let first = first.value()?.unwrap_or_default();
    let exchange = Exchange::begin(&first, &known)?;
    backend::authentication(&mut socket.output, 11, exchange.challenge.as_bytes());
    socket.send().await?;

    let claim = exchange.claim(&response(socket, shared).await?)?;
    let guest = shared.gate.prove(claim.message.as_bytes(), &claim.proof).map_err(Failure::from)?;
    backend::authentication(&mut socket.output, 12, scram::verdict(&guest.server_signature).as_bytes());
    Ok(guest)
}

async fn response(socket: &mut Socket, shared: &Shared) -> Result<Bytes, Trouble> {
    let (kind, body) = socket.message(frontend::longest, shared.options.patience).await?;
    match frontend::read(kind, body)? {
        Message::Password(data) if data.has_remaining() => Ok(data),
        Message::Terminate => Err(Trouble::Gone("the client left at the password".to_owned())),
        _ => Err(Failure::protocol("the password was asked for, and something else came").into()),
    }
}
