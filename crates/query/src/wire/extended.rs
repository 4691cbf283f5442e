//! The extended protocol: Parse, Bind, Describe, Execute, Close.
//!
//! A statement is planned only where its types are asked for; describing a portal starts its query, whose columns are
//! then known, so that the usual Parse, Bind, Describe, Execute plans once.

use std::sync::{Arc, OnceLock};

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use pgwire::api::Type;

use super::backend;
use super::compatibility::{self, Question};
use super::conversation::{Conversation, Origin};
use super::failure::Failure;
use super::frontend::{Bind, Target};
use super::portal::Running;
use super::socket::Trouble;
use super::statement::{self, Command};
use super::{parameters, types};

/// Most prepared statements, and most portals, of one connection.
const STATEMENTS: usize = 1_000;
const PORTALS: usize = 64;
/// Most bytes of the texts of prepared statements.
const STATEMENT_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes of parameters that portals hold.
const PARAMETER_BYTES: usize = 8 * 1024 * 1024;

/// `unknown`: a type the client leaves to the server.
const UNKNOWN: u32 = 705;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Nothing for an empty text.
    asked: Option<Asked>,
    declared: Vec<Option<Type>>,
    described: OnceLock<Described>,
    bytes: usize,
}

#[derive(Debug)]
struct Asked {
    command: Command,
    /// For a query.
    question: Option<Question>,
    origin: Origin,
}

/// What planning found.
#[derive(Debug)]
struct Described {
    types: Vec<Type>,
    arrow: Vec<DataType>,
    schema: SchemaRef,
}

/// A statement with its values, and what was fetched of it.
pub(super) struct Portal {
    statement: Arc<Prepared>,
    values: Vec<ScalarValue>,
    formats: Vec<i16>,
    bytes: usize,
    state: State,
}

enum State {
    Ready,
    Running(Box<Running>),
    /// All rows were sent.
    Done,
}

impl Conversation {
    pub(super) fn parse(&mut self, name: String, sql: &str, oids: Vec<u32>) -> Result<(), Failure> {
        if !name.is_empty() && self.statements.contains_key(&name) {
            return Err(Failure::error("42P05", format!("prepared statement \"{name}\" already exists")));
        }
        let bytes = sql.len() + name.len() + oids.len() * 4;
        let held: usize = self.statements.values().map(|statement| statement.bytes).sum();
        if self.statements.len() >= STATEMENTS || held + bytes > STATEMENT_BYTES {
            let message = format!(
                "a connection keeps at most {STATEMENTS} prepared statements of {STATEMENT_BYTES} bytes"
            );
            return Err(
                Failure::error("53400", message).with_hint("close those no longer used, or DEALLOCATE ALL")
            );
        }
        let mut pieces = statement::split(sql)?;
        if pieces.len() > 1 {
            return Err(Failure::error("42601", "cannot insert multiple commands into a prepared statement"));
        }
        let asked = match pieces.pop() {
            None => None,
            Some(piece) => {
                let command = piece.command()?;
                self.refuse_in_failed_transaction(&command)?;
                let question = match &command {
                    Command::Query => Some(compatibility::question(&piece)?),
                    _ => None,
                };
                let origin = match &question {
                    Some(question) => Origin::of(&piece, question),
                    None => Origin::unknown(),
                };
                Some(Asked { command, question, origin })
            }
        };
        let declared = oids.into_iter().map(declared).collect::<Result<_, _>>()?;
        self.statements
            .insert(name, Arc::new(Prepared { asked, declared, described: OnceLock::new(), bytes }));
        backend::plain(&mut self.socket.output, backend::PARSE_COMPLETE);
        Ok(())
    }

    fn statement(&self, name: &str) -> Result<Arc<Prepared>, Failure> {
        let found = self.statements.get(name).cloned();
        found.ok_or_else(|| Failure::error("26000", format!("prepared statement \"{name}\" does not exist")))
    }

