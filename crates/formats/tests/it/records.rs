//! NDJSON of records: what is taken, what is refused, and what is said about it.

use std::ops::ControlFlow;

use manometer_formats::ReadError;
use manometer_formats::records::{self, RecordsSummary};
use manometer_model::records::TABLES;
use manometer_model::{ColumnKind, Limits, Record, TestId, Timestamp};
use serde_json::{Value, json};

fn read(lines: impl AsRef<[u8]>) -> Result<(Vec<Record>, RecordsSummary), ReadError> {
    let mut given = Vec::new();
    let mut sink = |record| {
        given.push(record);
        ControlFlow::Continue(())
    };
    let summary = records::read(&mut lines.as_ref(), &Limits::default(), &mut sink)?;
    Ok((given, summary))
}

/// The one problem of a line that is refused.
fn refusal(line: &str) -> String {
    let (given, summary) = read(line).unwrap();
    assert!(given.is_empty(), "{given:?}");
    assert_eq!((summary.lines, summary.refused, summary.problems.total), (1, 1, 1));
    summary.problems.first[0].to_string()
}

/// A record of a table with every column filled.
fn full_record(table: &manometer_model::Table) -> Value {
    let mut record = json!({"type": table.record});
    for column in table.columns {
        record[column.name] = match (column.kind, column.name) {
            (_, "status") if table.record == "test" => json!("passed"),
            (_, "status") if table.record == "span" => json!("ok"),
            (_, "status") => json!("running"),
            (_, "conclusion") => json!("success"),
            (ColumnKind::Text, name) => json!(format!("{name} größe")),
            (ColumnKind::Time, _) => json!("2026-11-21T07:13:38+01:00"),
            (ColumnKind::Float, _) => json!(1.5),
            (ColumnKind::Int, _) => json!(3),
            (ColumnKind::Bool, _) => json!(true),
            (ColumnKind::Labels, _) => json!({"k": "v"}),
            (ColumnKind::Sketch, name) => panic!("no record has a sketch, and {name} is one"),
            (ColumnKind::TestId, _) => json!("08ed387b3bc442bce247703ffbf78277"),
        };
    }
    record
}

#[test]
fn every_record_type_of_the_model_is_read_with_every_column() {
    let lines: String = TABLES.iter().map(|table| format!("{}\n", full_record(table))).collect();
    let (given, summary) = read(lines).unwrap();
    assert_eq!(summary.problems.first, []);
    assert_eq!(given.len(), TABLES.len());
    for (record, table) in given.iter().zip(TABLES) {
        assert_eq!(record.row().table_of().name, table.name);
        let mut expected = full_record(table);
        for column in table.columns.iter().filter(|column| column.kind == ColumnKind::Time) {
            expected[column.name] = json!("2026-11-21T06:13:38.000000Z");
        }
        assert_eq!(serde_json::to_value(record).unwrap(), expected);
    }
}

#[test]
fn an_unknown_field_costs_itself_and_is_named() {
    let (given, summary) = read(
        "\n{\"type\":\"run\",\"provider\":\"ci\",\"project\":\"p\",\"run_id\":\"1\",\"brnach\":\"main\",\"x\":{\"y\":[1]}}\n",
    )
    .unwrap();
    assert_eq!(given.len(), 1);
    let problems: Vec<_> = summary.problems.first.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["line 2: brnach: not a field of `run`, ignored", "line 2: x: not a field of `run`, ignored"]
    );
}

