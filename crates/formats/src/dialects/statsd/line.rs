//! One line of a datagram.

use manometer_model::Timestamp;
use manometer_model::records::Sample;

use crate::dialects::sender::{Gathering, Sender, sample};

/// A line taken apart.
struct Parts<'a> {
    name: &'a str,
    values: &'a str,
    kind: Kind,
    rate: f64,
    tags: &'a str,
    at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Timer,
    Histogram,
    Distribution,
    Set,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "c" | "m" => Self::Counter,
            "g" => Self::Gauge,
            "ms" => Self::Timer,
            "h" => Self::Histogram,
            "d" => Self::Distribution,
            "s" => Self::Set,
            _ => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Timer => "timer",
            Self::Histogram => "histogram",
            Self::Distribution => "distribution",
            Self::Set => "set",
        }
    }
}

/// Reads a line, giving each value to `sink`; answers how many it gave, or why the line is wrong.
pub(super) fn read(
    text: &str,
    sender: &Sender<'_>,
    gathering: &mut Gathering<'_>,
    sink: &mut dyn FnMut(Sample),
) -> Result<u64, &'static str> {
    let parts = taken_apart(text, sender.received_at, gathering)?;
    let mut values = Vec::new();
    if parts.kind == Kind::Set {
        values.push(1.0);
    } else {
        for value in parts.values.split(':') {
            values.push(
                value
                    .parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .ok_or("has a value that is no number")?,
            );
        }
    }
    let is_change = parts.kind == Kind::Gauge && parts.values.starts_with(['+', '-']);
    let mut own = vec![("statsd.type", if is_change { "gauge_change" } else { parts.kind.word() })];
    let rate = parts.rate.to_string();
    let is_scaled = parts.kind == Kind::Counter;
    if parts.rate < 1.0 && !is_scaled {
        own.push(("statsd.rate", &rate));
    }
    if parts.kind == Kind::Set {
        own.push(("statsd.member", parts.values));
    }
    // A tag without a value says that something holds.
    let tags = || {
        parts
            .tags
            .split(',')
            .filter(|tag| !tag.is_empty())
            .map(|tag| tag.split_once(':').unwrap_or((tag, "true")))
    };
    for value in &values {
        let value = if is_scaled { value / parts.rate } else { *value };
        let tags = tags().chain(own.iter().copied());
        let mut made = sample(sender, parts.name, value, tags, parts.at, gathering);
        made.unit = match parts.kind {
            Kind::Timer => Some("milliseconds".to_owned()),
            _ => None,
        };
        sink(made);
    }
    Ok(values.len() as u64)
}

fn taken_apart<'a>(
    text: &'a str,
    received_at: Timestamp,
    gathering: &mut Gathering<'_>,
) -> Result<Parts<'a>, &'static str> {
    let mut sections = text.split('|');
    let (name, values) =
        sections.next().and_then(|first| first.split_once(':')).ok_or("has no NAME:VALUE")?;
    if name.trim().is_empty() {
        return Err("has no name");
    }
    if values.is_empty() {
        return Err("has no value");
    }
    let kind = sections.next().ok_or("has no type: write NAME:VALUE|c, |g, |ms, |h, |d or |s")?;
    let kind = Kind::of(kind.trim()).ok_or("has an unknown type: known are c, g, ms, h, d and s")?;
    let mut parts = Parts { name, values, kind, rate: 1.0, tags: "", at: received_at };
    for section in sections {
        if let Some(rate) = section.strip_prefix('@') {
            let rate = rate.parse().ok().filter(|rate: &f64| *rate > 0.0 && *rate <= 1.0);
            parts.rate = rate.ok_or("has a sample rate that is not between 0 and 1")?;
        } else if let Some(tags) = section.strip_prefix('#') {
            parts.tags = tags;
        } else if let Some(seconds) = section.strip_prefix('T') {
            let seconds =
                seconds.parse().ok().filter(|seconds: &i64| (0..=253_402_300_799).contains(seconds));
            parts.at = Timestamp::from_seconds(seconds.ok_or("has a time that is not seconds since 1970")?);
        } else if !section.is_empty()
            && !section.starts_with("c:")
            && !section.starts_with("e:")
            && !section.starts_with("card:")
        {
            gathering.problem(|| {
                format!(
                    "a section that is not known was ignored: '{}'",
                    crate::dialects::sender::shown(section)
                )
            });
        }
    }
    Ok(parts)
}
