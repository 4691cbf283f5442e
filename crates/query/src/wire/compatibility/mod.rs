//! Questions about the catalog that clients ask in PostgreSQL's own ways, put so that the engine understands them.
//!
//! The rewriting of `datafusion-pg-catalog` takes liberties that are right for catalogs and wrong for data (a
//! correlated subquery of a projection becomes null). So it is for statements about the catalog alone: one that names a
//! table of ours goes to the engine as it is.

mod names;
mod rules;

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::failure::Failure;
use super::statement::Piece;
use crate::QueryError;
use crate::catalog;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::datafusion_pg_catalog::sql::rules::{
    RewriteArrayAnyAllOperation, SqlStatementRewriteRule, StripCallableQualifier,
};

/// Words that only a statement about the catalog or the session has.
const CATALOG_WORDS: &[&str] = &[
    "information_schema",
    "regclass",
    "regtype",
    "regproc",
    "regprocedure",
    "regnamespace",
    "regrole",
    "oid",
    "current_user",
    "session_user",
    "user",
    "current_role",
    "current_catalog",
    "current_schema",
    "current_schemas",
    "current_database",
    "version",
    "current_setting",
    "format_type",
    "quote_ident",
    "parse_ident",
    "obj_description",
    "col_description",
    "shobj_description",
];

static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);

/// A statement for the engine.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) sql: String,
    /// What PostgreSQL would call its columns, where that can be told.
    pub(super) names: Option<Arc<Vec<String>>>,
    /// Is it another text than the client's, so that places in it mean nothing to the client?
    pub(super) is_rewritten: bool,
}

impl fmt::Debug for Question {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Question").field("is_rewritten", &self.is_rewritten).finish_non_exhaustive()
    }
}

/// What Grafana's query builder asks for the search path with, as tokens.
const GRAFANA_SEARCH_PATH: &str = "SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END FROM \
    generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), \
    array_upper(string_to_array(current_setting('search_path'),','),1)) as i, \
    string_to_array(current_setting('search_path'),',') s";

/// What the engine is asked for a statement.
pub(super) fn question(piece: &Piece) -> Result<Question, Failure> {
    let text = piece.text.as_str();
    if let Some(own) = shown(piece) {
        return Ok(Question { sql: own.to_owned(), names: None, is_rewritten: true });
    }
    let mut parsed = Parser::parse_sql(&PostgreSqlDialect {}, text);
    let names =
        parsed.as_ref().ok().and_then(|statements| names::of_statement(statements.first()?)).map(Arc::new);
    if is_about_the_catalog(piece) {
        let statements = PARSER
            .parse(&with_plain_search_path(piece))
            .map_err(|error| syntax(&error.to_string(), piece))?;
        let sql = written(statements, |statement| {
            rules::escapes(statement);
            rules::catalog(statement);
        });
        return Ok(Question { sql, names, is_rewritten: true });
    }
    if piece.has_quantifier() || piece.names().any(|name| matches!(name.as_str(), "pg_catalog" | "escape")) {
        let statements = parsed.map_err(|error| syntax(&error.to_string(), piece))?;
        let sql = written(statements, |statement| {
            rules::escapes(statement);
            *statement =
                StripCallableQualifier.rewrite(RewriteArrayAnyAllOperation.rewrite(statement.clone()));
        });
        return Ok(Question { sql, names, is_rewritten: true });
    }
    if names.is_some()
        && let Ok([statement]) = parsed.as_deref_mut()
        && names::set_apart(statement)
    {
        return Ok(Question { sql: statement.to_string(), names, is_rewritten: true });
    }
    Ok(Question { sql: text.to_owned(), names, is_rewritten: false })
}

fn written(statements: Vec<Statement>, rule: impl Fn(&mut Statement)) -> String {
    let each = statements.into_iter().map(|mut statement| {
        rule(&mut statement);
        names::set_apart(&mut statement);
        statement.to_string()
    });
    each.collect::<Vec<_>>().join(";")
}

/// The search path is walked with subscripts the engine does not know; here it always leads to `public`.
fn with_plain_search_path(piece: &Piece) -> String {
    static PATTERN: LazyLock<String> = LazyLock::new(|| {
        let pieces = super::statement::split(GRAFANA_SEARCH_PATH).unwrap_or_default();
        pieces.first().map(Piece::spaced).unwrap_or_default()
    });
    if PATTERN.is_empty() || !piece.names().any(|name| name == "current_setting") {
        return piece.text.clone();
    }
    piece.spaced().replace(PATTERN.as_str(), "SELECT 'public'")
}

fn syntax(message: &str, piece: &Piece) -> Failure {
    let error = QueryError::Syntax { message: message.to_owned() };
    Failure::of_query(&error, Some((&piece.text, piece.letters_before)))
}

/// `SHOW TABLES`, which is DataFusion's and not PostgreSQL's.
fn shown(piece: &Piece) -> Option<&'static str> {
    let words: Vec<String> = piece.names().take(3).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["show", "tables"] => Some(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables \
             WHERE table_schema = 'public' ORDER BY table_name",
        ),
        _ => None,
    }
}

fn is_about_the_catalog(piece: &Piece) -> bool {
    let tables = catalog::names();
    let mut is_about = false;
    for name in piece.names() {
        if tables.contains(&name) {
            return false;
        }
        is_about |=
            name.starts_with("pg_") || name.starts_with("has_") || CATALOG_WORDS.contains(&name.as_str());
    }
    is_about
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::statement::split;

    fn asked(sql: &str) -> Question {
        question(&split(sql).unwrap()[0]).unwrap()
    }

    #[test]
    fn a_question_about_data_is_asked_as_it_is() {
        for sql in [
            "SELECT project, (SELECT max(at) FROM tests t WHERE t.project = r.project) FROM runs r",
            "SELECT 'pg_class' AS version_of FROM builds",
            "select  1",
        ] {
            let question = asked(sql);
            assert_eq!((question.sql.as_str(), question.is_rewritten), (sql, false));
        }
    }

    #[test]
    fn the_search_path_of_grafanas_builder_leads_to_public() {
        let sql = format!(
            "SELECT 1 FROM information_schema.tables WHERE table_schema IN (\n{GRAFANA_SEARCH_PATH}\n)"
        );
        let question = asked(&sql);
        assert!(question.sql.contains("IN ('public')"), "{}", question.sql);
    }

    #[test]
    fn a_question_about_the_catalog_is_put_differently() {
        assert!(asked("SELECT 'runs'::regclass").is_rewritten);
        assert!(asked("select version()").sql.contains("AS version"));
    }
}
