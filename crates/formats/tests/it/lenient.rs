//! Odd reports that real writers and broken uploads produce, and exactly what is made of each.

use manometer_model::records::Test;
use manometer_model::{TestStatus, Timestamp};

use crate::support::{names_and_problems, problems, read};

fn only(report: &str) -> Test {
    let (mut tests, _) = read(report).unwrap();
    assert_eq!(tests.len(), 1, "{tests:?}");
    tests.remove(0)
}

fn refusal(report: impl AsRef<[u8]>) -> String {
    read(report).unwrap_err().to_string()
}

#[test]
fn any_root_will_do() {
    for report in [
        "<testsuites><testsuite name='s'><testcase name='a'/></testsuite></testsuites>",
        "<testsuite name='s'><testcase name='a'/></testsuite>",
        "<testsuites><testcase name='a'/></testsuites>",
        "<testcase name='a'/>",
        "<j:testsuite xmlns:j='urn:j' name='s'><j:testcase name='a'/></j:testsuite>",
        "\n\n  <testsuite tests='7' failures='x'><testcase name='a'></testcase></testsuite>",
    ] {
        let (names, problems) = names_and_problems(report);
        assert_eq!((names, problems.len()), (vec!["a".to_owned()], 0), "{report}");
    }
    let (names, problems) = names_and_problems("<testcase name='a'/>\n<testcase name='b'/>");
    assert_eq!((names.len(), problems.len()), (2, 0));
}

#[test]
fn nested_suites_make_a_path_and_pass_their_time_on() {
    let (tests, summary) = read(
        "<testsuites name='ignored' time='3'><testsuite name='outer' timestamp='2026-11-21T06:00:00' time='2'>
         <testcase name='a'/><testsuite name='inner'><testcase name='b' time='0.5'/></testsuite><testcase name='c'/>
         </testsuite><testsuite name='next'><testcase name='d'/></testsuite></testsuites>",
    )
    .unwrap();
    let suites: Vec<_> = tests.iter().map(|test| test.suite.as_deref().unwrap()).collect();
    assert_eq!(suites, ["outer", "outer > inner", "outer", "next"]);
    let at = Timestamp::parse_rfc3339("2026-11-21T06:00:00Z").unwrap();
    assert_eq!([tests[1].at, tests[3].at], [at, Timestamp::default()]);
    assert_eq!((summary.suites, summary.started_at, summary.duration_seconds), (3, Some(at), Some(3.0)));
}

#[test]
fn durations_are_stated_by_the_outermost_or_summed() {
    let seconds = |report| read(report).unwrap().1.duration_seconds;
    assert_eq!(
        seconds("<testsuite><testcase name='a' time='0.5'/><testcase name='b' time='1'/></testsuite>"),
        Some(1.5)
    );
    assert_eq!(seconds("<testsuites><testsuite time='1'/><testsuite time='2'/></testsuites>"), Some(3.0));
    assert_eq!(seconds("<testsuite><testcase name='a'/></testsuite>"), None);
}

#[test]
fn one_bad_value_costs_one_field() {
    let (tests, summary) = read(
        "<testsuite timestamp='yesterday' time='-1'>\n<testcase name='a' classname='c' time='NaN' line='x' file='f.py'/>\n\
         <testcase name='b' time='1.2.3,4'/>\n<testcase name='c' time='' timestamp='13:00'/>\n<testcase classname='c'/>\n\
         <testcase name='d' time='0.25'/></testsuite>",
    )
    .unwrap();
    assert_eq!(tests.len(), 5);
    assert_eq!((tests[0].file.as_deref(), tests[0].classname.as_deref()), (Some("f.py"), Some("c")));
    assert_eq!(tests[3].name, "(unnamed)");
    assert_eq!(tests[4].duration_seconds, Some(0.25));
    assert_eq!(
        problems(&summary),
        [
            "line 1: testsuite.timestamp: `yesterday` is not a time, left out",
            "line 1: testsuite.time: `-1` is negative, left out",
            "line 2: testcase.time: `NaN` is not a finite number, left out",
            "line 2: testcase.line: `x` is not a whole number, left out",
            "line 3: testcase.time: `1.2.3,4` is not a number of seconds, left out",
            "line 4: testcase.time: `` is empty, left out",
            "line 4: testcase.timestamp: `13:00` is not a time, left out",
            "line 5: testcase.name: missing or empty, called `(unnamed)`",
        ]
    );
}

