//! From sketches to what a function answers.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, Float64Array, Float64Builder, LargeBinaryBuilder, ListBuilder,
};
use datafusion::error::{DataFusionError, Result};
use manometer_stats::Sketch;

/// What to tell of each sketch.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// One quantile; the null probability has the null quantile.
    One(Option<f64>),
    /// A list of quantiles, in the order asked for.
    Many(Option<Vec<Option<f64>>>),
    /// The sketch itself.
    Encoded,
}

impl Answer {
    /// One answer for each sketch.
    ///
    /// # Errors
    /// When the encoded sketches are longer together than one column can be.
    pub(super) fn of(&self, sketches: &[Sketch]) -> Result<ArrayRef> {
        match self {
            Self::One(probability) => Ok(one(sketches, *probability)),
            Self::Many(probabilities) => Ok(many(sketches, probabilities.as_deref())),
            Self::Encoded => encoded(sketches),
        }
    }
}

fn one(sketches: &[Sketch], probability: Option<f64>) -> ArrayRef {
    let quantiles: Float64Array =
        sketches.iter().map(|sketch| probability.and_then(|wanted| sketch.quantile(wanted))).collect();
    Arc::new(quantiles)
}

fn many(sketches: &[Sketch], probabilities: Option<&[Option<f64>]>) -> ArrayRef {
    let mut lists = ListBuilder::new(Float64Builder::new());
    let wanted: Vec<f64> = probabilities.unwrap_or_default().iter().flatten().copied().collect();
    for sketch in sketches {
        let Some((quantiles, probabilities)) = sketch.quantiles(&wanted).zip(probabilities) else {
            lists.append_null();
            continue;
        };
        let mut quantiles = quantiles.into_iter();
        for probability in probabilities {
            lists.values().append_option(probability.and_then(|_| quantiles.next()));
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn encoded(sketches: &[Sketch]) -> Result<ArrayRef> {
    let mut column = BinaryBuilder::new();
    let mut bytes = 0;
    for sketch in sketches {
        if sketch.count() == 0 {
            column.append_null();
            continue;
        }
        let encoded = sketch.encode();
        bytes += encoded.len();
        if bytes > i32::MAX as usize {
            return Err(DataFusionError::Execution(format!(
                "the sketches of {} groups are longer than 2 GiB together: group less finely",
                sketches.len()
            )));
        }
        column.append_value(encoded);
    }
    Ok(Arc::new(column.finish()))
}

/// The sketches as state that another part of the query merges; null for an empty one.
pub(super) fn state(sketches: &[Sketch]) -> ArrayRef {
    let mut column = LargeBinaryBuilder::new();
    for sketch in sketches {
        if sketch.count() == 0 {
            column.append_null();
        } else {
            column.append_value(sketch.encode());
        }
    }
    Arc::new(column.finish())
}

/// One number as a state of its own; `None` of a number that is not counted.
pub(super) fn state_of(number: f64) -> Option<Vec<u8>> {
    let mut sketch = Sketch::new();
    sketch.add(number).then(|| sketch.encode())
}
