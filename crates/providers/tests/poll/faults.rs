//! Nothing missing after faults heal, nothing twice, no request too many.

use manometer_providers::poll::{Fault, Pause, PollError, Start};

use crate::fake_github::{FakeGitHub, FakeRun, NOON, runs};
use manometer_testkit::fake::{Manner, Reply};

#[tokio::test]
async fn everything_is_told_in_good_times() {
    let github = FakeGitHub::start(runs(250, NOON - 60, 300));
    let mut reconciler = github.reconciler(Start::Recent).await;
    let (waits, progress) = github.until_up_to_date(&mut reconciler).await;
    assert!(waits.is_empty(), "{waits:?}");
    assert_eq!((progress.runs, progress.given_up), (250, 0));
    github.assert_everything_was_told();
    let told = github.memory.told.lock().unwrap();
    assert_eq!(told.keys("runners"), ["github|77".to_owned()].into());
    let caches: Vec<&String> = told.facts.keys().filter(|key| key.starts_with("cache/")).collect();
    assert_eq!(caches, ["cache/github/github.com/acme/shop/505"], "those saved since the sweep's beginning");
    assert!(told.facts.keys().any(|key| key.starts_with("cache_usage/github/github.com/acme/shop/")));
}

#[tokio::test]
async fn every_fault_heals_and_nothing_is_missing() {
    let mut github = FakeGitHub::start(runs(150, NOON - 60, 300));
    // Short, for the answer that never comes.
    github.timeout = std::time::Duration::from_secs(3);
    github.trouble("/actions/runs", |_| Reply::status(502));
    github.trouble("/actions/runs", |_| Reply::status(429).with("retry-after", 120));
    github.trouble("/actions/runs", |reply| reply.in_manner(Manner::CutOff));
    github.trouble("/jobs", |reply| reply.in_manner(Manner::CutOff));
    github.trouble("/jobs", |_| Reply::status(500));
    github.trouble("/jobs", |reply| reply);
    github.trouble("/actions/runs", |reply| reply.in_manner(Manner::Silence));
    github.trouble("/jobs", |_| Reply::status(403).with("retry-after", 60));
    github.trouble("/jobs", |mut reply| {
        // A proxy that cuts the body and announces the rest as the whole.
        reply.body.truncate(100);
        reply
    });
    github.trouble("/actions/runners", |_| Reply::status(503));
    let mut reconciler = github.reconciler(Start::Recent).await;
    let (waits, progress) = github.until_up_to_date(&mut reconciler).await;
    assert!(waits.len() >= 9, "{waits:?}");
    for word in ["502", "429", "broke off", "took too long", "403", "not as expected", "503"] {
        assert!(waits.iter().any(|reason| reason.contains(word)), "{word} in {waits:?}");
    }
    assert_eq!(progress.given_up, 0);
    github.assert_everything_was_told();
}

#[tokio::test]
async fn pages_that_shift_while_they_are_read_hide_nothing() {
    let github = FakeGitHub::start(runs(260, NOON - 3_700, 60));
    // After the first page a run is deleted, and all others move up by one: one slips from page two to page one.
    github.happens_at("/actions/runs", |runs| {
        runs.pop();
    });
    // And new ones arrive, which push the others down again.
    github.happens_at("/actions/runs", |runs| {
        for id in 1_000..1_003 {
            runs.push(FakeRun { id, created: NOON - 30, attempt: 1, status: "completed", jobs: 1 });
        }
    });
    let mut reconciler = github.reconciler(Start::Recent).await;
    github.until_up_to_date(&mut reconciler).await;
    github.clock.advance(300.0);
    github.until_up_to_date(&mut reconciler).await;
    let deleted = "github|github.com/acme/shop|260|1";
    let mut told = github.memory.told.lock().unwrap();
    told.entities.retain(|key, _| !key.text.replace('\u{1f}', "|").starts_with(deleted));
    told.facts.retain(|key, _| !key.contains("/260/1/"));
    drop(told);
    github.assert_everything_was_told();
}

