//! Line protocol.

use std::ops::ControlFlow;

use manometer_formats::dialects::line_protocol::{self, FieldValue, Point, PointError, Precision, Summary};
use manometer_model::records::Sample;
use manometer_model::{Limits, Record, TestId, TestStatus, Timestamp};
use proptest::prelude::*;

use crate::{RECEIVED, sender};

pub(crate) fn read(text: &[u8], precision: Precision) -> (Vec<Record>, Summary) {
    let mut records = Vec::new();
    let mut input = text;
    let summary =
        line_protocol::read(&mut input, &sender("influxdb"), precision, &Limits::default(), &mut |record| {
            records.push(record);
            ControlFlow::Continue(())
        });
    (records, summary.unwrap())
}

fn samples(text: &str) -> Vec<Sample> {
    let (records, summary) = read(text.as_bytes(), Precision::Nanoseconds);
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
    let samples = records.into_iter().map(|record| match record {
        Record::Sample(sample) => sample,
        other => panic!("{other:?}"),
    });
    samples.collect()
}

#[test]
fn every_type_and_escape_is_read() {
    let line = r#"my\,m\ easure,ta\=g=v\ a\,l\=ue,path=C:\tmp f=1.5e3,i=-2i,u=18446744073709551615u,b=T,t="say \"hi\" \\ \n=, x",k\ ey=0 12"#;
    let point = Point::parse(line).unwrap();
    assert_eq!(point.measurement, "my,m easure");
    let tags: Vec<(&str, &str)> =
        point.tags.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
    assert_eq!(tags, [("ta=g", "v a,l=ue"), ("path", "C:\\tmp")]);
    assert_eq!(
        point.fields.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(),
        [
            FieldValue::Float(1_500.0),
            FieldValue::Int(-2),
            FieldValue::Unsigned(u64::MAX),
            FieldValue::Bool(true),
            FieldValue::Text(r#"say "hi" \ \n=, x"#.into()),
            FieldValue::Float(0.0),
        ]
    );
    assert_eq!((point.fields[5].0.as_ref(), point.timestamp), ("k ey", Some(12)));
}

#[test]
fn what_is_wrong_with_a_line_is_said_in_influxdbs_words() {
    for (line, error) in [
        ("", PointError::MissingMeasurement),
        (",a=b f=1", PointError::MissingMeasurement),
        ("m", PointError::MissingFields),
        ("m,a=b", PointError::MissingFields),
        ("m ", PointError::MissingFields),
        ("m, f=1", PointError::MissingTagKey),
        ("m,=b f=1", PointError::MissingTagKey),
        ("m,a f=1", PointError::MissingTagValue),
        ("m,a= f=1", PointError::MissingTagValue),
        ("m,a=b,a=c f=1", PointError::DuplicateTags),
        ("m f", PointError::MissingFieldValue),
        ("m f=", PointError::MissingFieldValue),
        ("m =1", PointError::MissingFieldKey),
        ("m f=1,", PointError::MissingFieldKey),
        ("m f=abc", PointError::InvalidField),
        ("m f=\"abc", PointError::UnbalancedQuotes),
        ("m f=\"abc\"d", PointError::UnbalancedQuotes),
        ("m f=1.5i", PointError::InvalidNumber),
        ("m f=9223372036854775808i", PointError::InvalidNumber),
        ("m f=-1u", PointError::InvalidNumber),
        ("m f=1e999", PointError::InvalidNumber),
        ("m f=1 noon", PointError::BadTimestamp),
        ("m f=1 1.5", PointError::BadTimestamp),
        ("m f=1 1 2", PointError::BadTimestamp),
    ] {
        assert_eq!(Point::parse(line).unwrap_err(), error, "{line}");
    }
    assert_eq!(Point::parse("m f=nan").unwrap_err(), PointError::InvalidField);
}

#[test]
fn a_bad_line_costs_itself_and_is_named() {
    let text = b"# a comment\ncpu v=1 1000\nbroken\n\ncpu v=\xff 1\ncpu v=2 2000\r\n";
    let (records, summary) = read(text, Precision::Nanoseconds);
    assert_eq!((summary.lines, summary.refused, summary.records), (4, 2, 2));
    assert_eq!(records.len(), 2);
    let told: Vec<String> = summary.problems.first.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 3: unable to parse 'broken': missing fields",
            "line 5: not valid UTF-8, the line was left out"
        ]
    );
}

