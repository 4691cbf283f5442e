//! What a client is told when something cannot be done: severity, SQLSTATE, message, and where in the statement.

use super::gate::Refusal;
use crate::QueryError;

/// An error as PostgreSQL's protocol carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// Does the connection end with it?
    pub(super) is_fatal: bool,
    /// Five letters of PostgreSQL's appendix A.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The letter of the client's text it is about, counted from 1.
    pub(super) position: Option<usize>,
}

impl Failure {
    pub(super) fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { is_fatal: false, code, message: message.into(), hint: None, position: None }
    }

    pub(super) fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self { is_fatal: true, ..Self::error(code, message) }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A message that does not follow the protocol.
    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::fatal("08P01", message)
    }

    /// The failure of a query. `text` is what the client sent for it, `before` the letters in front of it in its message;
    /// without a text (it was rewritten) no position is told.
    pub(super) fn of_query(error: &QueryError, text: Option<(&str, usize)>) -> Self {
        let message = match error {
            QueryError::Syntax { message } => spoken(message),
            other => other.to_string(),
        };
        let within = text.and_then(|(sql, before)| position(error, sql).map(|letter| letter + before));
        Self { position: within, ..Self::error(sql_state(error), message) }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::WrongPassword { hint } => Self { hint, ..Self::fatal("28P01", message) },
            Refusal::MissingScope | Refusal::Ended => Self::fatal("28000", message),
            Refusal::Unavailable(_) => Self::fatal("57P03", message),
        }
    }
}

/// A parser's message without its wrapping; the place is told apart.
fn spoken(message: &str) -> String {
    let inner = message.strip_prefix("ParserError(\"").and_then(|rest| rest.strip_suffix("\")"));
    let plain = inner.unwrap_or(message).trim_start_matches("sql parser error: ");
    let without_place = plain.split(" at Line: ").next().unwrap_or(plain);
    format!("syntax error: {without_place}")
}

fn sql_state(error: &QueryError) -> &'static str {
    match error {
        QueryError::Syntax { .. } => "42601",
        QueryError::Refused { .. } => "0A000",
        QueryError::UnknownTable { .. } => "42P01",
        QueryError::Plan { message } => state_of_plan(message),
        QueryError::Execution { message } => state_of_execution(message),
        QueryError::TimeLimit { .. } => "57014",
        QueryError::MemoryLimit { .. } => "53200",
        QueryError::Overloaded { .. } => "53000",
        QueryError::Storage { .. } => "58030",
        QueryError::Internal { .. } => "XX000",
    }
}

/// The engine tells these apart in words only.
fn state_of_plan(message: &str) -> &'static str {
    let lower = message.to_lowercase();
    let words = [
        ("no field named", "42703"),
        ("ambiguous reference", "42702"),
        ("invalid function", "42883"),
        ("no function matches", "42883"),
        ("group by", "42803"),
        ("unsupported sql type", "42704"),
        ("not implemented", "0A000"),
        ("unsupported", "0A000"),
        ("not supported", "0A000"),
        ("cannot coerce", "42804"),
        ("cannot infer common", "42804"),
        ("table '", "42P01"),
    ];
    words.iter().find(|(word, _)| lower.contains(word)).map_or("42000", |(_, code)| code)
}

fn state_of_execution(message: &str) -> &'static str {
    let lower = message.to_lowercase();
    let words = [
        ("divide by zero", "22012"),
        ("overflow", "22003"),
        ("cannot cast", "22P02"),
        ("error parsing", "22007"),
        ("cast error", "22P02"),
        ("more than one row", "21000"),
    ];
    words.iter().find(|(word, _)| lower.contains(word)).map_or("22000", |(_, code)| code)
}

/// Where in the text, counted from 1: the place a parser names, or the first mention of an unknown table.
fn position(error: &QueryError, text: &str) -> Option<usize> {
    match error {
        QueryError::Syntax { message } => {
            let (_, place) = message.rsplit_once(" at Line: ")?;
            let (line, column) = place.split_once(", Column: ")?;
            let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
            let (line, column): (usize, usize) = (line.parse().ok()?, digits.parse().ok()?);
            let before: usize = text
                .split_inclusive('\n')
                .take(line.checked_sub(1)?)
                .map(|whole| whole.chars().count())
                .sum();
            Some(before + column)
        }
        QueryError::UnknownTable { name, .. } => {
            let start = text.find(name.as_str())?;
            text.get(..start).map(|before| before.chars().count() + 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_points_at_its_letter() {
        let error = QueryError::Syntax {
            message: "ParserError(\"Expected: end, found: x at Line: 2, Column: 3\")".to_owned(),
        };
        let failure = Failure::of_query(&error, Some(("sélect\n  x", 10)));
        assert_eq!((failure.code, failure.position), ("42601", Some(10 + 7 + 3)));
        assert_eq!(failure.message, "syntax error: Expected: end, found: x");
        assert_eq!(Failure::of_query(&error, None).position, None);
    }

    #[test]
    fn an_unknown_table_is_pointed_at_in_letters_not_bytes() {
        let error = QueryError::UnknownTable { name: "tetss".to_owned(), near: Vec::new() };
        let failure = Failure::of_query(&error, Some(("select 'é' from tetss", 0)));
        assert_eq!((failure.code, failure.position), ("42P01", Some(17)));
    }
}
