//! Who sent a value, as far as one knows, and the sample it makes.

use manometer_model::records::Sample;
use manometer_model::{Limits, Problem, Problems, Timestamp};

/// What is known of a sender besides what it sends.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The provider of its records, unless a tag says another: `influxdb`, `statsd`, `prometheus`.
    pub provider: &'a str,
    /// Their project, unless a tag says another: the database or bucket written to, for instance.
    pub project: &'a str,
    /// The time of values that have none.
    pub received_at: Timestamp,
}

/// The sample of a value with tags, for a value of the input's `line`.
pub(super) fn sample<'t>(
    sender: &Sender<'_>,
    name: &str,
    value: f64,
    tags: impl Iterator<Item = (&'t str, &'t str)>,
    at: Timestamp,
    gathering: &mut Gathering<'_>,
) -> Sample {
    let mut sample = Sample {
        provider: sender.provider.to_owned(),
        project: sender.project.to_owned(),
        run_attempt: 1,
        name: gathering.clipped("name", name),
        value,
        at,
        ..Sample::default()
    };
    for (key, text) in tags.filter(|(_, text)| !text.is_empty()) {
        let kept = gathering.clipped(key, text);
        match key {
            "provider" => sample.provider = kept,
            "project" => sample.project = kept,
            "service" => sample.service = Some(kept),
            "pipeline" => sample.pipeline = Some(kept),
            "run_id" => sample.run_id = Some(kept),
            "job_id" => sample.job_id = Some(kept),
            "branch" => sample.branch = Some(kept),
            "commit_sha" | "commit" => sample.commit_sha = Some(kept),
            _ if sample.tags.len() >= gathering.limits.labels => gathering.too_many_tags(),
            _ => {
                let key = gathering.clipped("a tag's key", key);
                sample.tags.insert(key, kept);
            }
        }
    }
    sample
}

/// Limits and problems of the line that is being read.
pub(super) struct Gathering<'a> {
    pub(super) limits: &'a Limits,
    pub(super) problems: &'a mut Problems,
    /// Line of the input, from 1; 0 where it has no lines.
    pub(super) line: u64,
}

impl Gathering<'_> {
    /// Says what is wrong.
    pub(super) fn problem(&mut self, make: impl FnOnce() -> String) {
        let line = self.line;
        self.problems.push_with(|| {
            let problem = Problem::new(make());
            if line > 0 { problem.at_line(line) } else { problem }
        });
    }

    /// A text cut to its limit.
    pub(super) fn clipped(&mut self, what: &str, text: &str) -> String {
        let limit = self.limits.name_bytes;
        let kept = text.get(..text.floor_char_boundary(limit)).unwrap_or_default();
        if kept.len() < text.len() {
            self.problem(|| {
                format!("{what}: longer than {limit} bytes (limit `name_bytes`), the rest was cut off")
            });
        }
        kept.to_owned()
    }

    fn too_many_tags(&mut self) {
        let limit = self.limits.labels;
        self.problem(|| format!("more than {limit} tags (limit `labels`), the others were left out"));
    }
}

/// The beginning of a text, for a message.
pub(super) fn shown(text: &str) -> &str {
    text.get(..text.floor_char_boundary(120)).unwrap_or_default()
}
