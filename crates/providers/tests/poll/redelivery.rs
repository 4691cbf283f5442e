//! Webhooks that failed are asked for again, a few times, and no others.

use manometer_providers::poll::Start;

use crate::fake_github::{FakeGitHub, NOON, runs};

fn asked(github: &FakeGitHub) -> Vec<String> {
    let posts = github.server.requests().into_iter().filter(|request| request.method == "POST");
    posts.map(|request| request.path.split('/').nth(7).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn failed_deliveries_are_asked_for_again_and_no_others() {
    let github = FakeGitHub::start(runs(1, NOON - 60, 60));
    github.state.lock().unwrap().deliveries = vec![
        (1, "arrived".into(), 200),
        (2, "refused".into(), 503),
        (3, "mended".into(), 0),
        (4, "mended".into(), 202),
        (5, "unreachable".into(), 0),
        (6, "twice".into(), 500),
        (7, "twice".into(), 500),
    ];
    let mut reconciler = github.reconciler(Start::Recent).await;
    let (_, progress) = github.until_up_to_date(&mut reconciler).await;
    assert_eq!(asked(&github), ["2", "7", "5"], "once each, the newest attempt");
    assert_eq!(progress.redelivered, 3);
}

#[tokio::test]
async fn a_delivery_that_never_arrives_is_not_asked_for_for_ever() {
    let github = FakeGitHub::start(Vec::new());
    github.state.lock().unwrap().deliveries = vec![(2, "refused".into(), 503)];
    for _ in 0..6 {
        // A new process each time: the count is in the cursor.
        let mut reconciler = github.reconciler(Start::Recent).await;
        github.until_up_to_date(&mut reconciler).await;
        github.clock.advance(300.0);
    }
    assert_eq!(asked(&github).len(), 3);
}
