//! What strangers send: forged, changed, old, huge, deep, empty and of the wrong types.

use std::panic::catch_unwind;

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use manometer_model::Timestamp;
use manometer_providers::{DecodeError, Delivery, Headers, Refusal, Secrets};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{RECEIVED_AT, at, decoded, fixture, named};

const SECRET: &str = "a secret of this test";

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hmac_hex(key: &[u8], message: &[u8]) -> String {
    hex::encode(hmac(key, message))
}

fn verify(
    provider: &str,
    headers: &[(&str, String)],
    body: &[u8],
    received_at: Timestamp,
) -> Result<(), Refusal> {
    let headers = Headers::from_pairs(headers.iter().map(|(name, value)| (*name, value.as_str())));
    let delivery = Delivery { headers: &headers, query: &[], body, received_at };
    named(provider).verify(&delivery, &Secrets::new(["the former one", SECRET]).unwrap())
}

/// The headers each system signs a body with.
fn signed(provider: &str, body: &[u8]) -> (&'static str, String) {
    let digits = hmac_hex(SECRET.as_bytes(), body);
    match provider {
        "github" => ("X-Hub-Signature-256", format!("sha256={digits}")),
        "forgejo" => ("X-Forgejo-Signature", digits),
        _ => ("X-Gitea-Signature", digits),
    }
}

#[test]
fn a_signed_body_is_believed_and_one_changed_byte_is_not() {
    for provider in ["github", "gitea", "forgejo"] {
        let folder = if provider == "forgejo" { "gitea" } else { provider };
        let body = fixture(folder, "workflow-job-completed");
        let (header, signature) = signed(provider, &body);
        let check = |signature: &str, body: &[u8]| {
            verify(provider, &[(header, signature.to_owned())], body, at(RECEIVED_AT))
        };
        assert_eq!(check(&signature, &body), Ok(()), "{provider}");
        for position in [0, body.len() / 2, body.len() - 1] {
            let mut changed = body.clone();
            changed[position] ^= 1;
            assert_eq!(check(&signature, &changed), Err(Refusal::WrongSignature), "{provider}");
        }
        let last = signature.len() - 1;
        let digit = if signature.ends_with('0') { "1" } else { "0" };
        let forged = format!("{}{digit}", signature.get(..last).unwrap());
        assert_eq!(check(&forged, &body), Err(Refusal::WrongSignature), "{provider}");
        assert!(verify(provider, &[], &body, at(RECEIVED_AT)).is_err(), "{provider}");
        let text = verify(provider, &[], &body, at(RECEIVED_AT)).unwrap_err().to_string();
        assert!(text.contains("not signed") && !text.contains(SECRET), "{text}");
    }
}

#[test]
fn the_older_sha1_signature_of_github_is_not_taken() {
    let body = fixture("github", "ping");
    let result = verify("github", &[("X-Hub-Signature", "sha1=00".to_owned())], &body, at(RECEIVED_AT));
    assert_eq!(result, Err(Refusal::Unsigned { header: "x-hub-signature-256" }));
    let result = verify("github", &[("X-Hub-Signature-256", "sha1=00".to_owned())], &body, at(RECEIVED_AT));
    assert_eq!(result, Err(Refusal::Malformed { header: "x-hub-signature-256" }));
}

#[test]
fn a_wrong_forgejo_signature_is_not_rescued_by_a_right_gitea_one() {
    let body = fixture("gitea", "push");
    let (_, right) = signed("gitea", &body);
    let headers = [("X-Gitea-Signature", right), ("X-Forgejo-Signature", "00".repeat(32))];
    assert_eq!(verify("forgejo", &headers, &body, at(RECEIVED_AT)), Err(Refusal::WrongSignature));
}

#[test]
fn gitlabs_token_is_compared_whole() {
    let body = fixture("gitlab", "push");
    let check =
        |token: &str| verify("gitlab", &[("X-Gitlab-Token", token.to_owned())], &body, at(RECEIVED_AT));
    assert_eq!(check(SECRET), Ok(()));
    assert_eq!(check("the former one"), Ok(()));
    for token in ["", "a secret", "a secret of this test "] {
        // White space around a header's value is not part of it.
        assert_eq!(check(token).is_ok(), token.trim() == SECRET, "{token:?}");
    }
}

