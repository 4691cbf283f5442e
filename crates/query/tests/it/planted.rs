//! The planted facts of the example organisation, found by asking.

use std::sync::{Arc, OnceLock};

use manometer_demo::planted::{ADDED_STEP, ARTIFACT_GROWTH, VALIDATION_LIBRARY, WEDNESDAY_FAILURE};
use manometer_demo::{DemoOptions, Organisation};
use manometer_model::{Record, Timestamp};
use manometer_query::answers::{
    Answers, CompareAnswer, CompareRequest, Compared, HistoryRequest, Question, SlowestRequest, TrendRequest,
};
use manometer_query::{Access, Source};

use crate::fixture::{Rows, at, engine};

/// A Saturday morning.
fn present() -> Timestamp {
    at("2026-11-21T06:37:11Z")
}

struct Example {
    organisation: Organisation,
    rows: Arc<Rows>,
}

/// A small organisation that has every service the facts are about, made up once.
fn example() -> &'static Example {
    static EXAMPLE: OnceLock<Example> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let options =
            DemoOptions { services: 12, tests_total: 150_000, days: 60, ..DemoOptions::ending_at(present()) };
        let organisation = Organisation::new(options).unwrap();
        let mut records: Vec<Record> = Vec::new();
        for upload in organisation.uploads() {
            records.extend(upload.records.iter().cloned());
            upload.for_each_test(|test| records.push(test.clone().into()));
        }
        Example { rows: Arc::new(Rows::new().memory(records)), organisation }
    })
}

async fn ask<Q: Question>(asked: &[(&str, &str)]) -> Q::Answer {
    let source: Arc<dyn Source> = example().rows.clone();
    let pairs: Vec<(String, String)> =
        asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let answers = Answers::new(engine(), source, Access::All);
    answers.ask::<Q>(pairs, present()).await.unwrap_or_else(|error| panic!("{asked:?}: {error}"))
}

fn number<'a>(answer: &'a CompareAnswer, name: &str) -> &'a Compared {
    answer.numbers.iter().find(|number| number.number == name).unwrap()
}

#[tokio::test]
async fn the_p99_of_payments_before_and_after_the_validation_library_is_one_question() {
    let planted = &example().organisation.planted().validation_library;
    let by_words = [("commit", "new validation library")];
    let by_hash = [("commit", &planted.sha[..9])];
    for line in [by_words, by_hash] {
        let asked =
            [&line[..], &[("service", "payments"), ("measure", "test-duration"), ("quantile", "p99")]]
                .concat();
        let answer = ask::<CompareRequest>(&asked).await;
        assert_eq!(answer.anchor.commit_sha.as_deref(), Some(planted.sha.as_str()));
        let waited = answer.anchor.at.unwrap().seconds_since(planted.pushed_at);
        assert!((0.0..600.0).contains(&waited), "the first run begins {waited} s after the push");
        assert_eq!(answer.direction, "worse", "{}", answer.verdict);
        assert!(answer.verdict.starts_with("p99 slower by 1"), "{}", answer.verdict);
        let median = number(&answer, "p50");
        assert!((median.ratio.unwrap() - VALIDATION_LIBRARY.factor).abs() < 0.25, "{}", answer.verdict);
        assert!(median.ratio_low.unwrap() < VALIDATION_LIBRARY.factor, "{median:?}");
        assert!(median.ratio_high.unwrap() > VALIDATION_LIBRARY.factor, "{median:?}");
        let tail = number(&answer, "p99");
        assert!(tail.is_headline, "{tail:?}");
        assert!(tail.ratio_low.unwrap() < VALIDATION_LIBRARY.factor, "{tail:?}");
        assert!(tail.ratio_high.unwrap() > VALIDATION_LIBRARY.factor, "{tail:?}");
        assert!(answer.before.rows > 500 && answer.after.rows > 500, "{}", answer.verdict);
    }
}

#[tokio::test]
async fn another_service_did_not_change_at_that_commit() {
    let asked =
        [("commit", "new validation library"), ("service", "inventory"), ("measure", "test-duration")];
    let answer = ask::<CompareRequest>(&asked).await;
    assert_eq!(answer.direction, "steady", "{}", answer.verdict);
    assert!(answer.verdict.starts_with("no clear change of p50"), "{}", answer.verdict);
    assert!((number(&answer, "p50").ratio.unwrap() - 1.0).abs() < 0.15);
}

