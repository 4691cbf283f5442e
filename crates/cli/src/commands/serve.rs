//! `manometer serve`: the store, the engine and the HTTP door in one process, until told to stop.

use std::net::SocketAddr;

use manometer_query::{Engine, EngineOptions};
use manometer_server::{PostgresOptions, Server, ServerOptions, StatsdOptions, Timeouts, TlsFiles};
use manometer_store::{Store, StoreOptions};

use crate::args::{FlushArgs, ServeArgs};
use crate::commands::store::folder;
use crate::config::{Config, DEFAULT_POSTGRES, listen_address};
use crate::exit::usage;
use crate::webhooks::webhooks;
use crate::{env, output};

/// Serves the folder the arguments name.
pub(crate) fn run(arguments: &ServeArgs, config: &Config) -> anyhow::Result<()> {
    let listen = listen_address(arguments.listen.as_deref().unwrap_or(&config.listen))?;
    let mut config = config.clone();
    config.hostnames.extend(arguments.hostnames.iter().cloned());
    config.statsd = arguments.statsd.clone().or(config.statsd);
    config.postgres = arguments.postgres.clone().unwrap_or(config.postgres);
    config.postgres_certificate = arguments.postgres_certificate.clone().or(config.postgres_certificate);
    config.postgres_key = arguments.postgres_key.clone().or(config.postgres_key);
    let mut options = StoreOptions::new(folder(&arguments.data, &config));
    set_flush(&mut options, &arguments.flush);
    serve(options, listen, &config)
}

fn set_flush(options: &mut StoreOptions, flush: &FlushArgs) {
    let policy = &mut options.flush;
    policy.journal_bytes = flush.flush_journal_bytes.unwrap_or(policy.journal_bytes);
    policy.rows = flush.flush_rows.unwrap_or(policy.rows);
    policy.age_seconds = flush.flush_age_seconds.unwrap_or(policy.age_seconds);
}

/// Serves a folder until the process is told to stop (SIGINT, SIGTERM), then ends what is in flight.
pub(crate) fn serve(mut options: StoreOptions, listen: SocketAddr, config: &Config) -> anyhow::Result<()> {
    log_to_stderr();
    options.limits = config.limits.clone();
    // With port 0 the address is known only later, and a second process would be sent to the wrong one.
    options.announce = (listen.port() != 0).then(|| format!("http://{listen}"));
    let data = options.data.clone();
    let webhooks = webhooks(config, |name| std::env::var(name).ok())?;
    let store = Store::open(options)?;
    let engine = Engine::new(EngineOptions { limits: config.limits.clone(), ..EngineOptions::default() })?;
    let mut server_options = ServerOptions::new(listen, &data, store, engine);
    server_options.limits = config.limits.clone();
    server_options.timeouts = Timeouts::of(&config.limits);
    server_options.hostnames = config.hostnames.clone();
    if let Some(address) = &config.statsd {
        let project = config.statsd_project.clone();
        server_options.statsd = Some(StatsdOptions { listen: listen_address(address)?, project });
    }
    server_options.webhooks = webhooks;
    server_options.postgres = postgres(config, listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::start(server_options).await?;
        output::note(format!("data folder {}", data.display()));
        output::note(format!("listening on http://{}", server.address()));
        if let Some(address) = server.statsd_address() {
            output::note(format!("listening for StatsD on udp://{address}"));
        }
        if let Some(address) = server.postgres_address() {
            output::note(format!("listening for the Postgres wire on postgres://{address}/manometer"));
        }
        told_to_stop().await;
        output::note("stopping: finishing what is in flight");
        server.shutdown().await;
        Ok(())
    })
}

/// How the Postgres wire is served beside the door at `listen`; `None` where it is off. A server on any free port
/// has its wire on any free port too, as long as no address is named for it.
fn postgres(config: &Config, listen: SocketAddr) -> anyhow::Result<Option<PostgresOptions>> {
    if config.postgres == "off" {
        return Ok(None);
    }
    let tls = match (&config.postgres_certificate, &config.postgres_key) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate: certificate.clone(), key: key.clone() })
        }
        (None, None) => None,
        _ => {
            return Err(usage(
                "settings: `postgres_certificate` and `postgres_key` need each other".to_owned(),
            ));
        }
    };
    let mut address = listen_address(&config.postgres)?;
    if config.postgres == DEFAULT_POSTGRES && listen.port() == 0 {
        address.set_port(0);
    }
    Ok(Some(PostgresOptions { listen: address, tls }))
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env(env::LOG)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init().ok();
}

#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        () = interrupted() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn told_to_stop() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a signal to wait for, the process ends when it is killed.
        std::future::pending::<()>().await;
    }
}
