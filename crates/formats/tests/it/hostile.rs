//! Input made to break the reader.

use std::ops::ControlFlow;

use manometer_formats::ReadError;
use manometer_formats::junit::{self, TestCase};
use manometer_model::Limits;

use crate::support::{Generated, names_and_problems, problems, read};

/// Most memory the process may have grown by, where a test streams far more than that.
#[cfg(target_os = "linux")]
fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn count(input: &mut dyn std::io::BufRead, limits: &Limits) -> Result<(u64, junit::Summary), ReadError> {
    let mut tests = 0;
    let mut sink = |_: &TestCase<'_>| {
        tests += 1;
        ControlFlow::Continue(())
    };
    junit::read(input, limits, &mut sink).map(|summary| (tests, summary))
}

#[test]
fn a_billion_laughs_are_not_laughed() {
    let bomb = r#"<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
 <!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">
]>
<testsuite name="s"><testcase name="&lol3;"><failure message="m">&lol3;</failure></testcase></testsuite>"#;
    let (tests, summary) = read(bomb).unwrap();
    assert_eq!(tests[0].name, "&lol3;");
    assert_eq!(tests[0].failure_details.as_deref(), Some("&lol3;"));
    assert_eq!(
        problems(&summary),
        [
            "line 2: document type declaration skipped: entities it declares are not expanded",
            "line 7: testcase.name: references to entities that are not predefined, left as written",
            "line 7: failure: references to entities that are not predefined, left as written",
        ]
    );
}

#[test]
fn an_external_entity_opens_no_file() {
    let report = r#"<!DOCTYPE r [ <!-- ]> ' --> <!ENTITY xxe SYSTEM "file:///etc/passwd"> ]>
<testsuite><testcase name="a"><error>&xxe;</error></testcase></testsuite>"#;
    let (tests, _) = read(report).unwrap();
    assert_eq!(tests[0].failure_details.as_deref(), Some("&xxe;"));
}

#[test]
fn a_hundred_thousand_nested_suites_cost_no_stack() {
    let deep = format!(
        "<testsuites><testcase name='first'/>{}<testcase name='deep'/>{}<testcase name='last'/></testsuites>",
        "<testsuite name='s'>".repeat(100_000),
        "</testsuite>".repeat(100_000)
    );
    let on_a_small_stack = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        let (names, problems) = names_and_problems(deep);
        assert_eq!(names, ["first", "last"]);
        assert_eq!(problems, ["line 1: element deeper than 64 levels, left out with all it holds"]);
    });
    on_a_small_stack.unwrap().join().unwrap();
}

#[test]
fn nesting_that_never_ends_is_a_truncated_file() {
    let mut input = Generated::new("<testsuite><testcase name='a'/>", "<a>", 1_000_000, "");
    let (tests, summary) = count(&mut input, &Limits::default()).unwrap();
    assert_eq!(tests, 1);
    assert!(summary.truncated);
}

#[test]
#[cfg(target_os = "linux")]
fn an_attribute_of_a_gigabyte_is_never_held() {
    let before = resident_megabytes();
    let piece = "x".repeat(64 * 1024);
    let head = "<testsuite>\n<testcase name='whole'/>\n<testcase name='";
    let mut input = Generated::new(head, &piece, 16 * 1024, "'/></testsuite>");
    let (tests, summary) = count(&mut input, &Limits::default()).unwrap();
    assert_eq!(tests, 1);
    assert!(summary.truncated);
    assert_eq!(
        problems(&summary),
        ["line 3: a tag is longer than 4194304 bytes; the file was read up to here"]
    );
    // The limit is 4 MiB and the window is copied when it grows; other tests run beside this one.
    assert!(resident_megabytes() - before < 150, "{} MB", resident_megabytes() - before);

    let mut input = Generated::new("<testsuite name='", &piece, 100, "'/>");
    let refused = count(&mut input, &Limits::default()).unwrap_err();
    assert_eq!(refused.to_string(), "line 1: a tag is longer than 4194304 bytes (limit `tag_bytes`)");
}