#[tokio::test]
async fn a_day_with_more_runs_than_a_list_shows_is_halved() {
    let github = FakeGitHub::start(runs(1_450, NOON - 60, 10));
    let mut reconciler = github.reconciler(Start::Recent).await;
    github.until_up_to_date(&mut reconciler).await;
    github.assert_everything_was_told();
}

#[tokio::test]
async fn what_is_settled_costs_nothing_and_lists_that_did_not_change_are_not_sent() {
    let github = FakeGitHub::start(runs(120, NOON - 60, 300));
    let mut reconciler = github.reconciler(Start::Recent).await;
    github.until_up_to_date(&mut reconciler).await;
    let (first, sent) = (github.server.requests().len(), github.memory.told.lock().unwrap().calls);
    github.clock.advance(300.0);
    github.until_up_to_date(&mut reconciler).await;
    let again: Vec<_> = github.server.requests().split_off(first);
    assert!(again.iter().all(|request| !request.path.ends_with("/jobs")), "no run is fetched again");
    let lists = again.iter().filter(|request| request.path.ends_with("/actions/runs")).count() as u64;
    assert!(lists >= 2);
    assert_eq!(github.state.lock().unwrap().not_modified, lists, "each list was answered with 304");
    assert_eq!(github.memory.told.lock().unwrap().calls, sent + 1, "runners alone are told again");
}

#[tokio::test]
async fn runs_that_end_late_and_runs_that_start_again_are_followed() {
    let mut all = runs(30, NOON - 60, 600);
    all[0].status = "in_progress";
    let github = FakeGitHub::start(all);
    let mut reconciler = github.reconciler(Start::Recent).await;
    github.until_up_to_date(&mut reconciler).await;
    github.assert_everything_was_told();
    // Ten days later, far outside of what is listed again, the first one has ended; another was started again.
    github.state.lock().unwrap().runs[0].status = "completed";
    github.state.lock().unwrap().runs[29].attempt = 3;
    github.clock.advance(3_600.0);
    github.until_up_to_date(&mut reconciler).await;
    github.assert_everything_was_told();
    let ended = github.server.requests().iter().filter(|one| one.path.ends_with("/runs/1/jobs")).count();
    assert_eq!(ended, 2);
}

#[tokio::test]
async fn a_run_open_for_ten_days_is_looked_up_until_it_ends() {
    let mut all = runs(3, NOON - 60, 60);
    all[0].status = "in_progress";
    let github = FakeGitHub::start(all);
    let mut reconciler = github.reconciler(Start::Recent).await;
    github.until_up_to_date(&mut reconciler).await;
    github.clock.advance(10.0 * 86_400.0);
    github.until_up_to_date(&mut reconciler).await;
    github.state.lock().unwrap().runs[0].status = "completed";
    github.clock.advance(300.0);
    github.until_up_to_date(&mut reconciler).await;
    github.assert_everything_was_told();
    let before = github.server.requests().len();
    github.clock.advance(300.0);
    github.until_up_to_date(&mut reconciler).await;
    let looked_up = |request: &manometer_testkit::fake::Request| request.path.ends_with("/actions/runs/1");
    assert!(!github.server.requests().iter().skip(before).any(looked_up), "once it has ended, no more");
}

#[tokio::test]
async fn the_budget_holds_in_every_hour() {
    let mut github = FakeGitHub::start(runs(200, NOON - 60, 300));
    github.requests_per_hour = 60;
    let mut reconciler = github.reconciler(Start::Recent).await;
    use manometer_model::Clock as _;
    let mut made: Vec<(manometer_model::Timestamp, usize)> = Vec::new();
    let mut before = 0;
    loop {
        let pause = reconciler.run(&mut |_| {}).await.unwrap();
        let count = github.server.requests().len();
        made.push((github.clock.now(), count - before));
        before = count;
        match pause {
            Pause::UpToDate { .. } => break,
            Pause::Wait { until, .. } => github.clock.set(until),
        }
    }
    github.assert_everything_was_told();
    assert!(before > 200, "there was something to hold back: {before}");
    for (position, (first, _)) in made.iter().enumerate() {
        let in_hour: usize = made
            .iter()
            .skip(position)
            .take_while(|(at, _)| at.seconds_since(*first) < 3_600.0)
            .map(|(_, count)| count)
            .sum();
        assert!(in_hour <= 60, "{in_hour} requests in the hour from {first}");
    }
}

