//! StatsD and DogStatsD.

use manometer_formats::dialects::statsd::{self, Summary};
use manometer_model::records::Sample;
use manometer_model::{Limits, Timestamp};
use proptest::prelude::*;

use crate::{RECEIVED, sender};

pub(crate) fn read(datagram: &[u8]) -> (Vec<Sample>, Summary) {
    let mut samples = Vec::new();
    let summary =
        statsd::read(datagram, &sender("statsd"), &Limits::default(), &mut |sample| samples.push(sample));
    (samples, summary)
}

fn told(samples: &[Sample]) -> Vec<(String, f64, String)> {
    let shown =
        |sample: &Sample| sample.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    samples.iter().map(|sample| (sample.name.clone(), sample.value, shown(sample).join(" "))).collect()
}

fn row(name: &str, value: f64, tags: &str) -> (String, f64, String) {
    (name.to_owned(), value, tags.to_owned())
}

#[test]
fn every_type_of_both_dialects_is_read() {
    let (samples, summary) = read(
        b"hits:1|c\nhits:2|c|@0.1\ndepth:7|g\ndepth:-3|g\ndepth:+4|g\ntook:320|ms|@0.5\nsize:1:2:3|h|#env:ci,hot\nd:1.5|d\nusers:ada|s\n",
    );
    assert_eq!(
        told(&samples),
        [
            row("hits", 1.0, "statsd.type=counter"),
            row("hits", 20.0, "statsd.type=counter"),
            row("depth", 7.0, "statsd.type=gauge"),
            row("depth", -3.0, "statsd.type=gauge_change"),
            row("depth", 4.0, "statsd.type=gauge_change"),
            row("took", 320.0, "statsd.rate=0.5 statsd.type=timer"),
            row("size", 1.0, "env=ci hot=true statsd.type=histogram"),
            row("size", 2.0, "env=ci hot=true statsd.type=histogram"),
            row("size", 3.0, "env=ci hot=true statsd.type=histogram"),
            row("d", 1.5, "statsd.type=distribution"),
            row("users", 1.0, "statsd.member=ada statsd.type=set"),
        ]
    );
    assert_eq!((summary.lines, summary.refused, summary.samples), (9, 0, 11));
    assert_eq!(samples[5].unit.as_deref(), Some("milliseconds"));
    assert!(samples.iter().all(|sample| sample.at == RECEIVED));
}

#[test]
fn tags_that_name_columns_fill_them_and_a_time_is_taken() {
    let (samples, _) = read(b"took:1|ms|#service:payments,branch:feature/a:b|T1656581400|c:ci-7");
    assert_eq!(samples[0].service.as_deref(), Some("payments"));
    assert_eq!(samples[0].branch.as_deref(), Some("feature/a:b"));
    assert_eq!(samples[0].at, Timestamp::from_seconds(1_656_581_400));
}

#[test]
fn events_and_service_checks_are_counted_and_bad_lines_told() {
    let (samples, summary) = read(
        b"_e{5,4}:title|text|#a:b\n_sc|web|0\nok:1|c\nno type:1\n:1|c\nx:|c\nx:a|c\nx:nan|g\nx:1|q\nx:1|c|@0\nx:1|c|@2\nx:1|c|Tnoon\n\xff\nodd:1|c|?",
    );
    assert_eq!((summary.events, summary.service_checks, samples.len()), (1, 1, 2));
    assert_eq!((summary.lines, summary.refused), (14, 10));
    let lines: Vec<Option<u64>> = summary.problems.first.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, (4..=14).map(Some).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn no_datagram_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (samples, summary) = read(&bytes);
        prop_assert_eq!(summary.samples, samples.len() as u64);
    }

    #[test]
    fn no_line_does_harm(line in r"[a-b:|@#,.0-9cgmshTe_{}+-]{0,60}") {
        let (samples, summary) = read(line.as_bytes());
        prop_assert_eq!(summary.samples, samples.len() as u64);
    }
}
