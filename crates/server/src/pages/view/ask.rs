//! The form above a typed answer: its parameters as fields, so that every answer has an address to share.

/// The form.
#[derive(Debug, Clone, Default)]
pub(crate) struct AskForm {
    /// The page it asks.
    pub(crate) action: &'static str,
    /// Its fields, in order.
    pub(crate) fields: Vec<Field>,
    /// The same question as CSV.
    pub(crate) csv_url: String,
    /// The same question as JSON.
    pub(crate) json_url: String,
    /// Why there is no answer, where there is none.
    pub(crate) refusal: Option<String>,
}

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// The parameter.
    pub(crate) name: &'static str,
    /// What it is called.
    pub(crate) label: &'static str,
    /// What was asked for.
    pub(crate) value: String,
    /// What may be asked for, where that is a list; else any text.
    pub(crate) choices: Vec<FieldChoice>,
    /// What stands in an empty field.
    pub(crate) hint: &'static str,
}

/// One word of a list.
#[derive(Debug, Clone)]
pub(crate) struct FieldChoice {
    /// The word, empty for what holds without one.
    pub(crate) word: &'static str,
    /// What is read.
    pub(crate) shown: &'static str,
    /// Is it the one asked for?
    pub(crate) chosen: bool,
}
