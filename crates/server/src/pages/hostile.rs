//! Tests of every page with names, messages and addresses made to break out of it.

use manometer_model::{TestId, Timestamp};
use manometer_query::answers::{
    Anchor, ArtifactLine, BuildLine, Cause, CompareAnswer, Compared, CompletenessAnswer, CompletenessRequest,
    CoverageLine, DayCompleteness, DurationPoint, Execution, FailingTest, FailureGroup, FailureLine,
    FailuresAnswer, FoundTest, JobLine, MissingRun, Place, RunAnswer, RunLine, SampleLine, Series,
    ServiceAnswer, ServiceCompleteness, ServiceLine, ServiceRequest, ServicesAnswer, ServicesRequest,
    SilentDay, SlowLine, SlowTestLine, SlowestAnswer, StepLine, TestAnswer, TestLine, TestRequest,
    TrendAnswer, TrendPoint, Unit,
};

use super::asked::Asked;
use super::markup::Markup;
use super::refusal::{PageRefusal, render};
use super::view::login::LoginPage;
use super::view::services::{FirstStepsPage, StoreHead};
use super::{
    compare, completeness, failures, layout, run, service, services, shown, slowest, sql, test, tests, trend,
};
use crate::poll::PollState;

const EVIL: &str = "\"'></title></textarea></pre><script>alert(1)</script><img src=x onerror=alert(2)> \
                    &lt;b&gt; {{ 7*7 }} \u{1b}[31mred\u{1b}[0m \u{202e}ルビ 🦀 `${x}`";
/// A piece of it that is seen when it stayed text.
const SEEN: &str = "<img src=x onerror=alert(2)> &lt;b&gt; {{ 7*7 }} red \u{fffd}ルビ 🦀";
const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

fn evil() -> String {
    EVIL.to_owned()
}

fn maybe() -> Option<String> {
    Some(evil())
}

fn checked(template: &impl askama::Template) -> Markup {
    Markup::checked(&render(template).unwrap().0)
}

fn assert_seen(markup: &Markup, times: usize) {
    let found = markup.text.matches(SEEN).count();
    assert!(found >= times, "seen {found} times, not {times}:\n{}", markup.text);
    assert!(!markup.text.contains('\u{1b}'));
}

fn run_line() -> RunLine {
    RunLine {
        provider: evil(),
        project: evil(),
        service: maybe(),
        pipeline: maybe(),
        run_id: evil(),
        attempt: 1,
        branch: maybe(),
        commit_sha: maybe(),
        trigger: maybe(),
        actor: maybe(),
        status: maybe(),
        conclusion: maybe(),
        started_at: Some(NOW),
        change_id: maybe(),
        url: Some("javascript:alert(3)".to_owned()),
        ..RunLine::default()
    }
}

fn test_line() -> TestLine {
    TestLine { suite: maybe(), classname: maybe(), name: evil(), parameters: maybe(), ..TestLine::default() }
}

#[test]
fn the_completeness_page_escapes_everything() {
    let day = DayCompleteness { runs: 3, expecting_tests: 3, with_tests: 1, ..DayCompleteness::default() };
    let answer = CompletenessAnswer {
        days: vec![NOW],
        services: vec![ServiceCompleteness {
            project: evil(),
            service: maybe(),
            per_day: vec![Some(day)],
            total: day,
        }],
        missing: vec![MissingRun {
            provider: evil(),
            project: evil(),
            service: maybe(),
            pipeline: maybe(),
            run_id: evil(),
            attempt: 1,
            conclusion: maybe(),
            url: Some("javascript:alert(3)".to_owned()),
            lacks_tests: true,
            jobs_without_tests: maybe(),
            ..MissingRun::default()
        }],
        missing_total: 1,
        silent_days: vec![SilentDay { provider: evil(), day: NOW }],
    };
    let request =
        CompletenessRequest { now: NOW, days: 1, project: maybe(), service: maybe(), most_missing: 1 };
    let poll = PollState { name: evil(), message: maybe(), ..PollState::default() };
    let page = completeness::page(&answer, Some(&[poll]), &request, &Asked::of("", None));
    assert_seen(&checked(&page), 10);
}

#[test]
fn names_of_services_stay_text() {
    let line = ServiceLine {
        project: evil(),
        service: maybe(),
        runs_per_day: vec![None, Some(0), Some(3)],
        last_status: maybe(),
        last_conclusion: maybe(),
        ..ServiceLine::default()
    };
    let answer = ServicesAnswer { days: vec![NOW; 3], services: vec![line] };
    let request = ServicesRequest { now: NOW, days: 3, project: maybe() };
    let store = StoreHead { tests: shown::Count(1), size: shown::Bytes(1) };
    assert_seen(&checked(&services::page(&answer, Some(store), &request, &Asked::default())), 3);
}

