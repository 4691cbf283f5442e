//! How quickly the command starts, and what an idle server takes.

use manometer_testkit::{ServerOptions, ServerProcess};

use super::Scene;
use crate::program;
use crate::report::{Goal, Report};
use manometer_bench_readers::figures::{median, timed};

const STARTS: usize = 20;
const MEBIBYTE: f64 = (1 << 20) as f64;

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let binary = program::binary(scene)?;
    let mut milliseconds = Vec::new();
    for _ in 0..STARTS {
        let (seconds, printed) = timed(|| program::run(&binary, &["--version"]));
        printed?;
        milliseconds.push(seconds * 1_000.0);
    }
    report.figure("`manometer --version`", median(milliseconds), "ms", Goal::AtMost(20.0));

    let folder = tempfile::tempdir_in(&scene.folder)?;
    let server = ServerProcess::start(ServerOptions::new(&binary, folder.path().join("data")))?;
    let resident = server.usage()?.resident_bytes as f64 / MEBIBYTE;
    report.figure("`serve`, idle, resident memory", resident, "MiB", Goal::AtMost(100.0));
    report.figure(
        "`serve` on an empty folder, until ready",
        server.ready_after.as_secs_f64(),
        "s",
        Goal::None,
    );
    Ok(())
}