#[test]
fn a_decimal_comma_learned_from_the_file_settles_the_ambiguous_value() {
    let (tests, _) = read(
        "<testsuite time='1,234.56'><testcase name='a' time='1,234'/><testcase name='b' time='0.005'/></testsuite>",
    )
    .unwrap();
    assert_eq!(tests[0].duration_seconds, Some(1234.0));
}

#[test]
fn repeated_identities_are_numbered_inside_the_file() {
    let report = "<testsuites><testsuite name='s'><testcase name='a'/><testcase name='a'/></testsuite>\
                  <testsuite name='s'><testcase name='a'/></testsuite>\
                  <testsuite name='t'><testcase name='a'/></testsuite></testsuites>";
    let ids: Vec<_> = read(report).unwrap().0.iter().map(|test| test.test_id).collect();
    let expected = [("s", 0), ("s", 1), ("s", 2), ("t", 0)];
    assert_eq!(
        ids,
        expected.map(|(suite, ordinal)| manometer_model::TestId::new(suite, "", "a", "", ordinal))
    );
}

#[test]
fn the_identity_does_not_depend_on_the_time_in_a_suite_name_nor_on_a_googletest_value() {
    let id = |report| only(report).test_id;
    assert_eq!(
        id("<testsuite name='m.TestCart-20261121061338'><testcase name='a'/></testsuite>"),
        id("<testsuite name='m.TestCart-20251203235901'><testcase name='a'/></testsuite>"),
    );
    assert_eq!(
        id("<testcase name='Works/0' value_param='16-byte object &lt;0x7ffd1c2b&gt;'/>"),
        id("<testcase name='Works/0' value_param='16-byte object &lt;0x7ffe00aa&gt;'/>"),
    );
}

#[test]
fn a_flaky_test_fails_and_then_passes_and_a_rerun_one_fails_to_the_end() {
    let (tests, _) = read(
        "<testsuite><testcase name='flaky' time='2'><flakyFailure message='m1' type='T' time='1'>trace</flakyFailure>\
         <flakyError message='m2'><stackTrace>deep</stackTrace><system-out>said</system-out></flakyError></testcase>\
         <testcase name='rerun' time='3'><failure message='m3'/><rerunError message='m4' time='4'/></testcase></testsuite>",
    )
    .unwrap();
    let rows: Vec<_> = tests
        .iter()
        .map(|test| {
            (test.attempt, test.is_final, test.status, test.duration_seconds, test.failure_message.as_deref())
        })
        .collect();
    assert_eq!(
        rows,
        [
            (1, false, TestStatus::Failed, Some(1.0), Some("m1")),
            (2, false, TestStatus::Error, None, Some("m2")),
            (3, true, TestStatus::Passed, Some(2.0), None),
            (1, false, TestStatus::Failed, Some(3.0), Some("m3")),
            (2, true, TestStatus::Error, Some(4.0), Some("m4")),
        ]
    );
    assert_eq!(
        (tests[1].failure_details.as_deref(), tests[1].output.as_deref()),
        (Some("deep"), Some("said"))
    );
    assert_eq!(tests[0].test_id, tests[2].test_id);
}

#[test]
fn several_failures_of_one_test_are_one_row() {
    let test = only(
        "<testcase name='a'><skipped message='not yet'/><failure message='first' type='F'>one</failure>\
         <error message='second' type='E'>two</error></testcase>",
    );
    assert_eq!(test.status, TestStatus::Error);
    assert_eq!((test.failure_kind.as_deref(), test.failure_message.as_deref()), (Some("F"), Some("first")));
    assert_eq!(test.failure_details.as_deref(), Some("one\ntwo"));
}

#[test]
fn a_status_attribute_counts_where_no_element_says_more() {
    let status = |report| only(report).status;
    assert_eq!(status("<testcase name='a' status='run' result='completed'/>"), TestStatus::Passed);
    assert_eq!(status("<testcase name='a' status='notrun' result='suppressed'/>"), TestStatus::Skipped);
    assert_eq!(status("<testcase name='a' status='run' result='skipped'/>"), TestStatus::Skipped);
    assert_eq!(status("<testcase name='a' status='FAIL'/>"), TestStatus::Failed);
    assert_eq!(status("<testcase name='a' status='disabled'/>"), TestStatus::Skipped);
    assert_eq!(status("<testcase name='a' status='notrun'><failure/></testcase>"), TestStatus::Failed);
    assert_eq!(status("<testcase name='a'><skipped/></testcase>"), TestStatus::Skipped);
}

