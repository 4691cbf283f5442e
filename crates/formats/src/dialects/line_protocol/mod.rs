//! InfluxDB's line protocol.
//!
//! ```text
//! measurement,tag=value,tag=value field=1.5,other=2i,text="words" 1700000000000000000
//! ```
//!
//! <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>. Every numeric or boolean field is a
//! sample named `measurement.field` (`measurement` alone for a field called `value`); fields of text are tags of
//! those samples. `ci_build` and `ci_test_results` make the records they mean, see [`self::read`].
//!
//! Memory: one line, at most [`Limits::record_bytes`], and the ids of the runs that were told of.

mod logical_lines;
mod meaning;
mod point;

use std::io::BufRead;
use std::ops::ControlFlow;
use std::str::FromStr;

use manometer_model::{Limits, Problem, Problems, Record, Timestamp};

use super::sender::{Gathering, Sender, shown};
use crate::ReadError;
use logical_lines::{LogicalLine, LogicalLines};
use meaning::Meaning;
pub use point::{FieldValue, Point, PointError};

/// What a timestamp counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// Nanoseconds, what is taken where nothing is said.
    #[default]
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes (1.x).
    Minutes,
    /// Hours (1.x).
    Hours,
}

/// Why a text is no precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid precision; use ns, us, ms, s (or n, u, m, h as 1.x does)")]
pub struct UnknownPrecision;

impl FromStr for Precision {
    type Err = UnknownPrecision;
    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        match text {
            "" | "ns" | "n" => Ok(Self::Nanoseconds),
            "us" | "u" | "µ" => Ok(Self::Microseconds),
            "ms" => Ok(Self::Milliseconds),
            "s" => Ok(Self::Seconds),
            "m" => Ok(Self::Minutes),
            "h" => Ok(Self::Hours),
            _ => Err(UnknownPrecision),
        }
    }
}

impl Precision {
    /// The time that many units after the epoch; `None` past what a time can hold.
    pub fn timestamp(self, units: i64) -> Option<Timestamp> {
        let micros = match self {
            Self::Nanoseconds => Some(units.div_euclid(1_000)),
            Self::Microseconds => Some(units),
            Self::Milliseconds => units.checked_mul(1_000),
            Self::Seconds => units.checked_mul(1_000_000),
            Self::Minutes => units.checked_mul(60_000_000),
            Self::Hours => units.checked_mul(3_600_000_000),
        };
        micros.map(Timestamp::from_micros)
    }
}

/// What an input was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines with a point or what should be one; comments and blank lines do not count.
    pub lines: u64,
    /// Lines that could not be used.
    pub refused: u64,
    /// Records given to the sink.
    pub records: u64,
    /// What was wrong, by line.
    pub problems: Problems,
}

/// Reads lines, giving the records each means to `sink`; `Break` ends the reading. A line that is wrong costs itself.
///
/// `ci_build` gives a run, a build and, with `artifact_size_bytes`, an artifact; `ci_test_results` a test and its run.
/// Points without `run_id` belong to the run made of service, branch and commit; without a commit, of the day.
///
/// # Errors
/// When the input fails. Records given before are not taken back.
pub fn read(
    input: &mut dyn BufRead,
    sender: &Sender<'_>,
    precision: Precision,
    limits: &Limits,
    sink: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<Summary, ReadError> {
    let mut summary = Summary::default();
    let mut meaning = Meaning::new(sender);
    let mut lines = LogicalLines::new(input, limits.record_bytes);
    while let Some((number, line)) = lines.next()? {
        let bytes = match line {
            LogicalLine::Whole([]) => continue,
            LogicalLine::Whole(bytes) => bytes,
            LogicalLine::TooLong => {
                let limit = limits.record_bytes;
                refuse(&mut summary, number, || {
                    format!("longer than {limit} bytes (limit `record_bytes`), the line was left out")
                });
                continue;
            }
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            refuse(&mut summary, number, || "not valid UTF-8, the line was left out".to_owned());
            continue;
        };
        let timed = Point::parse(text).and_then(|point| Ok((time_of(&point, sender, precision)?, point)));
        let (at, point) = match timed {
            Ok(timed) => timed,
            Err(error) => {
                refuse(&mut summary, number, || format!("unable to parse '{}': {error}", shown(text)));
                continue;
            }
        };
        summary.lines += 1;
        let mut gathering = Gathering { limits, problems: &mut summary.problems, line: number };
        let mut given = 0;
        let flow = meaning.records(&point, at, &mut gathering, &mut |record| {
            given += 1;
            sink(record)
        });
        summary.records += given;
        if flow.is_break() {
            break;
        }
    }
    Ok(summary)
}

fn refuse(summary: &mut Summary, number: u64, make: impl FnOnce() -> String) {
    summary.lines += 1;
    summary.refused += 1;
    summary.problems.push_with(|| Problem::new(make()).at_line(number));
}

fn time_of(point: &Point<'_>, sender: &Sender<'_>, precision: Precision) -> Result<Timestamp, PointError> {
    match point.timestamp {
        None => Ok(sender.received_at),
        Some(units) => precision.timestamp(units).ok_or(PointError::BadTimestamp),
    }
}
