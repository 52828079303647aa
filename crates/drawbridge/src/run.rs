//! `drawbridge run`: read the configuration, build the edge, announce it, serve, drain.

use crate::check;
use crate::provided::Provided;
use crate::settings::{Configured, Settings, Source};
use crate::told::{Occasion, Told};
use crate::watch::Watch;
use anyhow::Context as _;
use drawbridge_config::{Error, Style};
use drawbridge_control::{Control, Order, Orders, Reloaded};
use drawbridge_edge::Edge;
use drawbridge_net::Listener;
use drawbridge_provider::Providers;
use drawbridge_routing::Services;
use drawbridge_telemetry::health::{self, Readiness};
use drawbridge_telemetry::{Exports, Log, in_full, metrics};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Threads for work that blocks, made on demand: look-ups by the system's resolver, of which some may hang.
const BLOCKING_THREADS: usize = 512;

/// How long the first answers of providers are waited for before anybody is served.
const FIRST_ANSWERS: Duration = Duration::from_secs(3);

/// Runs the edge until it is told to stop.
pub(crate) fn run(source: Source) -> ExitCode {
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
    let mut told = Told::nothing();
    told.begin(Occasion::Asked);
    told.warnings(&configured.warnings);
    let reactors = configured.settings.threads().reactors;
    // Before there are other threads: the variables by which sockets are passed are taken out of the environment.
    let bound = match Listener::passed(reactors)? {
        Some(passed) => passed,
        None => Listener::bind(&configured.settings.bind, reactors)?,
    };
    // Held to the end: what was read of it counts as long as anybody is served.
    let bans = Arc::new(configured.open_bans()?);
    let socket = source.open_socket(&configured.settings.control)?;
    let runtime = runtime(&configured.settings)?;
    let background = TaskTracker::new();
    services.start(runtime.handle(), &background);
    let Settings { telemetry, metrics: served, .. } = &configured.settings;
    let exports = runtime.block_on(Exports::start(telemetry, served, runtime.handle()))?;
    if let Some(address) = exports.address() {
        tracing::info!(%address, "metrics and health are served");
    }
    let outcome = runtime.block_on(async {
        let signals = Signals::listen().context("signals can't be listened for")?;
        let mut providers = Providers::new(runtime.handle().clone(), background.clone());
        let configured = with_providers(&source, &services, &mut providers, &mut told, configured).await;
        let watch = Watch::start(source.clone(), configured.fingerprint);
        let Configured { settings, routes, snapshot, .. } = configured;
        let edge =
            Edge::start(bound, settings.threads(), snapshot, Arc::clone(&bans) as _, runtime.handle())?;
        let pulse = edge.pulse();
        health::ask(move || {
            let pulse = pulse.clone();
            async move { pulse.beat().await }
        });
        let (control, mut orders) = Control::new(edge.handle(), Arc::clone(&bans), &settings.bans.file);
        edge.handle().operated_by(control.in_game());
        let _signals = AbortOnDropHandle::new(runtime.spawn(signals.forward(control.clone())));
        let controlled = match socket {
            Some(socket) => {
                tracing::info!(socket = %socket.path().display(), "control is served");
                Some(socket.serve(control, runtime.handle()).context("the control socket can't be served")?)
            }
            None => None,
        };
        // What tells that the edge listens says nothing that isn't so yet.
        configure(routes);
        for address in edge.addresses() {
            tracing::info!(%address, "listening");
        }
        let mut running = Running { source, services, log, told, watch, providers, settings, edge };
        let hurry = CancellationToken::new();
        running.go_on(&mut orders, &hurry).await;
        // What is asked of control to the last is logged, too.
        let _log = running.stop(&mut orders, &hurry, &background).await;
        if let Some(controlled) = controlled {
            controlled.end().await;
        }
        Ok(())
    });
    exports.finish();
    // A look-up that hangs can't be cancelled, and nobody waits for it any more.
    runtime.shutdown_background();
    outcome
}

/// Waits for a further word to stop. What else is ordered of an edge that stops isn't answered, which tells that it stops.
async fn told_to_stop(orders: &mut Orders) {
    while !matches!(orders.next().await, Order::Drain { .. }) {}
}

/// Adds the routes of those providers that answer soon. What is wrong with what they say keeps no edge from starting.
async fn with_providers(
    source: &Source,
    services: &Services,
    providers: &mut Providers,
    told: &mut Told,
    files: Configured,
) -> Configured {
    providers.follow(&files.settings.providers);
    if files.settings.providers.names().next().is_none() {
        return files;
    }
    for provider in providers.first(FIRST_ANSWERS).await {
        tracing::warn!(
            provider,
            "there is no answer yet: the edge starts without its routes, which come when there is"
        );
    }
    let provided = Provided::of(providers);
    told.begin(Occasion::Provided);
    match source.reload(services, &provided) {
        Ok((configured, broken)) => {
            told.left_out(&broken, &provided);
            told.warnings(&configured.warnings);
            configured
        }
        Err(error) => {
            // Files that held a moment ago.
            told.failure(&error);
            files
        }
    }
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
    told: Told,
    watch: Watch,
    providers: Providers,
    settings: Settings,
    edge: Edge,
}

