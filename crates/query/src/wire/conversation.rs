//! A conversation: one message after the other, its answer, and what becomes of an error.
//!
//! After an error in the extended protocol everything up to the next Sync is skipped; in a transaction everything up to
//! its end is refused (25P02). Both are what drivers rely on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::ScalarValue;
use tokio::sync::watch;
use tokio::time::Instant;

use super::backend::{self, Transaction};
use super::cancel::Registered;
use super::compatibility::{self, Question};
use super::extended::{Portal, Prepared};
use super::failure::Failure;
use super::frontend::{self, Message};
use super::gate::{Gate, Guest};
use super::listener::Shared;
use super::portal::{Fetched, Running};
use super::session::ClientSession;
use super::settings::Settings;
use super::socket::{Socket, Trouble};
use super::statement::{self, Command, Piece};
use super::types;
use crate::{LimitOverrides, QueryError, QueryRequest};

/// A conversation with a client that was let in.
pub(super) struct Conversation {
    pub(super) socket: Socket,
    pub(super) shared: Arc<Shared>,
    pub(super) guest: Option<Guest>,
    pub(super) registered: Registered,
    pub(super) settings: Settings,
    pub(super) transaction: Transaction,
    /// The settings when the transaction began, and those set for it alone.
    pub(super) before: Option<Settings>,
    pub(super) local: Vec<String>,
    pub(super) statements: HashMap<String, Arc<Prepared>>,
    pub(super) portals: HashMap<String, Portal>,
    pub(super) stopping: watch::Receiver<bool>,
}

/// Does the conversation go on?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    More,
    End,
}

impl Conversation {
    /// Talks until one side ends it.
    pub(super) async fn run(mut self) {
        let mut is_skipping = false;
        backend::ready(&mut self.socket.output, self.transaction);
        let mut started = self.socket.send().await.err();
        loop {
            if let Some(trouble) = started.take() {
                return self.end(trouble).await;
            }
            let (kind, body) = match self.next_message().await {
                Ok(received) => received,
                Err(trouble) => return self.end(trouble).await,
            };
            if is_skipping && !matches!(kind, b'S' | b'X') {
                continue;
            }
            is_skipping = false;
            let answered = match frontend::read(kind, body) {
                Ok(message) => self.answer(message).await,
                Err(failure) => Err(failure.into()),
            };
            match answered {
                Ok(Next::More) => {}
                Ok(Next::End) => return,
                Err(Trouble::Failure(failure)) if !failure.is_fatal => {
                    backend::error(&mut self.socket.output, &failure);
                    if self.transaction == Transaction::Open {
                        self.transaction = Transaction::Failed;
                    }
                    if kind == b'Q' {
                        backend::ready(&mut self.socket.output, self.transaction);
                    } else {
                        is_skipping = true;
                    }
                    started = self.socket.send().await.err();
                }
                Err(trouble) => return self.end(trouble).await,
            }
        }
    }

