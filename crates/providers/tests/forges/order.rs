//! Any order, any repetition, and any subset with the final event in it come to the same final row.
//!
//! What only an earlier event can tell is missing where that event is: those columns are listed with each story.
//! Everything else has to be equal, cell by cell, after the store's own merge.

use std::collections::BTreeMap;

use manometer_model::{EntityKey, Record};
use manometer_providers::Decoded;
use manometer_store::MergedRow;
use proptest::prelude::*;

use crate::support::{at, rows, told_at};

/// The deliveries of one subject, the final one last.
struct Story {
    provider: &'static str,
    event: &'static str,
    files: &'static [&'static str],
    /// The table of the row that the final event settles.
    table: &'static str,
    /// Columns that only an earlier event tells.
    earlier: &'static [&'static str],
}

const STORIES: &[Story] = &[
    Story {
        provider: "github",
        event: "workflow_run",
        files: &["workflow-run-requested", "workflow-run-in-progress", "workflow-run-completed"],
        table: "runs",
        // The moment of first being in progress; without it, the request stands in.
        earlier: &["started_at", "queue_seconds", "duration_seconds"],
    },
    Story {
        provider: "github",
        event: "workflow_job",
        files: &[
            "workflow-job-waiting",
            "workflow-job-queued",
            "workflow-job-in-progress",
            "workflow-job-completed",
        ],
        table: "jobs",
        // That it waited for an approval.
        earlier: &["labels"],
    },
    Story {
        provider: "github",
        event: "check_run",
        files: &["check-run-created", "check-run-completed"],
        table: "jobs",
        earlier: &[],
    },
    Story {
        provider: "github",
        event: "deployment_status",
        files: &["deployment-status-in-progress", "deployment-status-inactive", "deployment-status-success"],
        table: "deployments",
        earlier: &["started_at", "duration_seconds"],
    },
    Story {
        provider: "gitlab",
        event: "Pipeline Hook",
        files: &["pipeline-pending", "pipeline-running", "pipeline-manual", "pipeline-success"],
        table: "runs",
        earlier: &[],
    },
    Story {
        provider: "gitlab",
        event: "Pipeline Hook",
        files: &["pipeline-pending", "pipeline-running", "pipeline-manual", "pipeline-success"],
        table: "jobs",
        earlier: &[],
    },
    Story {
        provider: "gitlab",
        event: "Job Hook",
        files: &["job-created", "job-pending", "job-running", "job-failed"],
        table: "jobs",
        earlier: &[],
    },
    Story {
        provider: "gitlab",
        event: "Deployment Hook",
        files: &["deployment-running", "deployment-success"],
        table: "deployments",
        earlier: &["started_at", "duration_seconds"],
    },
    Story {
        provider: "gitea",
        event: "workflow_run",
        files: &["workflow-run-requested", "workflow-run-in-progress", "workflow-run-completed"],
        table: "runs",
        // Gitea does not tell when a run was asked for: the receipt of the first event does.
        earlier: &["queued_at", "queue_seconds"],
    },
    Story {
        provider: "gitea",
        event: "workflow_job",
        files: &["workflow-job-queued", "workflow-job-in-progress", "workflow-job-completed"],
        table: "jobs",
        earlier: &[],
    },
    Story {
        provider: "forgejo",
        event: "action_run_failure",
        files: &["action-run-failure"],
        table: "runs",
        earlier: &[],
    },
];

fn deliveries(story: &Story) -> Vec<Decoded> {
    let begin = at("2026-03-02T10:00:01Z");
    let received = |position: usize| begin.plus_seconds(10.0 * position as f64);
    let told =
        |(position, file): (usize, &&str)| told_at(story.provider, story.event, file, received(position));
    story.files.iter().enumerate().map(told).collect()
}

fn settled(rows: BTreeMap<EntityKey, MergedRow>, story: &Story) -> BTreeMap<EntityKey, MergedRow> {
    rows.into_iter().filter(|(key, _)| key.table == story.table).collect()
}

fn without(mut rows: BTreeMap<EntityKey, MergedRow>, columns: &[&str]) -> BTreeMap<EntityKey, MergedRow> {
    for row in rows.values_mut() {
        row.retain(|column, _| !columns.contains(column));
    }
    rows
}

fn facts(all: &[&Decoded]) -> BTreeMap<String, Vec<Record>> {
    let groups = all.iter().flat_map(|decoded| &decoded.facts);
    groups.map(|group| (group.natural_key.clone(), group.records.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_repetition_and_gaps_before_the_final_event_change_nothing(
        story in prop::sample::select((0..STORIES.len()).collect::<Vec<_>>()),
        kept in prop::collection::vec(any::<bool>(), 4),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        final_at in any::<prop::sample::Index>(),
    ) {
        let story = &STORIES[story];
        let all = deliveries(story);
        let last = all.last().unwrap();
        let subset: Vec<&Decoded> = all
            .iter()
            .enumerate()
            .filter(|(position, _)| kept[*position] || *position == all.len() - 1)
            .map(|(_, decoded)| decoded)
            .collect();

        // The subset in any order, some deliveries more than once, each at least once.
        let mut shuffled: Vec<&Decoded> = picks.iter().map(|pick| subset[pick.index(subset.len())]).collect();
        shuffled.extend(subset.iter().rev().copied());
        let place = final_at.index(shuffled.len());
        shuffled.insert(place, last);

        prop_assert_eq!(rows(shuffled.iter().copied()), rows(subset.iter().copied()));
        prop_assert_eq!(facts(&shuffled), facts(&[last]));

        let whole = without(settled(rows(&all), story), story.earlier);
        let part = without(settled(rows(shuffled), story), story.earlier);
        prop_assert!(!whole.is_empty());
        prop_assert_eq!(part, whole);
    }
}

#[test]
fn a_late_delivery_does_not_reopen_what_has_ended() {
    for story in STORIES {
        let mut all = deliveries(story);
        all.reverse();
        for row in settled(rows(&all), story).values() {
            assert_eq!(row["status"], "completed", "{row:?}");
            assert!(row.contains_key("conclusion"), "{row:?}");
        }
    }
}
