//! What a receiver answers: how many items it rejected, or why it refused the request.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use serde_json::Value;

use super::signal::Kind;
use crate::http::Answer;

/// `partial_success`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) count: u64,
    pub(super) message: String,
}

/// `google.rpc.Status`, the body of a refusal.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Reads the body of a success; one that cannot be read rejects nothing, as an empty one does.
pub(super) fn rejected(body: &[u8], kind: Kind, is_json: bool) -> Rejected {
    let found = match (is_json, kind) {
        (true, _) => from_json(body),
        (false, Kind::Traces) => ExportTraceServiceResponse::decode(body)
            .ok()
            .and_then(|response| response.partial_success)
            .map(|partial| (partial.rejected_spans, partial.error_message)),
        (false, Kind::Metrics) => ExportMetricsServiceResponse::decode(body)
            .ok()
            .and_then(|response| response.partial_success)
            .map(|partial| (partial.rejected_data_points, partial.error_message)),
    };
    let (count, message) = found.unwrap_or_default();
    Rejected { count: u64::try_from(count).unwrap_or(0), message: clip(&message) }
}

fn from_json(body: &[u8]) -> Option<(i64, String)> {
    let response: Value = serde_json::from_slice(body).ok()?;
    let partial = response.get("partialSuccess")?;
    let count = ["rejectedSpans", "rejectedDataPoints"].iter().find_map(|key| match partial.get(key)? {
        Value::String(digits) => digits.parse().ok(),
        number => number.as_i64(),
    });
    let message = partial.get("errorMessage").and_then(Value::as_str).unwrap_or_default();
    Some((count.unwrap_or(0), message.to_owned()))
}

/// The reason of a refusal.
pub(super) fn refusal(answer: &Answer, is_json: bool) -> String {
    let status = if is_json { None } else { RpcStatus::decode(answer.body.as_slice()).ok() };
    match status.filter(|status| !status.message.is_empty()) {
        Some(status) => format!("HTTP {}: {}", answer.status, clip(&status.message)),
        None => answer.said(),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_counts_are_read_as_text_and_as_numbers() {
        for body in [
            r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#,
            r#"{"partialSuccess":{"rejectedSpans":3,"errorMessage":"too old"}}"#,
        ] {
            let expected = Rejected { count: 3, message: "too old".to_owned() };
            assert_eq!(rejected(body.as_bytes(), Kind::Traces, true), expected);
        }
        assert_eq!(rejected(b"{}", Kind::Traces, true), Rejected::default());
        assert_eq!(rejected(b"", Kind::Metrics, false), Rejected::default());
        assert_eq!(rejected(b"<html>", Kind::Metrics, false), Rejected::default());
    }

    #[test]
    fn a_refusal_in_protobuf_is_told_in_words() {
        let body = RpcStatus { code: 3, message: "bad span".to_owned() }.encode_to_vec();
        let answer = Answer { status: 400, retry_after: None, body };
        assert_eq!(refusal(&answer, false), "HTTP 400: bad span");
    }
}
