//! `manometer backfill`: history of a CI system from its API, by a server or by this process.

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use manometer_model::{Clock, SystemClock, Timestamp};
use manometer_providers::poll::{Api, Pause, Progress, Reconciler, Start, Target};
use manometer_server::poll::{
    PollEntry, PollState, Standing, StoreCursors, StoreSink, finish_backfill, request_backfill,
};
use manometer_store::{Store, StoreOptions};
use serde_json::json;

use crate::args::BackfillArgs;
use crate::commands::poll::states_there;
use crate::commands::store::folder;
use crate::config::{Config, PollConfig};
use crate::exit::{gate_failed, server, usage};
use crate::output::{self, grouped};
use crate::remote::Remote;
use crate::{polling, progress, span};

/// How often a server is asked how far it is.
const GLANCE: Duration = Duration::from_millis(500);

/// Fills it.
pub(crate) fn run(arguments: &BackfillArgs, config: &Config) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let since = span::moment(&arguments.since, now).map_err(|why| usage(format!("--since: {why}")))?;
    match Remote::from_args(&arguments.remote)? {
        Some(remote) => fill_there(&remote, arguments, since),
        None => fill_here(arguments, config, since),
    }
}

/// Has a server do it, and watches.
fn fill_there(remote: &Remote, arguments: &BackfillArgs, since: Timestamp) -> anyhow::Result<()> {
    let is_meant = |state: &PollState| {
        state.provider == arguments.provider
            && (arguments.projects.is_empty() || arguments.projects.contains(&state.project))
    };
    let known = states_there(remote)?;
    let meant: Vec<String> =
        known.iter().filter(|state| is_meant(state)).map(|state| state.name.clone()).collect();
    let is_known =
        |project: &&String| known.iter().any(|state| is_meant(state) && state.project == **project);
    if let Some(stranger) = arguments.projects.iter().find(|project| !is_known(project)) {
        return Err(usage(format!(
            "`{stranger}` is not polled by {}: add it to its [[poll]]",
            remote.address()
        )));
    }
    if meant.is_empty() {
        let provider = &arguments.provider;
        return Err(usage(format!(
            "{} polls nothing of {provider}: add it to its [[poll]]",
            remote.address()
        )));
    }
    for name in &meant {
        remote.post_json("/api/v1/polls/backfill", &json!({ "poll": name, "since": since.to_string() }))?;
        output::note(format!("{name}: noted, from {since} on"));
    }
    if arguments.no_wait {
        return Ok(());
    }
    let mut faults = 0;
    for name in &meant {
        faults += usize::from(!watch(remote, name)?);
    }
    match faults {
        0 => Ok(()),
        count => Err(gate_failed(format!(
            "{count} of {} histories were refused; the server tries again",
            meant.len()
        ))),
    }
}

/// Watches one until it is complete or refused; answers whether it is complete.
fn watch(remote: &Remote, name: &str) -> anyhow::Result<bool> {
    let bar = progress::share(name);
    loop {
        let states = states_there(remote)?;
        let backfill = states.into_iter().find(|state| state.name == name).and_then(|state| state.backfill);
        let backfill = backfill.ok_or_else(|| server(format!("{name} is not polled any more")))?;
        let share = backfill.sweep.as_ref().map_or(0.0, |sweep| sweep.share);
        let remark = backfill.message.as_ref().map(|message| format!(", {message}")).unwrap_or_default();
        show(&bar, share, format!("{} runs{remark}", grouped(backfill.runs)));
        match backfill.standing {
            Standing::UpToDate => {
                bar.finish_and_clear();
                output::data(&format!("{name}: complete, {} runs\n", grouped(backfill.runs)))?;
                return Ok(true);
            }
            Standing::Refused => {
                bar.finish_and_clear();
                output::error(backfill.message.unwrap_or_else(|| format!("{name}: refused")));
                return Ok(false);
            }
            _ => std::thread::sleep(GLANCE),
        }
    }
}

