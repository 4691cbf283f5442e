//! Prometheus remote-write 1.0: a protobuf message, packed with Snappy's block format.
//!
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/>. Every sample of a series is a record of the series'
//! name and labels. Stale markers, which say that a series has ended, are counted; so are exemplars and native
//! histograms. Series are decoded one after the other, so memory is the unpacked request and one series.

pub mod message;

use manometer_model::records::Sample;
use manometer_model::{Limits, Problems, Timestamp};
use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::sender::{Gathering, Sender, sample, shown};
use message::{NAME_LABEL, TimeSeries};

/// What a request was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Series.
    pub series: u64,
    /// Samples given to the sink.
    pub samples: u64,
    /// Samples that could not be used.
    pub refused: u64,
    /// Stale markers.
    pub stale: u64,
    /// Exemplars and native histograms, which are not kept.
    pub not_kept: u64,
    /// What was wrong.
    pub problems: Problems,
}

/// Why nothing of a request could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not Snappy's block format.
    #[error("the body is not packed with Snappy (block format): {0}")]
    NotSnappy(String),
    /// It would unpack to more than allowed.
    #[error("the body unpacks to {unpacked_bytes} bytes, at most {limit} are taken: send smaller batches")]
    TooLarge {
        /// What its first bytes say.
        unpacked_bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not the message.
    #[error("the body is not a prometheus.WriteRequest: {0}")]
    NotProtobuf(String),
    /// What only remote-write 2.0 has.
    #[error("the body is a remote-write 2.0 request: send 1.0 (prometheus.WriteRequest)")]
    Version2,
}

/// Prometheus says with this value that a series has ended.
const STALE_MARKER_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Field numbers of `prometheus.WriteRequest`, and the first of 2.0's own.
const TIMESERIES: u32 = 1;
const METADATA: u32 = 3;
const V2_SYMBOLS: u32 = 4;
const V2_TIMESERIES: u32 = 5;

/// Unpacks and reads a request of at most `most_bytes` unpacked, giving each sample to `sink`.
///
/// # Errors
/// When it is too large, or not such a request; samples given before are not taken back.
pub fn read(
    packed: &[u8],
    sender: &Sender<'_>,
    limits: &Limits,
    most_bytes: usize,
    sink: &mut dyn FnMut(Sample),
) -> Result<Summary, RequestError> {
    let not_snappy = |error: snap::Error| RequestError::NotSnappy(error.to_string());
    let unpacked_bytes = snap::raw::decompress_len(packed).map_err(not_snappy)?;
    if unpacked_bytes > most_bytes {
        return Err(RequestError::TooLarge { unpacked_bytes, limit: most_bytes });
    }
    let unpacked = snap::raw::Decoder::new().decompress_vec(packed).map_err(not_snappy)?;
    let mut rest = unpacked.as_slice();
    let mut summary = Summary::default();
    while !rest.is_empty() {
        let (field, wire_type) = decode_key(&mut rest).map_err(broken)?;
        match (field, wire_type) {
            (TIMESERIES, WireType::LengthDelimited) => {
                let bytes = delimited(&mut rest)?;
                let series = TimeSeries::decode(bytes).map_err(broken)?;
                read_series(&series, sender, limits, &mut summary, sink);
            }
            (V2_SYMBOLS | V2_TIMESERIES, WireType::LengthDelimited) => return Err(RequestError::Version2),
            (METADATA, WireType::LengthDelimited) => {
                delimited(&mut rest)?;
            }
            _ => skip_field(wire_type, field, &mut rest, DecodeContext::default()).map_err(broken)?,
        }
    }
    Ok(summary)
}

fn delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], RequestError> {
    let length = decode_varint(rest).map_err(broken)?;
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (bytes, after) =
        split.ok_or_else(|| RequestError::NotProtobuf("it ends inside a field".to_owned()))?;
    *rest = after;
    Ok(bytes)
}

fn broken(error: prost::DecodeError) -> RequestError {
    RequestError::NotProtobuf(error.to_string())
}

fn read_series(
    series: &TimeSeries,
    sender: &Sender<'_>,
    limits: &Limits,
    summary: &mut Summary,
    sink: &mut dyn FnMut(Sample),
) {
    summary.series += 1;
    summary.not_kept += (series.exemplars.len() + series.histograms.len()) as u64;
    let mut gathering = Gathering { limits, problems: &mut summary.problems, line: 0 };
    let named = series.labels.iter().find(|label| label.name == NAME_LABEL && !label.value.is_empty());
    let Some(name) = named.map(|label| label.value.as_str()) else {
        summary.refused += series.samples.len() as u64;
        return gathering
            .problem(|| format!("a series has no label `{NAME_LABEL}`, its samples were left out"));
    };
    for value in &series.samples {
        if value.value.to_bits() == STALE_MARKER_BITS {
            summary.stale += 1;
            continue;
        }
        let at = value.timestamp.checked_mul(1_000).map(Timestamp::from_micros);
        let (Some(at), true) = (at, value.value.is_finite()) else {
            summary.refused += 1;
            gathering.problem(|| {
                format!(
                    "`{}` has the value {} at {}, which is not kept",
                    shown(name),
                    value.value,
                    value.timestamp
                )
            });
            continue;
        };
        let labels = series.labels.iter().filter(|label| label.name != NAME_LABEL);
        let labels = labels.map(|label| (label.name.as_str(), label.value.as_str()));
        summary.samples += 1;
        sink(sample(sender, name, value.value, labels, at, &mut gathering));
    }
}