#[test]
fn text_comments_and_declarations_of_any_length_are_read_past() {
    let piece = "text &amp; more\n".repeat(4096);
    for (open, close) in [
        ("<failure>", "</failure>"),
        ("<failure><![CDATA[", "]]></failure>"),
        ("<!--", "-->"),
        ("<?pi ", "?>"),
        ("<!DOCTYPE a [", "]>"),
        ("<system-out>", "</system-out><failure/>"),
    ] {
        let before = format!("<testsuite><testcase name='a'>{open}");
        let after = format!("{close}</testcase><testcase name='b'/></testsuite>");
        let mut input = Generated::new(&before, &piece, 400, &after);
        let (tests, summary) = count(&mut input, &Limits::default()).unwrap();
        assert_eq!((tests, summary.truncated), (2, false), "{open}");
    }
}

#[test]
fn long_texts_are_cut_at_their_limits_and_reported_once() {
    let long = "ä".repeat(40_000);
    let report = format!(
        "<testsuite>\n<testcase name='{long}'>\n<failure message='{long}'>{long}{long}</failure>\n<system-out>{long}</system-out></testcase></testsuite>"
    );
    let (tests, summary) = read(report).unwrap();
    assert_eq!(tests[0].name.len(), 4096);
    assert_eq!(tests[0].failure_message.as_ref().unwrap().len(), 4096);
    assert_eq!(tests[0].failure_details.as_ref().unwrap().len(), 16_384);
    assert_eq!(tests[0].output.as_ref().unwrap().len(), 16_384);
    assert_eq!(
        problems(&summary),
        [
            "line 2: testcase.name: longer than 4096 bytes, the rest was cut off",
            "line 3: failure.message: longer than 4096 bytes, the rest was cut off",
            "line 3: failure: longer than 16384 bytes, the rest was cut off",
            "line 4: system-out: longer than 16384 bytes, the rest was cut off",
        ]
    );
}

#[test]
fn labels_reruns_and_problems_are_bounded() {
    let properties: String = (0..100).map(|n| format!("<property name='p{n}' value='v'/>")).collect();
    let reruns = "<rerunFailure message='m'/>".repeat(100);
    let report = format!(
        "<testsuite><testcase name='a'><properties>{properties}</properties><failure/>{reruns}</testcase></testsuite>"
    );
    let (tests, summary) = read(report).unwrap();
    assert_eq!(tests[0].labels.len(), 64);
    assert_eq!(tests.len(), 65);
    assert!(tests[64].is_final && tests[64].attempt == 65);
    assert_eq!(summary.problems.total, 36 + 36);

    let mut input = Generated::new("<testsuite>", "<testcase name='a' time='soon'/>", 5_000, "</testsuite>");
    let (tests, summary) = count(&mut input, &Limits::default()).unwrap();
    assert_eq!((tests, summary.problems.total, summary.problems.first.len()), (5_000, 5_000, 100));
}

#[test]
fn a_file_of_too_many_tests_is_read_up_to_the_limit() {
    let limits = Limits { tests_per_file: 1_000, ..Limits::default() };
    let mut input = Generated::new("<testsuite>", "<testcase name='a'/>", 2_000, "</testsuite>");
    let (tests, summary) = count(&mut input, &limits).unwrap();
    assert_eq!((tests, summary.tests, summary.truncated), (1_000, 1_000, true));
    assert!(problems(&summary)[0].contains("tests_per_file"));
}

#[test]
fn a_sink_that_has_enough_ends_the_reading() {
    let mut input = Generated::new("<testsuite>", "<testcase name='a'/>", u64::MAX, "");
    let mut left = 10;
    let mut sink = |_: &TestCase<'_>| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let summary = junit::read(&mut input, &Limits::default(), &mut sink).unwrap();
    assert_eq!(summary.tests, 10);
}

#[test]
fn an_input_that_fails_is_an_error() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unpacked past its limit"))
        }
    }
    let head: &[u8] = b"<testsuite><testcase name='a'/>";
    let mut input = std::io::BufReader::new(std::io::Read::chain(head, Failing));
    let refused = count(&mut input, &Limits::default()).unwrap_err();
    assert_eq!(refused.to_string(), "failed to read the input: unpacked past its limit");
}
