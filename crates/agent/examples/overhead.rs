//! What `manometer exec` costs, beside the bare command.
//!
//! ```text
//! cargo build --release -p manometer-cli --no-default-features
//! cargo run --release -p manometer-agent --example overhead -- target/release/manometer [ROUNDS] [SECONDS] [PROCESSES]
//! ```
//!
//! Both sides are run in turns, so that what else the machine does meets both. Goals: 5 ms to start, 20 ms for start and
//! end together, 0.1 % of a processor for samples once a second, 10 MB of memory.
#![allow(clippy::print_stdout, reason = "a program that prints figures")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4 as _;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |position: usize, default: usize| {
        arguments.get(position).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let program = PathBuf::from(arguments.first().ok_or("name the program: target/release/manometer")?);
    let program = program.canonicalize()?;
    let folder = std::env::temp_dir().join(format!("overhead-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = starts(&program, &folder, number(1, 300))
        .and_then(|()| samples(&program, &folder, number(2, 20), number(3, 20)));
    std::fs::remove_dir_all(&folder)?;
    outcome
}

/// `true`, bare and through the program, in turns.
fn starts(program: &Path, folder: &Path, rounds: usize) -> Result<(), Box<dyn Error>> {
    let ways: [(&str, &[&str]); 5] = [
        ("true", &[]),
        ("exec -- true", &["exec", "-q", "--", "true"]),
        ("exec --no-samples -- true", &["exec", "-q", "--no-samples", "--", "true"]),
        ("step x -- true", &["step", "x", "--", "true"]),
        ("--version", &["--version"]),
    ];
    let mut times: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); ways.len()];
    for _ in 0..rounds {
        for ((_, arguments), times) in ways.iter().zip(&mut times) {
            let program = if arguments.is_empty() { Path::new("true") } else { program };
            let begin = Instant::now();
            quiet(program, folder).args(*arguments).status()?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    let bare = times.first_mut().map(|times| quantiles(times)).unwrap_or_default();
    println!("| command | median | lowest tenth | above `true` (medians) |\n|---|---|---|---|");
    for ((name, _), times) in ways.iter().zip(&mut times) {
        let (low, median) = quantiles(times);
        println!("| `{name}` | {median:.2} ms | {low:.2} ms | {:.2} ms |", median - bare.1);
    }
    Ok(())
}

/// A tree of idle processes, looked at once a second and not at all: the difference is for looking.
fn samples(program: &Path, folder: &Path, seconds: usize, processes: usize) -> Result<(), Box<dyn Error>> {
    let script = format!("i=0; while [ $i -lt {processes} ]; do sleep {seconds} & i=$((i+1)); done; wait");
    let mut used = Vec::new();
    for interval in ["1", "0"] {
        let mut child = quiet(program, folder)
            .args(["exec", "-q", "--sample-interval", interval, "--", "sh", "-c", &script])
            .spawn()?;
        used.push(child.wait4()?.rusage);
    }
    let [with, without] = used.as_slice() else { return Err("two runs are needed".into()) };
    let looking = (with.utime + with.stime).saturating_sub(without.utime + without.stime).as_secs_f64();
    println!(
        "\n{processes} idle processes for {seconds} s: looking took {:.1} ms, {:.3} % of a processor; memory at most {:.1} MB",
        looking * 1e3,
        looking / seconds as f64 * 100.0,
        with.maxrss as f64 / 1e6
    );
    Ok(())
}

/// The program in a folder of its own, with nothing of the surroundings that could make it send something.
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

/// The lowest tenth and the median.
fn quantiles(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 10).copied().unwrap_or_default();
    (at(1), at(5))
}