impl Running {
    /// Follows files, providers and orders until it is told to stop.
    async fn go_on(&mut self, orders: &mut Orders, hurry: &CancellationToken) {
        loop {
            tokio::select! {
                order = orders.next() => match order {
                    Order::Drain { by, now } => {
                        health::set(Readiness::Draining);
                        tracing::info!(signal = by, "stopping");
                        if now {
                            hurry.cancel();
                        }
                        return;
                    }
                    Order::Reload(reply) => {
                        let reloaded = self.reload(Occasion::Asked);
                        // Whoever asked may have gone.
                        reply.into_iter().for_each(|reply| drop(reply.send(reloaded.clone())));
                    }
                },
                () = self.watch.changed() => drop(self.reload(Occasion::Asked)),
                () = self.providers.changed() => drop(self.reload(Occasion::Provided)),
            }
        }
    }

    /// Ends in three stages: players have their time; told again, nobody is waited for; told a third time, nobody is told.
    async fn stop(mut self, orders: &mut Orders, hurry: &CancellationToken, background: &TaskTracker) -> Log {
        self.providers.stop();
        let stopped = async {
            self.edge.drain(&self.settings.shutdown, hurry).await;
            // What adapters did in the background has ended with the last snapshot.
            background.close();
            background.wait().await;
        };
        let hurried = async {
            told_to_stop(orders).await;
            tracing::warn!("told again to stop: nobody is waited for");
            hurry.cancel();
            told_to_stop(orders).await;
        };
        tokio::select! {
            () = stopped => tracing::info!("stopped"),
            () = hurried => tracing::warn!("told a third time to stop: players aren't told"),
        }
        self.log
    }

    /// Takes over what files hold and providers have now, whole or not at all.
    fn reload(&mut self, occasion: Occasion) -> Reloaded {
        self.told.begin(occasion);
        let provided = Provided::of(&mut self.providers);
        let (configured, broken) = match self.source.reload(&self.services, &provided) {
            Ok(read) => read,
            Err(error) => {
                metrics::reloaded(false);
                self.told.not_reloaded(&error);
                return not_taken_over(&error);
            }
        };
        if configured.settings.providers != self.settings.providers {
            self.providers.follow(&configured.settings.providers);
            self.settings.providers = configured.settings.providers;
            // Others have other routes.
            return self.reload(occasion);
        }
        if configured.fingerprint != *self.watch.fingerprint() {
            // A file that was written a moment ago has come along, and doesn't show as a change any more.
            self.told.ask();
        }
        self.told.warnings(&configured.warnings);
        let Configured { mut settings, routes, snapshot, warnings, fingerprint } = configured;
        let read_at_start = self.keep_what_is_read_at_start(&mut settings);
        self.log.replace(&settings.telemetry);
        self.watch.follow(fingerprint);
        self.edge.replace(snapshot);
        self.told.left_out(&broken, &provided);
        metrics::reloaded(broken.mistakes.is_empty());
        configure(routes);
        tracing::info!(routes, "configuration reloaded");
        if routes == 0 {
            self.told.no_route();
        }
        self.settings = settings;
        let told = || broken.mistakes.iter().chain([&warnings]);
        Reloaded {
            taken_over: true,
            routes,
            left_as_they_were: broken.stand_ins.files().map(str::to_owned).collect(),
            read_at_start,
            diagnostics: told().flat_map(check::diagnostics).collect(),
            rendered: told().map(|diagnostics| diagnostics.render(Style::Plain)).collect(),
        }
    }

    /// Has settings stay as they are that can't be changed while the edge runs, and gives the keys of those that were to be.
    fn keep_what_is_read_at_start(&mut self, settings: &mut Settings) -> Vec<String> {
        let mut kept = Vec::new();
        if settings.bind != self.settings.bind {
            kept.push("bind");
            settings.bind = std::mem::take(&mut self.settings.bind);
        }
        if settings.threads != self.settings.threads {
            kept.push("threads");
            settings.threads = self.settings.threads;
        }
        if settings.metrics.bind != self.settings.metrics.bind {
            kept.push("metrics.bind");
            settings.metrics.bind = self.settings.metrics.bind;
        }
        if settings.bans.file != self.settings.bans.file {
            kept.push("bans.file");
            settings.bans = self.settings.bans.clone();
        }
        if settings.control != self.settings.control {
            kept.push("control");
            settings.control = self.settings.control.clone();
        }
        kept.iter().for_each(|key| self.told.read_at_start(key));
        kept.into_iter().map(str::to_owned).collect()
    }
}

fn not_taken_over(error: &Error) -> Reloaded {
    let (diagnostics, rendered) = match error {
        Error::Invalid(mistakes) => (check::diagnostics(mistakes), mistakes.render(Style::Plain)),
        error => (vec![check::undiagnosed(error)], format!("error: {}\n", in_full(error))),
    };
    Reloaded { diagnostics, rendered, ..Reloaded::default() }
}

/// Notes that a configuration with so many routes counts from now on.
fn configure(routes: usize) {
    metrics::configured(routes);
    health::set(if routes == 0 { Readiness::NoRoute } else { Readiness::Ready });
}

impl Signals {
    /// Has what the system asks carried out, until the edge ends.
    async fn forward(mut self, control: Control) {
        loop {
            let ordered = match self.next().await {
                Signal::Stop(name) => control.stop(name).await,
                Signal::Reload => control.order_reload().await,
            };
            if ordered.is_err() {
                return;
            }
        }
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

    async fn next(&mut self) -> Signal {
        // Where Ctrl-C can't be listened for, the edge runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop("Ctrl-C")
    }
}
