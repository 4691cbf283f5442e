//! What the pages of typed answers share: asking by the parameters of the address, and the form that shows them.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use manometer_model::Timestamp;
use manometer_query::answers::{AnswerError, Question};

use super::asked::Asked;
use super::links;
use super::refusal::PageRefusal;
use super::shown::plain_text;
use super::view::ask::{AskForm, Field, FieldChoice};
use crate::state::App;

/// Words of a list of choices, each with what is read; the first is what holds without one.
pub(crate) type Words = &'static [(&'static str, &'static str)];

/// Fields of a form: parameter, label, words to choose from or none for any text, hint of an empty field.
pub(crate) type Fields = &'static [(&'static str, &'static str, Words, &'static str)];

/// Every measure.
pub(crate) const MEASURES: Words = &[
    ("", "run duration"),
    ("job-duration", "job duration"),
    ("step-duration", "step duration"),
    ("test-duration", "test duration"),
    ("build-duration", "build duration"),
    ("queue-time", "queue time of jobs"),
    ("run-queue-time", "queue time of runs"),
    ("success-rate", "success rate of runs"),
    ("failure-rate", "failure rate of runs"),
    ("job-failure-rate", "failure rate of jobs"),
    ("test-failure-rate", "failure rate of tests"),
    ("coverage", "coverage"),
    ("artifact-size", "artifact size"),
    ("sample", "sample, by name"),
];

/// What came of a question.
pub(crate) enum Answered<A> {
    /// Its answer.
    Answer(A),
    /// A sentence for the one who asked, and the status of the page.
    Refusal(StatusCode, String),
}

/// Asks a question by the parameters of the address.
pub(crate) async fn ask<Q: Question>(
    app: &App,
    asked: &Asked,
    now: Timestamp,
) -> Result<Answered<Q::Answer>, PageRefusal> {
    match asked.answers(app).ask::<Q>(asked.pairs(), now).await {
        Ok(answer) => Ok(Answered::Answer(answer)),
        Err(AnswerError::Asked { message }) => Ok(Answered::Refusal(StatusCode::BAD_REQUEST, message)),
        Err(AnswerError::NotFound { message }) => Ok(Answered::Refusal(StatusCode::NOT_FOUND, message)),
        Err(AnswerError::Query(fault)) => Err(PageRefusal::from(fault).for_caller(asked.signed_in())),
    }
}

/// The form of a page with what was asked in it. Parameters without a field stay in the address where they are asked
/// for; each gets a field of its own then.
pub(crate) fn form<Q: Question>(action: &'static str, fields: Fields, asked: &Asked) -> AskForm {
    let mut shown: Vec<Field> =
        fields.iter().map(|&(name, label, words, hint)| field(name, label, words, hint, asked)).collect();
    for parameter in Q::parameters() {
        let is_shown = shown.iter().any(|field| field.name == parameter.name);
        if !is_shown && asked.text(parameter.name).is_some() {
            shown.push(field(parameter.name, parameter.name, &[], "", asked));
        }
    }
    let address = |format: &str| {
        let pairs = asked.pairs();
        let mut named: Vec<(&str, Option<&str>)> =
            pairs.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
        named.push(("format", Some(format)));
        links::with_query(&format!("/api/v1/answers/{}", Q::WORD), &named)
    };
    AskForm { action, fields: shown, csv_url: address("csv"), json_url: address("json"), refusal: None }
}

fn field(name: &'static str, label: &'static str, words: Words, hint: &'static str, asked: &Asked) -> Field {
    let value = asked.text(name).unwrap_or_default();
    let choices =
        words.iter().map(|&(word, shown)| FieldChoice { word, shown, chosen: word == value }).collect();
    Field { name, label, value: plain_text(value), choices, hint }
}

/// A page under a status.
pub(crate) fn page(status: StatusCode, template: &impl askama::Template) -> Result<Response, PageRefusal> {
    Ok((status, Html(template.render()?)).into_response())
}

#[cfg(test)]
mod tests {
    use manometer_query::answers::{MEASURES as KNOWN, Measure, TrendRequest};

    use super::*;

    #[test]
    fn every_measure_can_be_chosen() {
        for measure in KNOWN {
            let is_usual = measure.word == "run-duration";
            assert!(is_usual || MEASURES.iter().any(|(word, _)| *word == measure.word), "{}", measure.word);
        }
        for (word, _) in MEASURES.iter().skip(1) {
            assert!(Measure::named(word).is_ok(), "{word}");
        }
    }

    #[test]
    fn what_was_asked_without_a_field_gets_one_and_stays_in_the_form() {
        let asked = Asked::of("measure=coverage&outcome=success&since=7d", None);
        let fields: Fields = &[("measure", "Measure", MEASURES, ""), ("since", "Since", &[], "30d")];
        let form = form::<TrendRequest>("/trend", fields, &asked);
        let names: Vec<&str> = form.fields.iter().map(|field| field.name).collect();
        assert_eq!(names, ["measure", "since", "outcome"]);
        assert!(form.fields[0].choices.iter().any(|choice| choice.chosen && choice.word == "coverage"));
        assert_eq!(
            form.csv_url,
            "/api/v1/answers/trend?measure=coverage&outcome=success&since=7d&format=csv"
        );
    }
}