#[test]
fn runs_and_tests_of_a_service_stay_text_also_in_its_chart() {
    let point = DurationPoint {
        started_at: NOW,
        duration_seconds: 1.0,
        conclusion: maybe(),
        provider: evil(),
        run_id: evil(),
        pipeline: maybe(),
        branch: maybe(),
        commit_sha: maybe(),
        ..DurationPoint::default()
    };
    let answer = ServiceAnswer {
        runs_total: 1,
        runs: vec![run_line()],
        durations: vec![point],
        slowest_tests: vec![test_line()],
        failing_tests: vec![test_line()],
    };
    let request = ServiceRequest {
        project: evil(),
        service: maybe(),
        branch: maybe(),
        now: NOW,
        days: 30,
        page: 0,
        page_size: 50,
        tests: 10,
    };
    let page = service::page(&answer, &ServicesAnswer::default(), &request, &Asked::default());
    assert_seen(&checked(&page), 8);
}

#[test]
fn everything_about_a_run_stays_text_and_its_address_does_not_run() {
    let step = StepLine { name: maybe(), conclusion: maybe(), ..StepLine::default() };
    let job = JobLine {
        job_id: evil(),
        name: maybe(),
        stage: maybe(),
        status: maybe(),
        conclusion: maybe(),
        started_at: Some(NOW),
        finished_at: Some(NOW),
        runner_name: maybe(),
        runner_pool: maybe(),
        failure_reason: maybe(),
        url: Some("javascript:alert(4)".to_owned()),
        steps: vec![step],
        ..JobLine::default()
    };
    let failure = FailureLine {
        suite: maybe(),
        classname: maybe(),
        name: evil(),
        parameters: maybe(),
        file: maybe(),
        line: Some(1),
        status: evil(),
        failure_kind: maybe(),
        failure_message: maybe(),
        failure_details: maybe(),
        failure_fingerprint: maybe(),
        job_name: maybe(),
        ..FailureLine::default()
    };
    let answer = RunAnswer {
        run: run_line(),
        attempts: vec![1, 2],
        jobs: vec![job],
        failures: vec![failure],
        failures_total: 1,
        slowest_tests: vec![SlowTestLine {
            name: evil(),
            classname: maybe(),
            status: evil(),
            ..SlowTestLine::default()
        }],
        coverage: vec![CoverageLine { scope: evil(), name: maybe(), ..CoverageLine::default() }],
        artifacts: vec![ArtifactLine { name: evil(), kind: maybe(), size_bytes: -1 }],
        builds: vec![BuildLine { name: evil(), ..BuildLine::default() }],
        samples: vec![SampleLine { name: evil(), value: f64::NAN, unit: maybe(), at: NOW }],
    };
    let markup = checked(&run::page(&answer, &Asked::default(), NOW));
    assert_seen(&markup, 25);
}

#[test]
fn everything_about_a_test_stays_text() {
    let execution = Execution {
        at: NOW,
        status: "failed".to_owned(),
        provider: evil(),
        run_id: evil(),
        branch: maybe(),
        commit_sha: maybe(),
        failure_kind: maybe(),
        failure_message: maybe(),
        failure_fingerprint: maybe(),
        ..Execution::default()
    };
    let group = FailureGroup {
        failure_fingerprint: maybe(),
        failure_kind: maybe(),
        failure_message: maybe(),
        failures: 1,
        ..FailureGroup::default()
    };
    let answer = TestAnswer {
        suite: maybe(),
        classname: maybe(),
        name: evil(),
        parameters: maybe(),
        file: maybe(),
        executions: vec![execution],
        failures: vec![group],
        ..TestAnswer::default()
    };
    let request = TestRequest {
        project: evil(),
        service: maybe(),
        test_id: TestId::default(),
        branch: maybe(),
        now: NOW,
        days: 90,
        executions: 10,
    };
    assert_seen(&checked(&test::page(&answer, &request, 0, &Asked::default())), 10);
}

