//! How fast JUnit is read, beside what quick-xml alone needs to pull four attributes out of each test.
//!
//! ```text
//! cargo run --release -p manometer-formats --example junit_rate [FILE.xml]
//! ```
//!
//! Without a file, about 100 MB are made up in memory: realistic names, 2 % failures with stack traces.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example prints its result")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use manometer_formats::junit::{self, TestCase};
use manometer_model::Limits;
use quick_xml::events::Event;

const MADE_UP_BYTES: usize = 100_000_000;
const ROUNDS: usize = 5;

fn main() {
    let report = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => make_up(MADE_UP_BYTES),
    };
    let (mut alone, mut ours) = (f64::MAX, f64::MAX);
    let mut cases = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        cases = quick_xml_alone(&report);
        alone = alone.min(started.elapsed().as_secs_f64());
        let started = Instant::now();
        assert_eq!(our_reader(&report), cases, "both must see the same tests");
        ours = ours.min(started.elapsed().as_secs_f64());
    }
    let megabytes = report.len() as f64 / 1e6;
    for (name, seconds) in [("quick-xml, 4 attributes", alone), ("manometer, whole records", ours)] {
        println!("{name:24} {:8.0} MB/s {:12.0} cases/s", megabytes / seconds, cases as f64 / seconds);
    }
    println!("ratio                    {:8.2} (at least 0.50)", alone / ours);
}

#[expect(clippy::disallowed_methods, reason = "the bare reader is what ours is measured against")]
fn quick_xml_alone(report: &str) -> u64 {
    let mut reader = quick_xml::Reader::from_str(report);
    let mut cases = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "testcase" => {
                cases += 1;
                for attribute in tag.attributes().with_checks(false) {
                    let attribute = attribute.unwrap();
                    if let "name" | "classname" | "time" | "file" = attribute.key.0 {
                        black_box(attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap());
                    }
                }
            }
            Event::Eof => return cases,
            _ => {}
        }
    }
}

fn our_reader(report: &str) -> u64 {
    let mut cases = 0;
    let mut sink = |test: &TestCase<'_>| {
        black_box(test);
        cases += 1;
        ControlFlow::Continue(())
    };
    let summary = junit::read(&mut report.as_bytes(), &Limits::default(), &mut sink).unwrap();
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
    cases
}

fn make_up(bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 4096);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"all\">\n");
    let mut number = 0_u64;
    while out.len() < bytes {
        let suite = number / 50;
        writeln!(
            out,
            "  <testsuite name=\"com.acme.shop.module{}.Checkout{suite}Test\" tests=\"50\" time=\"1.25\" timestamp=\"2026-11-21T06:13:38\">",
            suite % 40
        )
        .unwrap();
        for case in 0..50 {
            let seconds = (number * 2_654_435_761 % 4_000_000) as f64 / 1e6;
            write!(
                out,
                "    <testcase name=\"rejects_expired_voucher_when_cart_has_{case}_items[eur-{}]\" classname=\"com.acme.shop.module{}.Checkout{suite}Test\" file=\"src/test/module{}/Checkout{suite}Test.java\" time=\"{seconds:.6}\"",
                number % 7,
                suite % 40,
                suite % 40
            )
            .unwrap();
            if number % 50 == 7 {
                out.push_str(">\n      <failure message=\"expected:&lt;3&gt; but was:&lt;5&gt;\" type=\"java.lang.AssertionError\"><![CDATA[java.lang.AssertionError: expected:<3> but was:<5>\n");
                for frame in 0..20 {
                    writeln!(out, "\tat com.acme.shop.Checkout.frame{frame}(Checkout.java:{})", frame * 17)
                        .unwrap();
                }
                out.push_str("]]></failure>\n    </testcase>\n");
            } else {
                out.push_str("/>\n");
            }
            number += 1;
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}
