//! Browsers: pages behind a session.

use manometer_model::{Clock as _, SystemClock};
use manometer_server::access::Scope;

use crate::harness::{Answer, Harness, send};

async fn log_in(harness: &Harness, token: &str, wanted: &str) -> Answer {
    let form = format!("token={token}&next={}", wanted.replace('/', "%2F"));
    send(harness.post("/login", form).header("Content-Type", "application/x-www-form-urlencoded")).await
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_opens_the_pages_until_it_is_revoked() {
    let harness = Harness::start().await;
    let (id, token) = harness.token_until(&[Scope::Query], None, None);
    let shut = send(harness.get("/service?project=p")).await;
    assert_eq!(
        (shut.status, shut.header("location").as_str()),
        (303, "/login?next=%2Fservice%3Fproject%3Dp")
    );

    let opened = log_in(&harness, &token, "/service?project=p").await;
    assert_eq!((opened.status, opened.header("location").as_str()), (303, "/service?project=p"));
    let set = opened.header("set-cookie");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/"), "{set}");
    assert!(!set.contains(&token), "the cookie is not the token");
    let cookie = cookie(&opened);
    assert_eq!(send(harness.get("/").header("Cookie", &cookie)).await.status, 200);

    harness.tokens().revoke(&id, SystemClock.now()).unwrap();
    assert_eq!(send(harness.get("/").header("Cookie", &cookie)).await.status, 303);
}

#[tokio::test]
async fn logging_out_ends_the_session_on_the_server_too() {
    let harness = Harness::start().await;
    let token = harness.token(&[Scope::Query], None);
    let cookie = cookie(&log_in(&harness, &token, "/").await);
    let out = send(harness.post("/logout", "").header("Cookie", &cookie)).await;
    assert_eq!((out.status, out.header("location").as_str()), (303, "/login"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(send(harness.get("/").header("Cookie", &cookie)).await.status, 303);
}

#[tokio::test]
async fn a_wrong_token_or_one_that_may_not_look_stays_at_the_form() {
    let harness = Harness::start().await;
    let ingest_only = harness.token(&[Scope::Ingest], None);
    for token in ["", "mano_wrong", ingest_only.as_str()] {
        let refused = log_in(&harness, token, "/").await;
        assert_eq!((refused.status, refused.header("location").as_str()), (303, "/login?next=%2F&failed=1"));
        assert_eq!(refused.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn a_login_leads_nowhere_but_to_this_server() {
    let harness = Harness::start().await;
    let token = harness.token(&[Scope::Query], None);
    for wanted in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        assert_eq!(log_in(&harness, &token, wanted).await.header("location"), "/", "{wanted}");
    }
}

#[tokio::test]
async fn a_session_asks_questions_but_sends_no_reports() {
    let harness = Harness::start().await;
    let token = harness.token(&[Scope::Admin], None);
    let cookie = cookie(&log_in(&harness, &token, "/").await);
    let asked = harness.post("/api/v1/sql", r#"{"sql":"select 1"}"#).header("Cookie", &cookie);
    assert_eq!(send(asked).await.status, 200);
    let sent = harness.post("/api/v1/records", "{}").header("Cookie", &cookie);
    assert_eq!(send(sent).await.status, 401);
}

#[tokio::test]
async fn styles_of_the_login_form_need_no_session() {
    let harness = Harness::start().await;
    drop(harness.token(&[Scope::Query], None));
    let form = send(harness.get("/login")).await;
    assert_eq!(form.status, 200);
    let style = form
        .text
        .split("href=\"")
        .find_map(|rest| rest.split('"').next().filter(|url| url.ends_with(".css")));
    assert_eq!(send(harness.get(style.unwrap())).await.status, 200);
}
