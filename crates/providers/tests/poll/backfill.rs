//! History, restarts, and a store that fails.

use manometer_model::Timestamp;
use manometer_providers::poll::{Pause, PollError, Start};

use crate::fake_github::{FakeGitHub, NOON, runs};
use manometer_testkit::fake::Reply;

const DAY: i64 = 86_400;

#[tokio::test]
async fn history_is_filled_from_a_moment_on_with_progress() {
    let github = FakeGitHub::start(runs(90, NOON - 60, DAY / 3));
    let mut reconciler = github.reconciler(Start::Since(Timestamp::from_seconds(NOON - 40 * DAY))).await;
    let mut shares: Vec<f64> = Vec::new();
    let pause = reconciler.run(&mut |progress| shares.push(progress.share())).await.unwrap();
    assert!(matches!(pause, Pause::UpToDate { .. }));
    github.assert_everything_was_told();
    assert!(shares.len() > 40 && shares.is_sorted() && shares.last() == Some(&1.0), "{shares:?}");
}

#[tokio::test]
async fn what_is_before_the_beginning_is_left_alone_until_asked_for() {
    let github = FakeGitHub::start(runs(90, NOON - 60, DAY / 3));
    let mut recent = github.reconciler(Start::Recent).await;
    let (_, progress) = github.until_up_to_date(&mut recent).await;
    assert_eq!(progress.runs, 6, "two days");
    drop(recent);
    let mut older = github.reconciler(Start::Since(Timestamp::from_seconds(NOON - 40 * DAY))).await;
    let (_, progress) = github.until_up_to_date(&mut older).await;
    assert_eq!(progress.runs, 84, "those that were told are not fetched again");
    github.assert_everything_was_told();
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_stood() {
    let github = FakeGitHub::start(runs(90, NOON - 60, DAY / 3));
    let start = Start::Since(Timestamp::from_seconds(NOON - 40 * DAY));
    // Stopped by a fault in the middle again and again, each time a new process.
    let mut stops = 0;
    loop {
        let mut reconciler = github.reconciler(start).await;
        for _ in 0..12 {
            github.trouble("no such path", |reply| reply);
        }
        github.state.lock().unwrap().troubles.clear();
        if stops < 8 {
            github.trouble("/jobs", |reply| reply);
            github.trouble("/jobs", |_| Reply::status(502));
        }
        match reconciler.run(&mut |_| {}).await.unwrap() {
            Pause::UpToDate { .. } => break,
            Pause::Wait { until, .. } => github.clock.set(until),
        }
        stops += 1;
        assert!(stops < 100);
    }
    assert_eq!(stops, 8);
    github.assert_everything_was_told();
    let jobs = github.server.requests().iter().filter(|request| request.path.ends_with("/jobs")).count();
    assert!(jobs <= 90 + 2 * stops, "runs that were told are not fetched again: {jobs}");
}

#[tokio::test]
async fn what_the_store_did_not_take_is_told_again() {
    let github = FakeGitHub::start(runs(20, NOON - 60, 300));
    github.memory.told.lock().unwrap().fail_after = Some(12);
    let mut reconciler = github.reconciler(Start::Recent).await;
    let error = reconciler.run(&mut |_| {}).await.unwrap_err();
    assert!(matches!(error, PollError::Store { .. }), "{error}");
    drop(reconciler);
    github.memory.told.lock().unwrap().fail_after = None;
    let mut again = github.reconciler(Start::Recent).await;
    github.until_up_to_date(&mut again).await;
    github.assert_everything_was_told();
}

#[tokio::test]
async fn a_cursor_nobody_can_read_is_refused_and_not_thrown_away() {
    let github = FakeGitHub::start(Vec::new());
    github.memory.cursors.lock().unwrap().insert("github/acme/shop".to_owned(), "{".to_owned());
    let options = manometer_providers::poll::ApiOptions::new(
        github.server.base(),
        manometer_providers::poll::Auth::None,
    );
    let api = manometer_providers::poll::Api::new(options, github.clock.clone()).unwrap();
    let source = manometer_providers::poll::GitHubSource::new("acme/shop", None, Default::default());
    let result = manometer_providers::poll::Reconciler::resume(
        "github/acme/shop",
        source,
        std::sync::Arc::new(api),
        github.memory.clone(),
        github.memory.clone(),
        Default::default(),
        Start::Recent,
    )
    .await;
    assert!(result.unwrap_err().to_string().contains("unreadable"));
    assert_eq!(github.memory.cursors.lock().unwrap().get("github/acme/shop").map(String::as_str), Some("{"));
}
