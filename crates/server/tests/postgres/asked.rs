//! What clients ask by themselves, kept in `asked/`: every statement is answered, and the lists hold our tables.

use crate::harness::{Harness, TABLES, VIEWS, simple};

fn statements(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split("--%").skip(1).map(str::trim)
}

#[tokio::test]
async fn everything_grafana_dbeaver_and_metabase_ask_is_answered() {
    let server = Harness::start().await;
    server.fill().await;
    let client = server.connect().await;
    let mut faults = Vec::new();
    for text in [
        include_str!("asked/grafana.sql"),
        include_str!("asked/dbeaver.sql"),
        include_str!("asked/metabase.sql"),
    ] {
        for sql in statements(text) {
            if let Err(error) = client.simple_query(sql).await {
                faults.push(format!("{sql}\n  => {error:?}"));
            }
            // Drivers of the extended protocol ask the same.
            if let Err(error) = client.query(sql, &[]).await {
                faults.push(format!("prepared: {sql}\n  => {error:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn the_builder_of_grafana_sees_our_tables_and_columns() {
    let server = Harness::start().await;
    let client = server.connect().await;
    let asked: Vec<&str> = statements(include_str!("asked/grafana.sql")).collect();
    let tables = simple(&client, asked[3]).await;
    assert!(
        tables.contains(&"tests".to_owned()) && tables.contains(&"metrics_pipeline".to_owned()),
        "{tables:?}"
    );
    let columns = simple(&client, asked[4]).await;
    assert!(columns.contains(&"at,timestamp with time zone".to_owned()), "{columns:?}");
    assert!(columns.contains(&"duration_seconds,double precision".to_owned()), "{columns:?}");
}

#[tokio::test]
async fn the_catalog_lists_tables_views_and_columns_with_their_types() {
    let server = Harness::start().await;
    let client = server.connect().await;
    let kinds = "SELECT table_type, count(*) FROM information_schema.tables WHERE table_schema = 'public' GROUP BY 1 ORDER BY 1";
    assert_eq!(simple(&client, kinds).await, [format!("BASE TABLE,{TABLES}"), format!("VIEW,{VIEWS}")]);
    let oids = "SELECT c.oid = 'runs'::regclass FROM pg_catalog.pg_class c WHERE c.relname = 'runs'";
    assert_eq!(simple(&client, oids).await, ["t"]);
    let types = "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
        WHERE c.relname = 'runs' AND a.attname IN ('started_at', 'number', 'duration_seconds', 'is_default_branch') ORDER BY 1";
    assert_eq!(
        simple(&client, types).await,
        [
            "duration_seconds,double precision",
            "is_default_branch,boolean",
            "number,bigint",
            "started_at,timestamp with time zone"
        ]
    );
}
