//! What is put differently in a statement, so that the engine understands it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CaseWhen, DataType, Expr, FunctionArguments, GroupByExpr, Ident, Join, JoinOperator, ObjectName, Query,
    Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, Value, VisitMut as _, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// Tables of the catalog that have rows only for what PostgreSQL itself is made of, never for tables of ours: no
/// constraint, no index, no trigger.
const NEVER_OF_OURS: &[&str] =
    &["pg_constraint", "pg_index", "pg_inherits", "pg_trigger", "pg_policy", "pg_statistic_ext"];

/// `LIKE … ESCAPE 'x'`: the engine knows the backslash alone, so the pattern is put with that.
pub(super) fn escapes(statement: &mut Statement) {
    let _walked: ControlFlow<()> = statement.visit(&mut Escapes);
}

struct Escapes;

impl VisitorMut for Escapes {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } = expression
            && let Some(Value::SingleQuotedString(letter)) = escape_char.as_ref().map(|known| &known.value)
            && letter != "\\"
            && let Some(with_backslash) = backslashed(pattern, letter)
        {
            **pattern = with_backslash;
            *escape_char = None;
        }
        ControlFlow::Continue(())
    }
}

/// The pattern with its backslashes doubled, then its own escape as a backslash.
fn backslashed(pattern: &Expr, letter: &str) -> Option<Expr> {
    let letter = letter.replace('\'', "''");
    expression(&format!(r"replace(replace({pattern}, '\', '\\'), '{letter}', '\')"))
}

fn expression(sql: &str) -> Option<Expr> {
    Parser::new(&PostgreSqlDialect {}).try_with_sql(sql).ok()?.parse_expr().ok()
}

/// For statements about the catalog alone.
pub(super) fn catalog(statement: &mut Statement) {
    if let Statement::Query(query) = statement
        && never_has_rows(query)
        && let Some(nothing) = nothing_like(query)
    {
        **query = nothing;
        return;
    }
    let _walked: ControlFlow<()> = statement.visit(&mut Catalog);
}

struct Catalog;

impl VisitorMut for Catalog {
    type Break = ();

    fn pre_visit_expr(&mut self, node: &mut Expr) -> ControlFlow<()> {
        match node {
            // What such branches tell (defaults, identities, collations) no column of ours has.
            Expr::Case { operand, conditions, else_result, .. } => {
                let branches =
                    conditions.iter_mut().flat_map(|CaseWhen { condition, result }| [condition, result]);
                for branch in operand.iter_mut().chain(else_result).map(|boxed| &mut **boxed).chain(branches)
                {
                    without_subqueries(branch);
                }
            }
            Expr::Function(function) if matches!(function.args, FunctionArguments::Subquery(_)) => {
                if let Some(null) = expression("CAST(NULL AS TEXT[])") {
                    *node = null;
                }
            }
            // A column that the catalog's tables lack; none of ours has options.
            Expr::CompoundIdentifier(parts)
                if parts.last().is_some_and(|part| part.value == "reloptions") =>
            {
                if let Some(null) = expression("CAST(NULL AS TEXT[])") {
                    *node = null;
                }
            }
            Expr::InSubquery { .. } => {
                if let Some(list) = as_list(node) {
                    *node = list;
                }
            }
            // A name that is bound later is looked up then.
            Expr::Cast { expr, data_type: DataType::Regclass, .. } if is_placeholder(expr) => {
                if let Some(lookup) = expression(&format!("to_regclass({expr})")) {
                    *node = lookup;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// `x IN (SELECT 'a')` without a table is `x IN ('a')`, which the engine takes anywhere.
fn as_list(node: &Expr) -> Option<Expr> {
    let Expr::InSubquery { expr, subquery, negated } = node else { return None };
    let SetExpr::Select(select) = subquery.body.as_ref() else { return None };
    let [SelectItem::UnnamedExpr(only)] = select.projection.as_slice() else { return None };
    let is_plain = select.from.is_empty() && select.selection.is_none();
    is_plain.then(|| Expr::InList { expr: expr.clone(), list: vec![only.clone()], negated: *negated })
}

fn is_placeholder(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)))
}

fn without_subqueries(expression: &mut Expr) {
    match expression {
        Expr::Subquery(_) => *expression = Expr::Value(Value::Null.with_empty_span()),
        Expr::BinaryOp { left, right, .. } => {
            without_subqueries(left);
            without_subqueries(right);
        }
        Expr::Nested(inner) => without_subqueries(inner),
        _ => {}
    }
}

/// Is one of the tables without rows of ours joined so that the whole has none?
fn never_has_rows(query: &Query) -> bool {
    body_never_has_rows(&query.body)
}

fn body_never_has_rows(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => {
            (is_grouped(select) || !has_aggregate(select)) && select.from.iter().any(table_never_has_rows)
        }
        SetExpr::Query(query) => never_has_rows(query),
        SetExpr::SetOperation { left, right, .. } => body_never_has_rows(left) && body_never_has_rows(right),
        _ => false,
    }
}

fn is_grouped(select: &Select) -> bool {
    !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty())
}

