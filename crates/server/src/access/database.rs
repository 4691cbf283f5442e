//! `access.db`: tokens and browser sessions, in a SQLite file of their own beside the store.
//!
//! The command line changes it while a server runs. The server keeps all of it in memory and asks SQLite's
//! `data_version` before each use, which changes exactly when another process has committed; so a token
//! revoked on the command line is refused with the next request.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use manometer_model::Timestamp;
use manometer_query::wire::ScramParameters;
use parking_lot::Mutex;
use rusqlite::{Connection, Row, params};

use super::scram::{self, ScramKeys};
use super::secret::{Secret, SecretHash, random_bytes};
use super::{AccessError, Scope, TokenInfo, TokenState};

/// Name of the file inside the data folder.
const FILE: &str = "access.db";

/// Version of the file's layout.
const VERSION: i64 = 2;

/// How long a browser stays logged in.
pub(crate) const SESSION_SECONDS: i64 = 7 * 86_400;

/// How exactly the last use of a token is known.
const LAST_USED_SECONDS: f64 = 600.0;

const LAYOUT: &str = "
    CREATE TABLE IF NOT EXISTS token(
        id TEXT PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL, projects TEXT,
        created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER) STRICT;
    CREATE TABLE IF NOT EXISTS session(
        hash BLOB PRIMARY KEY, token_id TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS scram(salt BLOB NOT NULL, iterations INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS scram_key(
        token_id TEXT PRIMARY KEY, stored_key BLOB NOT NULL, server_key BLOB NOT NULL) STRICT;
";

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: BTreeSet<Scope>,
    /// The projects it is limited to; `None` is all of them.
    pub projects: Option<BTreeSet<String>>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// The tokens of one data folder.
#[derive(Debug)]
pub struct AccessDatabase {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    connection: Connection,
    data_version: i64,
    tokens: HashMap<SecretHash, TokenInfo>,
    sessions: HashMap<SecretHash, Session>,
    scram: ScramParameters,
    /// By the id of the token. Those made before version 2 of the file have none until they are used over HTTP.
    scram_keys: HashMap<String, ScramKeys>,
}

#[derive(Debug, Clone)]
struct Session {
    token_id: String,
    expires_at: Timestamp,
}

impl AccessDatabase {
    /// Opens the tokens of a data folder, making folder and file where they do not exist (readable by their owner
    /// alone).
    ///
    /// # Errors
    /// When the file cannot be opened, or a newer program wrote it.
    pub fn open(data: &Path) -> Result<Self, AccessError> {
        let path = data.join(FILE);
        make_private_file(data, &path).map_err(|source| AccessError::Io { path: path.clone(), source })?;
        let connection = Connection::open(&path).map_err(sqlite("open"))?;
        let state = State::load(connection, path)?;
        Ok(Self { state: Mutex::new(state) })
    }

    /// Makes a token. The secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// When it could do nothing, or cannot be written.
    pub fn create(&self, new: NewToken, now: Timestamp) -> Result<(TokenInfo, Secret), AccessError> {
        if new.scopes.is_empty() {
            return Err(AccessError::NoScope);
        }
        if new.projects.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(AccessError::NoProject);
        }
        let secret = Secret::new_token()?;
        let info = TokenInfo {
            id: format!("tok_{}", hex::encode(random_bytes::<6>()?)),
            name: new.name,
            scopes: new.scopes,
            projects: new.projects,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        let mut state = self.state.lock();
        let keys = ScramKeys::of(secret.reveal(), &state.scram);
        state.insert(&info, secret.hash(), &keys)?;
        state.tokens.insert(secret.hash(), info.clone());
        state.scram_keys.insert(info.id.clone(), keys);
        Ok((info, secret))
    }

    /// Every token ever made, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self) -> Result<Vec<TokenInfo>, AccessError> {
        let mut state = self.state.lock();
        state.refresh()?;
        let mut tokens: Vec<TokenInfo> = state.tokens.values().cloned().collect();
        tokens.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(tokens)
    }

    /// Takes a token back, and ends the sessions begun with it. Says whether it was valid until now.
    ///
    /// # Errors
    /// When there is no such token, or the file cannot be written.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<bool, AccessError> {
        let mut state = self.state.lock();
        state.refresh()?;
        let Some(token) = state.tokens.values_mut().find(|token| token.id == id) else {
            return Err(AccessError::Unknown { id: id.chars().take(64).collect() });
        };
        let was_valid = token.state(now) == TokenState::Valid;
        let revoked_at = *token.revoked_at.get_or_insert(now);
        let State { connection, sessions, .. } = &mut *state;
        let transaction = connection.transaction().map_err(sqlite("change"))?;
        transaction
            .execute("UPDATE token SET revoked_at = ?2 WHERE id = ?1", params![id, revoked_at.as_micros()])
            .map_err(sqlite("change"))?;
        transaction
            .execute("DELETE FROM session WHERE token_id = ?1", params![id])
            .map_err(sqlite("change"))?;
        transaction.commit().map_err(sqlite("change"))?;
        sessions.retain(|_, session| session.token_id != id);
        Ok(was_valid)
    }

    /// Was a token ever made? Then the door is shut to callers without one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn has_tokens(&self) -> Result<bool, AccessError> {
        let mut state = self.state.lock();
        state.refresh()?;
        Ok(!state.tokens.is_empty())
    }

    /// The valid token with this text; its use is noted.
    pub(crate) fn token(&self, text: &str, now: Timestamp) -> Result<Option<TokenInfo>, AccessError> {
        let Some(secret) = Secret::parse_token(text) else { return Ok(None) };
        let mut state = self.state.lock();
        state.refresh()?;
        let found = state.valid_token(secret.hash(), now)?;
        if let Some(token) = &found {
            state.note_scram_keys(token, &secret);
        }
        Ok(found)
    }

    /// What SCRAM tells a client before it knows who it is.
    pub(crate) fn scram(&self) -> ScramParameters {
        self.state.lock().scram.clone()
    }

    /// The valid token whose proof this is, with the server's own proof. Every token is tried, each in the same time.
    pub(crate) fn prove(
        &self,
        message: &[u8],
        proof: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<(TokenInfo, [u8; 32])>, AccessError> {
        let mut state = self.state.lock();
        state.refresh()?;
        let mut proved = None;
        for token in state.tokens.values() {
            let Some(keys) = state.scram_keys.get(&token.id) else { continue };
            if let Some(signature) = keys.verify(message, proof) {
                proved = Some((token.clone(), signature));
            }
        }
        let Some((token, signature)) = proved else { return Ok(None) };
        if token.state(now) != TokenState::Valid {
            return Ok(None);
        }
        let hash = state.tokens.iter().find(|(_, known)| known.id == token.id).map(|(hash, _)| *hash);
        if let Some(hash) = hash {
            state.valid_token(hash, now)?;
        }
        Ok(Some((token, signature)))
    }

    /// The token of this id, if it is valid now.
    pub(crate) fn valid(&self, id: &str, now: Timestamp) -> Result<Option<TokenInfo>, AccessError> {
        let mut state = self.state.lock();
        state.refresh()?;
        let found = state.tokens.values().find(|token| token.id == id);
        Ok(found.filter(|token| token.state(now) == TokenState::Valid).cloned())
    }

    /// Valid tokens that SCRAM knows nothing of: made before it was there, and not used over HTTP since.
    pub(crate) fn without_scram(&self, now: Timestamp) -> Result<Vec<String>, AccessError> {
        let mut state = self.state.lock();
        state.refresh()?;
        let unknown = state.tokens.values().filter(|token| {
            token.state(now) == TokenState::Valid && !state.scram_keys.contains_key(&token.id)
        });
        Ok(unknown.map(|token| token.name.clone()).collect())
    }

    /// The valid token a browser logged in with, by its session.
    pub(crate) fn session(&self, text: &str, now: Timestamp) -> Result<Option<TokenInfo>, AccessError> {
        let Some(secret) = Secret::parse_session(text) else { return Ok(None) };
        let mut state = self.state.lock();
        state.refresh()?;
        let Some(session) = state.sessions.get(&secret.hash()) else { return Ok(None) };
        if session.expires_at <= now {
            return Ok(None);
        }
        let token = state.tokens.values().find(|token| token.id == session.token_id);
        Ok(token.filter(|token| token.state(now) == TokenState::Valid).cloned())
    }

    /// Begins a browser's session for a token. The secret is for the cookie.
    pub(crate) fn log_in(&self, token_id: &str, now: Timestamp) -> Result<Secret, AccessError> {
        let secret = Secret::new_session()?;
        let expires_at = now.plus_seconds(SESSION_SECONDS as f64);
        let mut state = self.state.lock();
        state.refresh()?;
        state
            .connection
            .execute("DELETE FROM session WHERE expires_at <= ?1", params![now.as_micros()])
            .map_err(sqlite("change"))?;
        state
            .connection
            .execute(
                "INSERT INTO session(hash, token_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
                params![secret.hash().0, token_id, now.as_micros(), expires_at.as_micros()],
            )
            .map_err(sqlite("change"))?;
        state.sessions.retain(|_, session| session.expires_at > now);
        state.sessions.insert(secret.hash(), Session { token_id: token_id.to_owned(), expires_at });
        Ok(secret)
    }

    /// Ends a browser's session.
    pub(crate) fn log_out(&self, text: &str) -> Result<(), AccessError> {
        let Some(secret) = Secret::parse_session(text) else { return Ok(()) };
        let mut state = self.state.lock();
        state
            .connection
            .execute("DELETE FROM session WHERE hash = ?1", params![secret.hash().0])
            .map_err(sqlite("change"))?;
        state.sessions.remove(&secret.hash());
        Ok(())
    }
}

