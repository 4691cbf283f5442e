//! Answers as bytes, read back.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use manometer_query::format::{self, Format};
use manometer_query::{Access, LimitOverrides, QueryRequest, Source};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::fixture::{Rows, ask, engine};

const EVERY_KIND: &str = r#"SELECT * FROM (VALUES
    (1, 2.5, true, 'plain', TIMESTAMP '2026-03-10T12:00:00.25', DATE '2026-03-10'),
    (NULL, 'NaN'::double, NULL, 'a "quoted", text' || chr(10) || 'of two lines', NULL, NULL),
    (-3, 'Infinity'::double, false, '', TIMESTAMP '1969-12-31T23:59:59', DATE '1969-12-31')
) AS t("whole", "real", "truth", "text", "moment", "day") ORDER BY "text" DESC"#;

async fn written(sql: &str, format: Format) -> Vec<u8> {
    let result = ask(&Arc::new(Rows::new()), sql).await.unwrap();
    let mut bytes = Vec::new();
    let summary = format::write(result, format, &mut bytes).await.unwrap();
    assert!(!summary.truncated);
    bytes
}

#[tokio::test]
async fn json_keeps_types_and_makes_null_of_what_is_no_number() {
    let bytes = written(EVERY_KIND, Format::Json).await;
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let kinds: Vec<_> = document["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["integer", "number", "boolean", "text", "time", "date"]);
    assert_eq!(document["columns"][0]["name"], "whole");
    assert_eq!(
        document["rows"],
        serde_json::json!([
            [1, 2.5, true, "plain", "2026-03-10T12:00:00.250Z", "2026-03-10"],
            [null, null, null, "a \"quoted\", text\nof two lines", null, null],
            [-3, null, false, "", "1969-12-31T23:59:59Z", "1969-12-31"],
        ])
    );
    assert_eq!((document["row_count"].as_u64(), document["truncated"].as_bool()), (Some(3), Some(false)));
    assert!(document["elapsed_ms"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn json_of_no_rows_is_whole_and_times_with_a_zone_end_in_z() {
    let empty: serde_json::Value =
        serde_json::from_slice(&written("SELECT 1 AS a WHERE false", Format::Json).await).unwrap();
    assert_eq!((empty["rows"].as_array().unwrap().len(), empty["row_count"].as_u64()), (0, Some(0)));
    let now: serde_json::Value =
        serde_json::from_slice(&written("SELECT now()", Format::Json).await).unwrap();
    assert_eq!(now["rows"][0][0], "2026-03-10T12:00:00Z");
}

#[tokio::test]
async fn csv_tells_null_from_the_empty_text() {
    let text = String::from_utf8(written(EVERY_KIND, Format::Csv).await).unwrap();
    assert_eq!(
        text,
        "whole,real,truth,text,moment,day\n\
        1,2.5,true,plain,2026-03-10T12:00:00.250Z,2026-03-10\n\
        ,NaN,,\"a \"\"quoted\"\", text\nof two lines\",,\n\
        -3,inf,false,\"\",1969-12-31T23:59:59Z,1969-12-31\n"
    );
}

#[tokio::test]
async fn parquet_and_arrow_read_back_whole() {
    let sql = "SELECT value, 'text ' || value AS words FROM generate_series(1, 300000)";
    let file = Bytes::from(written(sql, Format::Parquet).await);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 3, "memory is bounded by the row group");
    let rows: usize = reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 300_000);

    let stream = written(sql, Format::ArrowStream).await;
    let reader = arrow::ipc::reader::StreamReader::try_new(stream.as_slice(), None).unwrap();
    assert_eq!(reader.schema().field(1).data_type(), &arrow::datatypes::DataType::Utf8);
    let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 300_000);
}

#[tokio::test]
async fn a_table_lines_up_and_fits_its_width() {
    let sql =
        "SELECT 'a' AS name, 7 AS runs, NULL AS gap UNION ALL SELECT 'longer', 1234, NULL ORDER BY runs";
    let text = String::from_utf8(written(sql, Format::Table { width: None }).await).unwrap();
    assert_eq!(
        text,
        "name   │ runs │ gap\n\
        ───────┼──────┼────\n\
        a      │    7 │\n\
        longer │ 1234 │\n"
    );
    let long = "SELECT repeat('x', 500) AS words, 1 AS n";
    let clipped = String::from_utf8(written(long, Format::Table { width: Some(40) }).await).unwrap();
    for line in clipped.lines() {
        assert!(line.chars().count() <= 40, "{line}");
    }
    assert!(clipped.contains('…'));
}

#[tokio::test]
async fn chunks_put_together_are_the_answer_and_an_error_comes_last() {
    let source: Arc<dyn Source> = Arc::new(Rows::new());
    let request = QueryRequest::new("SELECT value FROM generate_series(1, 20000)", Access::All)
        .with_limits(LimitOverrides { rows: Some(9_000), ..LimitOverrides::default() });
    let result = engine().query(Arc::clone(&source), request).await.unwrap();
    let parts: Vec<Bytes> = format::chunks(result, Format::Json).map(Result::unwrap).collect().await;
    assert!(parts.len() >= 3);
    let document: serde_json::Value = serde_json::from_slice(&parts.concat()).unwrap();
    assert_eq!((document["row_count"].as_u64(), document["truncated"].as_bool()), (Some(9_000), Some(true)));

    let failing = "SELECT 10 / (value - 20000) FROM generate_series(1, 40000)";
    if let Ok(result) = engine().query(source, QueryRequest::new(failing, Access::All)).await {
        let parts: Vec<_> = format::chunks(result, Format::Json).collect().await;
        let (last, before) = parts.split_last().unwrap();
        assert!(last.is_err() && before.iter().all(Result::is_ok));
    }
}

#[test]
fn formats_are_known_by_their_words() {
    for word in Format::WORDS {
        assert!(word.parse::<Format>().is_ok(), "{word}");
    }
    assert_eq!(
        "xml".parse::<Format>().unwrap_err().to_string(),
        "`xml` is not a format: expected one of json, csv, parquet, arrow, table"
    );
}
