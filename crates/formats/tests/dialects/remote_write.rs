//! Remote-write.

use manometer_formats::dialects::remote_write::message::{self, Label, TimeSeries, WriteRequest};
use manometer_formats::dialects::remote_write::{self, RequestError, Summary};
use manometer_model::records::Sample;
use manometer_model::{Limits, Timestamp};
use proptest::prelude::*;
use prost::Message as _;

use crate::sender;

const MOST_BYTES: usize = 1024 * 1024;

fn packed(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

pub(crate) fn read(body: &[u8]) -> Result<(Vec<Sample>, Summary), RequestError> {
    let mut samples = Vec::new();
    let limits = Limits::default();
    let summary = remote_write::read(body, &sender("prometheus"), &limits, MOST_BYTES, &mut |sample| {
        samples.push(sample);
    })?;
    Ok((samples, summary))
}

fn series(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> TimeSeries {
    TimeSeries {
        labels: labels
            .iter()
            .map(|(name, value)| Label { name: (*name).into(), value: (*value).into() })
            .collect(),
        samples: samples
            .iter()
            .map(|(value, timestamp)| message::Sample { value: *value, timestamp: *timestamp })
            .collect(),
        exemplars: vec![vec![1, 2, 3]],
        histograms: Vec::new(),
    }
}

#[test]
fn samples_have_name_labels_and_time_and_stale_markers_are_counted() {
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let request = WriteRequest {
        timeseries: vec![
            series(&[("__name__", "up"), ("branch", "main"), ("job", "ci")], &[(1.0, 1_000), (stale, 2_000)]),
            series(&[("job", "nameless")], &[(1.0, 1_000)]),
            series(&[("__name__", "odd")], &[(f64::NAN, 1), (f64::INFINITY, 2), (2.0, i64::MAX), (3.0, -1)]),
        ],
    };
    let (samples, summary) = read(&packed(&request.encode_to_vec())).unwrap();
    assert_eq!((summary.series, summary.samples, summary.refused), (3, 2, 4));
    assert_eq!((summary.stale, summary.not_kept), (1, 3));
    assert_eq!((samples[0].name.as_str(), samples[0].branch.as_deref()), ("up", Some("main")));
    assert_eq!(samples[0].tags.get("job").map(String::as_str), Some("ci"));
    assert_eq!(samples[0].at, Timestamp::from_seconds(1));
    assert_eq!(samples[1].at, Timestamp::from_micros(-1_000));
}

#[test]
fn a_body_that_says_it_unpacks_to_gigabytes_is_refused_by_its_first_bytes() {
    let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    let Err(RequestError::TooLarge { unpacked_bytes, limit }) = read(&bomb) else { panic!() };
    assert_eq!((unpacked_bytes, limit), (u32::MAX as usize, MOST_BYTES));
}

#[test]
fn what_is_no_such_request_is_told_apart() {
    assert!(matches!(read(b"").unwrap_err(), RequestError::NotSnappy(_)));
    assert!(matches!(read(b"{\"not\": \"snappy\"}").unwrap_err(), RequestError::NotSnappy(_)));
    assert!(matches!(read(&packed(b"\x0a\x7fshort")).unwrap_err(), RequestError::NotProtobuf(_)));
    // remote-write 2.0: symbols are field 4.
    assert_eq!(read(&packed(b"\x22\x02up")).unwrap_err(), RequestError::Version2);
    assert_eq!(read(&packed(b"")).unwrap().1, Summary::default());
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(read(&bytes));
        drop(read(&packed(&bytes)));
    }
}