impl State {
    fn load(connection: Connection, path: PathBuf) -> Result<Self, AccessError> {
        connection.busy_timeout(Duration::from_secs(2)).map_err(sqlite("open"))?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(sqlite("open"))?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite("open"))?;
        let found: i64 = pragma(&connection, "user_version")?;
        if found > VERSION {
            return Err(AccessError::NewerVersion { path, found, supported: VERSION });
        }
        connection.execute_batch(LAYOUT).map_err(sqlite("open"))?;
        connection.pragma_update(None, "user_version", VERSION).map_err(sqlite("open"))?;
        let scram = scram_parameters(&connection)?;
        let mut state = Self {
            connection,
            data_version: i64::MIN,
            tokens: HashMap::new(),
            sessions: HashMap::new(),
            scram,
            scram_keys: HashMap::new(),
        };
        state.refresh()?;
        Ok(state)
    }

    /// Reads everything anew when another process changed the file.
    fn refresh(&mut self) -> Result<(), AccessError> {
        let data_version: i64 = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(sqlite("read"))?;
        if data_version == self.data_version {
            return Ok(());
        }
        self.tokens = read_tokens(&self.connection)?;
        self.sessions = read_sessions(&self.connection)?;
        self.scram_keys = read_scram_keys(&self.connection)?;
        self.data_version = data_version;
        Ok(())
    }

    fn insert(&mut self, info: &TokenInfo, hash: SecretHash, keys: &ScramKeys) -> Result<(), AccessError> {
        let scopes: Vec<&str> = info.scopes.iter().map(|scope| scope.as_str()).collect();
        let projects = info.projects.as_ref().map(|projects| serde_json::json!(projects).to_string());
        let transaction = self.connection.transaction().map_err(sqlite("write"))?;
        transaction
            .execute(
                "INSERT INTO token(id, name, hash, scopes, projects, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    info.id,
                    info.name,
                    hash.0,
                    scopes.join(" "),
                    projects,
                    info.created_at.as_micros(),
                    info.expires_at.map(Timestamp::as_micros),
                ],
            )
            .map_err(sqlite("write"))?;
        transaction.execute(INSERT_SCRAM_KEYS, scram_row(&info.id, keys)).map_err(sqlite("write"))?;
        transaction.commit().map_err(sqlite("write"))
    }

    /// A token from before SCRAM is here in the clear, for this once: from now on it is known there too.
    fn note_scram_keys(&mut self, token: &TokenInfo, secret: &Secret) {
        if self.scram_keys.contains_key(&token.id) {
            return;
        }
        let keys = ScramKeys::of(secret.reveal(), &self.scram);
        if let Err(error) = self.connection.execute(INSERT_SCRAM_KEYS, scram_row(&token.id, &keys)) {
            tracing::warn!(token = token.id, %error, "failed to note the keys of a token for the Postgres wire");
        }
        self.scram_keys.insert(token.id.clone(), keys);
    }

    fn valid_token(&mut self, hash: SecretHash, now: Timestamp) -> Result<Option<TokenInfo>, AccessError> {
        let Some((known_hash, token)) = self.tokens.get_key_value(&hash) else { return Ok(None) };
        if !known_hash.matches(&hash) || token.state(now) != TokenState::Valid {
            return Ok(None);
        }
        let found = token.clone();
        let is_noted = found.last_used_at.is_some_and(|last| now.seconds_since(last) < LAST_USED_SECONDS);
        if !is_noted {
            self.note_use(hash, &found.id, now);
        }
        Ok(Some(found))
    }

    /// Notes when a token was used. A failure of that is no reason to refuse the caller.
    fn note_use(&mut self, hash: SecretHash, id: &str, now: Timestamp) {
        if let Some(token) = self.tokens.get_mut(&hash) {
            token.last_used_at = Some(now);
        }
        let written = self
            .connection
            .execute("UPDATE token SET last_used_at = ?2 WHERE id = ?1", params![id, now.as_micros()]);
        if let Err(error) = written {
            tracing::warn!(token = id, %error, "failed to note the use of a token");
        }
    }
}

