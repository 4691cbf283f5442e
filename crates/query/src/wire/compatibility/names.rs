//! What PostgreSQL calls a column that has no name of its own: the function, the column inside a cast, `?column?`.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, Ident, ObjectName, Query, SelectItem, SetExpr, Statement,
};

/// For what has no better name.
const NAMELESS: &str = "?column?";

/// The names of a statement's columns; `None` where they cannot be told from the text alone (`*`).
pub(super) fn of_statement(statement: &Statement) -> Option<Vec<String>> {
    match statement {
        Statement::Query(query) => of_query(query),
        _ => None,
    }
}

/// The same of a query.
pub(super) fn of_query(query: &Query) -> Option<Vec<String>> {
    let mut body = query.body.as_ref();
    loop {
        body = match body {
            SetExpr::Query(inner) => return of_query(inner),
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Select(select) => {
                return select
                    .projection
                    .iter()
                    .map(|item| match item {
                        SelectItem::UnnamedExpr(expression) => {
                            Some(named(expression).unwrap_or_else(|| NAMELESS.to_owned()))
                        }
                        SelectItem::ExprWithAlias { alias, .. } => {
                            Some(folded(&alias.value, alias.quote_style))
                        }
                        _ => None,
                    })
                    .collect();
            }
            _ => return None,
        };
    }
}

/// Gives a column that stands in a list twice an alias: the engine takes each name once. The client is told
/// [`of_statement`] all the same. True when there was such a column.
pub(super) fn set_apart(statement: &mut Statement) -> bool {
    match statement {
        Statement::Query(query) => set_apart_in(&mut query.body),
        _ => false,
    }
}

fn set_apart_in(body: &mut SetExpr) -> bool {
    match body {
        SetExpr::Query(inner) => set_apart_in(&mut inner.body),
        SetExpr::SetOperation { left, right, .. } => set_apart_in(left) | set_apart_in(right),
        SetExpr::Select(select) => {
            let mut seen = HashSet::new();
            let mut any = false;
            for (position, item) in select.projection.iter_mut().enumerate() {
                let (name, expr) = match item {
                    SelectItem::ExprWithAlias { alias, expr } => {
                        (folded(&alias.value, alias.quote_style), expr)
                    }
                    SelectItem::UnnamedExpr(expr) => (expr.to_string().to_lowercase(), expr),
                    _ => continue,
                };
                if !seen.insert(name) {
                    let alias = Ident::with_quote('"', format!("column {}", position + 1));
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                    any = true;
                }
            }
            any
        }
        _ => false,
    }
}

fn folded(name: &str, quote: Option<char>) -> String {
    if quote.is_some() { name.to_owned() } else { name.to_lowercase() }
}

fn last(name: &ObjectName) -> Option<String> {
    let part = name.0.last()?.as_ident()?;
    Some(folded(&part.value, part.quote_style))
}

fn named(expression: &Expr) -> Option<String> {
    Some(match expression {
        Expr::Identifier(name) => folded(&name.value, name.quote_style),
        Expr::CompoundIdentifier(names) => names.last().map(|name| folded(&name.value, name.quote_style))?,
        Expr::Function(function) => return last(&function.name),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => return named(inner),
        Expr::Cast { expr, data_type, .. } => return named(expr).or_else(|| Some(type_name(data_type))),
        Expr::Case { else_result, .. } => {
            return else_result.as_deref().and_then(named).or_else(|| Some("case".to_owned()));
        }
        Expr::Subquery(query) => return of_query(query)?.into_iter().next(),
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::Array(_) => "array".to_owned(),
        Expr::Extract { .. } => "extract".to_owned(),
        Expr::Ceil { .. } => "ceil".to_owned(),
        Expr::Floor { .. } => "floor".to_owned(),
        Expr::Position { .. } => "position".to_owned(),
        Expr::Substring { .. } => "substring".to_owned(),
        Expr::Trim { .. } => "btrim".to_owned(),
        Expr::Overlay { .. } => "overlay".to_owned(),
        Expr::AtTimeZone { .. } => "timezone".to_owned(),
        Expr::Interval(_) => "interval".to_owned(),
        Expr::TypedString(typed) => type_name(&typed.data_type),
        _ => return None,
    })
}

fn type_name(data_type: &DataType) -> String {
    let written = data_type.to_string().to_lowercase();
    let plain = written.split('(').next().unwrap_or_default().trim();
    match plain {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "double precision" | "double" | "float" => "float8",
        "real" => "float4",
        "boolean" => "bool",
        "decimal" => "numeric",
        "character varying" => "varchar",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    fn names(sql: &str) -> Option<Vec<String>> {
        of_statement(&Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap()[0])
    }

    #[test]
    fn columns_are_called_as_postgresql_calls_them() {
        let sql = "SELECT count(*), max(r.at), 1, r.Project, \"B\", x::bigint, '1'::int, now() - x, floor(x), \
                   CASE WHEN a THEN 1 END, extract(epoch FROM at), a AS Total, (SELECT min(z) FROM t) FROM r";
        let wanted = [
            "count", "max", "?column?", "project", "B", "x", "int4", "?column?", "floor", "case", "extract",
            "total", "min",
        ];
        assert_eq!(names(sql).unwrap(), wanted);
        assert_eq!(names("SELECT a, b FROM t UNION ALL SELECT c, d FROM t").unwrap(), ["a", "b"]);
        assert_eq!(names("WITH w AS (SELECT 1) SELECT sum(x) FROM w").unwrap(), ["sum"]);
        assert_eq!(names("SELECT *, 1 FROM t"), None);
    }

    #[test]
    fn a_column_that_is_there_twice_is_set_apart() {
        let apart = |sql: &str| {
            let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
            set_apart(&mut statement).then(|| statement.to_string())
        };
        assert_eq!(
            apart("SELECT count(*), 1, COUNT(*) FROM t").unwrap(),
            "SELECT count(*), 1, COUNT(*) AS \"column 3\" FROM t"
        );
        assert_eq!(
            apart("SELECT a AS x, b AS X FROM t UNION ALL SELECT 1, 1").unwrap(),
            "SELECT a AS x, b AS \"column 2\" FROM t UNION ALL SELECT 1, 1 AS \"column 2\""
        );
        assert_eq!(apart("SELECT t.a, u.a, a + 1, *, * FROM t, u"), None);
        assert_eq!(apart("SELECT a AS \"x\", b AS \"X\" FROM t"), None);
    }
}
