//! SQL functions of our own.

mod json_object;
mod label;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// Our scalar functions.
pub(crate) fn scalar() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::new(ScalarUDF::from(label::Label::default()))]
}