fn read_tokens(connection: &Connection) -> Result<HashMap<SecretHash, TokenInfo>, AccessError> {
    let mut statement = connection
        .prepare(
            "SELECT id, name, hash, scopes, projects, created_at, expires_at, revoked_at, last_used_at FROM token",
        )
        .map_err(sqlite("read"))?;
    let mut rows = statement.query([]).map_err(sqlite("read"))?;
    let mut tokens = HashMap::new();
    while let Some(row) = rows.next().map_err(sqlite("read"))? {
        let (hash, token) = read_token(row)?;
        tokens.insert(hash, token);
    }
    Ok(tokens)
}

fn read_token(row: &Row<'_>) -> Result<(SecretHash, TokenInfo), AccessError> {
    let id: String = row.get(0).map_err(sqlite("read"))?;
    let scopes: String = row.get(3).map_err(sqlite("read"))?;
    let projects: Option<String> = row.get(4).map_err(sqlite("read"))?;
    let damaged = |what: String| AccessError::Damaged { id: id.clone(), what };
    let time = |column: usize| -> Result<Option<Timestamp>, AccessError> {
        Ok(row.get::<_, Option<i64>>(column).map_err(sqlite("read"))?.map(Timestamp::from_micros))
    };
    let info = TokenInfo {
        name: row.get(1).map_err(sqlite("read"))?,
        scopes: scopes
            .split_whitespace()
            .map(|word| word.parse::<Scope>().map_err(|error| damaged(error.to_string())))
            .collect::<Result<_, _>>()?,
        projects: projects
            .map(|text| serde_json::from_str(&text).map_err(|error| damaged(error.to_string())))
            .transpose()?,
        created_at: time(5)?.unwrap_or_default(),
        expires_at: time(6)?,
        revoked_at: time(7)?,
        last_used_at: time(8)?,
        id: id.clone(),
    };
    Ok((SecretHash(row.get(2).map_err(sqlite("read"))?), info))
}

