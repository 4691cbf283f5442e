//! The guide for users says what the code plants.

use manometer_demo::planted::{
    ADDED_STEP, ARTIFACT_GROWTH, COVERAGE_DECLINE, MISSING_REPORTS, POOL_SHORTAGE, RERUN_FLAKY,
    RUNNER_FAILURE, SHARED_LIBRARY, VALIDATION_LIBRARY, WEDNESDAY_FAILURE,
};

use crate::support::{default_organisation, present};

const GUIDE: &str = include_str!("../../../../docs/DEMO.md");

/// The row of the guide's table of planted facts.
fn row(number: usize) -> &'static str {
    GUIDE.lines().find(|line| line.starts_with(&format!("| {number} |"))).expect("a row for every fact")
}

fn percent(rate: f64) -> String {
    format!("{:.0} %", rate * 100.0)
}

#[test]
fn the_table_names_every_planted_fact_with_its_place_and_magnitude() {
    let expected: [Vec<String>; 10] = [
        vec![
            WEDNESDAY_FAILURE.service.into(),
            WEDNESDAY_FAILURE.test.into(),
            percent(WEDNESDAY_FAILURE.failure_rate),
        ],
        vec![
            ADDED_STEP.project.into(),
            format!("`{}`", ADDED_STEP.job),
            format!("`{}`", ADDED_STEP.step),
            format!("{} s", ADDED_STEP.seconds),
            ADDED_STEP.commit_title.into(),
        ],
        vec![
            VALIDATION_LIBRARY.services.join(", "),
            format!("{} times", VALIDATION_LIBRARY.factor),
            VALIDATION_LIBRARY.commit_title.into(),
        ],
        vec![RERUN_FLAKY.service.into(), RERUN_FLAKY.test.into(), percent(RERUN_FLAKY.failure_rate)],
        vec![POOL_SHORTAGE.pool.into(), format!("{} times", POOL_SHORTAGE.load_factor)],
        vec![MISSING_REPORTS.service.into(), MISSING_REPORTS.silent_provider.into()],
        vec![
            SHARED_LIBRARY
                .services
                .iter()
                .map(|service| format!("`{service}`"))
                .collect::<Vec<_>>()
                .join(", "),
            format!("{} times", SHARED_LIBRARY.factor),
            SHARED_LIBRARY.commit_title.into(),
        ],
        vec![
            RUNNER_FAILURE.service.into(),
            RUNNER_FAILURE.test.into(),
            RUNNER_FAILURE.runner_name.into(),
            percent(RUNNER_FAILURE.failure_rate),
        ],
        vec![
            ARTIFACT_GROWTH.artifact.into(),
            format!("{} times", ARTIFACT_GROWTH.factor),
            ARTIFACT_GROWTH.commit_title.into(),
        ],
        vec![
            COVERAGE_DECLINE.service.into(),
            percent(COVERAGE_DECLINE.from_ratio),
            percent(COVERAGE_DECLINE.to_ratio),
        ],
    ];
    for (position, parts) in expected.iter().enumerate() {
        for part in parts {
            assert!(row(position + 1).contains(part), "row {} does not say `{part}`", position + 1);
        }
    }
}

#[test]
fn the_days_of_the_table_are_those_of_the_facts_or_a_long_weekend_nearer() {
    let planted = default_organisation().planted();
    for (number, day) in [
        (2, planted.added_step.pushed_at.day()),
        (3, planted.validation_library.pushed_at.day()),
        (5, planted.pool_shortage.0.day()),
        (6, planted.missing_reports.0.day()),
        (7, planted.shared_library.pushed_at.day()),
        (9, planted.artifact_growth.pushed_at.day()),
    ] {
        let when = row(number).rsplit('|').nth(1).unwrap();
        let said: i32 =
            when.split(|letter: char| !letter.is_ascii_digit()).find_map(|word| word.parse().ok()).unwrap();
        let days_ago = present().day() - day;
        assert!((said..=said + 4).contains(&days_ago), "row {number} says {said}, it is {days_ago}");
    }
}

#[test]
fn every_planted_fact_has_its_query() {
    for number in 1..=10 {
        let heading = GUIDE.find(&format!("\n### {number}. ")).expect("a section for every fact");
        let section = GUIDE.get(heading + 1..).unwrap();
        let section = section.split("\n### ").next().unwrap();
        assert!(section.contains("```sql\nSELECT"), "section {number} has no query");
    }
}
