//! Other web sites do not get to use a visitor's browser.

use manometer_server::access::Scope;

use crate::harness::{Harness, REPORTS, junit, send};

#[tokio::test]
async fn an_open_server_answers_only_under_its_own_names() {
    let harness = Harness::start_with(|options| options.hostnames = vec!["ci.acme.example".to_owned()]).await;
    let port = harness.address().port();
    for host in [
        "localhost".to_owned(),
        format!("127.0.0.1:{port}"),
        "[::1]:8420".to_owned(),
        "CI.acme.example:80".to_owned(),
    ] {
        assert_eq!(send(harness.get("/healthz").header("Host", &host)).await.status, 200, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1"] {
        let answer = send(harness.get("/api/v1/deliveries").header("Host", host)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "unknown_host"), "{host}");
    }
}

#[tokio::test]
async fn with_tokens_any_name_will_do_as_the_token_is_what_counts() {
    let harness = Harness::start().await;
    let token = harness.token(&[Scope::Query], None);
    let answer =
        send(harness.get("/metrics").header("Host", "manometer.acme.example").bearer_auth(token)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn what_another_origin_makes_a_browser_send_is_refused() {
    let harness = Harness::start().await;
    let own = format!("http://{}", harness.address());
    for (name, value, status) in [
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Origin", "http://127.0.0.1:1", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Origin", own.as_str(), 201),
        ("Sec-Fetch-Site", "same-origin", 208),
    ] {
        let answer = send(harness.post(REPORTS, junit(&["a"])).header(name, value)).await;
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.text);
    }
    let reading = send(harness.get("/").header("Sec-Fetch-Site", "cross-site")).await;
    assert_eq!(reading.status, 200, "following a link is no attack");
    assert_eq!(reading.header("access-control-allow-origin"), "");
}
