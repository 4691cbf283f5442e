//! StatsD and DogStatsD datagrams.
//!
//! ```text
//! name:value|type                               counter c · gauge g · timer ms · histogram h · distribution d · set s
//! name:value|type|@0.1|#tag:value,tag           sampled, tagged (Datadog)
//! name:1:2:3|ms                                 several values (Datadog 1.1)
//! _e{5,4}:title|text · _sc|name|0               events and service checks: counted, not kept
//! ```
//!
//! Every value is a sample. Its kind is the tag `statsd.type`; a counter that was sampled is scaled up by its rate,
//! for other kinds the rate is the tag `statsd.rate`. A gauge with a sign is a change of it (`gauge_change`), as
//! StatsD has it; a member of a set is the tag `statsd.member` of a sample of 1.
//! <https://github.com/statsd/statsd/blob/master/docs/metric_types.md>,
//! <https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/>

mod line;

use manometer_model::records::Sample;
use manometer_model::{Limits, Problems};

use super::sender::{Gathering, Sender};

/// What a datagram was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that are not blank.
    pub lines: u64,
    /// Samples given to the sink.
    pub samples: u64,
    /// Lines that could not be used.
    pub refused: u64,
    /// Events, which are not kept.
    pub events: u64,
    /// Service checks, which are not kept.
    pub service_checks: u64,
    /// What was wrong, by line.
    pub problems: Problems,
}

/// Reads the lines of a datagram, giving each value to `sink`. A line that is wrong costs itself.
pub fn read(datagram: &[u8], sender: &Sender<'_>, limits: &Limits, sink: &mut dyn FnMut(Sample)) -> Summary {
    let mut summary = Summary::default();
    for (number, bytes) in (1..).zip(datagram.split(|byte| *byte == b'\n')) {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            continue;
        }
        summary.lines += 1;
        let mut gathering = Gathering { limits, problems: &mut summary.problems, line: number };
        let Ok(text) = std::str::from_utf8(bytes) else {
            gathering.problem(|| "not valid UTF-8, the line was left out".to_owned());
            summary.refused += 1;
            continue;
        };
        if text.starts_with("_e{") {
            summary.events += 1;
        } else if text.starts_with("_sc|") {
            summary.service_checks += 1;
        } else {
            match line::read(text, sender, &mut gathering, sink) {
                Ok(samples) => summary.samples += samples,
                Err(why) => {
                    gathering
                        .problem(|| format!("'{}' {why}, the line was left out", super::sender::shown(text)));
                    summary.refused += 1;
                }
            }
        }
    }
    summary
}