#[tokio::test]
async fn the_providers_own_limit_is_left_to_others_in_time() {
    let github = FakeGitHub::start(runs(20, NOON - 60, 300));
    let reset = NOON + 1_800;
    github.trouble("/jobs", move |reply| {
        reply
            .with("x-ratelimit-limit", 5_000)
            .with("x-ratelimit-remaining", 400)
            .with("x-ratelimit-reset", reset)
    });
    let mut reconciler = github.reconciler(Start::Recent).await;
    let pause = reconciler.run(&mut |_| {}).await.unwrap();
    let Pause::Wait { until, reason } = pause else { panic!("{pause:?}") };
    assert_eq!(until, manometer_model::Timestamp::from_seconds(reset), "{reason}");
    let before = github.server.requests().len();
    assert!(matches!(reconciler.run(&mut |_| {}).await.unwrap(), Pause::Wait { .. }));
    assert_eq!(github.server.requests().len(), before, "called too early, it asks nothing");
    github.until_up_to_date(&mut reconciler).await;
    github.assert_everything_was_told();
}

#[tokio::test]
async fn one_run_that_never_works_keeps_no_other_away() {
    let github = FakeGitHub::start(runs(10, NOON - 60, 300));
    for _ in 0..5 {
        github.trouble("/runs/10/jobs", |_| Reply::status(500));
    }
    let mut reconciler = github.reconciler(Start::Recent).await;
    let (_, progress) = github.until_up_to_date(&mut reconciler).await;
    assert_eq!((progress.given_up, progress.runs), (1, 9));
    github.clock.advance(300.0);
    github.until_up_to_date(&mut reconciler).await;
    github.assert_everything_was_told();
}

#[tokio::test]
async fn a_token_that_is_refused_stops_it_with_a_word_on_what_to_do() {
    let github = FakeGitHub::start(runs(3, NOON - 60, 300));
    github.trouble("/actions/runs", |_| Reply::status(401));
    let mut reconciler = github.reconciler(Start::Recent).await;
    let error = reconciler.run(&mut |_| {}).await.unwrap_err();
    assert!(matches!(error, PollError::Refused { .. }));
    let message = error.to_string();
    assert!(
        message.contains("401") && message.contains("token") && message.contains("github/acme/shop"),
        "{message}"
    );
}

#[tokio::test]
async fn runners_that_may_not_be_seen_take_nothing_from_runs() {
    let github = FakeGitHub::start(runs(3, NOON - 60, 300));
    github.trouble("/actions/runners", |_| Reply::status(403));
    github.trouble("/cache/usage", |_| Reply::status(404));
    let mut reconciler = github.reconciler(Start::Recent).await;
    github.until_up_to_date(&mut reconciler).await;
    github.assert_everything_was_told();
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let github = FakeGitHub::start(runs(3, NOON - 60, 300));
    github.trouble("/actions/runs", |mut reply| {
        reply.body = vec![b' '; 17 * 1024 * 1024];
        reply
    });
    let mut reconciler = github.reconciler(Start::Recent).await;
    let (waits, _) = github.until_up_to_date(&mut reconciler).await;
    assert!(waits.iter().any(|reason| reason.contains("larger than")), "{waits:?}");
    github.assert_everything_was_told();
    let shown = Fault::Gone { path: "x".to_owned() }.to_string();
    assert_eq!(shown, "x: is not there");
}