/// Without GROUP BY an aggregate makes a row of none.
fn has_aggregate(select: &Select) -> bool {
    const AGGREGATES: &[&str] =
        &["count", "min", "max", "sum", "avg", "array_agg", "string_agg", "bool_and", "bool_or"];
    select.projection.iter().any(|item| {
        let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item
        else {
            return false;
        };
        let text = expression.to_string().to_lowercase();
        AGGREGATES.iter().any(|name| text.contains(&format!("{name}(")))
    })
}

fn table_never_has_rows(table: &TableWithJoins) -> bool {
    let keeps_the_left = |join: &Join| {
        matches!(
            join.join_operator,
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
        )
    };
    let drops_by_the_right = |join: &Join| {
        matches!(
            join.join_operator,
            JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_)
        )
    };
    if table.joins.iter().any(keeps_the_left) {
        return false;
    }
    factor_never_has_rows(&table.relation)
        || table.joins.iter().any(|join| drops_by_the_right(join) && factor_never_has_rows(&join.relation))
}

fn factor_never_has_rows(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Table { name, args: None, .. } => is_never_of_ours(name),
        TableFactor::Derived { subquery, .. } => never_has_rows(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => table_never_has_rows(table_with_joins),
        _ => false,
    }
}

fn is_never_of_ours(name: &ObjectName) -> bool {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|ident| NEVER_OF_OURS.contains(&ident.value.to_lowercase().as_str()))
}

/// The columns of a query without its rows. `None` where the columns cannot be told from the text (`*`).
fn nothing_like(query: &Query) -> Option<Query> {
    let names = super::names::of_query(query)?;
    let columns: Vec<String> = names
        .iter()
        .map(|name| format!("NULL AS {}", Ident::with_quote('"', name.replace('"', ""))))
        .collect();
    let sql = format!("SELECT {} WHERE false", columns.join(", "));
    match Parser::parse_sql(&PostgreSqlDialect {}, &sql).ok()?.pop()? {
        Statement::Query(nothing) => Some(*nothing),
        _ => None,
    }
}

#[cfg(test)]
fn rewritten(sql: &str, rule: fn(&mut Statement)) -> String {
    let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
    rule(&mut statement);
    statement.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_escape_becomes_a_backslash() {
        assert_eq!(
            rewritten("SELECT a FROM t WHERE a NOT LIKE 'pg/_' || $1 ESCAPE '/'", escapes),
            r"SELECT a FROM t WHERE a NOT LIKE replace(replace('pg/_' || $1, '\', '\\'), '/', '\')"
        );
        let plain = r"SELECT a FROM t WHERE a LIKE 'x\%'";
        assert_eq!(rewritten(plain, escapes), plain);
    }

    #[test]
    fn a_question_without_a_table_is_a_list() {
        assert_eq!(
            rewritten("SELECT a FROM t ORDER BY CASE WHEN a IN (SELECT 'b') THEN 0 ELSE 1 END", catalog),
            "SELECT a FROM t ORDER BY CASE WHEN a IN ('b') THEN 0 ELSE 1 END"
        );
    }

    #[test]
    fn what_joins_constraints_or_indexes_has_columns_and_no_rows() {
        let nothing = r#"SELECT NULL AS "relname", NULL AS "cols" WHERE false"#;
        for sql in [
            "SELECT c.relname, i.indkey AS cols FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid",
            "SELECT relname, array_agg(x) AS cols FROM (SELECT unnest(conkey) FROM pg_catalog.pg_constraint) a GROUP BY 1",
        ] {
            assert_eq!(rewritten(sql, catalog), nothing, "{sql}");
        }
        for kept in [
            "SELECT c.relname FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indrelid = c.oid",
            "SELECT count(*) FROM pg_index",
            "SELECT c.relname FROM pg_index AS i RIGHT JOIN pg_class AS c ON i.indrelid = c.oid",
        ] {
            assert_eq!(rewritten(kept, catalog), kept);
        }
    }
}
