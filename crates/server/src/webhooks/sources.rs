//! The places webhooks come in at.

use manometer_ingest::webhooks::Hook;
use manometer_providers::{PROVIDERS, ServiceRules};

/// Every configured place, and the rules that name services.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    hooks: Vec<Hook>,
    rules: ServiceRules,
}

impl Webhooks {
    /// From the settings.
    pub fn new(hooks: Vec<Hook>, rules: ServiceRules) -> Self {
        Self { hooks, rules }
    }

    /// The place at `/webhooks/{provider}/{source}`; `source` is empty where there is none.
    pub(crate) fn find(&self, provider: &str, source: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.provider.name() == provider && hook.source == source)
    }

    /// Which part of a monorepo a run builds.
    pub(crate) fn rules(&self) -> &ServiceRules {
        &self.rules
    }
}

/// The names of all systems that are known, for messages.
pub(crate) fn known_providers() -> String {
    PROVIDERS.iter().map(|provider| provider.name()).collect::<Vec<_>>().join(", ")
}
