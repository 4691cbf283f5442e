//! What `manometer exec` costs: beside the bare command, and for looking at processes once a second.
//!
//! Wall times on a busy machine say little, so processor time is measured beside them, and both sides take turns.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use wait4::Wait4 as _;

use super::Scene;
use crate::program;
use crate::report::{Goal, Report};
use manometer_bench_readers::figures::median;

/// Calls of each side, for each round.
const CALLS: u32 = 60;
/// How long, and at how many idle processes, the sampler looks.
const SECONDS: u32 = 20;
const PROCESSES: u32 = 20;
/// Makes this program print the monotonic time, and nothing else.
pub(crate) const TELL_TIME: &str = "--tell-time";

/// One call: milliseconds of the wall clock, of processors, and until the command ran.
#[derive(Debug, Default)]
struct Costs {
    wall: Vec<f64>,
    processor: Vec<f64>,
    start: Vec<f64>,
}

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let binary = program::binary(scene)?;
    let own = std::env::current_exe()?;
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let (mut bare, mut measured) = (Costs::default(), Costs::default());
    for _ in 0..scene.rounds * CALLS {
        bare.add(quiet(Path::new("true"), folder.path()), quiet_clock(&own, folder.path()))?;
        let mut exec = quiet(&binary, folder.path());
        exec.args(["exec", "-q", "--", "true"]);
        let mut clock = quiet(&binary, folder.path());
        clock.args(["exec", "-q", "--"]).arg(&own).arg(TELL_TIME);
        measured.add(exec, clock)?;
    }
    let above = |ours: Vec<f64>, theirs: Vec<f64>| median(ours) - median(theirs);
    let start = above(measured.start, bare.start);
    report.figure("`exec -- true` above `true`: until the command runs", start, "ms", Goal::AtMost(5.0));
    let wall = above(measured.wall, bare.wall);
    report.figure("`exec -- true` above `true`: start and end together", wall, "ms", Goal::AtMost(20.0));
    let processor = above(measured.processor, bare.processor);
    report.figure("`exec -- true` above `true`: processor time", processor, "ms", Goal::None);
    looking(&binary, folder.path(), report)
}

impl Costs {
    fn add(&mut self, mut command: Command, mut clock: Command) -> anyhow::Result<()> {
        let begin = Instant::now();
        let ended = command.spawn().context("failed to start the command")?.wait4()?;
        self.wall.push(begin.elapsed().as_secs_f64() * 1e3);
        self.processor.push((ended.rusage.utime + ended.rusage.stime).as_secs_f64() * 1e3);
        let begin = monotonic_seconds();
        let told = clock.stdout(Stdio::piped()).output()?;
        let ran_at: f64 = String::from_utf8_lossy(&told.stdout).trim().parse().context("no time was told")?;
        self.start.push((ran_at - begin) * 1e3);
        Ok(())
    }
}

/// A tree of idle processes, looked at once a second and not at all: the difference is for looking.
fn looking(binary: &Path, folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    let script = format!("i=0; while [ $i -lt {PROCESSES} ]; do sleep {SECONDS} & i=$((i+1)); done; wait");
    let run = |interval: &str| {
        // Started by a shell: what the kernel calls a process's most memory includes that of the program before `exec`.
        let mut command = quiet(Path::new("sh"), folder);
        command.args(["-c", "exec \"$@\"", "sh"]).arg(binary);
        command.args(["exec", "-q", "--sample-interval", interval, "--", "sh", "-c", &script]);
        anyhow::Ok(command.spawn()?.wait4()?.rusage)
    };
    let (with, without) = (run("1")?, run("0")?);
    let looking = (with.utime + with.stime).saturating_sub(without.utime + without.stime).as_secs_f64();
    let share = looking / f64::from(SECONDS) * 100.0;
    report.figure(
        format!("a look a second at {PROCESSES} processes"),
        share,
        "% of a processor",
        Goal::AtMost(0.1),
    );
    report.figure("`exec`, most memory", with.maxrss as f64 / 1e6, "MB", Goal::AtMost(10.0));
    Ok(())
}

fn quiet_clock(own: &Path, folder: &Path) -> Command {
    let mut command = quiet(own, folder);
    command.arg(TELL_TIME);
    command
}

/// A program in a folder of its own, with nothing of the surroundings that could make it send something.
fn quiet(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Seconds of the clock that all processes of this machine share.
pub(crate) fn monotonic_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
