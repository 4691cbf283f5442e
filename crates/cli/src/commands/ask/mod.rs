//! `manometer ask`: questions with typed answers, over a local folder or a server.

mod bars;
mod compare;
mod failures;
mod history;
mod slowest;
mod trend;

use anyhow::Context as _;
use manometer_model::{Clock as _, SystemClock, Timestamp};
use manometer_query::answers::{AnswerError, Answers, Flat as _, Question, RangeShown};
use manometer_query::{Access, Engine, EngineOptions};
use manometer_store::{ReadOnlyStore, StoreOptions};

use crate::args::{AskArgs, AskCommand, AskFormat};
use crate::commands::store::folder;
use crate::config::Config;
use crate::exit::usage;
use crate::output;
use crate::remote::Remote;

/// Asks and prints.
pub(crate) fn run(command: &AskCommand, config: &Config) -> anyhow::Result<()> {
    match command {
        AskCommand::Trend(arguments) => ask(arguments, config, trend::shown),
        AskCommand::Compare(arguments) => ask(arguments, config, compare::shown),
        AskCommand::Slowest(arguments) => ask(arguments, config, slowest::shown),
        AskCommand::Failures(arguments) => ask(arguments, config, failures::shown),
        AskCommand::History(arguments) => ask(arguments, config, history::shown),
    }
}

fn ask<Q: Question + std::fmt::Debug + 'static>(
    arguments: &AskArgs<Q>,
    config: &Config,
    shown: fn(&Q::Answer) -> String,
) -> anyhow::Result<()> {
    let answer = match Remote::from_args(&arguments.remote)? {
        Some(remote) => ask_server::<Q>(&remote, arguments)?,
        None => ask_folder::<Q>(arguments, config)?,
    };
    let text = match arguments.format {
        AskFormat::Table => shown(&answer),
        AskFormat::Json => format!("{}\n", serde_json::to_string_pretty(&answer)?),
        AskFormat::Csv => answer.csv(),
    };
    output::data(&text)?;
    Ok(())
}

fn ask_folder<Q: Question + std::fmt::Debug + 'static>(
    arguments: &AskArgs<Q>,
    config: &Config,
) -> anyhow::Result<Q::Answer> {
    let store = ReadOnlyStore::open(StoreOptions::new(folder(&arguments.data, config)))?;
    let engine = Engine::new(EngineOptions { limits: config.limits.clone(), ..EngineOptions::default() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answers = Answers::new(engine, store.snapshot(), Access::All);
    let asked = answers.ask::<Q>(arguments.pairs.given.clone(), SystemClock.now());
    runtime.block_on(asked).map_err(|error| match error {
        AnswerError::Query(fault) => usage(fault.to_string()),
        other => usage(other.to_string()),
    })
}

fn ask_server<Q: Question + std::fmt::Debug + 'static>(
    remote: &Remote,
    arguments: &AskArgs<Q>,
) -> anyhow::Result<Q::Answer> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&arguments.pairs.given).finish();
    let path = format!("/api/v1/answers/{}?{query}", Q::WORD);
    let response = remote.send(remote.get(&path))?;
    let text = response.text().context("the server's answer broke off")?;
    serde_json::from_str(&text)
        .context("the server's answer is not one this program knows: are both of one version?")
}

/// `2026-11-14 12:00 UTC to 2026-11-21 12:00 UTC`.
fn range_words(range: &RangeShown) -> String {
    let until = minute(range.until);
    match range.last_runs {
        Some(count) => format!("the last {count} runs, since {}", minute(range.since)),
        None => format!("{} to {until}", minute(range.since)),
    }
}

/// `2026-11-21 12:00 UTC`.
fn minute(at: Timestamp) -> String {
    let iso = at.to_string();
    format!("{} UTC", iso.get(..16).unwrap_or(&iso).replace('T', " "))
}

/// A moment or a dash.
fn minute_or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), minute)
}

/// The first letters of a commit's hash.
fn short(sha: &str) -> String {
    sha.chars().filter(|letter| !letter.is_control()).take(10).collect()
}

/// One line of a text, without what could command a terminal, so long at most.
fn one_line(text: &str, letters: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut shown: String = line.chars().filter(|letter| !letter.is_control()).take(letters).collect();
    if line.chars().count() > letters || text.lines().nth(1).is_some() {
        shown.push('…');
    }
    shown
}