#[tokio::test]
async fn the_step_that_adds_ten_minutes_to_every_build_is_found_with_its_ten_minutes() {
    let asked = [
        ("commit", ADDED_STEP.commit_title),
        ("project", ADDED_STEP.project),
        ("pipeline", "ci"),
        ("outcome", "success"),
    ];
    let answer = ask::<CompareRequest>(&asked).await;
    assert_eq!(answer.direction, "worse", "{}", answer.verdict);
    let median = number(&answer, "p50");
    assert!((median.change.unwrap() - ADDED_STEP.seconds).abs() < 90.0, "{}", answer.verdict);
    assert!(
        median.change_low.unwrap() < ADDED_STEP.seconds && ADDED_STEP.seconds < median.change_high.unwrap(),
        "{median:?}"
    );
    assert!(answer.effect_word.as_deref() == Some("large"), "{:?}", answer.effect);
    // The services the commit has no runs of are slower as well: each after its own next run.
    assert!(answer.after.commits > 20);

    let lint = ask::<CompareRequest>(
        &[&asked[..3], &[("measure", "job-duration"), ("job", ADDED_STEP.job)]].concat(),
    )
    .await;
    assert!((number(&lint, "p50").change.unwrap() - ADDED_STEP.seconds).abs() < 30.0, "{}", lint.verdict);
    let slowest = ask::<SlowestRequest>(&[("of", "steps"), ("since", "7d"), ("limit", "100")]).await;
    assert!(slowest.lines.iter().any(|line| line.label.contains(ADDED_STEP.step)), "{slowest:?}");
}

#[tokio::test]
async fn the_grown_image_is_found_by_its_size() {
    let asked = [
        ("commit", ARTIFACT_GROWTH.commit_title),
        ("measure", "artifact-size"),
        ("name", ARTIFACT_GROWTH.artifact),
    ];
    let source: Arc<dyn Source> = example().rows.clone();
    let pairs: Vec<(String, String)> =
        asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let answered = Answers::new(engine(), source, Access::All).ask::<CompareRequest>(pairs, present()).await;
    let answer = answered.unwrap();
    let median = number(&answer, "p50");
    assert!((median.ratio.unwrap() - ARTIFACT_GROWTH.factor).abs() < 0.05, "{}", answer.verdict);
    assert!(answer.verdict.starts_with("p50 larger by"), "{}", answer.verdict);
}

#[tokio::test]
async fn the_trend_of_the_slowed_service_steps_up_at_the_merge() {
    let merged_at = example().organisation.planted().validation_library.pushed_at;
    let asked = [
        ("measure", "test-duration"),
        ("service", "payments"),
        ("branch", "main"),
        ("since", "60d"),
        ("bucket", "day"),
    ];
    let answer = ask::<TrendRequest>(&asked).await;
    let median = |after: bool| {
        let days = answer.series[0].points.iter().filter(|point| {
            let away = point.at.seconds_since(merged_at) / 86_400.0;
            if after { away > 1.0 && away < 15.0 } else { away < -1.0 && away > -15.0 }
        });
        let mut values: Vec<f64> = days.filter_map(|point| point.figures.p50).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratio = median(true) / median(false);
    assert!((ratio - VALIDATION_LIBRARY.factor).abs() < 0.4, "{ratio}");
    let gaps = answer.series[0].points.iter().filter(|point| point.figures.p50.is_none());
    assert!(gaps.clone().all(|point| point.figures.count == 0 && point.figures.mean.is_none()));
}

#[tokio::test]
async fn the_history_of_the_wednesday_test_has_its_failures() {
    let fact = WEDNESDAY_FAILURE;
    let answer =
        ask::<HistoryRequest>(&[("test", fact.test), ("service", fact.service), ("since", "60d")]).await;
    assert_eq!(answer.classname.as_deref(), Some(fact.classname));
    assert!(answer.total.failed >= 3, "{:?}", answer.total);
    assert!(answer.branches.iter().any(|line| line.branch.as_deref() == Some("main")));
    assert!(!answer.commits.is_empty());
}
