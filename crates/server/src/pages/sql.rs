//! `GET /sql`: the query console. It only holds the question; `POST /api/v1/sql` answers it when asked to run,
//! so that following a link never runs anything.

use manometer_model::{ColumnKind, Table, stored_tables};
use manometer_query::{VIEWS, relations};

use super::asked::Asked;
use super::layout::Section;
use super::links;
use super::refusal::{PageResult, render};
use super::shown::{Count, plain_text};
use super::view::sql::{ColumnHelp, Example, SqlPage, TableHelp};

/// Most rows the console shows; a download holds all.
const ROWS_SHOWN: u64 = 1_000;
/// Longest question taken from an address, in bytes.
const QUESTION_BYTES: usize = 20_000;

const EXAMPLES: &[(&str, &str)] = &[
    (
        "Tests that failed most in two weeks",
        "select service, classname, name, count(*) as failures, max(at) as last_failure\n\
         from tests\n\
         where status in ('failed', 'error') and at > now() - interval '14 days'\n\
         group by 1, 2, 3\norder by failures desc\nlimit 50",
    ),
    (
        "Failure rate of tests by day of the week",
        "select service, name, extract(dow from at) as day_of_week,\n       \
         count(*) as executions,\n       \
         avg(case when status in ('failed', 'error') then 1.0 else 0.0 end) as failure_rate\n\
         from tests\n\
         where status <> 'skipped' and at > now() - interval '90 days'\n\
         group by 1, 2, 3\n\
         having count(*) filter (where status in ('failed', 'error')) >= 5\n\
         order by failure_rate desc\nlimit 50",
    ),
    (
        "Runs: p50 and p95 by week",
        "select date_trunc('week', started_at) as week, service, count(*) as runs,\n       \
         percentile_cont(0.5) within group (order by duration_seconds) as p50_seconds,\n       \
         percentile_cont(0.95) within group (order by duration_seconds) as p95_seconds\n\
         from runs\n\
         where status = 'completed' and started_at > now() - interval '90 days'\n\
         group by 1, 2\norder by 2, 1",
    ),
    (
        "Steps by the time they take in all",
        "select service, job_name, name, count(*) as times,\n       \
         avg(duration_seconds) as mean_seconds, sum(duration_seconds) / 3600 as hours\n\
         from steps\n\
         where at > now() - interval '14 days'\n\
         group by 1, 2, 3\norder by hours desc\nlimit 50",
    ),
    (
        "Waiting time by runner pool and day",
        "select date_trunc('day', queued_at) as day, runner_pool, count(*) as jobs,\n       \
         percentile_cont(0.95) within group (order by queue_seconds) as p95_queue_seconds\n\
         from jobs\n\
         where queued_at > now() - interval '90 days'\n\
         group by 1, 2\norder by 2, 1",
    ),
    (
        "Tests that passed when run again",
        "select service, name, count(*) as failed_first\n\
         from tests\n\
         where not is_final and status in ('failed', 'error') and at > now() - interval '30 days'\n\
         group by 1, 2\norder by failed_first desc\nlimit 50",
    ),
    (
        "Line coverage over time",
        "select date_trunc('week', at) as week, service,\n       \
         sum(lines_covered) * 100.0 / sum(lines_valid) as percent\n\
         from coverage\n\
         where scope = 'total'\ngroup by 1, 2\norder by 2, 1",
    ),
    (
        "Size of artifacts over time",
        "select name, date_trunc('week', at) as week, avg(size_bytes) / 1e6 as megabytes\n\
         from artifacts\ngroup by 1, 2\norder by 1, 2",
    ),
    ("What arrived lately", "select *\nfrom deliveries\norder by received_at desc\nlimit 50"),
];

/// The page. `q` is the question in the box.
pub(crate) async fn get(asked: Asked) -> PageResult {
    let question = asked.text("q").unwrap_or(EXAMPLES[0].1);
    if question.len() > QUESTION_BYTES {
        return Err(asked.bad(format!("A question in an address holds at most {QUESTION_BYTES} bytes.")));
    }
    render(&page(question, &asked))
}

/// The page with a question in the box.
pub(crate) fn page(question: &str, asked: &Asked) -> SqlPage {
    SqlPage {
        layout: asked.layout("SQL", Section::Sql),
        question: plain_text(question),
        examples: EXAMPLES
            .iter()
            .map(|(title, sql)| Example { title, url: links::sql(sql), current: question == *sql })
            .collect(),
        tables: reference(),
        rows_shown: Count(ROWS_SHOWN),
    }
}

/// Every table and view, from their definitions.
fn reference() -> Vec<TableHelp> {
    let mut all: Vec<TableHelp> = stored_tables().iter().map(|table| described(table)).collect();
    for relation in relations().iter().filter(|relation| Table::named(relation.name).is_none()) {
        let columns = relation.schema.fields().iter().map(|field| ColumnHelp {
            name: field.name().clone(),
            kind: "",
            doc: String::new(),
        });
        all.push(TableHelp { name: relation.name, doc: unquoted(relation.doc), columns: columns.collect() });
    }
    all.extend(VIEWS.iter().map(|view| TableHelp {
        name: view.name,
        doc: unquoted(view.doc),
        columns: Vec::new(),
    }));
    all
}

fn described(table: &Table) -> TableHelp {
    let columns = table.columns.iter().map(|column| ColumnHelp {
        name: column.name.to_owned(),
        kind: kind_word(column.kind),
        doc: unquoted(column.doc),
    });
    TableHelp { name: table.name, doc: unquoted(table.doc), columns: columns.collect() }
}

/// A description without the marks that set code apart in the reference.
fn unquoted(doc: &str) -> String {
    doc.trim().replace('`', "")
}

const fn kind_word(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text | ColumnKind::TestId => "text",
        ColumnKind::Time => "time",
        ColumnKind::Float => "number",
        ColumnKind::Int => "integer",
        ColumnKind::Bool => "boolean",
        ColumnKind::Labels => "JSON text",
        ColumnKind::Sketch => "sketch",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_lists_every_table_and_view() {
        let names: Vec<&str> = reference().iter().map(|table| table.name).collect();
        for name in ["runs", "tests", "deliveries", "metrics_pipeline"] {
            assert!(names.contains(&name), "{name}");
        }
    }
}
