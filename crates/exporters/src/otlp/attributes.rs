//! Attributes, the resources they describe, and the requests made of both.

use std::collections::BTreeMap;

use manometer_model::Conclusion;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use crate::settings::OtlpSettings;

/// The version of the conventions that names follow.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// Whose span or metric it is; each becomes a resource of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) provider: String,
    pub(super) project: String,
    pub(super) service: Option<String>,
}

/// The owner of a record with the usual columns.
macro_rules! owner_of {
    ($record:expr) => {
        $crate::otlp::attributes::Owner {
            provider: $record.provider.clone(),
            project: $record.project.clone(),
            service: $record.service.clone(),
        }
    };
}
pub(super) use owner_of;

/// What settings say about resources.
#[derive(Debug)]
pub(super) struct Resources {
    service_name: Option<String>,
    attributes: BTreeMap<String, String>,
}

impl Resources {
    pub(super) fn new(settings: &OtlpSettings) -> Self {
        Self { service_name: settings.service_name.clone(), attributes: settings.resource_attributes.clone() }
    }

    pub(super) fn trace_request(&self, spans: &[(Owner, Span)]) -> ExportTraceServiceRequest {
        let groups = grouped(spans).into_iter();
        let resource_spans = groups.map(|(owner, spans)| ResourceSpans {
            resource: Some(self.resource(owner)),
            scope_spans: vec![ScopeSpans { scope: Some(scope()), spans, schema_url: SCHEMA_URL.to_owned() }],
            schema_url: SCHEMA_URL.to_owned(),
        });
        ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
    }

    pub(super) fn metrics_request(&self, metrics: &[(Owner, Metric)]) -> ExportMetricsServiceRequest {
        let groups = grouped(metrics).into_iter();
        let resource_metrics = groups.map(|(owner, metrics)| ResourceMetrics {
            resource: Some(self.resource(owner)),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics,
                schema_url: SCHEMA_URL.to_owned(),
            }],
            schema_url: SCHEMA_URL.to_owned(),
        });
        ExportMetricsServiceRequest { resource_metrics: resource_metrics.collect() }
    }

    fn resource(&self, owner: &Owner) -> Resource {
        let repository = owner.project.rsplit('/').next().filter(|name| !name.is_empty());
        let service = self.service_name.as_deref().or(owner.service.as_deref()).or(repository);
        let mut attributes = Attributes::default();
        attributes.text("service.name", service.or(Some("manometer")));
        for (key, value) in &self.attributes {
            attributes.text(key, Some(value));
        }
        attributes.text("vcs.repository.name", repository);
        // A project is written as its repository's address without the scheme.
        let is_address = owner.project.split('/').next().is_some_and(|host| host.contains('.'));
        let url = is_address.then(|| format!("https://{}", owner.project));
        attributes.text("vcs.repository.url.full", url.as_deref());
        attributes.text("vcs.provider.name", vcs_provider(&owner.project));
        attributes.text("manometer.provider", Some(&owner.provider));
        Resource { attributes: attributes.finish(), ..Resource::default() }
    }
}

fn vcs_provider(project: &str) -> Option<&'static str> {
    let host = project.split('/').next()?;
    ["github", "gitlab", "bitbucket", "gitea"].into_iter().find(|name| host.contains(name))
}

fn grouped<T: Clone>(items: &[(Owner, T)]) -> BTreeMap<&Owner, Vec<T>> {
    let mut groups: BTreeMap<&Owner, Vec<T>> = BTreeMap::new();
    for (owner, item) in items {
        groups.entry(owner).or_default().push(item.clone());
    }
    groups
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "manometer".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

/// Attributes being collected; the first word on a key stands, what is not known is left out.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<KeyValue>);

impl Attributes {
    pub(super) fn text(&mut self, key: &str, value: Option<&str>) {
        let Some(value) = value.filter(|text| !text.is_empty()) else { return };
        self.add(key, Value::StringValue(value.to_owned()));
    }

    pub(super) fn number(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.add(key, Value::IntValue(value));
        }
    }

    fn add(&mut self, key: &str, value: Value) {
        if !self.0.iter().any(|known| known.key == key) {
            let value = Some(AnyValue { value: Some(value) });
            self.0.push(KeyValue { key: key.to_owned(), value, ..KeyValue::default() });
        }
    }

    pub(super) fn finish(self) -> Vec<KeyValue> {
        self.0
    }
}

/// A conclusion in the words of `cicd.pipeline.result`.
pub(super) fn result(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success | Conclusion::Neutral => "success",
        Conclusion::Skipped => "skip",
        Conclusion::Cancelled => "cancellation",
        Conclusion::Failure => "failure",
        Conclusion::TimedOut => "timeout",
        Conclusion::Error => "error",
    }
}

/// The `error.type` of what ended badly.
pub(super) fn error_type(conclusion: Conclusion) -> Option<&'static str> {
    match conclusion {
        Conclusion::Failure | Conclusion::TimedOut | Conclusion::Error => Some(result(conclusion)),
        _ => None,
    }
}
