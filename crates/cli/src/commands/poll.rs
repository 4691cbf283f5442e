//! `manometer poll status`: how polling stands.

use manometer_model::{Clock as _, SystemClock, Timestamp};
use manometer_server::poll::{PollState, STATE_NOTES, Standing, kept_states};
use manometer_store::{ReadOnlyStore, StoreOptions};
use serde::Deserialize;

use crate::args::PollCommand;
use crate::commands::store::folder;
use crate::config::Config;
use crate::exit::server;
use crate::output::{self, grouped};
use crate::remote::Remote;

/// What `GET /api/v1/polls` answers.
#[derive(Debug, Deserialize)]
struct Polls {
    polls: Vec<PollState>,
}

/// Runs one of them.
pub(crate) fn run(command: &PollCommand, config: &Config) -> anyhow::Result<()> {
    let PollCommand::Status { data, remote, json } = command;
    let states = match Remote::from_args(remote)? {
        Some(remote) => states_there(&remote)?,
        None => {
            let store = ReadOnlyStore::open(StoreOptions::new(folder(data, config)))?;
            kept_states(&store.notes(STATE_NOTES)?)
        }
    };
    if *json {
        output::data(&format!("{}\n", serde_json::to_string_pretty(&states)?))?;
        return Ok(());
    }
    if states.is_empty() {
        output::note("nothing is polled: [[poll]] in the settings of the server names what is");
    }
    let now = SystemClock.now();
    for state in &states {
        output::data(&told(state, now))?;
    }
    Ok(())
}

/// How every poll of a server stands.
///
/// # Errors
/// When the server is away, refuses, or answers what this version does not read.
pub(crate) fn states_there(remote: &Remote) -> anyhow::Result<Vec<PollState>> {
    let response = remote.send(remote.get("/api/v1/polls"))?;
    let text = response.text().map_err(|error| server(format!("the server's answer broke off: {error}")))?;
    let answer: Polls = serde_json::from_str(&text)
        .map_err(|error| server(format!("the server's answer is not as expected: {error}")))?;
    Ok(answer.polls)
}

/// A poll for people: a line for what it does, one for each thing to know.
fn told(state: &PollState, now: Timestamp) -> String {
    let mut lines = vec![format!("{}: {}", state.name, state.standing.word())];
    lines.extend(state.message.iter().map(|message| format!("  {message}")));
    if let Some(next_at) = state.next_at.filter(|next| *next > now) {
        lines.push(format!("  goes on in {}", span(next_at.seconds_since(now))));
    }
    lines.push(match state.last_sweep_at {
        Some(at) => format!("  last sweep {} ago ({at})", span(now.seconds_since(at))),
        None => "  no sweep is complete yet".to_owned(),
    });
    if let Some(sweep) = state.sweep.as_ref().filter(|_| state.standing != Standing::UpToDate) {
        lines.push(format!("  {:.0} % of {} to {}", sweep.share * 100.0, sweep.from, sweep.until));
    }
    lines.push(format!(
        "  {} runs, {} records, {} failures, {} left for later, {} webhooks asked for again",
        grouped(state.runs),
        grouped(state.records),
        grouped(state.failures),
        grouped(state.given_up),
        grouped(state.redelivered),
    ));
    lines.push(format!(
        "  {} of {} requests an hour may be made now",
        grouped(u64::from(state.budget_left)),
        grouped(u64::from(state.requests_per_hour)),
    ));
    if let Some(backfill) = &state.backfill {
        let share = backfill.sweep.as_ref().map_or(0.0, |sweep| sweep.share * 100.0);
        lines.push(match backfill.finished_at {
            Some(at) => format!("  history since {}: complete ({at})", backfill.since),
            None => format!("  history since {}: {share:.0} %, {}", backfill.since, backfill.standing.word()),
        });
    }
    lines.join("\n") + "\n"
}

/// A span for people: `45 s`, `12 min`, `3 h`, `5 d`.
fn span(seconds: f64) -> String {
    match seconds.max(0.0) {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5_400.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds => format!("{:.0} d", seconds / 86_400.0),
    }
}