#[test]
fn what_was_searched_for_stays_text() {
    let found = FoundTest {
        project: evil(),
        service: maybe(),
        suite: maybe(),
        classname: maybe(),
        name: evil(),
        parameters: maybe(),
        ..FoundTest::default()
    };
    assert_seen(&checked(&tests::page(&[found], EVIL, 90, NOW, &Asked::default())), 5);
    checked(&tests::page(&[], EVIL, 90, NOW, &Asked::default()));
    checked(&tests::page(&[], "", 90, NOW, &Asked::default()));
}

#[test]
fn typed_answers_stay_text_and_so_does_what_was_asked() {
    let query: String = ["measure", "service", "commit", "name", "outcome"]
        .iter()
        .map(|name| {
            format!("{name}={}&", form_urlencoded::byte_serialize(EVIL.as_bytes()).collect::<String>())
        })
        .collect();
    let asked = Asked::of(&query, None);
    let key = || -> std::collections::BTreeMap<String, Option<String>> {
        [("service".to_owned(), maybe()), ("test_id".to_owned(), maybe()), ("project".to_owned(), maybe())]
            .into()
    };
    let series =
        Series { label: evil(), key: key(), points: vec![TrendPoint::default()], ..Series::default() };
    let of_trend = TrendAnswer {
        meaning: evil(),
        unit: Unit::Other(evil()),
        group: maybe(),
        series: vec![series],
        ..TrendAnswer::default()
    };
    assert_seen(&checked(&trend::page(&of_trend, None, &asked)), 2);
    checked(&trend::page(&TrendAnswer { group: None, ..of_trend }, maybe(), &asked));
    let anchor = Anchor {
        kind: "commit".to_owned(),
        commit_sha: maybe(),
        title: maybe(),
        change_id: maybe(),
        branch: maybe(),
        at: Some(NOW),
        ..Anchor::default()
    };
    let of_compare = CompareAnswer {
        verdict: evil(),
        meaning: evil(),
        anchor,
        numbers: vec![Compared::default()],
        notes: vec![evil()],
        ..CompareAnswer::default()
    };
    assert_seen(&checked(&compare::page(Some(&of_compare), None, &asked, NOW)), 5);
    assert_seen(&checked(&compare::page(None, maybe(), &asked, NOW)), 1);
    let line = SlowLine { label: evil(), key: key(), ..SlowLine::default() };
    assert_seen(
        &checked(&slowest::page(
            &SlowestAnswer { of: "tests".to_owned(), lines: vec![line], ..SlowestAnswer::default() },
            None,
            &asked,
        )),
        2,
    );
    let place = || vec![Place { name: maybe(), failures: 1 }];
    let failing = FailingTest {
        project: evil(),
        service: maybe(),
        test_id: evil(),
        name: evil(),
        ..FailingTest::default()
    };
    let cause = Cause {
        kind: maybe(),
        message: maybe(),
        first_commit: maybe(),
        first_branch: maybe(),
        project: evil(),
        provider: evil(),
        run_id: evil(),
        services: place(),
        branches: place(),
        failing_tests: vec![failing],
        ..Cause::default()
    };
    assert_seen(
        &checked(&failures::page(
            &FailuresAnswer { causes: vec![cause], ..FailuresAnswer::default() },
            None,
            &asked,
            NOW,
        )),
        5,
    );
}

#[test]
fn a_question_stays_in_its_box() {
    let markup = checked(&sql::page(EVIL, &Asked::default()));
    assert!(markup.text.contains("</textarea></pre><script>alert(1)</script>"));
}

#[test]
fn pages_without_data_and_refusals_are_whole_pages() {
    let asked = Asked::default();
    checked(&services::page(
        &ServicesAnswer::default(),
        None,
        &ServicesRequest { now: NOW, days: 7, project: None },
        &asked,
    ));
    checked(&run::page(&RunAnswer::default(), &asked, NOW));
    for needs_token in [true, false] {
        let layout = asked.layout("Begin", layout::Section::Other);
        checked(&FirstStepsPage { layout, server: "http://[::1]:8420".to_owned(), needs_token });
    }
    let layout = layout::Layout::new("Sign in", layout::Section::Other, true);
    checked(&LoginPage { layout, refusal: Some("no"), next: shown::plain_text(EVIL) });
    let refusal = PageRefusal::not_found(EVIL).with_way_on(SEEN, "/".to_owned()).for_caller(true);
    assert!(checked(&refusal.page()).text.contains("onerror"));
}

#[test]
fn no_template_switches_escaping_off() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let template = std::fs::read_to_string(&path).unwrap();
        for word in ["|safe", "| safe", "escape none", "autoescape"] {
            assert!(!template.contains(word), "{}: {word}", path.display());
        }
    }
}
