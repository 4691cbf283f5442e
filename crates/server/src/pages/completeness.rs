//! `GET /completeness`: what is complete, what is missing, and how polling stands.

use axum::extract::State;
use manometer_model::Timestamp;
use manometer_query::answers::{CompletenessAnswer, CompletenessRequest, MissingRun, ServiceCompleteness};

use super::asked::Asked;
use super::layout::Section;
use super::refusal::{PageResult, render};
use super::shown::{Count, Moment, Share, plain_text};
use super::view::completeness::{CompletenessPage, MissingRow, PollRow, ServiceRow, SilentRow};
use super::view::range_choices;
use super::{links, naming};
use crate::poll::{PollState, Standing};
use crate::state::App;

const USUAL_DAYS: u32 = 30;
/// Most services, and most runs that lack something, on the page.
const MOST_SERVICES: usize = 500;
const MOST_MISSING: u32 = 200;
/// Most days named in the line of a service.
const MOST_BAD_DAYS: usize = 7;
/// Most polls on the page.
const MOST_POLLS: usize = 500;

/// The page. `days` chooses the time, `project` and `service` narrow it.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> PageResult {
    let days = asked.days(USUAL_DAYS)?;
    let request = CompletenessRequest {
        now: app.clock.now(),
        days,
        project: asked.text("project").map(str::to_owned),
        service: asked.text("service").map(str::to_owned),
        most_missing: MOST_MISSING,
    };
    let answer = asked.answers(&app).completeness(&request).await?;
    let polls = asked.sees_everything().then(|| app.polls.states());
    render(&page(&answer, polls.as_deref(), &request, &asked))
}

/// The page of an answer.
pub(crate) fn page(
    answer: &CompletenessAnswer,
    polls: Option<&[PollState]>,
    request: &CompletenessRequest,
    asked: &Asked,
) -> CompletenessPage {
    let CompletenessRequest { now, days, project, service, .. } = request;
    let narrowed = [("project", project.as_deref()), ("service", service.as_deref())];
    let total = answer.services.len();
    CompletenessPage {
        layout: asked.layout("Completeness", Section::Completeness),
        ranges: range_choices("/completeness", &narrowed, *days),
        days: *days,
        services: answer
            .services
            .iter()
            .take(MOST_SERVICES)
            .map(|line| service_row(line, &answer.days, *days))
            .collect(),
        of_services: (total > MOST_SERVICES).then_some(Count(total as u64)),
        missing: answer.missing.iter().map(|run| missing_row(run, *now)).collect(),
        missing_total: Count(answer.missing_total),
        silent: answer
            .silent_days
            .iter()
            .map(|silent| SilentRow { provider: plain_text(&silent.provider), day: day_of(silent.day) })
            .collect(),
        polls: polls.map(|polls| polls.iter().take(MOST_POLLS).map(|poll| poll_row(poll, *now)).collect()),
    }
}

fn service_row(line: &ServiceCompleteness, days: &[Timestamp], shown_days: u32) -> ServiceRow {
    let mut bad_days: Vec<String> = days
        .iter()
        .zip(&line.per_day)
        .filter_map(|(day, told)| Some((day, told.as_ref()?)))
        .filter(|(_, told)| told.with_tests < told.expecting_tests)
        .map(|(day, told)| {
            let without = told.expecting_tests - told.with_tests;
            format!("{}: {without} of {}", day_of(*day), told.expecting_tests)
        })
        .collect();
    let more = bad_days.len().saturating_sub(MOST_BAD_DAYS);
    let mut newest = bad_days.split_off(more);
    newest.reverse();
    let mut text = newest.join(", ");
    if more > 0 {
        text.push_str(&format!(", {more} more days"));
    }
    ServiceRow {
        name: naming::service(&line.project, line.service.as_deref()),
        project: plain_text(&line.project),
        url: links::service(&line.project, line.service.as_deref(), Some(shown_days)),
        runs: Count(line.total.runs),
        jobs: Share(line.total.jobs_share),
        tests: Share(line.total.tests_share),
        coverage: Share(line.total.coverage_share),
        bad_days: text,
    }
}

fn missing_row(run: &MissingRun, now: Timestamp) -> MissingRow {
    let mut lacks = Vec::new();
    if run.lacks_jobs {
        lacks.push("jobs".to_owned());
    }
    if run.lacks_tests {
        lacks.push(match &run.jobs_without_tests {
            Some(jobs) => format!("test reports of {}", plain_text(jobs)),
            None => "test reports".to_owned(),
        });
    }
    if run.lacks_coverage {
        lacks.push("coverage".to_owned());
    }
    MissingRow {
        url: links::run(&run.provider, &run.project, &run.run_id, run.attempt),
        run: plain_text(&run.run_id),
        service: naming::service(&run.project, run.service.as_deref()),
        pipeline: plain_text(run.pipeline.as_deref().unwrap_or_default()),
        begun: Moment::new(run.begun_at, now),
        conclusion: plain_text(run.conclusion.as_deref().unwrap_or_default()),
        lacks: lacks.join(", "),
    }
}

fn poll_row(poll: &PollState, now: Timestamp) -> PollRow {
    PollRow {
        name: plain_text(&poll.name),
        standing: poll.standing.word(),
        is_in_trouble: matches!(poll.standing, Standing::Refused | Standing::Failed),
        message: plain_text(poll.message.as_deref().unwrap_or_default()),
        last_sweep: Moment::new(poll.last_sweep_at, now),
        budget: format!("{} of {}", poll.budget_left, poll.requests_per_hour),
    }
}

/// The day alone: `2026-03-04`.
fn day_of(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
