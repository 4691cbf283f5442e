//! The protocol itself, with tokio-postgres: simple and extended, types, portals, transactions, settings, errors.

use std::time::{Duration, SystemTime};

use futures::StreamExt as _;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{IsolationLevel, SimpleQueryMessage};

use crate::harness::{Harness, simple, sql_state};

/// A query that would take for ever.
pub(crate) const ENDLESS: &str = "SELECT sum(a.value * b.value) FROM generate_series(1, 1000000) a(value), \
    generate_series(1, 1000000) b(value) WHERE a.value <> b.value";

#[tokio::test]
async fn a_column_may_stand_in_a_list_twice() {
    let server = Harness::start().await;
    server.fill().await;
    let client = server.connect().await;
    assert_eq!(simple(&client, "SELECT current_user = session_user, 1, 1").await, ["t,1,1"]);
    let prepared = client.prepare("SELECT current_user, session_user").await.unwrap();
    let called: Vec<&str> = prepared.columns().iter().map(|column| column.name()).collect();
    assert_eq!(called.len(), 2);
    let counts = client.query("SELECT count(*), count(*) FROM runs", &[]).await.unwrap();
    let names: Vec<&str> = counts[0].columns().iter().map(|column| column.name()).collect();
    assert_eq!(names, ["count", "count"]);
    assert_eq!(counts[0].get::<_, i64>(0), counts[0].get::<_, i64>(1));
}