#[test]
fn gitlabs_signature_decides_over_its_token_and_expires_after_five_minutes() {
    let key = [7_u8; 32];
    let secret = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(key));
    let secrets = Secrets::new([secret.as_str(), SECRET]).unwrap();
    let body = fixture("gitlab", "pipeline-success");
    let sent_at = at(RECEIVED_AT).as_micros() / 1_000_000;
    let message = [format!("msg-1.{sent_at}.").as_bytes(), &body].concat();
    let signature = format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(hmac(&key, &message)));
    let check = |signature: &str, body: &[u8], late: f64| {
        let headers = Headers::from_pairs([
            ("webhook-id", "msg-1"),
            ("webhook-timestamp", sent_at.to_string().as_str()),
            ("webhook-signature", signature),
            ("X-Gitlab-Token", SECRET),
        ]);
        let received_at = at(RECEIVED_AT).plus_seconds(late);
        named("gitlab").verify(&Delivery { headers: &headers, query: &[], body, received_at }, &secrets)
    };
    assert_eq!(check(&signature, &body, 1.0), Ok(()));
    assert_eq!(check(&signature, &body, 301.0), Err(Refusal::TooOld { age_seconds: 301.0 }));
    assert_eq!(check(&signature, b"{}", 1.0), Err(Refusal::WrongSignature));
    assert_eq!(check("v1,AAAA", &body, 1.0), Err(Refusal::WrongSignature));
    assert_eq!(check("v2", &body, 1.0), Err(Refusal::WrongSignature));
}

#[test]
fn an_unconfigured_source_takes_nothing_and_an_open_one_everything() {
    for provider in ["github", "gitlab", "gitea", "forgejo"] {
        let headers = Headers::default();
        let delivery = Delivery { headers: &headers, query: &[], body: b"{}", received_at: at(RECEIVED_AT) };
        let closed = Secrets::new::<&str>([]).unwrap();
        assert_eq!(named(provider).verify(&delivery, &closed), Err(Refusal::NoSecret), "{provider}");
        assert_eq!(named(provider).verify(&delivery, &Secrets::open()), Ok(()), "{provider}");
    }
}

#[test]
fn huge_deep_and_empty_bodies_are_refused_as_such() {
    let huge = format!(r#"{{"a":"{}"}}"#, "x".repeat(10 * 1024 * 1024));
    let deep = "[".repeat(200_000);
    let deep_object = r#"{"a":"#.repeat(100_000);
    for provider in ["github", "gitlab", "gitea", "forgejo"] {
        let refusal = |body: &str| decoded(provider, "push", body.as_bytes(), at(RECEIVED_AT)).unwrap_err();
        assert!(matches!(refusal(&huge), DecodeError::TooLarge { .. }), "{provider}");
        assert!(matches!(refusal(&deep), DecodeError::TooDeep { .. }), "{provider}");
        assert!(matches!(refusal(&deep_object), DecodeError::TooDeep { .. }), "{provider}");
        assert!(matches!(refusal(""), DecodeError::Empty), "{provider}");
        assert!(matches!(refusal("payload=%7B%7D"), DecodeError::NotJson(_)), "{provider}");
        assert!(matches!(refusal("{\"a\":"), DecodeError::NotJson(_)), "{provider}");
    }
}

#[test]
fn a_form_is_held_to_the_limits_of_what_it_unpacks_to() {
    let form = |body: &str| {
        let headers = Headers::from_pairs([
            ("X-GitHub-Event", "push"),
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ]);
        let delivery =
            Delivery { headers: &headers, query: &[], body: body.as_bytes(), received_at: at(RECEIVED_AT) };
        named("github").decode(&delivery, &Default::default(), &Default::default())
    };
    assert!(matches!(form("other=1"), Err(DecodeError::NoPayload { field: "payload" })));
    assert!(matches!(form("payload="), Err(DecodeError::Empty)));
    assert!(matches!(form(&format!("payload={}", "%5B".repeat(1_000))), Err(DecodeError::TooDeep { .. })));
    assert!(matches!(form("payload=%FF"), Err(DecodeError::NotJson(_))));
    assert!(form("payload=%7B%7D").is_ok_and(|decoded| !decoded.known));
}

/// Every fixture with the event it belongs to.
fn all_fixtures() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("github", "workflow_run", "workflow-run-completed"),
        ("github", "workflow_job", "workflow-job-completed"),
        ("github", "workflow_job", "workflow-job-waiting"),
        ("github", "check_run", "check-run-completed"),
        ("github", "check_suite", "check-suite-completed"),
        ("github", "push", "push"),
        ("github", "pull_request", "pull-request-merged"),
        ("github", "pull_request_review", "pull-request-review"),
        ("github", "deployment", "deployment-created"),
        ("github", "deployment_status", "deployment-status-success"),
        ("github", "release", "release-published"),
        ("gitlab", "Pipeline Hook", "pipeline-success"),
        ("gitlab", "Job Hook", "job-failed"),
        ("gitlab", "Deployment Hook", "deployment-success"),
        ("gitlab", "Push Hook", "push"),
        ("gitlab", "Merge Request Hook", "merge-request-merged"),
        ("gitlab", "Release Hook", "release-create"),
        ("gitea", "workflow_run", "workflow-run-completed"),
        ("gitea", "workflow_job", "workflow-job-completed"),
        ("gitea", "push", "push"),
        ("forgejo", "action_run_failure", "action-run-failure"),
    ]
}

