//! `GET /tests`: finding tests.

use axum::extract::State;
use manometer_model::Timestamp;
use manometer_query::answers::{FoundTest, SearchRequest};

use super::asked::Asked;
use super::layout::Section;
use super::refusal::{PageResult, render};
use super::shown::{Count, Moment, Share, plain_text};
use super::view::found_tests::{FoundRow, TestsPage};
use super::{links, naming};
use crate::state::App;

const USUAL_DAYS: u32 = 90;
/// Most tests on the page.
const MOST_FOUND: u32 = 100;

/// The page. `q` is a part of a test's names, `project` and `service` narrow it, `days` is the time.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> PageResult {
    let days = asked.days(USUAL_DAYS)?;
    let now = app.clock.now();
    let wanted = asked.text("q").unwrap_or_default().trim().to_owned();
    let found = if wanted.is_empty() {
        Vec::new()
    } else {
        let request = SearchRequest {
            text: wanted.clone(),
            project: asked.text("project").map(str::to_owned),
            service: asked.text("service").map(str::to_owned),
            now,
            days,
            limit: MOST_FOUND + 1,
        };
        asked.answers(&app).search(&request).await?
    };
    render(&page(&found, &wanted, days, now, &asked))
}

/// The page of what was found.
pub(crate) fn page(found: &[FoundTest], wanted: &str, days: u32, now: Timestamp, asked: &Asked) -> TestsPage {
    let mut layout = asked.layout("Tests", Section::Tests);
    layout.search = plain_text(wanted);
    TestsPage {
        layout,
        wanted: plain_text(wanted),
        cut: found.len() > MOST_FOUND as usize,
        rows: found.iter().take(MOST_FOUND as usize).map(|test| row(test, now)).collect(),
        days,
    }
}

fn row(test: &FoundTest, now: Timestamp) -> FoundRow {
    FoundRow {
        url: links::test(&test.project, test.service.as_deref(), &test.test_id.to_string()),
        name: naming::test(&test.name, test.parameters.as_deref()),
        place: naming::test_place(test.suite.as_deref(), test.classname.as_deref()),
        service: naming::service(&test.project, test.service.as_deref()),
        service_url: links::service(&test.project, test.service.as_deref(), None),
        project: plain_text(&test.project),
        executions: Count(test.executions),
        failures: Count(test.failures),
        passed: Share::of(test.executions.saturating_sub(test.failures), test.executions),
        last: Moment::new(test.last_at, now),
    }
}
