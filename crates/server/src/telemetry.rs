//! What the server counts about itself.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use manometer_store::{Health, Store};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteStatus {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookOutcome {
    provider: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TableName {
    table: String,
}

/// Seconds at the edges of the histograms.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// The server's counters. Labels are routes, statuses, fixed words and table names: none grows with what is sent.
#[derive(Debug)]
pub(crate) struct Telemetry {
    registry: Registry,
    requests: Family<Answered, Counter>,
    request_seconds: Histogram,
    ingest_requests: Family<RouteStatus, Counter>,
    ingest_refused: Family<Reason, Counter>,
    ingest_rows: Family<TableName, Counter>,
    ingest_bytes: Counter,
    webhooks: Family<WebhookOutcome, Counter>,
    query_seconds: Histogram,
    uploads_waiting: Gauge,
}

impl Telemetry {
    pub(crate) fn new(store: Store) -> Self {
        let telemetry = Self {
            registry: Registry::with_prefix("manometer"),
            requests: Family::default(),
            request_seconds: Histogram::new(SECONDS),
            ingest_requests: Family::default(),
            ingest_refused: Family::default(),
            ingest_rows: Family::default(),
            ingest_bytes: Counter::default(),
            webhooks: Family::default(),
            query_seconds: Histogram::new(SECONDS),
            uploads_waiting: Gauge::default(),
        };
        telemetry.registered(store)
    }

    fn registered(mut self, store: Store) -> Self {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register(
            "http_request_seconds",
            "Time from a request's head to the head of its answer",
            self.request_seconds.clone(),
        );
        registry.register("ingest_requests", "Deliveries answered, by route", self.ingest_requests.clone());
        registry.register(
            "ingest_refused",
            "Deliveries refused, by the code of the refusal",
            self.ingest_refused.clone(),
        );
        registry.register("ingest_rows", "Rows committed", self.ingest_rows.clone());
        registry.register("ingest_bytes", "Bytes of committed deliveries as sent", self.ingest_bytes.clone());
        registry.register("webhooks", "Webhooks by what became of them", self.webhooks.clone());
        registry.register(
            "query_seconds",
            "Time from a query to the end of its answer",
            self.query_seconds.clone(),
        );
        registry.register("uploads_waiting", "Uploads waiting to be read", self.uploads_waiting.clone());
        registry.register_collector(Box::new(StoreNumbers { store }));
        self
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, route: &str, method: &Method, status: StatusCode, elapsed: Duration) {
        let method = if method.as_str().len() <= 8 { method.as_str() } else { "OTHER" };
        let labels = Answered { route: route.to_owned(), method: method.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.observe(elapsed.as_secs_f64());
    }

    /// Counts the answer to a delivery; `refusal` is the code of a refused one.
    pub(crate) fn delivery_answered(&self, route: &str, status: StatusCode, refusal: Option<&'static str>) {
        let labels = RouteStatus { route: route.to_owned(), status: status.as_u16() };
        self.ingest_requests.get_or_create(&labels).inc();
        if let Some(reason) = refusal {
            self.ingest_refused.get_or_create(&Reason { reason }).inc();
        }
    }

    /// Counts what was committed.
    pub(crate) fn committed<'a>(&self, rows: impl Iterator<Item = (&'a String, &'a u64)>, sent_bytes: u64) {
        for (table, count) in rows {
            self.ingest_rows.get_or_create(&TableName { table: table.clone() }).inc_by(*count);
        }
        self.ingest_bytes.inc_by(sent_bytes);
    }

    /// Counts a webhook: what became of it, or the code of its refusal.
    pub(crate) fn webhook(&self, provider: &'static str, outcome: &'static str) {
        self.webhooks.get_or_create(&WebhookOutcome { provider, outcome }).inc();
    }

    /// Counts a query.
    pub(crate) fn queried(&self, elapsed: Duration) {
        self.query_seconds.observe(elapsed.as_secs_f64());
    }

    /// Everything, in the OpenMetrics text format.
    pub(crate) fn exposition(&self, uploads_waiting: usize) -> Result<String, std::fmt::Error> {
        self.uploads_waiting.set(i64::try_from(uploads_waiting).unwrap_or(i64::MAX));
        let mut exposition = String::new();
        text::encode(&mut exposition, &self.registry)?;
        Ok(exposition)
    }
}

/// The store's own numbers, asked for at each scrape.
#[derive(Debug)]
struct StoreNumbers {
    store: Store,
}

impl Collector for StoreNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let stats = self.store.stats();
        let mut encode = |name: &str, help: &str, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        let gauge = |number: u64| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
        let counter = ConstCounter::<u64>::new;
        encode("queue_requests", "Deliveries waiting for the committer", &gauge(stats.queue_requests))?;
        encode("queue_bytes", "Encoded bytes waiting for the committer", &gauge(stats.queue_bytes))?;
        encode(
            "journal_bytes",
            "Encoded bytes in the journal that no segment holds yet",
            &gauge(stats.journal_bytes),
        )?;
        encode(
            "unflushed_memory_bytes",
            "Memory of the rows that no segment holds yet",
            &gauge(stats.unflushed_memory_bytes),
        )?;
        encode(
            "journal_batches",
            "Batches in the journal that no segment holds yet",
            &gauge(stats.journal_batches),
        )?;
        encode("deliveries_committed", "Deliveries committed", &counter(stats.committed))?;
        encode("deliveries_repeated", "Deliveries that had arrived before", &counter(stats.repeated))?;
        encode(
            "commit_groups",
            "Transactions; deliveries_committed by these is the group size",
            &counter(stats.commit_groups),
        )?;
        encode(
            "maintenance_failures",
            "Flushes and compactions that failed",
            &counter(stats.maintenance_failures),
        )?;
        let ready = i64::from(stats.health == Health::Ready);
        encode("store_ready", "1 while the store takes deliveries", &ConstGauge::new(ready))?;

        let mut per_table = |name: &str, help: &str, number: &dyn Fn(&manometer_store::TableStats) -> u64| {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for table in &stats.tables {
                let labels = [("table", table.table)];
                gauge(number(table)).encode(metric.encode_family(&labels)?)?;
            }
            Ok::<(), std::fmt::Error>(())
        };
        per_table("table_rows", "Rows stored", &|table| table.rows)?;
        per_table("table_rows_in_memory", "Rows not yet in a segment", &|table| table.rows_in_memory)?;
        per_table("table_segments", "Segment files", &|table| table.segments)?;
        per_table("table_segment_bytes", "Size of the segment files", &|table| table.segment_bytes)?;

        let mut removed = |name: &str, help: &str, number: &dyn Fn(&manometer_store::TableStats) -> u64| {
            let mut metric = encoder.encode_descriptor(name, help, None, counter(0).metric_type())?;
            for table in &stats.tables {
                let labels = [("table", table.table)];
                counter(number(table)).encode(metric.encode_family(&labels)?)?;
            }
            Ok::<(), std::fmt::Error>(())
        };
        removed("retention_rows", "Rows removed because their term was over", &|table| table.retired_rows)?;
        removed("retention_bytes", "By how much segment files became smaller by that", &|table| {
            table.retired_bytes
        })
    }
}