/// Does it in this process, on a folder that no server has open.
fn fill_here(arguments: &BackfillArgs, config: &Config, since: Timestamp) -> anyhow::Result<()> {
    let entries = entries(arguments, config)?;
    let rules = config.service_rules()?;
    let mut options = StoreOptions::new(folder(&arguments.data, config));
    options.limits = config.limits.clone();
    let store = Store::open(options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let filled = runtime.block_on(async {
        for entry in &entries {
            let api = Arc::new(Api::new(entry.api.clone(), Arc::clone(&clock))?);
            for target in &entry.targets {
                let name = target.name(api.base());
                let bar = progress::share(&name);
                let since = request_backfill(&store, &name, since)?;
                let sink = StoreSink::new(store.clone(), name.clone(), Arc::clone(&clock));
                let cursors = StoreCursors::of_backfills(store.clone());
                let source = target.source(rules.clone())?;
                let start = Start::Since(since);
                let mut reconciler = Reconciler::resume(
                    &name,
                    source,
                    Arc::clone(&api),
                    sink,
                    cursors,
                    entry.options.clone(),
                    start,
                )
                .await?;
                loop {
                    let mut on_progress = |now: &Progress| show(&bar, now.share(), runs_told(now));
                    match reconciler.run(&mut on_progress).await? {
                        Pause::UpToDate { .. } => break,
                        Pause::Wait { until, reason } => {
                            let told = format!(
                                "{}, waiting until {until}: {reason}",
                                runs_told(reconciler.progress())
                            );
                            show(&bar, reconciler.progress().share(), told);
                            let seconds = until.seconds_since(clock.now()).max(0.0);
                            tokio::time::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default())
                                .await;
                        }
                    }
                }
                finish_backfill(&store, &name)?;
                bar.finish_and_clear();
                let done = reconciler.progress();
                output::data(&format!("{name}: complete, {}\n", runs_told(done)))?;
                if done.given_up > 0 {
                    output::warn(format!("{name}: {} runs could not be fetched", grouped(done.given_up)));
                }
            }
        }
        anyhow::Ok(())
    });
    store.close();
    filled
}

fn runs_told(progress: &Progress) -> String {
    format!("{} runs", grouped(progress.runs))
}

fn show(bar: &ProgressBar, share: f64, message: String) {
    bar.set_position((share * progress::WHOLE as f64) as u64);
    bar.set_message(message);
}

/// What is meant: entries of the settings where they name it, else one made of the arguments.
fn entries(arguments: &BackfillArgs, config: &Config) -> anyhow::Result<Vec<PollEntry>> {
    let variable = |name: &str| std::env::var(name).ok();
    let asking = &arguments.asking;
    let is_told = asking.url.is_some() || asking.token_from.is_some() || asking.user.is_some();
    let mut wanted = arguments.projects.clone();
    let mut found = Vec::new();
    if !is_told {
        for settings in config.poll.iter().filter(|settings| settings.provider == arguments.provider) {
            let mut entry = polling::entry(settings, variable)?;
            let is_meant =
                |target: &Target| arguments.projects.is_empty() || wanted.contains(&target.project);
            entry.targets.retain(is_meant);
            wanted.retain(|project| !entry.targets.iter().any(|target| target.project == *project));
            entry.api.requests_per_hour = asking.requests_per_hour.unwrap_or(entry.api.requests_per_hour);
            if !entry.targets.is_empty() {
                found.push(entry);
            }
        }
    }
    if !wanted.is_empty() || found.is_empty() {
        let mut settings = PollConfig::of(&arguments.provider);
        settings.url = asking.url.clone();
        settings.projects = wanted;
        settings.token = asking.token_from.clone();
        settings.user = asking.user.clone();
        settings.requests_per_hour = asking.requests_per_hour.unwrap_or(settings.requests_per_hour);
        found.push(polling::entry(&settings, variable)?);
    }
    Ok(found)
}
