//! The timeline of a run: its jobs and their steps as lanes on one axis.

use manometer_model::Timestamp;
use manometer_query::answers::{JobLine, RunAnswer, StepLine};

use super::drawing::{Axis, Tick};
use super::shown::{Clipped, Outcome, Seconds, plain_text};
use super::view::run::{JobRow, StepRow};
use super::{links, naming};

/// Most jobs on the page.
pub(crate) const MOST_JOBS: usize = 200;
/// Most steps shown of one job.
const MOST_STEPS: usize = 100;
/// Failed jobs that are shown opened.
const OPENED: usize = 3;
const REASON_BYTES: usize = 1_000;
const REASON_LINES: usize = 10;

/// The jobs of a run, drawn.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) ticks: Vec<Tick>,
    pub(crate) jobs: Vec<JobRow>,
    /// Are there more jobs than shown?
    pub(crate) cut: bool,
}

/// Draws the jobs of a run. Where not all fit, failed ones are shown before others, each at its place in time.
pub(crate) fn timeline(answer: &RunAnswer, now: Timestamp) -> Timeline {
    let shown = chosen(&answer.jobs);
    let is_running = answer.run.status.as_deref() == Some("running");
    let present = is_running.then_some(now);
    let run_times = [answer.run.started_at, answer.run.finished_at, present];
    let job_times = shown.iter().flat_map(|job| [job.queued_at, job.started_at, job.finished_at]);
    let step_times =
        shown.iter().flat_map(|job| job.steps.iter()).flat_map(|step| [step.started_at, step.finished_at]);
    let times: Vec<Timestamp> = run_times.into_iter().chain(job_times).chain(step_times).flatten().collect();
    let axis = if shown.is_empty() { None } else { Axis::around(times.into_iter()) };
    let mut left_to_open = OPENED;
    let jobs = shown
        .iter()
        .map(|job| {
            let mut row = job_row(job, axis.as_ref(), present);
            if row.outcome.look == "bad" && left_to_open > 0 {
                left_to_open -= 1;
                row.open = true;
            }
            row
        })
        .collect();
    Timeline {
        ticks: axis.map(|axis| axis.ticks()).unwrap_or_default(),
        jobs,
        cut: answer.jobs.len() > MOST_JOBS,
    }
}

fn chosen(jobs: &[JobLine]) -> Vec<&JobLine> {
    let is_bad = |job: &JobLine| Outcome::of_words(None, job.conclusion.as_deref()).look == "bad";
    let bad = jobs.iter().filter(|job| is_bad(job)).count().min(MOST_JOBS);
    let (mut room_for_bad, mut room_for_others) = (bad, MOST_JOBS - bad);
    let mut chosen = Vec::with_capacity(jobs.len().min(MOST_JOBS));
    for job in jobs {
        let room = if is_bad(job) { &mut room_for_bad } else { &mut room_for_others };
        if *room > 0 {
            *room -= 1;
            chosen.push(job);
        }
    }
    chosen
}

fn job_row(job: &JobLine, axis: Option<&Axis>, present: Option<Timestamp>) -> JobRow {
    let pool = job.runner_pool.as_deref().map(|pool| format!("pool {}", plain_text(pool)));
    let runner =
        job.runner_name.as_deref().map(plain_text).into_iter().chain(pool).collect::<Vec<_>>().join(", ");
    let is_running = job.status.as_deref() == Some("running");
    let end = job.finished_at.or(present.filter(|_| is_running));
    let wait_end = job.started_at.or(present.filter(|_| job.status.as_deref() == Some("queued")));
    JobRow {
        name: plain_text(job.name.as_deref().unwrap_or(&job.job_id)),
        stage: naming::optional(job.stage.as_ref()),
        outcome: Outcome::of_words(job.status.as_deref(), job.conclusion.as_deref()),
        queue: Seconds(job.queue_seconds),
        duration: Seconds(job.duration_seconds),
        queue_span: axis.and_then(|axis| axis.span(job.queued_at, wait_end)),
        run_span: axis.and_then(|axis| axis.span(job.started_at, end)),
        runner,
        failure_reason: Clipped::new(
            job.failure_reason.as_deref().unwrap_or_default(),
            REASON_BYTES,
            REASON_LINES,
        ),
        outside_url: job.url.as_deref().and_then(links::outside).map(str::to_owned),
        steps: job.steps.iter().take(MOST_STEPS).map(|step| step_row(step, axis)).collect(),
        steps_cut: job.steps.len() > MOST_STEPS,
        open: false,
    }
}

fn step_row(step: &StepLine, axis: Option<&Axis>) -> StepRow {
    StepRow {
        number: step.number,
        name: step.name.as_deref().map_or_else(|| "without a name".to_owned(), plain_text),
        outcome: Outcome::of_words(None, step.conclusion.as_deref()),
        duration: Seconds(step.duration_seconds),
        span: axis.and_then(|axis| axis.span(step.started_at, step.finished_at)),
        exit_code: step.exit_code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str, conclusion: Option<&str>, times: [i64; 3]) -> JobLine {
        let [queued, started, finished] = times.map(|second| Some(Timestamp::from_seconds(second)));
        JobLine {
            job_id: name.to_owned(),
            status: Some("completed".to_owned()),
            conclusion: conclusion.map(str::to_owned),
            queued_at: queued,
            started_at: started,
            finished_at: finished,
            ..JobLine::default()
        }
    }

    #[test]
    fn waiting_and_working_lie_side_by_side_on_the_axis() {
        let jobs = vec![job("a", Some("success"), [0, 25, 100])];
        let drawn = timeline(&RunAnswer { jobs, ..RunAnswer::default() }, Timestamp::from_seconds(1_000));
        let (waiting, working) =
            (drawn.jobs[0].queue_span.as_ref().unwrap(), drawn.jobs[0].run_span.as_ref().unwrap());
        assert_eq!((waiting.left.as_str(), waiting.width.as_str()), ("0.00%", "25.00%"));
        assert_eq!((working.left.as_str(), working.width.as_str()), ("25.00%", "75.00%"));
    }

    #[test]
    fn a_job_without_times_has_a_lane_without_a_bar() {
        let bare = JobLine { job_id: "bare".to_owned(), ..JobLine::default() };
        let drawn =
            timeline(&RunAnswer { jobs: vec![bare], ..RunAnswer::default() }, Timestamp::from_seconds(0));
        assert!(drawn.ticks.is_empty());
        assert_eq!((&drawn.jobs[0].queue_span, &drawn.jobs[0].run_span), (&None, &None));
        assert_eq!(drawn.jobs[0].outcome.word, "not reported");
    }

    #[test]
    fn only_the_first_failed_jobs_are_opened() {
        let jobs = (0..9).map(|number| job(&number.to_string(), Some("failure"), [0, 1, 2])).collect();
        let drawn = timeline(&RunAnswer { jobs, ..RunAnswer::default() }, Timestamp::from_seconds(0));
        assert_eq!(drawn.jobs.iter().filter(|row| row.open).count(), OPENED);
    }
}
