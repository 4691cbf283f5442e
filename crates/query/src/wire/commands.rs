//! What clients say besides queries: transactions, settings, cursors, and what is refused.

use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::backend::{self, Transaction};
use super::conversation::Conversation;
use super::failure::Failure;
use super::settings::{Outcome, Settings};
use super::socket::Trouble;
use super::statement::Command;
use super::types;

impl Conversation {
    /// Does what a command says and answers it. The simple protocol has the columns in front of the rows.
    pub(super) async fn obey(&mut self, command: &Command, with_columns: bool) -> Result<(), Trouble> {
        match command {
            Command::Begin => self.begin_transaction(),
            Command::Commit => self.end_transaction(false),
            Command::Rollback => self.end_transaction(true),
            Command::Savepoint(tag) => self.savepoint(tag)?,
            Command::Set { name, value, is_local } => self.set(name, value.as_deref(), *is_local)?,
            Command::Reset(name) => self.reset(name)?,
            Command::Show(name) => self.show(name, with_columns)?,
            Command::Discard(what) => self.discard(what)?,
            Command::Deallocate(name) => self.deallocate(name.as_deref())?,
            Command::Declare { cursor, query } => {
                if self.transaction == Transaction::None {
                    let message = "DECLARE CURSOR can only be used in transaction blocks";
                    return Err(Failure::error("25P01", message).into());
                }
                self.open_cursor(cursor, query)?;
                self.complete("DECLARE CURSOR");
            }
            Command::CloseCursor(None) => {
                self.portals.clear();
                self.complete("CLOSE CURSOR ALL");
            }
            Command::CloseCursor(Some(name)) => {
                if self.portals.remove(name).is_none() {
                    return Err(Failure::error("34000", format!("cursor \"{name}\" does not exist")).into());
                }
                self.complete("CLOSE CURSOR");
            }
            Command::Ignored(tag) => self.complete(tag),
            Command::Writing(what) => {
                let message = format!("cannot execute {what} in a read-only transaction");
                let hint = "Manometer is only read here; reports and records go in over HTTP";
                return Err(Failure::error("25006", message).with_hint(hint).into());
            }
            Command::Unsupported(what) => {
                return Err(Failure::error("0A000", format!("{what} is not to be had here")).into());
            }
            Command::Query | Command::Fetch { .. } => {
                return Err(Failure::error("XX000", "a query was taken for a command").into());
            }
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        backend::complete(&mut self.socket.output, tag);
    }

    fn begin_transaction(&mut self) {
        if self.transaction == Transaction::None {
            self.transaction = Transaction::Open;
            self.before = Some(self.settings.clone());
            self.local.clear();
        } else {
            backend::warning(&mut self.socket.output, "25001", "there is already a transaction in progress");
        }
        self.complete("BEGIN");
    }

    /// Ends the transaction. What it set is undone when it failed or is rolled back; what it set for itself, always.
    fn end_transaction(&mut self, is_rollback: bool) {
        let is_undone = is_rollback || self.transaction == Transaction::Failed;
        if self.transaction == Transaction::None {
            backend::warning(&mut self.socket.output, "25P01", "there is no transaction in progress");
        }
        if let Some(before) = self.before.take() {
            if is_undone {
                self.replace_settings(before);
            } else {
                let mut kept = self.settings.clone();
                for name in std::mem::take(&mut self.local) {
                    let former = before.get(&name).ok().map(str::to_owned);
                    if kept.set(&name, former.as_deref()).is_err() {
                        tracing::debug!(name, "a setting could not be set back");
                    }
                }
                self.replace_settings(kept);
            }
        }
        self.transaction = Transaction::None;
        self.portals.clear();
        self.complete(if is_undone { "ROLLBACK" } else { "COMMIT" });
    }

    fn savepoint(&mut self, tag: &'static str) -> Result<(), Failure> {
        if self.transaction == Transaction::None {
            let message = format!("{tag} can only be used in transaction blocks");
            return Err(Failure::error("25P01", message));
        }
        if tag == "ROLLBACK" {
            self.transaction = Transaction::Open;
        }
        self.complete(tag);
        Ok(())
    }

    fn set(&mut self, name: &str, value: Option<&str>, is_local: bool) -> Result<(), Failure> {
        if is_local && self.transaction == Transaction::None {
            backend::warning(
                &mut self.socket.output,
                "25P01",
                "SET LOCAL can only be used in transaction blocks",
            );
            self.complete("SET");
            return Ok(());
        }
        let mut changed = self.settings.clone();
        let outcome = changed.set(name, value)?;
        if let Outcome::Warned(sentence) = outcome {
            backend::warning(&mut self.socket.output, "01000", &sentence);
        }
        if is_local {
            self.local.push(name.to_owned());
        }
        self.replace_settings(changed);
        self.complete("SET");
        Ok(())
    }

    fn reset(&mut self, name: &str) -> Result<(), Failure> {
        let mut changed = self.settings.clone();
        match name {
            "all" => changed.reset(),
            name => {
                changed.set(name, None)?;
            }
        }
        self.replace_settings(changed);
        self.complete("RESET");
        Ok(())
    }

    /// Takes other settings, and tells the client of those it is to know.
    fn replace_settings(&mut self, changed: Settings) {
        for ((spelt, former), (_, now)) in self.settings.reported().zip(changed.reported()) {
            if former != now {
                backend::parameter_status(&mut self.socket.output, spelt, now);
            }
        }
        self.settings = changed;
    }

    fn show(&mut self, name: &str, with_columns: bool) -> Result<(), Failure> {
        if with_columns {
            self.describe_answer(&Command::Show(name.to_owned()))?;
        }
        if name == "all" {
            for (name, value) in self.settings.all() {
                backend::text_row(&mut self.socket.output, &[name, value, ""]);
            }
        } else {
            let value = self.settings.get(name)?;
            backend::text_row(&mut self.socket.output, &[value]);
        }
        self.complete("SHOW");
        Ok(())
    }

    /// Tells the columns of a command's answer.
    pub(super) fn describe_answer(&mut self, command: &Command) -> Result<(), Failure> {
        let names: Vec<&str> = match command {
            Command::Show(name) if name == "all" => vec!["name", "setting", "description"],
            Command::Show(name) => vec![Settings::report_name(name).unwrap_or(name)],
            Command::Fetch { cursor, .. } => {
                let fields = self.cursor_fields(cursor).ok_or_else(|| {
                    let message =
                        "the columns of a cursor are known after its first FETCH in the simple protocol";
                    Failure::error("0A000", message)
                })?;
                backend::row_description(&mut self.socket.output, &fields);
                return Ok(());
            }
            _ => {
                backend::plain(&mut self.socket.output, backend::NO_DATA);
                return Ok(());
            }
        };
        let columns: Vec<Field> =
            names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        let fields = types::fields(&Schema::new(columns), &[], None)?;
        backend::row_description(&mut self.socket.output, &fields);
        Ok(())
    }

    fn discard(&mut self, what: &str) -> Result<(), Failure> {
        match what {
            "ALL" => {
                if self.transaction != Transaction::None {
                    return Err(Failure::error("25001", "DISCARD ALL cannot run inside a transaction block"));
                }
                self.portals.clear();
                self.statements.clear();
                let mut changed = self.settings.clone();
                changed.reset();
                self.replace_settings(changed);
            }
            // There are no plans, sequences or temporary tables to forget.
            "PLANS" | "SEQUENCES" | "TEMP" | "TEMPORARY" => {}
            _ => return Err(Failure::error("42601", "DISCARD takes ALL, PLANS, SEQUENCES or TEMP")),
        }
        self.complete(if what == "ALL" { "DISCARD ALL" } else { "DISCARD" });
        Ok(())
    }

    fn deallocate(&mut self, name: Option<&str>) -> Result<(), Failure> {
        match name {
            None => {
                self.statements.clear();
                self.complete("DEALLOCATE ALL");
            }
            Some(name) => {
                if self.statements.remove(name).is_none() {
                    return Err(Failure::error(
                        "26000",
                        format!("prepared statement \"{name}\" does not exist"),
                    ));
                }
                self.complete("DEALLOCATE");
            }
        }
        Ok(())
    }
}