#[test]
fn output_is_kept_of_tests_that_did_not_pass_and_attachment_lines_stay() {
    let lines = "before\n[[ATTACHMENT|/builds/shot 1.png]]\nafter";
    let test = only(&format!(
        "<testcase name='a'><system-out>{lines}</system-out><failure/><system-err><![CDATA[err]]></system-err></testcase>"
    ));
    assert_eq!(test.output, Some(format!("{lines}\nerr")));
    let test = only(&format!("<testcase name='a'><system-out>{lines}</system-out></testcase>"));
    assert_eq!(test.output, None);
}

#[test]
fn properties_of_tests_are_labels_and_those_of_suites_are_counted() {
    let (tests, summary) = read(
        "<testsuite><properties><property name='x' value='1'/><property name='y'>2</property></properties>\
         <testcase name='a'><properties><property name='k' value='v'/><property name='k' value='w'/>\
         <property name='t'>text &amp; more</property><property value='nameless'/></properties></testcase></testsuite>",
    )
    .unwrap();
    let labels: Vec<_> = tests[0].labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("k", "v, w"), ("t", "text & more")]);
    assert_eq!(summary.suite_properties, 2);
    assert_eq!(problems(&summary), ["line 1: property.name: missing or empty, the property is left out"]);
}

#[test]
fn every_encoding_gives_the_same_names() {
    let text = "<testsuite name='größe'><testcase name='preis €'/></testsuite>";
    let utf16 = |bom: &str, bytes_of: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{bom}<?xml version='1.0' encoding='UTF-16'?>{text}")
            .encode_utf16()
            .flat_map(bytes_of)
            .collect()
    };
    let windows = |label: &str| {
        let declared = format!("<?xml version='1.0' encoding='{label}'?>{text}");
        encoding_rs::WINDOWS_1252.encode(&declared).0.into_owned()
    };
    for (bytes, problem_count) in [
        (format!("\u{feff}{text}").into_bytes(), 0),
        (utf16("\u{feff}", u16::to_le_bytes), 0),
        (utf16("\u{feff}", u16::to_be_bytes), 0),
        (utf16("", u16::to_le_bytes), 0),
        (utf16("", u16::to_be_bytes), 0),
        (windows("windows-1252"), 0),
        (windows("ISO-8859-1"), 0),
        // Declared one way, written another.
        (windows("utf-8"), 1),
        (format!("<?xml version='1.0' encoding='utf-16'?>{text}").into_bytes(), 1),
        (format!("<?xml version='1.0' encoding='klingon'?>{text}").into_bytes(), 1),
    ] {
        let (tests, summary) = read(&bytes).unwrap();
        assert_eq!((tests[0].suite.as_deref(), tests[0].name.as_str()), (Some("größe"), "preis €"));
        assert_eq!(summary.problems.total, problem_count, "{:?}", problems(&summary));
    }
}

#[test]
fn a_file_cut_off_anywhere_gives_what_was_whole() {
    let report = "<testsuites><testsuite name='s'><testcase name='a'/><testcase name='b'><failure message='m'>text\
                  </failure></testcase><testcase name='c'/></testsuite></testsuites>";
    let whole = [("<testcase name='a'/>", 1), ("</testcase>", 2), ("<testcase name='c'/>", 3)];
    for cut in 1..report.len() - 1 {
        let expected = whole.iter().filter(|(end, _)| report.find(end).unwrap() + end.len() <= cut).count();
        match read(report.split_at(cut).0) {
            Ok((tests, summary)) => {
                assert_eq!(tests.len(), expected, "cut at {cut}");
                assert!(summary.truncated, "cut at {cut}");
                assert!(problems(&summary).last().unwrap().contains("ends too early"), "cut at {cut}");
            }
            Err(_) => assert!(cut < "<testsuites>".len(), "cut at {cut}"),
        }
    }
}

#[test]
fn a_pytest_test_held_back_is_given_when_the_file_is_cut_off() {
    let (tests, summary) = read("<testsuite name='pytest'><testcase name='a'/><testcase name='b'").unwrap();
    assert_eq!((tests.len(), tests[0].is_final, summary.truncated), (1, true, true));
}

#[test]
fn end_tags_that_do_not_match_cost_nothing_else() {
    let (names, problems) = names_and_problems(
        "<testsuites>\n<testsuite name='s'>\n<testcase name='a'><failure>x</testcase>\n</nothing>\n<testcase name='b'>\n\
         <testcase name='c'/></testsuite>\n</testsuites>",
    );
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(
        problems,
        [
            "line 3: </testcase> closes 1 open elements too",
            "line 4: </nothing> closes nothing, ignored",
            "line 6: a testcase inside another element, read as a test of the suite",
            "line 6: </testsuite> closes 1 open elements too",
        ]
    );
}

