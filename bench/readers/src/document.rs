//! JUnit reports as a company's pipelines write them: the same tests run after run, other durations, a few failures.

use std::io::{self, Write};

const AREAS: [&str; 12] = [
    "payments",
    "checkout",
    "inventory",
    "search",
    "ledger",
    "shipping",
    "accounts",
    "pricing",
    "catalog",
    "billing",
    "fraud",
    "returns",
];
const LAYERS: [&str; 6] = ["api", "domain", "storage", "events", "client", "jobs"];
const SUBJECTS: [&str; 16] = [
    "Invoice",
    "Refund",
    "CardToken",
    "Basket",
    "Stock",
    "Price",
    "Address",
    "Order",
    "Voucher",
    "Session",
    "Currency",
    "Webhook",
    "Payout",
    "Customer",
    "Shipment",
    "Tax",
];
const VERBS: [&str; 14] = [
    "rejects",
    "accepts",
    "rounds",
    "retries",
    "expires",
    "merges",
    "keeps",
    "notifies",
    "locks",
    "restores",
    "orders",
    "validates",
    "paginates",
    "serialises",
];
const CASES: [&str; 18] = [
    "an_expired_card",
    "two_currencies",
    "an_empty_basket",
    "a_partial_refund",
    "an_unknown_customer",
    "a_late_event",
    "a_duplicate_delivery",
    "a_negative_amount",
    "a_leap_day",
    "a_closed_account",
    "concurrent_updates",
    "a_large_order",
    "a_missing_address",
    "an_old_client",
    "a_cancelled_order",
    "an_expired_session",
    "a_zero_quantity",
    "a_foreign_tax",
];
const TESTS_PER_SUITE: u64 = 24;

/// One report: which tests, and how they went this time.
#[derive(Debug, Clone, Copy)]
pub struct JunitDocument {
    /// How many tests.
    pub tests: u64,
    /// Which part of the company's tests: reports of one service hold the same tests every time.
    pub service: u64,
    /// Decides durations and failures.
    pub run: u64,
}

impl JunitDocument {
    /// The document as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.tests).unwrap_or(0).saturating_mul(180));
        // Writing to memory does not fail.
        drop(self.write(&mut bytes));
        bytes
    }

    /// Writes the document.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut chance =
            fastrand::Rng::with_seed(self.run.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.service);
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(out, r#"<testsuites name="{} tests" tests="{}">"#, area(self.service), self.tests)?;
        let mut written = 0;
        let mut suite = 0;
        while written < self.tests {
            let here = TESTS_PER_SUITE.min(self.tests - written);
            self.write_suite(out, suite, here, &mut chance)?;
            written += here;
            suite += 1;
        }
        writeln!(out, "</testsuites>")
    }

    fn write_suite(
        &self,
        out: &mut impl Write,
        suite: u64,
        tests: u64,
        chance: &mut fastrand::Rng,
    ) -> io::Result<()> {
        let class = class(self.service, suite);
        let (day, minute, second) = (1 + self.run % 28, self.run / 28 % 60, suite % 60);
        writeln!(
            out,
            r#"  <testsuite name="{class}" tests="{tests}" timestamp="2026-03-{day:02}T12:{minute:02}:{second:02}Z" hostname="runner-{}">"#,
            chance.u32(1..40)
        )?;
        for test in 0..tests {
            let name = test_name(suite, test);
            // Most tests are quick, some are not: an exponential distribution around 80 ms.
            let duration = -0.08 * (1.0 - chance.f64()).ln();
            write!(out, r#"    <testcase classname="{class}" name="{name}" time="{duration:.3}""#)?;
            match chance.u32(..200) {
                0 => write_failure(out, &class, &name, chance)?,
                1..4 => writeln!(out, "><skipped message=\"needs the payment sandbox\"/></testcase>")?,
                _ => writeln!(out, "/>")?,
            }
        }
        writeln!(out, "  </testsuite>")
    }
}

/// The area of the company a service belongs to.
pub fn area(service: u64) -> &'static str {
    pick(&AREAS, service)
}

fn class(service: u64, suite: u64) -> String {
    let layer = pick(&LAYERS, suite);
    let subject = pick(&SUBJECTS, suite / 6);
    format!(
        "com.acme.{}.{layer}.v{}.{subject}{}Test",
        area(service),
        suite / 96,
        pick(&["", "Rules", "Flow"], suite / 3)
    )
}

fn test_name(suite: u64, test: u64) -> String {
    let mixed = (suite * TESTS_PER_SUITE + test).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let verb = pick(&VERBS, mixed);
    let case = pick(&CASES, mixed / 14);
    match test % 4 {
        0 => format!("{verb}_{case}_{test}[region-{}]", mixed % 7),
        _ => format!("{verb}_{case}_{test}"),
    }
}

fn pick<'a>(words: &[&'a str], number: u64) -> &'a str {
    let place = usize::try_from(number).unwrap_or(0) % words.len();
    words.get(place).copied().unwrap_or_default()
}

fn write_failure(
    out: &mut impl Write,
    class: &str,
    name: &str,
    chance: &mut fastrand::Rng,
) -> io::Result<()> {
    let (expected, found) = (chance.u32(..1_000), chance.u32(..1_000));
    writeln!(out, ">")?;
    writeln!(
        out,
        r#"      <failure message="expected: &lt;{expected}&gt; but was: &lt;{found}&gt;" type="org.opentest4j.AssertionFailedError">"#
    )?;
    writeln!(
        out,
        "org.opentest4j.AssertionFailedError: expected: &lt;{expected}&gt; but was: &lt;{found}&gt;"
    )?;
    for frame in 0..8 {
        writeln!(out, "\tat {class}.{name}(Flow{frame}.java:{})", chance.u32(10..900))?;
    }
    writeln!(out, "      </failure>\n    </testcase>")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ops::ControlFlow;

    use manometer_formats::junit::{self, TestCase};
    use manometer_model::Limits;

    use super::*;

    fn tests_of(document: JunitDocument) -> Vec<(String, Option<f64>)> {
        let mut tests = Vec::new();
        let mut sink = |test: &TestCase<'_>| {
            tests.push((test.test_id.to_string(), test.duration_seconds));
            ControlFlow::Continue(())
        };
        let summary = junit::read(&mut document.bytes().as_slice(), &Limits::default(), &mut sink).unwrap();
        assert!(summary.problems.is_empty(), "{:?}", summary.problems);
        tests
    }

    #[test]
    fn two_runs_of_a_service_hold_the_same_distinct_tests_with_other_durations() {
        let first = tests_of(JunitDocument { tests: 5_000, service: 3, run: 1 });
        let second = tests_of(JunitDocument { tests: 5_000, service: 3, run: 2 });
        let ids =
            |tests: &[(String, Option<f64>)]| tests.iter().map(|(id, _)| id.clone()).collect::<BTreeSet<_>>();
        assert_eq!(first.len(), 5_000);
        assert_eq!(ids(&first).len(), 5_000);
        assert_eq!(ids(&first), ids(&second));
        assert_ne!(first, second);
    }
}
