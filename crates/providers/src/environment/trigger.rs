//! What starts runs, in one vocabulary: `push`, `tag`, `pull_request`, `schedule`, `manual`, `api`, …

/// A system's own word for what started the run, as the column `trigger` has it; other words stay as they are.
pub(crate) fn trigger_word(word: &str) -> String {
    let lower = word.trim().to_lowercase();
    let known = match lower.as_str() {
        "merge_request_event" | "external_pull_request_event" | "pull-request" | "pullrequest" | "pr" => {
            "pull_request"
        }
        "web" | "ui" | "custom" | "manual" | "userid" => "manual",
        "cron" | "scheduled" | "schedule" | "timer" => "schedule",
        "individualci" | "batchedci" | "webhook" => "push",
        other => other,
    };
    known.to_owned()
}
