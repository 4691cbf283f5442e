//! Incidents that a deployment caused.

use manometer_model::records::Incident;
use manometer_model::{Labels, Timestamp};

use crate::chance::Chance;
use crate::plan::World;

/// One incident, at its beginning or its end.
#[derive(Debug, Clone)]
pub(crate) struct IncidentPlan {
    pub(crate) service: usize,
    number: u64,
    deployment_id: String,
    pub(crate) opened_at: Timestamp,
    pub(crate) resolved_at: Timestamp,
    is_resolved: bool,
    title: &'static str,
    severity: &'static str,
}

const TITLES: &[&str] = &[
    "error rate above 2 percent",
    "p99 latency above 1.5 s",
    "queue is not drained",
    "health check fails in one zone",
    "memory grows until restart",
];
const SEVERITIES: &[&str] = &["sev3", "sev3", "sev3", "sev2", "sev2", "sev1"];

impl IncidentPlan {
    /// An incident some time after a deployment went live. `number` tells it from all others.
    pub(crate) fn new(
        service: usize,
        number: u64,
        deployment_id: String,
        live_at: Timestamp,
        chance: &mut Chance,
    ) -> Self {
        let opened_at = live_at.plus_seconds(chance.between(240.0, 7_200.0));
        let resolved_at = opened_at.plus_seconds(chance.log_normal(4_500.0, 0.8));
        let title = chance.pick(TITLES).copied().unwrap_or_default();
        let severity = chance.pick(SEVERITIES).copied().unwrap_or_default();
        Self { service, number, deployment_id, opened_at, resolved_at, is_resolved: false, title, severity }
    }

    /// The same at its end.
    pub(crate) fn resolved(self) -> Self {
        Self { is_resolved: true, ..self }
    }

    /// Where the incident is told of, and how far it is.
    pub(crate) fn key(&self) -> String {
        let state = if self.is_resolved { "resolved" } else { "opened" };
        format!("pagerduty/{}/{state}", self.incident_id())
    }

    fn incident_id(&self) -> String {
        format!("PD{}", self.number)
    }

    /// The record as known at that moment.
    pub(crate) fn record(&self, world: &World) -> Incident {
        let service = &world.services[self.service];
        Incident {
            provider: "pagerduty".to_owned(),
            project: Some(service.project.name.to_owned()),
            service: Some(service.name.clone()),
            incident_id: self.incident_id(),
            title: Some(format!("{}: {}", service.name, self.title)),
            severity: Some(self.severity.to_owned()),
            environment: Some("production".to_owned()),
            deployment_id: Some(self.deployment_id.clone()),
            opened_at: Some(self.opened_at),
            resolved_at: self.is_resolved.then_some(self.resolved_at),
            url: None,
            labels: Labels::new(),
            updated_at: Some(if self.is_resolved { self.resolved_at } else { self.opened_at }),
        }
    }
}
