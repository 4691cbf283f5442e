//! Questions about the catalog that clients ask in PostgreSQL's own ways, put so that the engine understands them.
//!
//! The rewriting of `datafusion-pg-catalog` takes liberties that are right for catalogs and wrong for data (a
//! correlated subquery of a projection becomes null). So it is for statements about the catalog alone: one that names a
//! table of ours goes to the engine as it is.

use std::fmt;
use std::sync::LazyLock;

use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::datafusion_pg_catalog::sql::rules::{
    RewriteArrayAnyAllOperation, SqlStatementRewriteRule, StripCallableQualifier,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::failure::Failure;
use super::statement::Piece;
use crate::QueryError;
use crate::catalog;

/// Words that only a statement about the catalog or the session has.
const CATALOG_WORDS: &[&str] = &[
    "information_schema", "regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole", "oid",
    "current_user", "session_user", "user", "current_role", "current_catalog", "current_schema", "current_schemas",
    "current_database", "version", "current_setting", "format_type", "quote_ident", "parse_ident", "obj_description",
    "col_description", "shobj_description",
];

static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);

/// A statement for the engine.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) sql: String,
    /// Is it another text than the client's, so that places in it mean nothing to the client?
    pub(super) is_rewritten: bool,
}

impl fmt::Debug for Question {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Question").field("is_rewritten", &self.is_rewritten).finish_non_exhaustive()
    }
}

/// What the engine is asked for a statement.
pub(super) fn question(piece: &Piece) -> Result<Question, Failure> {
    let text = piece.text.as_str();
    if let Some(own) = shown(piece) {
        return Ok(Question { sql: own.to_owned(), is_rewritten: true });
    }
    if is_about_the_catalog(piece) {
        let statements = PARSER.parse(text).map_err(|error| syntax(&error.to_string(), piece))?;
        let written: Vec<String> = statements.iter().map(ToString::to_string).collect();
        return Ok(Question { sql: written.join(";"), is_rewritten: true });
    }
    if piece.has_quantifier() || piece.names().any(|name| name == "pg_catalog") {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, text).map_err(|error| syntax(&error.to_string(), piece))?;
        let written: Vec<String> = parsed
            .into_iter()
            .map(|statement| StripCallableQualifier.rewrite(RewriteArrayAnyAllOperation.rewrite(statement)).to_string())
            .collect();
        return Ok(Question { sql: written.join(";"), is_rewritten: true });
    }
    Ok(Question { sql: text.to_owned(), is_rewritten: false })
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
        is_about |= name.starts_with("pg_") || name.starts_with("has_") || CATALOG_WORDS.contains(&name.as_str());
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
    fn a_question_about_the_catalog_is_put_differently() {
        assert!(asked("SELECT 'runs'::regclass").is_rewritten);
        assert!(asked("select version()").sql.contains("AS version"));
    }
}
