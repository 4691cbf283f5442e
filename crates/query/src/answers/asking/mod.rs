//! Asking by parameters: what flags, addresses and forms have in common.
//!
//! ```text
//! pairs of name and value ──► Asked ──► a Question (typed) ──► SQL over one measure, within a scope ──► its Answer
//!  flag, address, form         known?    range, scope, measure                                          JSON, CSV, page
//! ```
//!
//! A [`Question`] names its parameters once; the command line makes its flags of them, the API its description.

mod asked;
mod dimension;
mod error;
mod flat;
mod measure;
mod range;
mod scope;
mod unit;

use std::future::Future;

use manometer_model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use asked::{Asked, ParameterDoc};
pub(in crate::answers) use dimension::{Dimension, Key, PARAMETER as GROUP_PARAMETER};
pub use error::AnswerError;
pub use flat::{Flat, FlatCell};
pub(in crate::answers) use measure::{EVERY_EXECUTION, PARAMETER as MEASURE_PARAMETER};
pub use measure::{MEASURES, Measure, Ways};
pub use range::{Range, RangeShown};
pub(in crate::answers) use scope::Conditions;
pub use scope::Scope;
pub use unit::{Unit, count};

use super::Answers;

/// A question that can be asked by parameters.
pub trait Question: Sized + Send + Sync {
    /// What it is called in commands and addresses.
    const WORD: &'static str;
    /// What it answers, in a line.
    const DOC: &'static str;
    /// Calls, each with what it asks, for the help of the command.
    const EXAMPLES: &'static str;
    /// Its answer.
    type Answer: Serialize + DeserializeOwned + Flat + Send;

    /// Every parameter it knows.
    fn parameters() -> Vec<ParameterDoc>;

    /// From what was asked; relative times are before `now`.
    ///
    /// # Errors
    /// When a value is none that the parameter takes; the message names the parameter and says what it takes.
    fn asked(asked: &Asked, now: Timestamp) -> Result<Self, AnswerError>;

    /// Answers it.
    ///
    /// # Errors
    /// When nothing of that name is known, a query meets a limit, or the store cannot be read.
    fn answer(&self, answers: &Answers) -> impl Future<Output = Result<Self::Answer, AnswerError>> + Send;
}

impl Answers {
    /// Asks a question by pairs of names and values.
    ///
    /// # Errors
    /// As [`Question::asked`] and [`Question::answer`]; also for a name that is no parameter of the question.
    pub async fn ask<Q: Question>(
        &self,
        pairs: impl IntoIterator<Item = (String, String)> + Send,
        now: Timestamp,
    ) -> Result<Q::Answer, AnswerError> {
        let asked = Asked::of(pairs, &Q::parameters())?;
        Q::asked(&asked, now)?.answer(self).await
    }
}
