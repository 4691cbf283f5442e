//! Odd, broken and hostile reports of coverage, builds and sizes.

use std::io::BufReader;

use manometer_formats::measured::{Summary, read_to_vec};
use manometer_formats::{Kind, ReadError, detect};
use manometer_model::{Limits, Record};

use crate::support::Generated;

fn read(content: impl AsRef<[u8]>) -> Result<(Vec<Record>, Summary), ReadError> {
    let content = content.as_ref();
    let Kind::Measured(format) = detect(content)? else { panic!("of another kind") };
    read_to_vec(format.read, &mut &*content, &Limits::default())
}

/// Rows as short texts: `total 3/4 1/2 -`.
fn rows(content: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let (rows, summary) = read(content).unwrap();
    let rows = rows.iter().map(shown).collect();
    (rows, summary.problems.first.iter().map(ToString::to_string).collect())
}

fn shown(row: &Record) -> String {
    let share = |covered: Option<i64>, valid: Option<i64>| {
        covered.zip(valid).map_or("-".to_owned(), |(covered, valid)| format!("{covered}/{valid}"))
    };
    match row {
        Record::Coverage(row) => format!(
            "{} {} {} {}",
            row.name.as_deref().unwrap_or("total"),
            share(row.lines_covered, row.lines_valid),
            share(row.branches_covered, row.branches_valid),
            share(row.functions_covered, row.functions_valid)
        ),
        Record::Build(row) => {
            format!("{} {:?} {:?}", row.name, row.duration_seconds.unwrap_or(-1.0), row.success)
        }
        Record::Artifact(row) => {
            format!("{} {} {}", row.name, row.kind.as_deref().unwrap_or_default(), row.size_bytes)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_bad_value_of_cobertura_costs_its_line() {
    let report = r#"<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage lines-valid="NaN" line-rate="0.5"><packages><package name="p"><classes>
<class name="A" filename="src\a.py"><lines>
<line number="1" hits="99999999999999999999999"/>
<line number="2" hits="-4"/>
<line number="3" hits="NaN"/>
<line number="-1" hits="1"/>
<line number="99999999999" hits="1"/>
<line hits="1"/>
<line number="4" hits="2.0" branch="true" condition-coverage="50% (1/2)"/>
<line number="5" hits="0" branch="true" condition-coverage="50%"/>
<line number="6" hits="0" branch="true" condition-coverage="150% (3/2)"/>
</lines></class>
<class name="A.B" filename="src/a.py"><lines><line number="4" hits="0"/><line number="7" hits="1"/></lines></class>
</classes></package></packages></coverage>"#;
    let (rows, problems) = rows(report);
    // Lines 1, 4 and 7 were executed, 5 and 6 not.
    assert_eq!(rows, ["total 3/5 1/2 -", "p 3/5 1/2 -", "src/a.py 3/5 1/2 -"]);
    assert_eq!(
        problems,
        [
            "line 2: coverage.lines-valid: `NaN` is not a number, left out",
            "line 5: line.hits: `-4` is negative, left out",
            "line 6: line.hits: `NaN` is not a number, left out",
            "line 7: line.number: `-1` is negative, left out",
            "line 8: line.number: `99999999999` is too large, left out",
            "line 11: line.condition-coverage: `50%` is a share, not a count, left out",
            "line 12: line.condition-coverage: `150% (3/2)` is too large, left out",
        ]
    );
}

#[test]
fn a_report_of_rates_alone_has_no_counts_to_give() {
    let (rows, _) = rows(
        r#"<coverage line-rate="0.81"><packages><package name="p" line-rate="0.81"><classes>
        <class name="A" filename="a.py" line-rate="0.81"/></classes></package></packages></coverage>"#,
    );
    assert_eq!(rows, ["p - - -", "a.py - - -"]);
}

#[test]
fn half_a_report_keeps_whole_files_and_gives_no_total_of_its_own() {
    let file = |name: &str| {
        format!("<class filename=\"{name}\"><lines><line number=\"1\" hits=\"1\"/></lines></class>")
    };
    let (rows, problems) = rows(format!(
        "<coverage lines-covered=\"8\" lines-valid=\"9\"><packages><package name=\"p\"><classes>{}{}<class \
         filename=\"c\"><lines><line number=\"1\" hits=\"1\"/>",
        file("a"),
        file("b")
    ));
    assert_eq!(rows, ["total 8/9 - -", "a 1/1 - -", "b 1/1 - -"]);
    assert_eq!(problems, ["line 1: the file ends too early: elements are still open"]);

    let (rows_of_lcov, problems) = self::rows("SF:a\nDA:1,1\nend_of_record\nSF:b\nDA:1,1\nDA:2,");
    assert_eq!(rows_of_lcov, ["a 1/1 - -"]);
    assert_eq!(problems.len(), 2, "{problems:?}");

    let (rows_of_json, problems) = self::rows(
        r#"{"meta": {"show_contexts": false}, "files": {"a": {"executed_lines": [1]}, "b": {"executed_lines": [1,"#,
    );
    assert_eq!(rows_of_json, ["a 1/1 - -"]);
    assert_eq!(problems, ["line 1: the file ends too early; the file was read up to here"]);
}

#[test]
fn sections_of_one_file_in_lcov_are_merged_as_they_mean_it() {
    let (rows, problems) = rows(
        "TN:one\nSF:a.c\nFN:1,f\nFNDA:1,f\nFNF:1\nFNH:1\nBRDA:2,0,0,1\nBRDA:2,0,1,-\nBRF:2\nBRH:1\nDA:1,1\nDA:2,0\n\
         LF:2\nLH:1\nend_of_record\nTN:two\nSF:a.c\nFN:1,f\nFNDA:0,f\nBRDA:2,0,1,3\nDA:1,0\nDA:2,5\nDA:3,0\nLF:3\nLH:1\n\
         end_of_record\nDA:9,1\nSF:b.c\nLF:4\nLH:3\nDAX:1\nDA:x,1\nDA:1\nend_of_record\nSF:c.c\nDA:1,1\nLF:7\nLH:7\n\
         end_of_record\n",
    );
    assert_eq!(rows, ["total 6/8 2/2 1/1", "a.c 2/3 2/2 1/1", "b.c 3/4 0/0 0/0", "c.c 1/1 0/0 0/0"]);
    assert_eq!(
        problems,
        [
            "line 27: DA: outside of a section of a source file, left out",
            "line 31: DAX: not a known record, left out",
            "line 32: DA: `x,1` is not a number, left out",
            "line 33: DA: `1` is empty, left out",
            "line 35: LF: the section states 7 of 7, and lists 1 of 1: what it lists counts",
        ]
    );
}

#[test]
fn functions_of_newer_lcov_are_counted_by_their_place() {
    let (rows, problems) = rows(
        "SF:a.cc\nFNL:0,3,9\nFNA:0,0,f<int>\nFNA:0,2,f<long>\nFNL:1,12\nFNA:1,0,g\nFNA:7,1,lost\nFNF:2\nFNH:1\nDA:3,1\n\
         end_of_record\n",
    );
    assert_eq!(rows[0], "total 1/1 - 1/2");
    assert_eq!(problems, ["line 7: FNA: `7,1,lost` is not a number, left out"]);
}

#[test]
fn blocks_of_go_that_are_repeated_count_once() {
    let (rows, problems) = rows(
        "mode: set\nexample.com/shop/a.go:1.1,2.2 3 0\nexample.com/shop/a.go:1.1,2.2 3 1\nmode: set\n\
         C:\\src\\shop\\b c.go:1.1,2.2 2 0\nexample.com/shop/a.go:5.1,6.2 x 1\nnonsense\na.go:1,2 1 1\n",
    );
    assert_eq!(
        rows,
        [
            "total 3/5 - -",
            "example.com/shop 3/3 - -",
            "example.com/shop/a.go 3/3 - -",
            "C:/src/shop/b c.go 0/2 - -"
        ]
    );
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("line 6: statements: "), "{problems:?}");
}

#[test]
fn conditions_of_clover_mean_what_their_writer_means() {
    let (rows, problems) = rows(
        r#"<coverage clover="4.4.1" generated="1"><project name="p"><metrics statements="2" coveredstatements="1"
        conditionals="2" coveredconditionals="1" methods="1" coveredmethods="1"/>
        <package name="shop"><file name="Cart.java" path="C:\src\Cart.java">
        <line num="1" type="method" name="total" count="3"/><line num="2" type="stmt" count="3"/>
        <line num="3" type="cond" truecount="5" falsecount="0"/><line num="4" type="stmt" count="0"/>
        </file></package></project><testproject><file path="T.java"><line num="1" type="stmt" count="1"/></file>
        </testproject></coverage>"#,
    );
    assert_eq!(rows, ["total 2/3 1/2 1/1", "shop 2/3 1/2 1/1", "C:/src/Cart.java 2/3 1/2 1/1"]);
    assert_eq!(problems, [""; 0], "two statements and one condition are three lines");
}

#[test]
fn groups_of_jacoco_keep_files_of_the_same_name_apart() {
    let module = |name: &str, ci: u8| {
        format!(
            "<group name='{name}'><package name='com/acme'><sourcefile name='A.java'><line nr='1' mi='0' ci='{ci}' mb='1' \
             cb='1'/></sourcefile></package></group>"
        )
    };
    let report = format!("<report name='all'>{}{}</report>", module("cart", 1), module("stock", 0));
    let (rows, problems) = rows(report);
    assert_eq!(
        rows,
        [
            "total 1/2 2/4 -",
            "cart/com/acme 1/1 1/2 -",
            "stock/com/acme 0/1 1/2 -",
            "cart/com/acme/A.java 1/1 1/2 -",
            "stock/com/acme/A.java 0/1 1/2 -"
        ]
    );
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn simplecov_of_several_suites_is_merged_and_of_older_versions_read() {
    let (rows, problems) = rows(
        r#"{"RSpec": {"coverage": {"/a.rb": {"lines": [1, null, 0, "ignored", -1, 1.5]}}},
            "Minitest": {"coverage": {"/a.rb": [0, null, 4], "/b.rb": [null]}, "timestamp": 1}}"#,
    );
    assert_eq!(rows, ["total 3/3 - -", "/a.rb 3/3 - -", "/b.rb 0/0 - -"]);
    assert_eq!(problems, ["line 1: lines: `-1` is negative, left out"]);
}

#[test]
fn only_the_last_build_of_a_log_of_ninja_is_read() {
    let (rows, problems) = rows(
        "# ninja log v6\n0\t10\t1\told.o\taa\n10\t30\t1\told\tbb\n5\t12\t1\tsub\\new.o\tcc\n12\t20\t1\tlib.a\tdd\n\
         12\t20\t1\tlib.h\tdd\nx\t2\t1\ta\tb\n9\t3\t1\ta\tb\n20\t25\n",
    );
    assert_eq!(rows, ["ninja 0.015 None", "sub/new.o 0.007 Some(true)", "lib.a 0.008 Some(true)"]);
    assert_eq!(problems.len(), 3, "{problems:?}");
    let refused = read("# ninja log v99\n").unwrap_err().to_string();
    assert!(refused.contains("version 99"), "{refused}");
}

#[test]
fn lines_of_one_target_of_make_add_up() {
    let (rows, problems) = rows(
        "make 0.50 0 all docs\nCommand exited with non-zero status 2\nmake 0.25 2 all docs\nmake -1 0 x\nmake\n",
    );
    assert_eq!(rows, ["all docs 0.75 Some(false)"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn several_configurations_of_webpack_are_several_builds() {
    let (rows, problems) = rows(
        r#"{"hash": "x", "version": "5", "outputPath": "/", "errors": [], "children": [
            {"name": "client", "time": 1500, "errors": [{"message": "no"}], "assets": [{"name": "a.js", "size": 5}]},
            {"name": "server", "time": "fast", "assets": [{"name": "b.js", "size": -5}, {"size": 3}, 7]}]}"#,
    );
    assert_eq!(
        rows,
        [
            "a.js asset 5",
            "webpack client 1.5 Some(false)",
            "webpack client bundle 5",
            "webpack server bundle 0"
        ]
    );
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn a_listing_of_artifacts_is_taken_as_it_is() {
    let (rows, problems) = rows(
        r#"{"manometer_artifacts": 1, "artifacts": [{"name": "dist", "kind": "folder", "size_bytes": 48213},
            {"name": "", "size_bytes": 1}, {"name": "x", "size_bytes": -1}, {"name": "y", "size_bytes": 2}]}"#,
    );
    assert_eq!(rows, ["dist folder 48213", "y file 2"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn endless_reports_are_read_in_bounded_memory_and_cut_off_clearly() {
    for (before, piece) in [
        ("SF:a\n", "DA:1,1\nDA:2,0\n"),
        ("<coverage><class filename='a'><lines>", "<line number='1' hits='1'/>"),
        ("{\"meta\": {\"show_contexts\": 0}, \"files\": {\"a\": {\"executed_lines\": [1", ", 7"),
        ("{\"files\": [{\"file\": \"gcovr/\", \"x\": [", "[[["),
    ] {
        let mut input = Generated::new(before, piece, 200_000, "");
        let start: Vec<u8> = format!("{before}{piece}").into_bytes();
        let format = match detect(&start) {
            Ok(Kind::Measured(format)) => format,
            // What names gcovr stands at the end of its reports, or deeper.
            _ => manometer_formats::measured::FORMATS.iter().find(|format| format.name == "gcovr").unwrap(),
        };
        let (rows, summary) =
            read_to_vec(format.read, &mut BufReader::new(&mut input), &Limits::default()).unwrap();
        assert!(summary.truncated && rows.len() <= 1, "{before}: {} rows", rows.len());
    }
}

#[test]
fn more_files_than_fit_are_cut_off_and_said_so() {
    let content: String =
        (0..400_000).map(|number| format!("SF:{number}\nDA:1,1\nend_of_record\n")).collect();
    let (rows, summary) = read(content).unwrap();
    assert!(summary.truncated);
    assert!(rows.len() < 400_000 && rows.len() > 100_000, "{}", rows.len());
    assert!(summary.problems.first[0].to_string().contains("64 MiB"), "{:?}", summary.problems.first);
}

#[test]
fn what_is_of_no_format_is_refused_with_what_was_seen() {
    for (content, said) in [
        ("<coverage/>", None),
        ("mode: fast\na.go:1.1,2.2 1 1", Some("plain text")),
        ("{\"data\": [{\"x\": 1}]}\n", Some("JSON of no known kind")),
        ("SF:\n", Some("no line with `SF:`")),
        ("{\"outputPath\": \"x\", \"hash\": \"y\"}", Some("without `time` and `assets`")),
    ] {
        match (read(content), said) {
            (Ok((rows, _)), None) => assert!(rows.is_empty(), "{content}"),
            (Err(error), Some(said)) => assert!(error.to_string().contains(said), "{content}: {error}"),
            (other, _) => panic!("{content}: {other:?}"),
        }
    }
}