    /// Plans a statement, once.
    async fn described<'a>(&mut self, statement: &'a Prepared) -> Result<Option<&'a Described>, Trouble> {
        let Some(Asked { question: Some(question), origin, .. }) = &statement.asked else { return Ok(None) };
        if statement.described.get().is_none() {
            let declared = statement
                .declared
                .iter()
                .map(|kind| kind.as_ref().map(types::arrow).transpose())
                .collect::<Result<Vec<_>, _>>()?;
            let request = self.request(&question.sql)?;
            let source = self.shared.gate.source();
            let found = tokio::select! {
                found = self.shared.engine.describe(source, request, declared) => found,
                trouble = self.socket.gone() => return Err(trouble),
            };
            let found = found.map_err(|error| self.fault(&error, origin))?;
            let types = found.parameters.iter().enumerate().map(|(position, arrow)| {
                let declared = statement.declared.get(position).cloned().flatten();
                declared.unwrap_or_else(|| types::of_parameter(arrow))
            });
            let types = types.collect();
            let _first =
                statement.described.set(Described { types, arrow: found.parameters, schema: found.schema });
        }
        Ok(statement.described.get())
    }

    pub(super) async fn bind(&mut self, bind: Bind) -> Result<(), Trouble> {
        let statement = self.statement(&bind.statement)?;
        let given = bind.parameters.len();
        let is_known = statement.declared.len() == given && statement.declared.iter().all(Option::is_some);
        let described = if is_known { None } else { self.described(&statement).await? };
        let wanted = described.map_or(statement.declared.len(), |found| found.types.len());
        if wanted != given {
            let message = format!(
                "bind message supplies {given} parameters, but the prepared statement requires {wanted}"
            );
            return Err(Failure::error("08P01", message).into());
        }
        if bind.parameter_formats.len() > 1 && bind.parameter_formats.len() != given {
            let message = format!(
                "bind message has {} parameter formats but {given} parameters",
                bind.parameter_formats.len()
            );
            return Err(Failure::error("08P01", message).into());
        }
        let bytes = bind.parameters.iter().flatten().map(bytes::Bytes::len).sum();
        let held: usize = self.portals.values().map(|portal| portal.bytes).sum();
        if !bind.portal.is_empty() && self.portals.contains_key(&bind.portal) {
            return Err(Failure::error("42P03", format!("portal \"{}\" already exists", bind.portal)).into());
        }
        if self.portals.len() >= PORTALS || held + bytes > PARAMETER_BYTES {
            return Err(Failure::error(
                "53400",
                format!("a connection keeps at most {PORTALS} open portals"),
            )
            .into());
        }
        let mut values = Vec::with_capacity(given);
        for (position, value) in bind.parameters.into_iter().enumerate() {
            let formats = &bind.parameter_formats;
            let is_binary = formats.get(position).or(formats.first()).is_some_and(|format| *format == 1);
            let declared = statement.declared.get(position).and_then(Option::as_ref);
            let kind =
                described.and_then(|found| found.types.get(position)).or(declared).unwrap_or(&Type::TEXT);
            // A type the client declared is what it gets; what was found from the surroundings is cast to fit them.
            let arrow = match declared {
                Some(_) => None,
                None => described.and_then(|found| found.arrow.get(position)),
            };
            values.push(parameters::read(value, is_binary, kind, arrow)?);
        }
        let portal = Portal { statement, values, formats: bind.result_formats, bytes, state: State::Ready };
        self.portals.insert(bind.portal, portal);
        backend::plain(&mut self.socket.output, backend::BIND_COMPLETE);
        Ok(())
    }

    pub(super) async fn describe(&mut self, target: Target, name: &str) -> Result<(), Trouble> {
        match target {
            Target::Statement => {
                let statement = self.statement(name)?;
                let described = self.described(&statement).await?;
                let types: Vec<u32> =
                    described.map(|found| found.types.iter().map(Type::oid).collect()).unwrap_or_default();
                backend::parameter_description(&mut self.socket.output, &types);
                match described {
                    Some(found) => {
                        let question = statement.asked.as_ref().and_then(|asked| asked.question.as_ref());
                        let names =
                            question.and_then(|question| question.names.as_deref()).map(Vec::as_slice);
                        let fields = types::fields(&found.schema, &[], names)?;
                        backend::row_description(&mut self.socket.output, &fields);
                    }
                    None => self.describe_command(&statement)?,
                }
            }
            Target::Portal => {
                let mut portal = self.take_portal(name)?;
                if matches!(portal.state, State::Ready) {
                    self.begin(&mut portal).await?;
                }
                match &portal.state {
                    State::Running(running) => {
                        backend::row_description(&mut self.socket.output, &running.fields)
                    }
                    _ => self.describe_command(&portal.statement)?,
                }
                self.portals.insert(name.to_owned(), portal);
            }
        }
        Ok(())
    }

    /// The columns of what is no query: SHOW and FETCH have some.
    fn describe_command(&mut self, statement: &Prepared) -> Result<(), Failure> {
        let command = statement.asked.as_ref().map(|asked| &asked.command);
        match command {
            Some(command) => self.describe_answer(command),
            None => {
                backend::plain(&mut self.socket.output, backend::NO_DATA);
                Ok(())
            }
        }
    }

    fn take_portal(&mut self, name: &str) -> Result<Portal, Failure> {
        let found = self.portals.remove(name);
        found.ok_or_else(|| Failure::error("34000", format!("portal \"{name}\" does not exist")))
    }

    /// Starts the query of a portal, if it is one.
    async fn begin(&mut self, portal: &mut Portal) -> Result<(), Trouble> {
        let statement = Arc::clone(&portal.statement);
        if let Some(Asked { question: Some(question), origin, command }) = &statement.asked {
            self.refuse_in_failed_transaction(command)?;
            let values = std::mem::take(&mut portal.values);
            let running = self.start(question, values, &portal.formats, origin).await?;
            portal.state = State::Running(Box::new(running));
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, name: &str, rows: usize) -> Result<(), Trouble> {
        // Taken out while it runs: after an error it is gone, as its query is.
        let mut portal = self.take_portal(name)?;
        let statement = Arc::clone(&portal.statement);
        let Some(asked) = &statement.asked else {
            backend::plain(&mut self.socket.output, backend::EMPTY_QUERY);
            self.portals.insert(name.to_owned(), portal);
            return Ok(());
        };
        self.refuse_in_failed_transaction(&asked.command)?;
        match &asked.command {
            Command::Query => {}
            Command::Fetch { cursor, rows, is_move } => {
                self.fetch_from_cursor(cursor, *rows, *is_move, false).await?;
                self.portals.insert(name.to_owned(), portal);
                return Ok(());
            }
            command => {
                self.obey(command, false).await?;
                return Ok(());
            }
        }
        if matches!(portal.state, State::Ready) {
            self.begin(&mut portal).await?;
        }
        let fetched = match &mut portal.state {
            State::Running(running) => {
                self.registered.cancellation.begin();
                self.fetch(running, rows, &asked.origin).await?
            }
            _ => super::portal::Fetched { rows: 0, is_suspended: false },
        };
        if fetched.is_suspended {
            backend::plain(&mut self.socket.output, backend::PORTAL_SUSPENDED);
        } else {
            backend::complete(&mut self.socket.output, &format!("SELECT {}", fetched.rows));
            portal.state = State::Done;
        }
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    pub(super) fn close(&mut self, target: Target, name: &str) {
        match target {
            Target::Statement => drop(self.statements.remove(name)),
            Target::Portal => drop(self.portals.remove(name)),
        }
        backend::plain(&mut self.socket.output, backend::CLOSE_COMPLETE);
    }

    /// Opens a cursor of SQL: a portal under a name.
    pub(super) fn open_cursor(&mut self, name: &str, sql: &str) -> Result<(), Failure> {
        if self.portals.contains_key(name) {
            return Err(Failure::error("42P03", format!("cursor \"{name}\" already exists")));
        }
        if self.portals.len() >= PORTALS {
            return Err(Failure::error(
                "53400",
                format!("a connection keeps at most {PORTALS} open cursors"),
            ));
        }
        let mut pieces = statement::split(sql)?;
        let piece = pieces.pop().ok_or_else(|| Failure::error("42601", "a cursor is for a query"))?;
        let command = piece.command()?;
        if command != Command::Query {
            return Err(Failure::error("42601", "a cursor is for a query"));
        }
        let question = compatibility::question(&piece)?;
        // The place of an error would be counted from the query and not from DECLARE.
        let asked = Asked { command, question: Some(question), origin: Origin::unknown() };
        let statement = Prepared {
            asked: Some(asked),
            declared: Vec::new(),
            described: OnceLock::new(),
            bytes: sql.len(),
        };
        let portal = Portal {
            statement: Arc::new(statement),
            values: Vec::new(),
            formats: Vec::new(),
            bytes: sql.len(),
            state: State::Ready,
        };
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// `FETCH` and `MOVE`. The simple protocol has the columns in front of the rows.
    pub(super) async fn fetch_from_cursor(
        &mut self,
        name: &str,
        rows: statement::Rows,
        is_move: bool,
        with_columns: bool,
    ) -> Result<(), Trouble> {
        if is_move {
            return Err(Failure::error(
                "0A000",
                "MOVE is not to be had: FETCH, and leave out what is not wanted",
            )
            .into());
        }
        let found = self.portals.remove(name);
        let mut portal =
            found.ok_or_else(|| Failure::error("34000", format!("cursor \"{name}\" does not exist")))?;
        if matches!(portal.state, State::Ready) {
            self.begin(&mut portal).await?;
        }
        let statement = Arc::clone(&portal.statement);
        let origin = statement.asked.as_ref().map(|asked| asked.origin.clone());
        let (State::Running(running), Some(origin)) = (&mut portal.state, origin) else {
            return Err(Failure::error("34000", format!("cursor \"{name}\" is for no query")).into());
        };
        if with_columns {
            backend::row_description(&mut self.socket.output, &running.fields);
        }
        self.registered.cancellation.begin();
        let fetched = match rows {
            statement::Rows::Some(0) => super::portal::Fetched { rows: 0, is_suspended: true },
            statement::Rows::Some(count) => self.fetch(running, count, &origin).await?,
            statement::Rows::All => self.fetch(running, 0, &origin).await?,
        };
        backend::complete(&mut self.socket.output, &format!("FETCH {}", fetched.rows));
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// The columns of a cursor, for who describes a FETCH; none before its first.
    pub(super) fn cursor_fields(&self, name: &str) -> Option<Arc<Vec<pgwire::api::results::FieldInfo>>> {
        match &self.portals.get(name)?.state {
            State::Running(running) => Some(Arc::clone(&running.fields)),
            _ => None,
        }
    }
}

/// The type a client declared; none where it leaves it to the server.
fn declared(oid: u32) -> Result<Option<Type>, Failure> {
    if oid == 0 || oid == UNKNOWN {
        return Ok(None);
    }
    let kind = Type::from_oid(oid)
        .ok_or_else(|| Failure::error("42704", format!("there is no type with the number {oid}")))?;
    types::arrow(&kind)?;
    Ok(Some(kind))
}
