//! What strangers and broken senders send: nothing of it panics, and one bad value costs one field.

use manometer_providers::DecodeError;
use serde_json::{Value, json};

use crate::sent::{Sent, fixtures};

/// The providers of these tests.
const PROVIDERS: &[&str] = &[
    "jenkins",
    "teamcity",
    "buildkite",
    "circleci",
    "azure",
    "bitbucket",
    "drone",
    "woodpecker",
    "cdevents",
];

/// Every fixture of every one of them, with the headers that name its event.
fn all() -> Vec<(String, Sent)> {
    let mut found = Vec::new();
    for provider in PROVIDERS.iter().copied() {
        let Ok(files) = std::fs::read_dir(fixtures(provider)) else { continue };
        let names = files
            .filter_map(|file| file.unwrap().file_name().to_str()?.strip_suffix(".json").map(str::to_owned));
        found.extend(names.map(|name| (format!("{provider}/{name}"), headed(provider, &name))));
    }
    assert!(found.len() > 60, "{} fixtures", found.len());
    found
}

fn headed(provider: &'static str, name: &str) -> Sent {
    let sent = Sent::fixture(provider, name);
    match (provider, name) {
        ("bitbucket", "push") => sent.with("X-Event-Key", "repo:push"),
        ("bitbucket", name) if name.starts_with("status") => {
            sent.with("X-Event-Key", "repo:commit_status_updated")
        }
        ("bitbucket", "pullrequest-fulfilled") => sent.with("X-Event-Key", "pullrequest:fulfilled"),
        ("jenkins", name) => match name.strip_prefix("cloudevents-") {
            Some(kind) => sent.with("ce-type", &format!("org.jenkinsci.{}", kind.replace('-', "."))),
            None => sent,
        },
        _ => sent,
    }
}

/// Every value of a document, as the path of keys and positions to it.
fn places(value: &Value, here: &mut Vec<String>, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(position, item)| (position.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in below {
        here.push(key);
        found.push(format!("/{}", here.join("/")));
        places(value, here, found);
        here.pop();
    }
}

#[test]
fn a_value_of_any_other_type_in_any_place_costs_no_more_than_its_field() {
    let odd = [
        Value::Null,
        json!([[{"a": 1}]]),
        json!({"deep": [1, {"er": null}]}),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!("\u{1f}\u{0}\u{202e} 🦀"),
    ];
    for (name, sent) in all() {
        let document: Value = serde_json::from_slice(&sent.body).unwrap();
        let mut found = Vec::new();
        places(&document, &mut Vec::new(), &mut found);
        for place in found {
            for value in &odd {
                let mut changed = document.clone();
                *changed.pointer_mut(&place).unwrap() = value.clone();
                let body = serde_json::to_vec(&changed).unwrap();
                let decoded = Sent { body, ..sent.clone() }.try_decode();
                let decoded = decoded.unwrap_or_else(|error| panic!("{name}{place} = {value}: {error}"));
                for problem in &decoded.problems.first {
                    assert!(problem.field.is_some(), "{name}{place} = {value}: {problem}");
                }
            }
        }
    }
}

#[test]
fn a_body_that_is_cut_off_anywhere_is_refused() {
    for (name, sent) in all() {
        let end = sent.body.trim_ascii_end().len();
        for length in (1..end).step_by(7) {
            let body = sent.body.get(..length).unwrap().to_vec();
            let refused = Sent { body, ..sent.clone() }.try_decode();
            assert!(
                matches!(refused, Err(DecodeError::NotJson(_) | DecodeError::Empty)),
                "{name} at {length}"
            );
        }
    }
}

#[test]
fn what_is_no_payload_is_refused_and_what_is_another_one_is_not_known() {
    for provider in PROVIDERS.iter().copied() {
        let of = |body: Vec<u8>| Sent::body(provider, body);
        assert!(matches!(of(Vec::new()).try_decode(), Err(DecodeError::Empty)), "{provider}");
        assert!(
            matches!(of(vec![b' '; 10 << 20]).try_decode(), Err(DecodeError::TooLarge { .. })),
            "{provider}"
        );
        assert!(
            matches!(of(vec![b'['; 1 << 20]).try_decode(), Err(DecodeError::TooDeep { .. })),
            "{provider}"
        );
        let nested = format!("{}{}", "{\"data\":".repeat(100_000), "}".repeat(100_000));
        assert!(matches!(of(nested.into()).try_decode(), Err(DecodeError::TooDeep { .. })), "{provider}");
        assert!(matches!(of(b"hello".to_vec()).try_decode(), Err(DecodeError::NotJson(_))), "{provider}");
        for other in
            ["{}", "[]", "null", "1", "\"text\"", "[{},{}]", "{\"event\":\"moon.landed\",\"type\":\"x\"}"]
        {
            let decoded = of(other.into()).decode();
            assert!(!decoded.known && decoded.entities.is_empty(), "{provider} {other}: {decoded:?}");
            of(other.into()).identity();
        }
    }
}

#[test]
fn an_event_that_lacks_what_it_is_about_is_a_problem_and_no_error() {
    for (provider, event, field) in [
        ("jenkins", r#"{"type":"run.completed","source":"job/a/","data":{}}"#, "data.number"),
        ("jenkins", r#"{"build":{"phase":"STARTED"}}"#, "build.number"),
        ("teamcity", r#"{"eventType":"BUILD_FINISHED","payload":{"id":1}}"#, "payload.buildType.projectId"),
        ("teamcity", r#"{"build":{"notifyType":"buildStarted"}}"#, "build.buildId"),
        ("buildkite", r#"{"event":"build.finished"}"#, "build.id"),
        ("buildkite", r#"{"event":"agent.lost"}"#, "agent.id"),
        ("circleci", r#"{"type":"workflow-completed"}"#, "workflow.id"),
        ("azure", r#"{"eventType":"build.complete"}"#, "resource.id"),
        ("bitbucket", r#"{"eventKey":"repo:refs_changed"}"#, "repository"),
        ("drone", r#"{"action":"updated","build":{}}"#, "build.number"),
        ("woodpecker", r#"{"pipeline":{"status":"success"}}"#, "pipeline.number"),
        (
            "cdevents",
            r#"{"context":{"type":"dev.cdevents.taskrun.started.0.2.0"},"subject":{}}"#,
            "subject.id",
        ),
    ] {
        let decoded = Sent::body(provider, event).decode();
        assert!(decoded.known && decoded.entities.is_empty(), "{provider}: {decoded:?}");
        assert_eq!(decoded.problems.first[0].field.as_deref(), Some(field), "{provider}");
    }
}
