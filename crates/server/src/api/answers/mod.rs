//! `/api/v1/answers/…`: one file a question.

pub(crate) mod completeness;
