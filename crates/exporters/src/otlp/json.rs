//! OTLP's own JSON: lower camel case, ids in hexadecimal digits, 64-bit whole numbers as text.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>. Fields that are never set here are not
//! written.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, Metric, NumberDataPoint};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

pub(super) fn trace_request(request: &ExportTraceServiceRequest) -> Value {
    json!({"resourceSpans": list(&request.resource_spans, |group| json!({
        "resource": resource(group.resource.as_ref()),
        "schemaUrl": group.schema_url,
        "scopeSpans": list(&group.scope_spans, |part| json!({
            "scope": scope(part.scope.as_ref()),
            "schemaUrl": part.schema_url,
            "spans": list(&part.spans, span),
        })),
    }))})
}

pub(super) fn metrics_request(request: &ExportMetricsServiceRequest) -> Value {
    json!({"resourceMetrics": list(&request.resource_metrics, |group| json!({
        "resource": resource(group.resource.as_ref()),
        "schemaUrl": group.schema_url,
        "scopeMetrics": list(&group.scope_metrics, |part| json!({
            "scope": scope(part.scope.as_ref()),
            "schemaUrl": part.schema_url,
            "metrics": list(&part.metrics, metric),
        })),
    }))})
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(write).collect())
}

fn resource(resource: Option<&Resource>) -> Value {
    json!({"attributes": attributes(resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default())})
}

fn scope(scope: Option<&InstrumentationScope>) -> Value {
    scope.map_or_else(|| json!({}), |scope| json!({"name": scope.name, "version": scope.version}))
}

fn attributes(attributes: &[KeyValue]) -> Value {
    list(attributes, |attribute| {
        let value = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Any::StringValue(text)) => json!({"stringValue": text}),
            Some(Any::IntValue(number)) => json!({"intValue": number.to_string()}),
            Some(Any::DoubleValue(number)) => json!({"doubleValue": number}),
            Some(Any::BoolValue(truth)) => json!({"boolValue": truth}),
            _ => json!({}),
        };
        json!({"key": attribute.key, "value": value})
    })
}

fn span(span: &Span) -> Value {
    let mut written = json!({
        "traceId": hex(&span.trace_id),
        "spanId": hex(&span.span_id),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "endTimeUnixNano": span.end_time_unix_nano.to_string(),
        "attributes": attributes(&span.attributes),
    });
    if let Some(fields) = written.as_object_mut() {
        if !span.parent_span_id.is_empty() {
            fields.insert("parentSpanId".to_owned(), hex(&span.parent_span_id).into());
        }
        if let Some(status) = &span.status {
            fields.insert("status".to_owned(), json!({"message": status.message, "code": status.code}));
        }
    }
    written
}

fn metric(metric: &Metric) -> Value {
    let mut written = json!({"name": metric.name, "description": metric.description, "unit": metric.unit});
    let data = match &metric.data {
        Some(Data::Gauge(gauge)) => ("gauge", json!({"dataPoints": list(&gauge.data_points, number_point)})),
        Some(Data::Histogram(histogram)) => (
            "histogram",
            json!({
                "dataPoints": list(&histogram.data_points, histogram_point),
                "aggregationTemporality": histogram.aggregation_temporality,
            }),
        ),
        _ => return written,
    };
    if let Some(fields) = written.as_object_mut() {
        fields.insert(data.0.to_owned(), data.1);
    }
    written
}

fn number_point(point: &NumberDataPoint) -> Value {
    let mut written = json!({
        "attributes": attributes(&point.attributes),
        "timeUnixNano": point.time_unix_nano.to_string(),
    });
    let value = match point.value {
        Some(Number::AsDouble(number)) => ("asDouble", json!(number)),
        Some(Number::AsInt(number)) => ("asInt", json!(number.to_string())),
        None => return written,
    };
    if let Some(fields) = written.as_object_mut() {
        fields.insert(value.0.to_owned(), value.1);
    }
    written
}

fn histogram_point(point: &HistogramDataPoint) -> Value {
    json!({
        "attributes": attributes(&point.attributes),
        "startTimeUnixNano": point.start_time_unix_nano.to_string(),
        "timeUnixNano": point.time_unix_nano.to_string(),
        "count": point.count.to_string(),
        "sum": point.sum,
        "min": point.min,
        "max": point.max,
        "bucketCounts": list(&point.bucket_counts, |count| count.to_string().into()),
        "explicitBounds": point.explicit_bounds,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
