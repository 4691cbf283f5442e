//! Reading JUnit: our reader beside the bare XML parser it stands on, and beside Python.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use manometer_bench_readers::figures::median;
use manometer_bench_readers::{JunitDocument, reading};

use super::Scene;
use crate::python;
use crate::report::{Goal, Report, note};

/// About 74 MB of XML.
const TESTS: u64 = 560_000;
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/junit_lxml_pydantic.py");

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let document = JunitDocument { tests: TESTS, service: 0, run: 1 }.bytes();
    let megabytes = document.len() as f64 / 1e6;
    note(&format!("junit: {megabytes:.0} MB, {TESTS} tests, {} rounds", scene.rounds));
    let rates = reading::compare(&document, scene.rounds)?;
    ensure!(rates.tests == TESTS, "tests were lost: {}", rates.tests);
    report.ratio(
        "JUnit reading; peer: quick-xml, attributes only",
        rates.ours,
        rates.quick_xml_alone,
        "MB/s",
        Goal::AtLeast(0.5),
    );
    report.figure("JUnit reading, tests", rates.ours / megabytes * TESTS as f64, "tests/s", Goal::None);
    let what = "JUnit into records; peer: Python, lxml + pydantic";
    match read_with_python(scene, &document) {
        Ok(peer) => {
            let ours = reading::into_records(&document, scene.rounds)?;
            report.ratio(what, ours, peer, "tests/s", Goal::AtLeast(8.0));
        }
        Err(reason) => report.skipped(what, &format!("{reason:#}")),
    }
    Ok(())
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
