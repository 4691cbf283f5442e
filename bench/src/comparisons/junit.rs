//! Reading JUnit: our reader beside the bare XML parser it stands on, and beside Python.

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use manometer_formats::junit::{self, TestCase};
use manometer_model::Limits;
use quick_xml::events::Event;

use super::Scene;
use crate::figures::{median, timed};
use crate::junit_document::JunitDocument;
use crate::python;
use crate::report::{Goal, Report, note};

/// About 100 MB of XML.
const TESTS: u64 = 560_000;
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/junit_lxml_pydantic.py");

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let document = JunitDocument { tests: TESTS, service: 0, run: 1 }.bytes();
    let megabytes = document.len() as f64 / 1e6;
    note(&format!("junit: {megabytes:.0} MB, {TESTS} tests, {} rounds", scene.rounds));
    let mut ours = Vec::new();
    let mut bare = Vec::new();
    let mut records = Vec::new();
    for _ in 0..scene.rounds {
        let (seconds, tests) = timed(|| read_with_ours(&document));
        ensure!(tests? == TESTS, "our reader lost tests");
        ours.push(megabytes / seconds);
        let (seconds, attributes) = timed(|| read_with_quick_xml(&document));
        ensure!(attributes? > TESTS, "the bare parser lost attributes");
        bare.push(megabytes / seconds);
        let (seconds, read) = timed(|| junit::read_to_vec(&mut document.as_slice(), &Limits::default()));
        ensure!(read?.0.len() as u64 == TESTS, "our reader lost records");
        records.push(TESTS as f64 / seconds);
    }
    report.ratio(
        "JUnit reading; peer: quick-xml, attributes only",
        median(ours.clone()),
        median(bare),
        "MB/s",
        Goal::AtLeast(0.5),
    );
    report.figure("JUnit reading, tests", median(ours) / megabytes * TESTS as f64, "tests/s", Goal::None);
    let what = "JUnit into records; peer: Python, lxml + pydantic";
    match read_with_python(scene, &document) {
        Ok(peer) => report.ratio(what, median(records), peer, "tests/s", Goal::AtLeast(8.0)),
        Err(reason) => report.skipped(what, &format!("{reason:#}")),
    }
    Ok(())
}

fn read_with_ours(document: &[u8]) -> anyhow::Result<u64> {
    let mut input = document;
    let mut sink = |test: &TestCase<'_>| {
        black_box(test);
        ControlFlow::Continue(())
    };
    Ok(junit::read(&mut input, &Limits::default(), &mut sink)?.tests)
}

/// Every event, and of every element every attribute's raw name and value: what no reader on quick-xml can beat.
#[expect(clippy::disallowed_methods, reason = "the parser without our caps is what ours is compared with")]
fn read_with_quick_xml(document: &[u8]) -> anyhow::Result<u64> {
    let mut reader = quick_xml::Reader::from_reader(document);
    let mut buffer = Vec::new();
    let mut attributes = 0;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer)? {
            Event::Start(element) | Event::Empty(element) => {
                for attribute in element.attributes() {
                    let attribute = attribute?;
                    black_box((attribute.key.as_ref(), attribute.value.as_ref()));
                    attributes += 1;
                }
            }
            Event::Eof => return Ok(attributes),
            _ => {}
        }
    }
}

/// Tests a second, the median of the rounds.
fn read_with_python(scene: &Scene, document: &[u8]) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let report = folder.path().join("report.xml");
    File::create(&report)?.write_all(document)?;
    let interpreter = python::with_packages(folder.path(), &["lxml", "pydantic"])?;
    let printed = python::run(
        Command::new(interpreter).arg(Path::new(PEER)).arg(&report).arg(scene.rounds.to_string()),
    )?;
    let mut rates = Vec::new();
    for line in printed.lines() {
        let (seconds, count) = line.split_once(' ').context("the peer printed something else")?;
        ensure!(count.parse::<u64>()? == TESTS, "the peer lost tests: {count}");
        rates.push(TESTS as f64 / seconds.parse::<f64>()?);
    }
    ensure!(rates.len() == scene.rounds as usize, "the peer stopped early");
    Ok(median(rates))
}
