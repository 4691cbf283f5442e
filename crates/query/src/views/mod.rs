//! Views: names for SQL over the tables. One is planned only when a query names it.

pub(crate) mod completeness;

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
    View {
        name: "completeness",
        doc: "One service on one day: the share of its runs with all jobs, with test reports and with coverage, of those that \
              should have them. Null where nothing is expected, no row where no run is known.",
        sql: completeness::BY_DAY,
    },
    View {
        name: "completeness_runs",
        doc: "One run that ended, with what it should have brought: `false` is missing, null was not expected.",
        sql: completeness::RUNS,
    },
];

pub(crate) fn named(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}
