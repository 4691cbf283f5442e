//! What starts runs, in one vocabulary: `push`, `tag`, `pull_request`, `schedule`, `manual`, `api`, …

/// A system's own word for what started the run, as the column `trigger` has it; other words stay as they are. The
/// environment of a job and the webhook of its run come to the same word.
pub(crate) fn trigger_word(word: &str) -> String {
    let lower = word.trim().to_lowercase();
    let known = match lower.as_str() {
        "merge_request_event"
        | "external_pull_request_event"
        | "pull-request"
        | "pullrequest"
        | "pr"
        | "pull_request_target"
        | "pull_request_sync" => "pull_request",
        "web" | "ui" | "custom" | "manual" | "userid" | "workflow_dispatch" => "manual",
        "cron" | "scheduled" | "schedule" | "timer" => "schedule",
        "individualci" | "batchedci" | "webhook" => "push",
        "repository_dispatch" | "trigger" => "api",
        other => other,
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_every_system_come_to_one() {
        for (words, expected) in [
            (
                &[
                    "pull_request",
                    "pull_request_target",
                    "merge_request_event",
                    "PullRequest",
                    "pull-request",
                ][..],
                "pull_request",
            ),
            (&["workflow_dispatch", "web", "ui", "Manual"], "manual"),
            (&["schedule", "cron", "Schedule", "scheduled"], "schedule"),
            (&["push", "IndividualCI"], "push"),
            (&["repository_dispatch", "trigger", "api"], "api"),
            (&["workflow_run"], "workflow_run"),
        ] {
            for word in words {
                assert_eq!(trigger_word(word), expected, "{word}");
            }
        }
    }
}