#[test]
fn what_stands_around_the_document_is_reported() {
    let (names, problems) = names_and_problems(
        "<testsuite name='s'><testcase name='a'/></testsuite>\nBUILD FAILED\n<?xml version='1.0'?><testsuite><testcase name='b'/></testsuite>\n<coverage/>",
    );
    assert_eq!(names, ["a", "b"]);
    assert_eq!(
        problems,
        [
            "line 1: text outside of the document, ignored",
            "line 3: another <testsuite> begins after the end of the first, read as well",
            "line 4: element <coverage> after the document is not read (reported once a file)",
        ]
    );
}

#[test]
fn malformed_attributes_cost_themselves() {
    let (tests, summary) =
        read("<testsuite><testcase name='a' time=0.5 disabled classname='c'/>\n<testcase name='b' name='x' file='f'/></testsuite>")
            .unwrap();
    assert_eq!((tests[0].name.as_str(), tests[0].classname.as_deref()), ("a", Some("c")));
    assert_eq!((tests[1].name.as_str(), tests[1].file.as_deref()), ("b", Some("f")));
    let problems = problems(&summary);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("line 1: testcase: malformed attribute left out"), "{problems:?}");
    assert_eq!(problems[2], "line 2: testcase.name: given twice, the first counts");
}

#[test]
fn a_problem_of_a_long_text_names_the_line_the_text_begins_on() {
    for (open, close) in [("", ""), ("<![CDATA[", "]]>")] {
        let lines = "line\n".repeat(2_000);
        let report = format!(
            "<testsuite>\n<testcase name='a'>\n<failure>\u{1}{open}{lines}{lines}{close}</failure></testcase>\n</testsuite>"
        );
        let (_, summary) = read(report).unwrap();
        let problems = problems(&summary);
        assert!(problems.iter().all(|problem| problem.starts_with("line 3: failure: ")), "{problems:?}");
    }
}

#[test]
fn a_slash_inside_a_tag_ends_its_name() {
    let (names, problems) =
        names_and_problems("<testsuite/x><testcase/name='a'><testcase name='b'/></testsuite>");
    assert_eq!(names, ["(unnamed)", "b"]);
    assert!(problems.iter().any(|problem| problem.contains("malformed attribute")), "{problems:?}");
}

#[test]
fn a_stray_less_than_sign_is_text() {
    let test = only("<testcase name='a < b > c'><failure>1 < 2 &amp;& 3</failure></testcase>");
    assert_eq!((test.name.as_str(), test.failure_details.as_deref()), ("a < b > c", Some("1 < 2 && 3")));
}

#[test]
fn cdata_holds_anything_and_may_be_split() {
    let test =
        only("<testcase name='a'><failure><![CDATA[a ]]]]><![CDATA[> <b> &amp; ]]></failure></testcase>");
    assert_eq!(test.failure_details.as_deref(), Some("a ]]> <b> &amp;"));
}

#[test]
fn forbidden_control_characters_are_made_visible() {
    let (tests, summary) =
        read("<testcase name='a\u{1}&#2;b'><failure>x\u{1b}[0m</failure></testcase>").unwrap();
    assert_eq!(tests[0].name, "a\u{fffd}\u{fffd}b");
    assert_eq!(summary.problems.total, 2);
}

#[test]
fn unknown_elements_are_reported_once() {
    let (names, problems) = names_and_problems(
        "<testsuite><meta/><testcase name='a'><warning/><warning/></testcase>\n<testcase name='b'><warning><x/></warning></testcase></testsuite>",
    );
    assert_eq!(names, ["a", "b"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn what_is_no_report_is_refused_with_a_clear_reason() {
    assert_eq!(refusal(""), "the file is empty");
    assert_eq!(refusal(" \n\t"), "the file is empty");
    assert_eq!(refusal("\u{feff}"), "the file is empty");
    let expected = "; expected JUnit XML: <testsuites>, <testsuite> or <testcase>";
    assert_eq!(refusal("plain words"), format!("no whole XML element found{expected}"));
    assert_eq!(refusal("<?xml version='1.0'?>"), format!("no whole XML element found{expected}"));
    assert_eq!(refusal("<!-- nothing"), format!("no whole XML element found{expected}"));
    assert_eq!(refusal("<coverage/>"), format!("XML with root <coverage>{expected}"));
    let page = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    assert_eq!(refusal(page), format!("looks like an HTML page: XML with root <html>{expected}"));
}
