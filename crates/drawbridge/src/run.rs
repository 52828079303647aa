//! `drawbridge run`: read the configuration, build the edge, announce it, serve, drain.

use crate::check;
use crate::settings::{Broken, Configured, Settings, Source};
use crate::watch::Watch;
use anyhow::Context as _;
use drawbridge_config::{Diagnostics, Error, Severity};
use drawbridge_edge::Edge;
use drawbridge_net::Listener;
use drawbridge_routing::Services;
use drawbridge_telemetry::health::{self, Readiness};
use drawbridge_telemetry::{Exports, Log, metrics};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Threads for work that blocks, made on demand: look-ups by the system's resolver, of which some may hang.
const BLOCKING_THREADS: usize = 512;

/// Runs the edge until it is told to stop.
pub(crate) fn run(config: Option<PathBuf>) -> ExitCode {
    let source = Source::new(config);
    let services = Services::default();
    let configured = match source.load(&services) {
        Ok(configured) => configured,
        Err(error) => {
            check::show(&error);
            return ExitCode::FAILURE;
        }
    };
    match serve(source, services, configured) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast_ref() {
                Some(mistake) => check::show(mistake),
                None => eprintln!("error: {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

fn serve(source: Source, services: Services, configured: Configured) -> anyhow::Result<()> {
    let log = configured.settings.telemetry.start()?;
    warn(&configured);
    let reactors = configured.settings.threads().reactors;
    // Before there are other threads: the variables by which sockets are passed are taken out of the environment.
    let bound = match Listener::passed(reactors)? {
        Some(passed) => passed,
        None => Listener::bind(&configured.settings.bind, reactors)?,
    };
    // Held to the end: what was read of it counts as long as anybody is served.
    let bans = Arc::new(configured.open_bans()?);
    let runtime = runtime(&configured.settings)?;
    let background = TaskTracker::new();
    services.start(runtime.handle(), &background);
    let Settings { telemetry, metrics: served, .. } = &configured.settings;
    let exports = runtime.block_on(Exports::start(telemetry, served, runtime.handle()))?;
    if let Some(address) = exports.address() {
        tracing::info!(%address, "metrics and health are served");
    }
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen().context("signals can't be listened for")?;
        let watch = Watch::start(source.clone(), configured.fingerprint);
        let Configured { settings, routes, snapshot, .. } = configured;
        let edge =
            Edge::start(bound, settings.threads(), snapshot, Arc::clone(&bans) as _, runtime.handle())?;
        let pulse = edge.pulse();
        health::ask(move || {
            let pulse = pulse.clone();
            async move { pulse.beat().await }
        });
        // What tells that the edge listens says nothing that isn't so yet.
        configure(routes);
        for address in edge.addresses() {
            tracing::info!(%address, "listening");
        }
        let mut running = Running { source, services, log, watch, settings, edge };
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Stop(name) => {
                        health::set(Readiness::Draining);
                        tracing::info!(signal = name, "stopping");
                        break;
                    }
                    Signal::Reload => running.reload(),
                },
                () = running.watch.changed() => running.reload(),
            }
        }
        let hurry = CancellationToken::new();
        let stopped = async {
            running.edge.drain(&running.settings.shutdown, &hurry).await;
            // What adapters did in the background has ended with the last snapshot.
            background.close();
            background.wait().await;
        };
        let hurried = async {
            signals.stop().await;
            tracing::warn!("told again to stop: nobody is waited for");
            hurry.cancel();
            signals.stop().await;
        };
        tokio::select! {
            () = stopped => tracing::info!("stopped"),
            () = hurried => tracing::warn!("told a third time to stop: players aren't told"),
        }
        Ok(())
    });
    exports.finish();
    // A look-up that hangs can't be cancelled, and nobody waits for it any more.
    runtime.shutdown_background();
    outcome
}

fn runtime(settings: &Settings) -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(settings.workers())
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("runtime")
        .enable_all()
        .build()
        .context("the runtime can't be started")
}

/// A running edge, and what its configuration comes from.
struct Running {
    source: Source,
    services: Services,
    log: Log,
    watch: Watch,
    settings: Settings,
    edge: Edge,
}

impl Running {
    /// Takes over what the files hold now, whole or not at all.
    fn reload(&mut self) {
        let (configured, broken) = match self.source.reload(&self.services) {
            Ok(read) => read,
            Err(error) => {
                metrics::reloaded(false);
                report(&error);
                tracing::error!("the configuration was not reloaded: what ran goes on running");
                return;
            }
        };
        warn(&configured);
        let Configured { mut settings, routes, snapshot, fingerprint, .. } = configured;
        if settings.bind != self.settings.bind || settings.threads != self.settings.threads {
            tracing::warn!("bind and threads are read at start: restart the edge to change them");
            settings.bind = std::mem::take(&mut self.settings.bind);
            settings.threads = self.settings.threads;
        }
        if settings.metrics.bind != self.settings.metrics.bind {
            tracing::warn!("metrics.bind is read at start: restart the edge to change it");
            settings.metrics.bind = self.settings.metrics.bind;
        }
        if settings.bans.file != self.settings.bans.file {
            tracing::warn!("bans.file is read at start: restart the edge to change it");
            settings.bans = self.settings.bans.clone();
        }
        self.log.replace(&settings.telemetry);
        self.watch.follow(fingerprint);
        self.edge.replace(snapshot);
        tell_of(&broken);
        metrics::reloaded(broken.mistakes.is_empty());
        configure(routes);
        tracing::info!(routes, "configuration reloaded");
        if routes == 0 {
            tracing::warn!("there is no route: the built-in one takes all hosts and has no target");
        }
        self.settings = settings;
    }
}

/// Notes that a configuration with so many routes counts from now on.
fn configure(routes: usize) {
    metrics::configured(routes);
    health::set(if routes == 0 { Readiness::NoRoute } else { Readiness::Ready });
}

/// Route files that weren't taken over.
fn tell_of(broken: &Broken) {
    broken.mistakes.iter().for_each(report_all);
    for file in broken.stand_ins.files() {
        tracing::error!(file, "a route file was not reloaded: its routes stay as they were");
    }
}

fn report(error: &Error) {
    match error {
        Error::Invalid(diagnostics) => report_all(diagnostics),
        error => tracing::error!("{}", check::in_full(error)),
    }
}

fn report_all(diagnostics: &Diagnostics) {
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error) {
        let (reason, help) = (diagnostic.reason(), diagnostic.advice());
        tracing::error!(at = %diagnostic.origin(), reason, help, "{}", diagnostic.message());
    }
}

fn warn(configured: &Configured) {
    for warning in configured.warnings.iter() {
        let (reason, help) = (warning.reason(), warning.advice());
        tracing::warn!(at = %warning.origin(), reason, help, "{}", warning.message());
    }
}

/// What the system asks of the edge.
enum Signal {
    Stop(&'static str),
    Reload,
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a further word to stop.
    async fn stop(&mut self) {
        while !matches!(self.next().await, Signal::Stop(_)) {}
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
            _ = self.hang_up.recv() => Signal::Reload,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn stop(&mut self) {
        while !matches!(self.next().await, Signal::Stop(_)) {}
    }

    async fn next(&mut self) -> Signal {
        // Where Ctrl-C can't be listened for, the edge runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop("Ctrl-C")
    }
}