/// The places of a document, as JSON pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries {
                places(inner, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                places(inner, &format!("{here}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!(""),
        json!("\u{1f}\u{0}ä"),
        json!("0000-00-00T99:99:99Z"),
        json!("x".repeat(100_000)),
        json!([]),
        json!([[null, {}]]),
        json!({}),
        json!({"id": {"id": []}}),
    ]
}

/// Not a sample: every field of every fixture with every odd value, one at a time.
#[test]
fn a_value_of_the_wrong_type_costs_its_field_and_never_the_delivery() {
    for (provider, event, file) in all_fixtures() {
        let whole: Value = serde_json::from_slice(&fixture(provider, file)).unwrap();
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        for place in all.iter().filter(|place| !place.is_empty()) {
            for odd in odd_values() {
                let mut changed = whole.clone();
                *changed.pointer_mut(place).unwrap() = odd.clone();
                let body = serde_json::to_vec(&changed).unwrap();
                let result = catch_unwind(|| decoded(provider, event, &body, at(RECEIVED_AT)));
                let Ok(result) = result else { panic!("{file}: {place} = {odd} panics") };
                let told = result.unwrap_or_else(|error| panic!("{file}: {place} = {odd}: {error}"));
                assert!(told.entities.len() < 64, "{file}: {place}");
            }
        }
    }
}

#[test]
fn a_bad_value_is_named_by_its_path() {
    let mut body: Value = serde_json::from_slice(&fixture("github", "workflow-job-completed")).unwrap();
    body["workflow_job"]["completed_at"] = json!(["never"]);
    let told = decoded("github", "workflow_job", body.to_string().as_bytes(), at(RECEIVED_AT)).unwrap();
    assert!(
        told.problems
            .first
            .iter()
            .any(|problem| problem.field.as_deref() == Some("workflow_job.completed_at"))
    );
    assert!(
        told.entities
            .iter()
            .any(|entity| matches!(entity, manometer_model::Record::Job(job) if job.conclusion.is_some()))
    );
}

#[test]
fn an_event_without_its_subject_is_a_problem_not_an_error() {
    for (provider, event, _) in all_fixtures() {
        let body = json!({
            "repository": {"html_url": "https://git.example/a/b"},
            "run": {"repository": {"html_url": "https://git.example/a/b"}},
            "project": {"web_url": "https://git.example/a/b"},
            "object_kind": event.strip_suffix(" Hook").map(|kind| match kind {
                "Job" => "build".to_owned(),
                kind => kind.to_lowercase().replace(' ', "_"),
            }),
        });
        let told = decoded(provider, event, body.to_string().as_bytes(), at(RECEIVED_AT)).unwrap();
        assert!(told.known && told.entities.is_empty(), "{provider} {event}: {told:?}");
        assert_eq!(told.problems.total, 1, "{provider} {event}: {told:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_cut_or_changed_anywhere_never_panic(
        which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let fixtures = all_fixtures();
        let (provider, event, file) = fixtures[which.index(fixtures.len())];
        let mut body = fixture(provider, file);
        for (place, byte) in changes {
            let position = place.index(body.len());
            body[position] = byte;
        }
        body.truncate(cut.index(2 * body.len()));
        drop(decoded(provider, event, &body, at(RECEIVED_AT)));
    }

    #[test]
    fn several_values_at_once_may_be_odd(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..16),
    ) {
        let fixtures = all_fixtures();
        let (provider, event, file) = fixtures[which.index(fixtures.len())];
        let mut body: Value = serde_json::from_slice(&fixture(provider, file)).unwrap();
        let odd = odd_values();
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&body, "", &mut all);
            if let Some(slot) = body.pointer_mut(&all[place.index(all.len())]) {
                *slot = odd[value.index(odd.len())].clone();
            }
        }
        prop_assert!(decoded(provider, event, body.to_string().as_bytes(), at(RECEIVED_AT)).is_ok());
    }
}
