//! `manometer spool`: what waits for the server.

use std::fmt::Write as _;
use std::time::Duration;

use manometer_agent::settings::Settings;
use manometer_agent::shipping::{Patience, Spool, deliver};
use manometer_model::SystemClock;

use crate::args::SpoolCommand;
use crate::exit::{server, usage};
use crate::output;

/// Whoever asks for sending has time.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) fn run(command: SpoolCommand) -> anyhow::Result<()> {
    let settings = Settings::from_environment();
    settings.problems.iter().for_each(output::warn);
    let spool = Settings::spool().map_err(|error| usage(format!("{error}; set MANOMETER_SPOOL")))?;
    match command {
        SpoolCommand::List => list(&spool),
        SpoolCommand::Send => send(&spool, &settings),
    }
}

fn list(spool: &Spool) -> anyhow::Result<()> {
    let mut text = String::new();
    for (waiting, is_rejected) in spool
        .waiting()?
        .into_iter()
        .map(|waiting| (waiting, false))
        .chain(spool.rejected()?.into_iter().map(|waiting| (waiting, true)))
    {
        let state = if is_rejected { "rejected" } else { "waiting" };
        let size = output::bytes(waiting.size_bytes);
        let told = spool.describe(&waiting).unwrap_or_else(|error| error.to_string());
        writeln!(text, "{state:<9} {} {size:>10}  {told}", waiting.since)?;
    }
    for line in spool.refused() {
        writeln!(text, "no room   {line}")?;
    }
    if text.is_empty() {
        output::note(format!("nothing waits in {}", spool.folder().display()));
    }
    output::data(&text)?;
    Ok(())
}

fn send(spool: &Spool, settings: &Settings) -> anyhow::Result<()> {
    let Some(target) = &settings.server else {
        return Err(usage("say which server with MANOMETER_URL (and MANOMETER_TOKEN)"));
    };
    let patience = Patience { time: PATIENCE, ignores_pauses: true };
    let delivery = deliver(spool, target, None, patience, &SystemClock);
    delivery.rejected.iter().chain(&delivery.unreadable).for_each(output::warn);
    if delivery.for_others > 0 {
        output::note(format!("{} shipments are for other servers", delivery.for_others));
    }
    output::data(&format!("delivered {}\n", delivery.delivered))?;
    match delivery.why_waiting {
        Some(why) => Err(server(format!("{} shipments wait: {why}", delivery.waiting))),
        None => Ok(()),
    }
}