const INSERT_SCRAM_KEYS: &str =
    "INSERT OR REPLACE INTO scram_key(token_id, stored_key, server_key) VALUES (?1, ?2, ?3)";

fn scram_row<'a>(id: &'a str, keys: &'a ScramKeys) -> (&'a str, &'a [u8], &'a [u8]) {
    (id, &keys.stored, &keys.server)
}

/// The salt of this folder, made at its first use.
fn scram_parameters(connection: &Connection) -> Result<ScramParameters, AccessError> {
    connection
        .execute(
            "INSERT INTO scram(salt, iterations) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM scram)",
            params![random_bytes::<16>()?, scram::ITERATIONS],
        )
        .map_err(sqlite("open"))?;
    connection
        .query_row("SELECT salt, iterations FROM scram", [], |row| {
            Ok(ScramParameters { salt: row.get(0)?, iterations: row.get(1)? })
        })
        .map_err(sqlite("read"))
}

fn read_scram_keys(connection: &Connection) -> Result<HashMap<String, ScramKeys>, AccessError> {
    let mut statement = connection
        .prepare("SELECT token_id, stored_key, server_key FROM scram_key")
        .map_err(sqlite("read"))?;
    let keys = statement
        .query_map([], |row| Ok((row.get(0)?, ScramKeys { stored: row.get(1)?, server: row.get(2)? })))
        .and_then(Iterator::collect::<Result<HashMap<_, _>, _>>)
        .map_err(sqlite("read"))?;
    Ok(keys)
}

fn read_sessions(connection: &Connection) -> Result<HashMap<SecretHash, Session>, AccessError> {
    let mut statement =
        connection.prepare("SELECT hash, token_id, expires_at FROM session").map_err(sqlite("read"))?;
    let mut rows = statement.query([]).map_err(sqlite("read"))?;
    let mut sessions = HashMap::new();
    while let Some(row) = rows.next().map_err(sqlite("read"))? {
        let hash = SecretHash(row.get(0).map_err(sqlite("read"))?);
        let expires_at = Timestamp::from_micros(row.get(2).map_err(sqlite("read"))?);
        sessions.insert(hash, Session { token_id: row.get(1).map_err(sqlite("read"))?, expires_at });
    }
    Ok(sessions)
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, AccessError> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(sqlite("read"))
}

fn sqlite(doing: &'static str) -> impl Fn(rusqlite::Error) -> AccessError {
    move |source| AccessError::Sqlite { doing, source }
}

fn make_private_file(folder: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