#[tokio::test]
async fn statements_of_one_text_are_answered_one_after_the_other() {
    let server = Harness::start().await;
    let client = server.connect().await;
    let messages = client
        .simple_query("SELECT 1 AS a; ; SET application_name = 'x'; SELECT 'b', NULL -- end")
        .await
        .unwrap();
    let told: Vec<String> = messages
        .iter()
        .map(|message| match message {
            SimpleQueryMessage::Row(row) => format!("row {:?} {:?}", row.get(0), row.columns().len()),
            SimpleQueryMessage::CommandComplete(rows) => format!("complete {rows}"),
            SimpleQueryMessage::RowDescription(columns) => format!("columns {}", columns[0].name()),
            _ => "other".to_owned(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "columns a",
            "row Some(\"1\") 1",
            "complete 1",
            "complete 0",
            "columns ?column?",
            "row Some(\"b\") 2",
            "complete 1"
        ]
    );
    assert!(simple(&client, " ; -- nothing").await.is_empty());
    assert!(simple(&client, "").await.is_empty());
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_sent() {
    let server = Harness::start().await;
    let client = server.connect().await;
    let moment = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
    let texts = vec!["a", "b,c", "\"d\""];
    let parameters: Vec<(&str, Type, Box<dyn ToSql + Sync>)> = vec![
        ("bool", Type::BOOL, Box::new(true)),
        ("smallint", Type::INT2, Box::new(-7_i16)),
        ("int", Type::INT4, Box::new(i32::MIN)),
        ("bigint", Type::INT8, Box::new(i64::MAX)),
        ("real", Type::FLOAT4, Box::new(1.5_f32)),
        ("double precision", Type::FLOAT8, Box::new(-0.1_f64)),
        ("text", Type::TEXT, Box::new("é\u{1F600}'\\")),
        ("timestamptz", Type::TIMESTAMPTZ, Box::new(moment)),
        ("timestamp", Type::TIMESTAMP, Box::new(moment)),
        ("text[]", Type::TEXT_ARRAY, Box::new(texts.clone())),
        ("bigint[]", Type::INT8_ARRAY, Box::new(vec![1_i64, -1])),
        ("double precision[]", Type::FLOAT8_ARRAY, Box::new(vec![0.5_f64])),
    ];
    for (name, kind, value) in &parameters {
        let statement =
            client.prepare_typed("SELECT $1, $1 IS NULL", std::slice::from_ref(kind)).await.unwrap();
        assert_eq!(statement.columns()[0].type_(), kind, "{name}");
        let row = client
            .query_one(&statement, &[value.as_ref()])
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        match *kind {
            Type::BOOL => assert!(row.get::<_, bool>(0)),
            Type::INT2 => assert_eq!(row.get::<_, i16>(0), -7),
            Type::INT4 => assert_eq!(row.get::<_, i32>(0), i32::MIN),
            Type::INT8 => assert_eq!(row.get::<_, i64>(0), i64::MAX),
            Type::FLOAT4 => assert!((row.get::<_, f32>(0) - 1.5).abs() < f32::EPSILON),
            Type::FLOAT8 => assert!((row.get::<_, f64>(0) + 0.1).abs() < f64::EPSILON),
            Type::TEXT => assert_eq!(row.get::<_, &str>(0), "é\u{1F600}'\\"),
            Type::TIMESTAMPTZ | Type::TIMESTAMP => assert_eq!(row.get::<_, SystemTime>(0), moment, "{name}"),
            Type::TEXT_ARRAY => assert_eq!(row.get::<_, Vec<&str>>(0), texts),
            Type::INT8_ARRAY => assert_eq!(row.get::<_, Vec<i64>>(0), [1, -1]),
            _ => assert_eq!(row.get::<_, Vec<f64>>(0), [0.5]),
        }
        assert!(!row.get::<_, bool>(1), "{name}");
    }
    let row = client.query_one("SELECT $1::text, $1 IS NULL", &[&None::<String>]).await.unwrap();
    assert_eq!((row.get::<_, Option<String>>(0), row.get::<_, bool>(1)), (None, true));
}

#[tokio::test]
async fn types_of_parameters_are_found_from_what_they_are_compared_with() {
    let server = Harness::start().await;
    server.fill().await;
    let client = server.connect().await;
    let statement = client
        .prepare(
            "SELECT count(*) FROM runs WHERE project = $1 AND started_at >= $2 AND number > $3 AND duration_seconds < $4 \
             AND is_default_branch = $5 AND branch = ANY($6) LIMIT $7",
        )
        .await
        .unwrap();
    let wanted =
        [Type::TEXT, Type::TIMESTAMPTZ, Type::INT8, Type::FLOAT8, Type::BOOL, Type::TEXT_ARRAY, Type::INT8];
    assert_eq!(statement.params(), wanted);
    let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let parameters: [&(dyn ToSql + Sync); 7] =
        [&"github.com/acme/shop", &from, &10_i64, &18.0_f64, &true, &vec!["main", "other"], &1_i64];
    let row = client.query_one(&statement, &parameters).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 7);
    assert_eq!(row.columns()[0].name(), "count");
    let failure = client.query("SELECT $1::bigint", &[&"not a number"]).await.unwrap_err();
    assert!(failure.code().is_none(), "the driver itself refuses: {failure}");
}

#[tokio::test]
async fn a_portal_gives_its_rows_in_pieces() {
    let server = Harness::start().await;
    let mut client = server.connect().await;
    let transaction = client.transaction().await.unwrap();
    let portal =
        transaction.bind("SELECT value FROM generate_series(1, 20000) ORDER BY value", &[]).await.unwrap();
    let mut seen = 0_i64;
    loop {
        let rows = transaction.query_portal(&portal, 777).await.unwrap();
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            seen += 1;
            assert_eq!(row.get::<_, i64>(0), seen);
        }
    }
    assert_eq!(seen, 20_000);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn cursors_of_sql_give_their_rows_in_pieces_and_end_with_their_transaction() {
    let server = Harness::start().await;
    let client = server.connect().await;
    let all = "BEGIN; DECLARE c CURSOR FOR SELECT value FROM generate_series(1, 5) ORDER BY value; FETCH 2 FROM c; \
               FETCH NEXT FROM c; FETCH ALL FROM c; FETCH ALL FROM c; COMMIT";
    assert_eq!(simple(&client, all).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(sql_state(&client, "FETCH 1 FROM c").await, "34000");
    assert_eq!(sql_state(&client, "DECLARE c CURSOR FOR SELECT 1").await, "25P01");
}

#[tokio::test]
async fn many_rows_stream_and_all_arrive() {
    let server = Harness::start().await;
    let client = server.connect().await;
    let none: [&(dyn ToSql + Sync); 0] = [];
    let rows = client
        .query_raw("SELECT value, repeat('x', 500) FROM generate_series(1, 100000)", none)
        .await
        .unwrap();
    let sum = rows.fold(0_i64, |sum, row| async move { sum + row.unwrap().get::<_, i64>(0) }).await;
    assert_eq!(sum, 100_000 * 100_001 / 2);
}

#[tokio::test]
async fn an_answer_past_the_limit_of_rows_is_an_error_and_not_a_cut_answer() {
    let server = Harness::start_with(|options| {
        let limits = manometer_model::Limits { query_rows: 10, ..manometer_model::Limits::default() };
        options.engine =
            manometer_query::Engine::new(manometer_query::EngineOptions { limits, ..Default::default() })
                .unwrap();
    })
    .await;
    let client = server.connect().await;
    assert_eq!(simple(&client, "SELECT * FROM generate_series(1, 10)").await.len(), 10);
    assert_eq!(sql_state(&client, "SELECT * FROM generate_series(1, 11)").await, "54000");
}

#[tokio::test]
async fn errors_have_their_codes_and_places() {
    let server = Harness::start().await;
    let client = server.connect().await;
    for (sql, code) in [
        ("SELEC 1", "42601"),
        ("SELECT 'open", "42601"),
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT nothing FROM runs", "42703"),
        ("SELECT nofunction(1)", "42883"),
        ("SELECT 1/0", "22012"),
        ("SELECT 'x'::int", "22P02"),
        ("INSERT INTO runs VALUES (1)", "25006"),
        ("UPDATE runs SET project = 'x'", "25006"),
        ("DELETE FROM runs", "25006"),
        ("DROP TABLE runs", "25006"),
        ("CREATE TABLE t (a int)", "25006"),
        ("COPY runs FROM STDIN", "25006"),
        ("COPY runs TO STDOUT", "0A000"),
        ("SELECT * INTO t FROM runs", "0A000"),
        ("SET nothing_known = 1", "42704"),
        ("SHOW nothing_known", "42704"),
        ("SET client_encoding = 'LATIN1'", "22023"),
        ("EXECUTE p", "0A000"),
    ] {
        assert_eq!(sql_state(&client, sql).await, code, "{sql}");
    }
    let error = client.simple_query("SELECT 'é'; SELECT 1 FROM tetss").await.unwrap_err();
    let told = error.as_db_error().unwrap();
    assert_eq!(told.position(), Some(&tokio_postgres::error::ErrorPosition::Original(27)));
    assert!(told.message().contains("`tests`"), "{told}");
    let prepared = client.prepare("SELECT 1 FROM").await.unwrap_err();
    assert_eq!(prepared.code().unwrap().code(), "42601");
    assert_eq!(client.query_one("SELECT 1::bigint", &[]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_failed_transaction_refuses_everything_but_its_end() {
    let server = Harness::start().await;
    let client = server.connect().await;
    assert_eq!(sql_state(&client, "BEGIN; SELECT 1/0; SELECT 1").await, "22012");
    assert_eq!(sql_state(&client, "SELECT 1").await, "25P02");
    assert!(client.query("SELECT 1", &[]).await.is_err());
    simple(&client, "ROLLBACK").await;
    assert_eq!(simple(&client, "SELECT 1").await, ["1"]);
    simple(&client, "BEGIN; SAVEPOINT s").await;
    assert_eq!(sql_state(&client, "SELECT 1/0").await, "22012");
    assert_eq!(simple(&client, "ROLLBACK TO SAVEPOINT s; SELECT 2; COMMIT").await, ["2"]);
}

#[tokio::test]
async fn settings_last_as_long_as_they_should() {
    let server = Harness::start().await;
    let mut client = server.connect().await;
    assert_eq!(simple(&client, "SET statement_timeout = '5s'; SHOW statement_timeout").await, ["5000"]);
    simple(&client, "BEGIN; SET statement_timeout = 1000; ROLLBACK").await;
    assert_eq!(simple(&client, "SHOW statement_timeout").await, ["5000"]);
    simple(&client, "BEGIN; SET LOCAL statement_timeout = 1000; COMMIT").await;
    assert_eq!(simple(&client, "SHOW statement_timeout").await, ["5000"]);
    assert_eq!(simple(&client, "SELECT current_setting('statement_timeout')").await, ["5000"]);
    assert_eq!(simple(&client, "DISCARD ALL; SHOW statement_timeout").await, ["0"]);
    assert_eq!(simple(&client, "SET TIME ZONE 'Europe/Berlin'; SHOW TIME ZONE").await, ["UTC"]);
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::Serializable)
        .read_only(true)
        .start()
        .await
        .unwrap();
    assert_eq!(transaction.query_one("SELECT 2::bigint", &[]).await.unwrap().get::<_, i64>(0), 2);
    transaction.commit().await.unwrap();
    let options = server.config().options("-c statement_timeout=250ms -c geqo=off").clone();
    let other = crate::harness::connect(&options).await.unwrap();
    assert_eq!(simple(&other, "SHOW statement_timeout").await, ["250"]);
    assert_eq!(sql_state(&other, ENDLESS).await, "57014");
    assert_eq!(simple(&other, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn a_cancelled_query_ends_and_its_connection_goes_on() {
    let server = Harness::start().await;
    let client = server.connect().await;
    let engine = server.server.app().engine.clone();
    let token = client.cancel_token();
    let cancelling = async {
        // Asked again until it hits: a wish that comes before the query is for another one.
        loop {
            if engine.running() > 0 {
                token.cancel_query(tokio_postgres::NoTls).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    let code = tokio::select! {
        code = sql_state(&client, ENDLESS) => code,
        () = cancelling => unreachable!(),
    };
    assert_eq!(code, "57014");
    assert_eq!(simple(&client, "SELECT 1").await, ["1"]);
}
