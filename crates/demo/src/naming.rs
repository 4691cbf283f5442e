//! Names of tests, as the test tool of each language writes them into its report.

use crate::services::{Service, Tool};
use crate::suite::Level;

/// What identifies a test, and where it stands.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) suite: String,
    pub(crate) classname: String,
    pub(crate) name: String,
    pub(crate) parameters: Option<String>,
    pub(crate) file: String,
    pub(crate) line: i64,
}

/// What tests say of their subject.
const BEHAVIOURS: &[&str] = &[
    "is created",
    "is rejected when expired",
    "keeps its order",
    "survives a restart",
    "is idempotent",
    "handles an empty list",
    "refuses a negative amount",
    "rounds half to even",
    "falls back to the default",
    "is visible to its owner only",
    "times out after the deadline",
    "emits one event",
    "is updated in place",
    "is removed with its parent",
    "accepts unicode names",
    "retries on conflict",
    "reports the first error",
    "is cached for a minute",
    "ignores unknown fields",
    "parses the legacy format",
    "writes an audit line",
    "respects the page size",
    "is sorted by date",
    "converts the currency",
    "locks while importing",
    "is hidden when archived",
    "validates the country code",
    "merges duplicates",
    "rolls back on failure",
    "warns when almost empty",
];

const PARAMETERS: &[&str] =
    &["eur", "usd", "gbp", "jpy", "de-DE", "fr-FR", "en-US", "pl-PL", "guest", "member"];

/// The identity of the test at that position among the tests of its level; no two positions share one.
pub(crate) fn identity(service: &Service, level: Level, position: usize) -> Identity {
    let subject =
        service.subjects.get(position % service.subjects.len().max(1)).copied().unwrap_or("service");
    let remaining = position / service.subjects.len().max(1);
    let behaviour = BEHAVIOURS.get(remaining % BEHAVIOURS.len()).copied().unwrap_or("works");
    let parameters = match remaining / BEHAVIOURS.len() {
        0 => None,
        variant => Some(match PARAMETERS.get(variant - 1) {
            Some(parameter) => (*parameter).to_owned(),
            None => format!("case-{variant}"),
        }),
    };
    let line = 12 + (remaining % BEHAVIOURS.len()) as i64 * 17;
    let (name, folder) = (service.name.as_str(), level.folder());
    let sentence = format!("{subject} {behaviour}");
    let words = Words { subject: &snake(subject), sentence: &snake(&sentence), service: &snake(name) };
    match service.tool {
        Tool::Pytest => Identity {
            suite: "pytest".to_owned(),
            classname: format!("{}.tests.{folder}.test_{}", words.service, words.subject),
            name: format!("test_{}", words.sentence),
            parameters,
            file: format!("services/{name}/tests/{folder}/test_{}.py", words.subject),
            line,
        },
        Tool::Surefire => {
            let class = format!("{}{}Test", pascal(subject), pascal(folder));
            let package = format!("com.acme.shop.{}.{folder}", words.service);
            Identity {
                suite: format!("{package}.{class}"),
                classname: format!("{package}.{class}"),
                name: camel(&sentence),
                parameters,
                file: format!(
                    "services/{name}/src/test/java/com/acme/shop/{}/{folder}/{class}.java",
                    words.service
                ),
                line,
            }
        }
        Tool::Jest => Identity {
            suite: format!("{} {folder}", title(subject)),
            classname: format!("{} {folder}", title(subject)),
            name: behaviour.to_owned(),
            parameters,
            file: format!("services/{name}/src/__tests__/{folder}/{}.test.ts", kebab(subject)),
            line,
        },
        Tool::Go => Identity {
            suite: format!("acme.example/shop/services/{name}/{folder}/{}", kebab(subject)),
            classname: format!("acme.example/shop/services/{name}/{folder}/{}", kebab(subject)),
            name: format!("Test{}", pascal(&sentence)),
            parameters,
            file: format!("services/{name}/{folder}/{}/{}_test.go", kebab(subject), words.subject),
            line,
        },
        Tool::Nextest => Identity {
            suite: format!("{name}-{folder}"),
            classname: format!("{name}-{folder}"),
            name: format!("{}::tests::{}", words.subject, snake(behaviour)),
            parameters,
            file: format!("services/{name}/{folder}/src/{}.rs", words.subject),
            line,
        },
        Tool::XcTest => Identity {
            suite: format!("Shop{}Tests", pascal(folder)),
            classname: format!("Shop{}Tests.{}Tests", pascal(folder), pascal(subject)),
            name: format!("test{}", pascal(&sentence)),
            parameters,
            file: format!("Tests/{folder}/{}Tests.swift", pascal(subject)),
            line,
        },
        Tool::NUnit => Identity {
            suite: format!("Acme.Erp.{}.Tests", pascal(folder)),
            classname: format!("Acme.Erp.{}.Tests.{}Tests", pascal(folder), pascal(subject)),
            name: pascal(&sentence),
            parameters,
            file: format!("tests/{}/{}Tests.cs", pascal(folder), pascal(subject)),
            line,
        },
    }
}

struct Words<'a> {
    subject: &'a str,
    sentence: &'a str,
    service: &'a str,
}

fn snake(text: &str) -> String {
    text.replace([' ', '-'], "_")
}

fn kebab(text: &str) -> String {
    text.replace(' ', "-")
}

fn title(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn pascal(text: &str) -> String {
    text.split([' ', '-']).map(title).collect()
}

fn camel(text: &str) -> String {
    let mut words = text.split([' ', '-']);
    let first = words.next().unwrap_or_default().to_owned();
    words.map(title).fold(first, |joined, word| joined + &word)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::services::services;
    use crate::suite::Suite;

    #[test]
    fn no_two_tests_of_a_service_share_an_identity() {
        for service in services(24) {
            let suite = Suite::new(1, &service, 2_000.0);
            let ids: HashSet<_> = suite.cases.iter().map(|case| case.id).collect();
            assert_eq!(ids.len(), suite.cases.len(), "{}", service.name);
        }
    }

    #[test]
    fn names_look_like_those_of_their_tool() {
        let all = services(24);
        let of = |name: &str, position| {
            let service = all.iter().find(|service| service.name == name).unwrap();
            identity(service, Level::Unit, position)
        };
        let python = of("payments", 5);
        assert_eq!(python.classname, "payments.tests.unit.test_refund");
        assert_eq!(python.name, "test_refund_is_rejected_when_expired");
        assert_eq!(of("catalog", 0).classname, "com.acme.shop.catalog.unit.ProductUnitTest");
        assert_eq!(of("catalog", 0).name, "productIsCreated");
        assert_eq!(of("checkout", 0).classname, "Address form unit");
        assert_eq!(of("gateway", 1).name, "TestRateLimitIsCreated");
        assert_eq!(of("payments", 150).parameters.as_deref(), Some("eur"));
    }
}
