//! One JUnit report read twice: by our reader, and by quick-xml looking at every attribute as it is written.

use std::hint::black_box;
use std::ops::ControlFlow;

use anyhow::{Context as _, ensure};
use manometer_formats::junit::{self, TestCase};
use manometer_model::Limits;
use quick_xml::events::Event;

use crate::figures::{median, processor_timed};

/// What was measured, in millions of bytes of the report in a second of processor time: medians of the rounds.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Our reader: whole tests with identities, given to a sink that drops them.
    pub ours: f64,
    /// The parser it stands on.
    pub quick_xml_alone: f64,
    /// Tests in the report.
    pub tests: u64,
}

/// Reads a report by turns with both.
///
/// # Errors
/// When one of the two cannot read it, or they see different numbers of tests.
pub fn compare(report: &[u8], rounds: u32) -> anyhow::Result<Rates> {
    let megabytes = report.len() as f64 / 1e6;
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    let mut tests = 0;
    for _ in 0..rounds {
        let (seconds, read) = processor_timed(|| with_ours(report));
        tests = read?;
        ours.push(megabytes / seconds);
        let (seconds, seen) = processor_timed(|| with_quick_xml_alone(report));
        let seen = seen?;
        ensure!(seen == tests, "our reader gave {tests} tests, quick-xml saw {seen}");
        alone.push(megabytes / seconds);
    }
    Ok(Rates { ours: median(ours), quick_xml_alone: median(alone), tests })
}

/// Reads a report into records with our reader; tests in a second of processor time, the median of the rounds.
///
/// # Errors
/// When it is no JUnit report.
pub fn into_records(report: &[u8], rounds: u32) -> anyhow::Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..rounds {
        let (seconds, read) = processor_timed(|| junit::read_to_vec(&mut &*report, &Limits::default()));
        rates.push(read?.0.len() as f64 / seconds);
    }
    Ok(median(rates))
}

/// Reads the report with our reader; answers how many tests it gave.
///
/// # Errors
/// When it is no JUnit report.
pub fn with_ours(report: &[u8]) -> anyhow::Result<u64> {
    let mut input = report;
    let mut sink = |test: &TestCase<'_>| {
        black_box(test);
        ControlFlow::Continue(())
    };
    Ok(junit::read(&mut input, &Limits::default(), &mut sink)?.tests)
}

/// Walks through every event and looks at the raw name and value of every attribute of every element, which no reader
/// that stands on quick-xml alone can beat: the report is borrowed, nothing is copied, decoded, checked for repetition
/// or kept. Answers how many `testcase` elements went by.
///
/// # Errors
/// When the report is not well-formed XML in UTF-8.
#[expect(clippy::disallowed_methods, reason = "the parser without our caps is what ours is compared with")]
pub fn with_quick_xml_alone(report: &[u8]) -> anyhow::Result<u64> {
    let text = std::str::from_utf8(report).context("the report is not UTF-8")?;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut tests = 0;
    loop {
        match reader.read_event()? {
            Event::Start(element) | Event::Empty(element) => {
                tests += u64::from(element.name().as_ref() == "testcase");
                for attribute in element.attributes().with_checks(false) {
                    let attribute = attribute?;
                    black_box((attribute.key, attribute.value));
                }
            }
            Event::Eof => return Ok(tests),
            _ => {}
        }
    }
}