#[test]
fn a_bad_line_costs_itself_and_says_why() {
    let run = |rest: &str| format!("{{\"type\":\"run\",\"provider\":\"ci\",\"project\":\"p\"{rest}}}");
    for (line, problem) in [
        (run(""), "line 1: missing field `run_id` at column 44, the line was left out"),
        (
            run(",\"run_id\":1"),
            "line 1: run_id: invalid type: integer `1`, expected a string at column 54, the line was left out",
        ),
        (
            run(",\"run_id\":\"1\",\"labels\":{\"k\":2}"),
            "line 1: labels.k: invalid type: integer `2`, expected a string at column 72, the line was left out",
        ),
        (
            run(",\"run_id\":\" \""),
            "line 1: run_id: empty, the line was left out: it says what the record belongs to",
        ),
        ("{}".to_owned(), "line 1: type: missing, the line was left out: say what the record is"),
        ("[1]".to_owned(), "line 1: not a JSON object, the line was left out: write one object a line"),
        ("{\"type\":".to_owned(), "line 1: EOF while parsing a value at column 8, the line was left out"),
    ] {
        assert_eq!(refusal(&line), problem);
    }
    let line = run(",\"run_id\":\"1\",\"started_at\":\"yesterday\"");
    assert!(
        refusal(&line).starts_with("line 1: started_at: `yesterday` is not a time: write RFC 3339"),
        "{}",
        refusal(&line)
    );
    assert!(refusal("{\"type\":\"pipeline\"}").contains("`pipeline` is not a record"));
    assert!(refusal(&run(",\"run_id\":\"1\"} x")).contains("trailing characters"));
    assert!(refusal(&run(",\"run_id\":\"1\",\"run_id\":\"2\"")).contains("duplicate field `run_id`"));
}

#[test]
fn good_lines_around_bad_ones_are_kept() {
    let good = "{\"type\":\"log\",\"provider\":\"ci\",\"project\":\"p\",\"message\":\"\"}";
    let mut lines = format!("\u{feff}{good}\r\n\n").into_bytes();
    lines.extend_from_slice(b"{\"type\":\"log\",\"message\":\"\xff\"}\nnot json\n");
    lines.extend_from_slice(good.as_bytes());
    let (given, summary) = read(lines).unwrap();
    assert_eq!((given.len(), summary.lines, summary.records, summary.refused), (2, 4, 2, 2));
    let problems: Vec<_> = summary.problems.first.iter().map(ToString::to_string).collect();
    assert_eq!(problems[0], "line 3: not valid UTF-8 at byte 26, the line was left out");
    assert!(problems[1].starts_with("line 4: not a JSON object"), "{problems:?}");
}

#[test]
fn a_test_without_an_identity_gets_the_one_of_its_names() {
    let (given, _) = read(
        "{\"type\":\"test\",\"provider\":\"ci\",\"project\":\"p\",\"run_id\":\"1\",\"suite\":\"s\",\"name\":\"adds\",\
         \"parameters\":\"2\",\"status\":\"passed\"}",
    )
    .unwrap();
    let Record::Test(test) = &given[0] else { panic!("not a test") };
    assert_eq!(test.test_id, TestId::new("s", "", "adds", "2", 0));
    assert_eq!((test.at, test.attempt, test.is_final), (Timestamp::default(), 1, true));
}

#[test]
fn deep_nesting_and_long_lines_are_refused_cheaply() {
    let deep = format!("{{\"type\":\"run\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(
        refusal(&deep),
        "line 1: nested deeper than 64 levels (limit `nesting`), the line was left out"
    );
    let brackets_in_text = format!(
        "{{\"type\":\"log\",\"provider\":\"ci\",\"project\":\"p\",\"message\":\"\\\"{}\"}}",
        "[".repeat(1_000)
    );
    assert_eq!(read(&brackets_in_text).unwrap().0.len(), 1);
    let long = format!("{{\"type\":\"run\",\"x\":\"{}\"}}", "y".repeat(2_000_000));
    assert!(refusal(&long).contains("longer than 1048576 bytes (limit `record_bytes`)"));
}

#[test]
fn nothing_at_all_is_an_error() {
    assert_eq!(read("").unwrap_err().to_string(), "the file is empty");
    assert_eq!(read("\n \r\n").unwrap_err().to_string(), "the file is empty");
}