    async fn next_message(&mut self) -> Result<(u8, bytes::Bytes), Trouble> {
        let idle = self.shared.options.idle;
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stop| *stop) => {
                Err(Failure::fatal("57P01", "the server is ending: connect again in a moment").into())
            }
            received = self.socket.message(frontend::longest, idle) => received,
        }
    }

    async fn end(mut self, trouble: Trouble) {
        match trouble {
            Trouble::Gone(why) => tracing::debug!(%why, "a conversation of the Postgres wire ended"),
            Trouble::Failure(failure) => {
                backend::error(&mut self.socket.output, &failure);
                self.socket.close().await;
            }
        }
    }

    async fn answer(&mut self, message: Message) -> Result<Next, Trouble> {
        match message {
            Message::Query(text) => self.simple(&text).await?,
            Message::Parse { name, sql, types } => self.parse(name, &sql, types)?,
            Message::Bind(bind) => self.bind(bind).await?,
            Message::Describe { target, name } => self.describe(target, &name).await?,
            Message::Execute { portal, rows } => self.execute(&portal, rows).await?,
            Message::Close { target, name } => self.close(target, &name),
            Message::Flush => self.socket.send().await?,
            Message::Sync => {
                if self.transaction == Transaction::None {
                    self.portals.clear();
                }
                self.ready().await?;
            }
            Message::Terminate => return Ok(Next::End),
            Message::CopyInput => {}
            Message::Password(_) => {
                return Err(Failure::protocol("a password when none was asked for").into());
            }
        }
        if self.socket.is_full() {
            self.socket.send().await?;
        }
        Ok(Next::More)
    }

    async fn ready(&mut self) -> Result<(), Trouble> {
        backend::ready(&mut self.socket.output, self.transaction);
        self.socket.send().await
    }

    /// The simple protocol: any number of statements in one text, answered one after the other.
    async fn simple(&mut self, text: &str) -> Result<(), Trouble> {
        self.statements.remove("");
        self.portals.remove("");
        let pieces = statement::split(text)?;
        if pieces.is_empty() {
            backend::plain(&mut self.socket.output, backend::EMPTY_QUERY);
        }
        for piece in &pieces {
            self.simple_statement(piece).await?;
        }
        if self.transaction == Transaction::None {
            self.portals.clear();
        }
        self.ready().await
    }

    async fn simple_statement(&mut self, piece: &Piece) -> Result<(), Trouble> {
        let command = piece.command()?;
        self.refuse_in_failed_transaction(&command)?;
        if let Command::Fetch { cursor, rows, is_move } = &command {
            return self.fetch_from_cursor(cursor, *rows, *is_move, true).await;
        }
        if command != Command::Query {
            return self.obey(&command, true).await;
        }
        let question = compatibility::question(piece)?;
        let origin = Origin::of(piece, &question);
        let mut running = self.start(&question, Vec::new(), &[], &origin).await?;
        backend::row_description(&mut self.socket.output, &running.fields);
        let fetched = self.fetch(&mut running, 0, &origin).await?;
        backend::complete(&mut self.socket.output, &format!("SELECT {}", fetched.rows));
        Ok(())
    }

    pub(super) fn refuse_in_failed_transaction(&self, command: &Command) -> Result<(), Failure> {
        let ends_it = matches!(command, Command::Commit | Command::Rollback | Command::Savepoint("ROLLBACK"));
        if self.transaction == Transaction::Failed && !ends_it {
            let message = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Failure::error("25P02", message));
        }
        Ok(())
    }

    /// What functions of SQL may know of this session.
    pub(super) fn session(&self) -> Arc<ClientSession> {
        let settings = self.settings.all().clone();
        let user = settings.get("session_authorization").cloned().unwrap_or_default();
        Arc::new(ClientSession { user, process: self.registered.key().0, settings })
    }

    /// What the engine is asked. Whether the token is still valid is asked here, before every query.
    pub(super) fn request(&self, sql: &str) -> Result<QueryRequest, Failure> {
        let access = self.shared.gate.access(self.guest.as_ref())?;
        let seconds = self.settings.statement_timeout().map(|timeout| timeout.as_secs_f64());
        let mut request = QueryRequest::new(sql, access)
            .with_limits(LimitOverrides { seconds, ..LimitOverrides::default() });
        request.client = Some(self.session());
        Ok(request)
    }

    /// Starts a query; ends it when the client cancels it or goes away.
    pub(super) async fn start(
        &mut self,
        question: &Question,
        values: Vec<ScalarValue>,
        formats: &[i16],
        origin: &Origin,
    ) -> Result<Running, Trouble> {
        let mut request = self.request(&question.sql)?;
        request.values = values;
        let timing = Timing { gate: Arc::clone(&self.shared.gate), started: Instant::now() };
        let cancellation = Arc::clone(&self.registered.cancellation);
        cancellation.begin();
        let result = tokio::select! {
            biased;
            () = cancellation.wanted() => return Err(cancelled().into()),
            result = self.shared.engine.query(self.shared.gate.source(), request) => result,
            trouble = self.socket.gone() => return Err(trouble),
        };
        let result = result.map_err(|error| self.fault(&error, origin))?;
        let fields = types::fields(result.schema(), formats, question.names.as_deref().map(Vec::as_slice))?;
        Ok(Running::new(result, fields, timing))
    }

    /// Sends rows; ends the query when the client cancels it or goes away.
    pub(super) async fn fetch(
        &mut self,
        running: &mut Running,
        most: usize,
        origin: &Origin,
    ) -> Result<Fetched, Trouble> {
        let cancellation = Arc::clone(&self.registered.cancellation);
        let timeout = self.settings.statement_timeout();
        let fault = |error: &QueryError| fault(error, origin, timeout);
        tokio::select! {
            biased;
            () = cancellation.wanted() => Err(cancelled().into()),
            fetched = running.fetch(&mut self.socket, most, fault) => fetched,
        }
    }

    pub(super) fn fault(&self, error: &QueryError, origin: &Origin) -> Failure {
        fault(error, origin, self.settings.statement_timeout())
    }
}

fn fault(error: &QueryError, origin: &Origin, timeout: Option<Duration>) -> Failure {
    if let (QueryError::TimeLimit { seconds }, Some(timeout)) = (error, timeout)
        && timeout.as_secs_f64() <= *seconds
    {
        return Failure::error("57014", "canceling statement due to statement timeout");
    }
    Failure::of_query(error, origin.0.as_ref().map(|(text, before)| (text.as_str(), *before)))
}

fn cancelled() -> Failure {
    Failure::error("57014", "canceling statement due to user request")
}

/// The client's own text of a statement and the letters before it, for the place of an error; none where the engine was
/// asked something else.
#[derive(Debug, Clone)]
pub(super) struct Origin(Option<(String, usize)>);

impl Origin {
    pub(super) fn unknown() -> Self {
        Self(None)
    }

    pub(super) fn of(piece: &Piece, question: &Question) -> Self {
        Self((!question.is_rewritten).then(|| (piece.text.clone(), piece.letters_before)))
    }
}

/// Tells how long a query took when it is over, however it ended.
pub(super) struct Timing {
    gate: Arc<dyn Gate>,
    started: Instant,
}

impl Drop for Timing {
    fn drop(&mut self) {
        self.gate.queried(self.started.elapsed());
    }
}
