//! Identities of traces and spans, the same for whoever makes them: the agent that passes them to the commands it
//! runs, and the exporter that writes the spans afterwards.
//!
//! A run that was started inside another trace says so with its label [`TRACEPARENT_LABEL`]; its `trace_id`, where
//! it has one, is the trace's. All other ids are hashes of what identifies the run, job or step, so that every
//! exporter of one run makes one trace.

use std::fmt;

use manometer_model::records::Run;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64, xxh3_128};

/// The label of a run that keeps the `TRACEPARENT` it was started with.
pub const TRACEPARENT_LABEL: &str = "traceparent";

/// A W3C trace id; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// A W3C span id; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

/// What a `traceparent` says: `00-TRACE-SPAN-FLAGS`. <https://www.w3.org/TR/trace-context/>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace_id: TraceId,
    /// The span that is the parent of what comes.
    pub span_id: SpanId,
    /// Is the trace recorded?
    pub is_sampled: bool,
}

impl TraceId {
    /// Reads 32 hexadecimal digits that are not all zero.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        (bits != 0).then_some(Self(bits))
    }

    /// The trace of a run: its own where it has one, else the one it was started in, else one made of its key.
    pub fn of_run(run: &Run) -> Self {
        let told = run.trace_id.as_deref().and_then(Self::parse);
        let inherited = || Some(TraceParent::of_run(run)?.trace_id);
        told.or_else(inherited)
            .unwrap_or_else(|| Self::of_run_key(&run.provider, &run.project, &run.run_id, run.attempt))
    }

    /// The trace of a run of which only the key is known.
    pub fn of_run_key(provider: &str, project: &str, run_id: &str, attempt: i64) -> Self {
        let bits = hasher(provider, project, run_id, attempt).digest128();
        Self(bits.max(1))
    }

    /// The 16 bytes, as on the wire.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl SpanId {
    /// Reads 16 hexadecimal digits that are not all zero.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        (bits != 0).then_some(Self(bits))
    }

    /// The span of a run.
    pub fn of_run(provider: &str, project: &str, run_id: &str, attempt: i64) -> Self {
        Self::of(&hasher(provider, project, run_id, attempt))
    }

    /// The span of a part of what this span stands for: of a job inside its run, a step inside its job.
    #[must_use]
    pub fn of_part(self, part: &str) -> Self {
        let mut bytes = self.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(part.as_bytes());
        Self(xxh3_64(&bytes).max(1))
    }

    fn of(hasher: &Xxh3Default) -> Self {
        Self(hasher.digest().max(1))
    }

    /// The 8 bytes, as on the wire.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl TraceParent {
    /// Reads the header or environment variable of that name.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
        u8::from_str_radix(version, 16).ok()?;
        let trace_id = TraceId::parse(parts.next()?)?;
        let span_id = SpanId::parse(parts.next()?)?;
        let flags = parts.next().filter(|flags| flags.len() == 2)?;
        let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        // Version 00 has nothing after its flags; a later one may.
        (version != "00" || parts.next().is_none()).then_some(Self { trace_id, span_id, is_sampled })
    }

    /// What the run was started with.
    pub fn of_run(run: &Run) -> Option<Self> {
        Self::parse(run.labels.get(TRACEPARENT_LABEL)?)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.is_sampled))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

fn hasher(provider: &str, project: &str, run_id: &str, attempt: i64) -> Xxh3Default {
    let mut hasher = Xxh3Default::new();
    for part in [provider, project, run_id] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    // Attempts count from 1; 0 is a record that does not tell.
    hasher.update(&attempt.max(1).to_le_bytes());
    hasher
}

/// The span of a test or of a repetition of something: made of text that tells it from its like.
pub(crate) fn span_of_text(parent: SpanId, parts: &[&str]) -> SpanId {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    parent.of_part(&format!("{:032x}", xxh3_128(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_survives_reading_and_writing_and_garbage_is_none() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(text).unwrap().to_string(), text);
        assert!(
            TraceParent::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-later").is_some()
        );
        for garbage in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_run_without_a_trace_of_its_own_joins_the_one_it_was_started_in() {
        let mut run = Run { provider: "github".into(), run_id: "1".into(), attempt: 1, ..Run::default() };
        let made = TraceId::of_run(&run);
        assert_eq!(made, TraceId::of_run_key("github", "", "1", 1));
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        run.labels.insert(TRACEPARENT_LABEL.to_owned(), parent.to_owned());
        assert_eq!(TraceId::of_run(&run).to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        run.trace_id = Some("000000000000000000000000000000ab".to_owned());
        assert_eq!(TraceId::of_run(&run).to_string(), "000000000000000000000000000000ab");
    }
}
