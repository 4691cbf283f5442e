//! The gate in front of the planner: one statement, and one that reads.
//!
//! Refused by its kind before anything is planned; [`verify_plan`] looks a second time, at the plan, for
//! what hides inside a query (`SELECT … INTO`, a CTE that inserts).

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{SetExpr, Statement as SqlStatement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;

use crate::{Access, QueryError};

/// Deepest nesting of an expression or a subquery.
const NESTING: usize = 100;
/// Longest SQL text, in bytes.
const SQL_BYTES: usize = 1024 * 1024;

/// Reads the text as exactly one reading statement.
pub(crate) fn parse(sql: &str, access: &Access) -> Result<Statement, QueryError> {
    if sql.len() > SQL_BYTES {
        return Err(QueryError::Refused {
            what: format!("a text of {} bytes (the longest is {SQL_BYTES})", sql.len()),
        });
    }
    let mut statements = DFParserBuilder::new(sql)
        .with_dialect(&PostgreSqlDialect {})
        .with_recursion_limit(NESTING)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| QueryError::from_datafusion(&error, 0))?;
    let count = statements.len();
    let Some(statement) = statements.pop_front() else {
        return Err(QueryError::Refused { what: "an empty text".to_owned() });
    };
    if count > 1 {
        return Err(QueryError::Refused { what: format!("a text of {count} statements") });
    }
    check(&statement, access)?;
    Ok(statement)
}

fn check(statement: &Statement, access: &Access) -> Result<(), QueryError> {
    match statement {
        Statement::Statement(inner) => check_sql(inner),
        Statement::Explain(explain) => {
            if *access != Access::All {
                return refused("EXPLAIN by an access to single projects (it tells of the rows of all)");
            }
            check(&explain.statement, access)
        }
        Statement::CreateExternalTable(_) => refused("CREATE EXTERNAL TABLE"),
        Statement::CopyTo(_) => refused("COPY"),
        Statement::Reset(_) => refused("RESET"),
    }
}

fn check_sql(statement: &SqlStatement) -> Result<(), QueryError> {
    match statement {
        SqlStatement::Query(query) => check_body(&query.body),
        SqlStatement::ShowTables { .. }
        | SqlStatement::ShowColumns { .. }
        | SqlStatement::ExplainTable { .. } => Ok(()),
        other => {
            let text = other.to_string();
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            refused(&words.join(" "))
        }
    }
}

fn check_body(body: &SetExpr) -> Result<(), QueryError> {
    match body {
        SetExpr::Select(select) if select.into.is_some() => refused("SELECT INTO"),
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
        SetExpr::Query(query) => check_body(&query.body),
        SetExpr::SetOperation { left, right, .. } => {
            check_body(left)?;
            check_body(right)
        }
        SetExpr::Insert(_) => refused("INSERT"),
        SetExpr::Update(_) => refused("UPDATE"),
        SetExpr::Delete(_) => refused("DELETE"),
        SetExpr::Merge(_) => refused("MERGE"),
    }
}

fn refused(what: &str) -> Result<(), QueryError> {
    Err(QueryError::Refused { what: what.to_owned() })
}

/// Refuses a plan that would do anything but read.
pub(crate) fn verify_plan(plan: &LogicalPlan) -> Result<(), QueryError> {
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reading.verify_plan(plan).map_err(|error| match QueryError::from_datafusion(&error, 0) {
        QueryError::Plan { message } => QueryError::Refused { what: message },
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(sql: &str) -> String {
        match parse(sql, &Access::All) {
            Err(QueryError::Refused { what }) => what,
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn whatever_writes_or_sets_is_refused_by_its_name() {
        for (sql, named) in [
            ("INSERT INTO runs VALUES (1)", "INSERT"),
            ("UPDATE runs SET project = 'x'", "UPDATE"),
            ("DELETE FROM runs", "DELETE"),
            ("DROP TABLE runs", "DROP"),
            ("CREATE TABLE t AS SELECT 1", "CREATE TABLE"),
            ("CREATE VIEW v AS SELECT 1", "CREATE VIEW"),
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE EXTERNAL TABLE"),
            ("COPY runs TO '/tmp/x.parquet'", "COPY"),
            ("COPY (SELECT 1) TO '/tmp/x.csv'", "COPY"),
            ("SET datafusion.execution.batch_size = 1", "SET"),
            ("SET TIME ZONE 'UTC'", "SET"),
            ("RESET datafusion.execution.batch_size", "RESET"),
            ("TRUNCATE TABLE runs", "TRUNCATE"),
            ("BEGIN", "BEGIN"),
            ("COMMIT", "COMMIT"),
            ("PREPARE p AS SELECT 1", "PREPARE"),
            ("EXECUTE p", "EXECUTE"),
            ("SELECT * INTO t FROM runs", "SELECT INTO"),
            ("EXPLAIN DELETE FROM runs", "DELETE"),
            ("EXPLAIN ANALYZE INSERT INTO runs VALUES (1)", "INSERT"),
            ("SHOW ALL", "SHOW ALL"),
        ] {
            let what = refusal(sql);
            assert!(what.starts_with(named), "{sql}: {what}");
        }
    }

    #[test]
    fn there_is_exactly_one_statement() {
        assert_eq!(refusal("SELECT 1; SELECT 2"), "a text of 2 statements");
        assert_eq!(refusal("SELECT 1; DROP TABLE runs"), "a text of 2 statements");
        assert_eq!(refusal(""), "an empty text");
        assert_eq!(refusal(" -- nothing\n"), "an empty text");
        assert!(parse("SELECT 1;", &Access::All).is_ok());
    }

    #[test]
    fn whatever_reads_is_let_through() {
        for sql in [
            "SELECT 1",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1), (2)",
            "(SELECT 1) UNION ALL SELECT 2",
            "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "SHOW TABLES",
            "SHOW COLUMNS FROM runs",
            "DESCRIBE runs",
        ] {
            assert!(parse(sql, &Access::All).is_ok(), "{sql}: {:?}", parse(sql, &Access::All));
        }
    }

    #[test]
    fn explain_is_not_for_single_projects_since_it_counts_the_rows_of_all() {
        let access = Access::projects(["shop"]);
        assert_eq!(parse("EXPLAIN SELECT 1", &access).unwrap_err().code(), "refused");
        assert!(parse("SELECT 1", &access).is_ok());
    }

    #[test]
    fn nesting_and_length_are_bounded() {
        let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert_eq!(parse(&deep, &Access::All).unwrap_err().code(), "syntax");
        let long = format!("SELECT '{}'", "x".repeat(SQL_BYTES));
        assert_eq!(parse(&long, &Access::All).unwrap_err().code(), "refused");
    }

    #[test]
    fn nonsense_is_a_syntax_error_that_says_where() {
        let error = parse("SELEC 1", &Access::All).unwrap_err();
        assert_eq!(error.code(), "syntax");
        assert!(error.to_string().contains("SELEC"), "{error}");
    }
}
