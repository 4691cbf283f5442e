//! `GET /failures`: failures of tests by cause. The parameters are those of `/api/v1/answers/failures`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use manometer_model::Timestamp;
use manometer_query::answers::{Cause, FailingTest, FailuresAnswer, FailuresRequest, Place};

use super::ask::{self, Answered, Fields};
use super::asked::Asked;
use super::layout::Section;
use super::refusal::PageRefusal;
use super::shown::{Clipped, Count, Moment, plain_text, short_sha};
use super::view::failures::{CauseRow, FailuresPage, TestLink};
use super::{links, naming};
use crate::state::App;

const FIELDS: Fields = &[
    ("project", "Project", &[], "all"),
    ("service", "Service", &[], "all"),
    ("branch", "Branch", &[], "all"),
    ("pipeline", "Pipeline", &[], "all"),
    ("test", "Test", &[], "id or name"),
    ("since", "Since", &[], "7d, monday, 2026-11-01"),
    ("until", "Until", &[], "now"),
    ("new", "Causes", &[("", "all"), ("true", "only new ones")], ""),
];
const MESSAGE_BYTES: usize = 1_200;
const MESSAGE_LINES: usize = 10;
const PLACES: usize = 8;

/// The page.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> Result<Response, PageRefusal> {
    let now = app.clock.now();
    match ask::ask::<FailuresRequest>(&app, &asked, now).await? {
        Answered::Answer(answer) => ask::page(StatusCode::OK, &page(&answer, None, &asked, now)),
        Answered::Refusal(status, sentence) => {
            ask::page(status, &page(&FailuresAnswer::default(), Some(sentence), &asked, now))
        }
    }
}

/// The page of an answer, or of a refusal.
pub(crate) fn page(
    answer: &FailuresAnswer,
    refusal: Option<String>,
    asked: &Asked,
    now: Timestamp,
) -> FailuresPage {
    let mut form = ask::form::<FailuresRequest>("/failures", FIELDS, asked);
    form.refusal = refusal.as_deref().map(plain_text);
    let listed = answer.causes.len() as u64;
    let only_new = asked.text("new").is_some();
    FailuresPage {
        layout: asked.layout("Failures", Section::Failures),
        form,
        failures: Count(answer.failures_total),
        causes: Count(answer.causes_total),
        groups: answer.causes.iter().map(|cause| group(cause, now)).collect(),
        left_out: Count(if only_new { 0 } else { answer.causes_total.saturating_sub(listed) }),
    }
}

fn group(cause: &Cause, now: Timestamp) -> CauseRow {
    let since = match &cause.first_commit {
        Some(sha) => {
            let branch = cause.first_branch.as_deref().map(|branch| format!(" on {}", plain_text(branch)));
            format!("{}{}", short_sha(&plain_text(sha)), branch.unwrap_or_default())
        }
        None => "a commit that was not told".to_owned(),
    };
    let compare_url = cause.first_commit.as_deref().map(|sha| {
        links::with_query(
            "/compare",
            &[
                ("measure", Some("test-failure-rate")),
                ("commit", Some(sha)),
                ("project", Some(&cause.project)),
            ],
        )
    });
    CauseRow {
        kind: naming::optional(cause.kind.as_ref()),
        is_new: cause.is_new,
        count: Count(cause.failures),
        runs: Count(cause.runs),
        first: Moment::new(cause.first_at, now),
        last: Moment::new(cause.last_at, now),
        run_url: links::run(&cause.provider, &cause.project, &cause.run_id, cause.run_attempt),
        message: Clipped::new(cause.message.as_deref().unwrap_or_default(), MESSAGE_BYTES, MESSAGE_LINES),
        since,
        compare_url: compare_url.unwrap_or_default(),
        services: places(&cause.services),
        branches: places(&cause.branches),
        tests: cause.failing_tests.iter().map(test_link).collect(),
        tests_left_out: Count(cause.tests.saturating_sub(cause.failing_tests.len() as u64)),
    }
}

fn places(places: &[Place]) -> String {
    let each = places.iter().take(PLACES).map(|place| {
        let name = place.name.as_deref().map_or_else(|| "not told".to_owned(), plain_text);
        format!("{name} ({})", Count(place.failures))
    });
    let more = if places.len() > PLACES { ", …" } else { "" };
    format!("{}{more}", each.collect::<Vec<_>>().join(", "))
}

fn test_link(test: &FailingTest) -> TestLink {
    TestLink {
        url: links::test(&test.project, test.service.as_deref(), &test.test_id),
        name: plain_text(&test.name),
        count: Count(test.failures),
    }
}
