//! SQL functions of our own; `docs/QUERY.md` tells users of them.

mod date_trunc;
mod json_object;
mod label;
pub(crate) mod numbers;
pub(crate) mod probabilities;
pub(crate) mod sketches;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::exact;

/// Our scalar functions; one of a name that the engine has as well takes its place.
pub(crate) fn scalar() -> Vec<Arc<ScalarUDF>> {
    vec![
        Arc::new(ScalarUDF::from(date_trunc::DateTrunc::default())),
        Arc::new(ScalarUDF::from(label::Label::default())),
    ]
}

/// Our aggregate functions; one of a name that the engine has as well takes its place.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut all = sketches::aggregates();
    all.extend(exact::aggregates());
    all
}