#[test]
fn each_precision_is_honoured_and_no_time_is_the_time_of_receipt() {
    for (word, units, micros) in [
        ("ns", 1_700_000_000_123_456_789_i64, 1_700_000_000_123_456),
        ("n", -1, -1),
        ("u", 5, 5),
        ("ms", 7, 7_000),
        ("s", 9, 9_000_000),
        ("m", 2, 120_000_000),
        ("h", 1, 3_600_000_000),
    ] {
        let (records, _) = read(format!("m v=1 {units}").as_bytes(), word.parse().unwrap());
        let Record::Sample(sample) = &records[0] else { panic!() };
        assert_eq!(sample.at, Timestamp::from_micros(micros), "{word}");
    }
    assert_eq!(samples("m v=1")[0].at, RECEIVED);
    assert!("days".parse::<Precision>().is_err());
    let (_, summary) = read(format!("m v=1 {}", i64::MAX).as_bytes(), Precision::Hours);
    assert_eq!(summary.refused, 1);
}

#[test]
fn fields_are_samples_and_texts_go_along_with_them() {
    let text = r#"system,host=ci-7,service=payments,branch=main,run_id=42 load=0.5,uptime=12i,ok=true,version="1.2",commit_sha="9f3c" 1000"#;
    let found = samples(text);
    let named: Vec<(&str, f64)> = found.iter().map(|sample| (sample.name.as_str(), sample.value)).collect();
    assert_eq!(named, [("system.load", 0.5), ("system.uptime", 12.0), ("system.ok", 1.0)]);
    let first = &found[0];
    assert_eq!((first.provider.as_str(), first.project.as_str()), ("influxdb", "ci"));
    assert_eq!(first.service.as_deref(), Some("payments"));
    assert_eq!((first.branch.as_deref(), first.run_id.as_deref()), (Some("main"), Some("42")));
    assert_eq!(first.commit_sha.as_deref(), Some("9f3c"));
    assert_eq!(
        first.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        ["host=ci-7", "version=1.2"]
    );
    assert_eq!(samples("queue.depth value=3")[0].name, "queue.depth");
    let (_, summary) = read(b"notes text=\"words alone\"", Precision::Nanoseconds);
    assert!(summary.problems.first[0].message.contains("no number"), "{summary:?}");
}

#[test]
fn builds_and_tests_of_one_commit_are_rows_of_one_run() {
    let text = concat!(
        r#"ci_build,service=payments,branch=main,event=push duration_seconds=12.5,commit_sha="9f3c",artifact_size_bytes=46000000i 1700000000000000000"#,
        "\n",
        r#"ci_test_results,service=payments,branch=main,test_name=adds[eur-2],test_class=tests.cart,status=failed duration_seconds=0.25,commit_sha="9f3c" 1700000001000000000"#,
        "\n",
        r#"ci_test_results,service=payments,branch=main,test_name=later,test_class=tests.cart,status=odd duration_seconds=0,commit_sha="9f3c" 1700000001000000000"#,
    );
    let (records, summary) = read(text.as_bytes(), Precision::Nanoseconds);
    let kinds: Vec<&str> = records.iter().map(|record| record.row().table_of().record).collect();
    assert_eq!(kinds, ["run", "build", "artifact", "run", "test", "test"]);
    let (Record::Run(run), Record::Build(build), Record::Artifact(artifact)) =
        (&records[0], &records[1], &records[2])
    else {
        panic!()
    };
    assert_eq!(run.run_id, "payments/main/9f3c");
    assert_eq!((run.trigger.as_deref(), run.duration_seconds), (Some("push"), Some(12.5)));
    assert_eq!(run.finished_at, Some(Timestamp::from_seconds(1_700_000_000)));
    assert_eq!((build.duration_seconds, artifact.size_bytes), (Some(12.5), 46_000_000));
    let Record::Test(test) = &records[4] else { panic!() };
    assert_eq!((test.run_id.as_str(), test.status), ("payments/main/9f3c", TestStatus::Failed));
    assert_eq!((test.name.as_str(), test.parameters.as_deref()), ("adds", Some("eur-2")));
    assert_eq!(test.test_id, TestId::new("", "tests.cart", "adds", "eur-2", 0));
    assert_eq!(summary.problems.total, 1, "{summary:?}");
    assert_eq!(summary.problems.first[0].line, Some(3));
}

#[test]
fn names_that_are_too_long_and_too_many_tags_are_cut_and_told() {
    let tags: String = (0..70).map(|number| format!(",t{number}=v")).collect();
    let (records, summary) =
        read(format!("m{tags},long={} v=1", "x".repeat(5_000)).as_bytes(), Precision::Nanoseconds);
    let Record::Sample(sample) = &records[0] else { panic!() };
    assert_eq!(sample.tags.len(), 64);
    assert!(summary.problems.total > 0);
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (records, summary) = read(&bytes, Precision::Nanoseconds);
        prop_assert_eq!(summary.records, records.len() as u64);
        prop_assert!(summary.refused <= summary.lines);
    }

    #[test]
    fn no_line_does_harm(line in r#"[a-c,= \\"0-9itf#\n]{0,80}"#) {
        let (_, summary) = read(line.as_bytes(), Precision::Nanoseconds);
        prop_assert!(summary.refused <= summary.lines);
    }
}
