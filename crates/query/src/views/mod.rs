//! Views: names for SQL over the tables. One is planned only when a query names it.

/// A view.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// SQL name.
    pub name: &'static str,
    /// What a row is, and for whom the view is there.
    pub doc: &'static str,
    /// What it stands for.
    pub sql: &'static str,
}

/// Every view.
pub const VIEWS: &[View] = &[
    View {
        name: "metrics_pipeline",
        doc: "One pipeline sent to `/save_metrics`, in the columns its senders know.",
        sql: include_str!("metrics_pipeline.sql"),
    },
    View {
        name: "metrics_build",
        doc: "One build of a pipeline sent to `/save_metrics`.",
        sql: include_str!("metrics_build.sql"),
    },
    View {
        name: "metrics_job",
        doc: "One job of a pipeline sent to `/save_metrics`; `metrics` holds its free numbers as a JSON object.",
        sql: include_str!("metrics_job.sql"),
    },
];

pub(crate) fn named(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}
