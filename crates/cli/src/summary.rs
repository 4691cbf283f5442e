//! What a person sees at the end of `manometer exec`: one line, on a terminal with a small chart.

use manometer_agent::exec::{Measured, run_record};
use manometer_agent::measure::{Sample, sparkline};
use manometer_agent::metric::Unit;
use manometer_agent::run::{Ending, may_write_to_terminal};
use manometer_agent::shipping::Delivery;

use crate::output;

/// Width of a chart, in letters.
const CHART_WIDTH: usize = 40;
/// So many problems are told in the one line of a log.
const TOLD_PROBLEMS: usize = 3;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Nothing at all.
    Nothing,
    /// Only what went wrong with measuring and sending.
    Problems,
    /// That, and how the command did.
    Everything,
}

/// Tells how it went.
pub(crate) fn tell(telling: Telling, measured: &Measured, delivery: Option<&Delivery>, problems: &[String]) {
    use std::io::IsTerminal as _;
    let problems: Vec<String> = problems.iter().cloned().chain(delivery.and_then(about)).collect();
    match telling {
        Telling::Nothing => return,
        Telling::Problems if problems.is_empty() => return,
        Telling::Problems | Telling::Everything => {}
    }
    if !std::io::stderr().is_terminal() {
        output::note(in_one_line(measured, &problems));
    } else if may_write_to_terminal() {
        output::note(format!("manometer: {}", headline(measured)));
        chart(measured);
        problems.iter().for_each(output::warn);
    }
}

fn in_one_line(measured: &Measured, problems: &[String]) -> String {
    let mut line = format!("manometer: {}", headline(measured));
    for problem in problems.iter().take(TOLD_PROBLEMS) {
        line.push_str("; ");
        line.push_str(&problem.replace('\n', " "));
    }
    if problems.len() > TOLD_PROBLEMS {
        line.push_str(&format!("; and {} more", problems.len() - TOLD_PROBLEMS));
    }
    line
}

fn headline(measured: &Measured) -> String {
    let record = run_record(measured);
    let ending = match measured.ending {
        Ending::Code(0) => "succeeded".to_owned(),
        Ending::Code(code) => format!("failed with code {code}"),
        Ending::Signal(signal) => format!("was ended by signal {signal}"),
    };
    let mut line =
        format!("{} {ending} in {}", measured.plan.name, Unit::Seconds.show(measured.wall_seconds));
    let told =
        [("cpu.avg_load", "processor"), ("ram.peak_mb", "peak memory"), ("pytest.item_count", "tests")];
    for (metric, word) in told {
        if let Some(value) = record.metrics.get(metric) {
            line.push_str(&format!(", {word} {}", Unit::of(metric).show(*value)));
        }
    }
    line
}

fn chart(measured: &Measured) {
    let samples = measured.series.samples();
    // Two bars are no chart.
    if samples.len() < 3 {
        return;
    }
    let bars = |height: fn(&Sample) -> f64| {
        let values: Vec<(f64, f64)> =
            samples.iter().map(|sample| (sample.length_seconds, height(sample))).collect();
        sparkline(&values, CHART_WIDTH)
    };
    let metrics = run_record(measured).metrics;
    let shown = |name: &str| metrics.get(name).map_or_else(String::new, |value| Unit::of(name).show(*value));
    let processor = bars(|sample| sample.cpu_percent);
    let memory = bars(|sample| sample.memory_bytes as f64);
    output::note(format!(
        "  processor  {processor}  average {}, highest {}",
        shown("cpu.avg_load"),
        shown("cpu.max_load")
    ));
    output::note(format!(
        "  memory     {memory}  average {}, peak {}",
        shown("ram.avg_mb"),
        shown("ram.peak_mb")
    ));
}

fn about(delivery: &Delivery) -> Option<String> {
    if let Some(words) = delivery.rejected.first() {
        return Some(format!("{} shipments were refused for good: {words}", delivery.rejected.len()));
    }
    let why = delivery.why_waiting.as_ref()?;
    Some(format!("not delivered yet, kept in the spool: {why}"))
}
