//! The configuration as a whole: the sections of all crates put together, and where they come from.

mod permissions;
mod socket;

use super::kept::{Kept, StandIns};
use super::provided::Provided;
use drawbridge_config::{
    Diagnostic, Diagnostics, Document, DocumentPath, Error, Fields, Loaded, Origin, Root, section,
};
use drawbridge_control::ControlSection;
use drawbridge_edge::cookie::{Cookies, Jar};
use drawbridge_edge::ticket::TicketOffice;
use drawbridge_edge::{CommandsSection, Permissions, Shutdown, Snapshot, Threads, Tickets, UnknownHost};
use drawbridge_net::{Access, AddressRules, Limits, ProxyProtocol};
use drawbridge_provider::ProvidersSection;
use drawbridge_routing::{self as routing, Delivery, RouteSection};
use drawbridge_store::{BansSection, Store};
use drawbridge_telemetry::{MetricsSection, Telemetry, in_full};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

section! {
    /// drawbridge.toml. Every key has a default.
    #[defaults]
    #[check(check)]
    pub(crate) struct Settings {
        /// Where the edge listens. `[::]` takes IPv4 too. Read at start.
        pub bind: Vec<SocketAddr> = vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, 25565))],
        /// A folder of which every *.toml file holds routes; watched, as this file is.
        pub routes_dir: DocumentPath = DocumentPath::new("routes"),
        /// Threads that the edge works with; `0`: one for each core. Half of them, at least one, accept connections and speak with
        /// clients; as many as are left, at least one, compute key exchanges, and as many do what adapters do. Read at start.
        pub threads: u16 = 0,
        /// Bounds on what peers may use.
        pub limits: Limits,
        /// Who may connect, decided before a byte is read.
        pub access: Access,
        /// Who may not join, beside what `access` says: `drawbridge ban`.
        pub bans: BansSection,
        /// Load balancers that say for whom they speak.
        pub proxy_protocol: ProxyProtocol,
        /// What a returning player carries.
        pub cookies: Cookies,
        /// What a player shows to the target.
        pub tickets: Tickets,
        /// Commands of the edge's in the game.
        pub commands: CommandsSection,
        /// How an operator reaches a running edge: `drawbridge ctl`.
        pub control: ControlSection,
        /// How the edge stops.
        pub shutdown: Shutdown,
        /// Metrics and health, over HTTP.
        pub metrics: MetricsSection,
        /// What the edge says of itself.
        pub telemetry: Telemetry,
        /// What happens where no route takes the host.
        pub unknown_host: UnknownHost,
        /// Where routes come from beside files.
        pub providers: ProvidersSection,
        /// Which hosts go where. Without any there is one for all hosts that has no target.
        pub routes: Vec<RouteSection> = Vec::new(),
    }
}

fn check(settings: &Settings, fields: &mut Fields<'_, '_, '_>) {
    if settings.bind.is_empty() {
        fields.error("bind", "an edge that listens nowhere can't be reached: name at least one address");
    }
    let without_key = settings.routes.iter().filter(|_| settings.tickets.key.is_none());
    for route in without_key.filter(|route| *route.transfer.ticket) {
        let mistake = Diagnostic::error(route.transfer.ticket.origin(), "no key signs this route's tickets");
        fields.report(mistake.help("[tickets] key = { file = \"ticket.key\" }"));
    }
    for route in &settings.routes {
        // Who is carried is in login all the while.
        let carried = route.mode.carries();
        let limits = &settings.limits;
        let in_login = limits.login_timeout;
        let placement = match route.mode.delivery() {
            Delivery::Transfer => limits.placement_timeout,
            Delivery::ByVersion(_) => in_login.min(limits.placement_timeout),
            Delivery::Relay(_) | Delivery::Session { .. } => in_login,
        };
        check_attempts(route, placement, fields);
        if carried {
            check_target_times(route, settings.limits.login_timeout, fields);
        }
    }
}

/// A target that hangs has to be given up before its player is.
fn check_target_times(route: &RouteSection, login: Duration, fields: &mut Fields<'_, '_, '_>) {
    let (connect, answer) = match route.mode.delivery() {
        Delivery::Session { .. } => (&route.session.connect, &route.session.answer),
        _ => (&route.relay.connect, &route.relay.answer),
    };
    for time in [connect, answer].into_iter().filter(|time| time.is_zero()) {
        fields.report(Diagnostic::warning(time.origin(), "no target is as quick as that"));
    }
    if **connect + **answer >= login {
        let words = format!("a target may take {:?}, and a login ends after {login:?}", **connect + **answer);
        let mistake =
            Diagnostic::warning(answer.origin(), "no other target would be tried after one that hangs");
        fields.report(mistake.label(words).help("shorter times here, or a longer `limits.login_timeout`"));
    }
}

/// Whoever goes on trying has to end before placement does, or its player is never told why there is no target.
fn check_attempts(route: &RouteSection, placement: Duration, fields: &mut Fields<'_, '_, '_>) {
    let mut spent = Duration::ZERO;
    for timeout in route.attempts() {
        spent = spent.saturating_add(**timeout);
        if spent >= placement {
            let words = format!(
                "attempts may take until {spent:?} after placement began, which ends at {placement:?}"
            );
            let mistake = Diagnostic::error(timeout.origin(), "placement would end before these attempts do");
            fields.report(
                mistake.label(words).help("a shorter `timeout` here, or a longer `limits.placement_timeout`"),
            );
            return;
        }
    }
}

/// Where a configuration is read from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The main file that was asked for; it has to be there.
    given: Option<PathBuf>,
    /// What is read instead of any file.
    built_in: Option<Document>,
    /// Whether there has been one of the usual name: from then on it has to be there too.
    seen: Arc<AtomicBool>,
    /// The route files when they last held.
    kept: Kept,
}

/// Route files, or documents of providers, that are mistaken.
#[derive(Debug)]
pub(crate) struct Broken {
    /// What is wrong with them.
    pub mistakes: Vec<Diagnostics>,
    /// What is read in their place.
    pub stand_ins: StandIns,
}

/// The main file where none is asked for; it need not be there.
const MAIN: &str = "drawbridge.toml";

/// Two of the same texts are the same, and of others hardly ever.
pub(crate) type Fingerprint = u64;

/// A configuration that holds, and what it was read from.
#[derive(Debug)]
pub(crate) struct Configured {
    /// The settings, without the routes: the snapshot has them, and as they were written they'd only take room.
    pub settings: Settings,
    /// How many routes are written.
    pub routes: usize,
    /// What a connection goes by.
    pub snapshot: Snapshot,
    /// What is unwise.
    pub warnings: Diagnostics,
    /// Tells whether any document has changed; `None` where there was none.
    pub fingerprint: Option<Fingerprint>,
}

impl Source {
    /// The file that was given, or the one of the usual name as soon as there is one.
    pub(crate) fn new(given: Option<PathBuf>) -> Self {
        Self { given, built_in: None, seen: Arc::default(), kept: Kept::default() }
    }

    /// This document, and no file.
    pub(crate) fn built_in(document: Document) -> Self {
        Self { built_in: Some(document), ..Self::new(None) }
    }

    /// Where the main file is or would be.
    pub(crate) fn main(&self) -> &Path {
        self.given.as_deref().unwrap_or(Path::new(MAIN))
    }

    /// The main file, if there is one or has to be.
    fn open_main(&self) -> Result<Option<Document>, Error> {
        if let Some(document) = &self.built_in {
            return Ok(Some(document.clone()));
        }
        let needed = self.given.is_some() || self.seen.load(Ordering::Relaxed);
        if !needed && is_absent(self.main()) {
            return Ok(None);
        }
        let document = Document::open(self.main())?;
        self.seen.store(true, Ordering::Relaxed);
        Ok(Some(document))
    }

    /// Reads and checks all files.
    ///
    /// # Errors
    /// With every mistake there is.
    pub(crate) fn load(&self, services: &routing::Services) -> Result<Configured, Error> {
        self.read(services, &Provided::default(), &StandIns::default(), &mut BTreeSet::new())
    }

    /// As [`Source::load`], with what providers have; but where only route files or documents of providers are mistaken, these go on as
    /// they last held, and are told of.
    ///
    /// # Errors
    /// With every mistake there is, where one stands elsewhere.
    pub(crate) fn reload(
        &self,
        services: &routing::Services,
        provided: &Provided,
    ) -> Result<(Configured, Broken), Error> {
        let (mut stand_ins, mut mistakes) = (StandIns::default(), Vec::new());
        loop {
            let mut files = BTreeSet::new();
            match self.read(services, provided, &stand_ins, &mut files) {
                Ok(configured) => return Ok((configured, Broken { mistakes, stand_ins })),
                Err(Error::Invalid(errors)) if self.kept.replace(&errors, &files, &mut stand_ins) => {
                    mistakes.push(errors);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads and checks everything, with some documents of routes replaced. Their names are written to `files`.
    fn read(
        &self,
        services: &routing::Services,
        provided: &Provided,
        stand_ins: &StandIns,
        files: &mut BTreeSet<String>,
    ) -> Result<Configured, Error> {
        let main = self.open_main()?;
        let mut texts = Texts::default();
        texts.add(&main);
        let mut root = root(main);
        let documents = self.folder(&root.peek("routes_dir", || Settings::default().routes_dir))?;
        texts.add(&documents);
        let mut held = BTreeMap::new();
        // Files first, since the earlier keeps a host that two routes want.
        for documents in std::iter::once(documents).chain(provided.documents()) {
            files.extend(documents.iter().map(|document| document.name().to_owned()));
            let documents: Vec<_> =
                documents.into_iter().filter_map(|document| stand_ins.of(document)).collect();
            let text = |document: &Document| (document.name().to_owned(), document.text().to_owned());
            held.extend(documents.iter().map(text));
            root.append(documents);
        }
        let Loaded { mut settings, mut diagnostics } = root.read::<Settings>()?;
        let names = provided.names();
        let yields = |origin: &Origin| origin.file().is_some_and(|file| names.contains(file));
        routing::settle(&mut settings.routes, yields, &mut diagnostics);
        let permissions = permissions::read(&settings.commands, &mut texts, &mut diagnostics);
        let routes = routing::Snapshot::build(&settings.routes, services, &mut diagnostics);
        match routes {
            Some(routes) if diagnostics.errors() == 0 => {
                let permissions = Permissions::new(&settings.commands, &permissions);
                let snapshot = snapshot(&settings, permissions, routes);
                let routes = std::mem::take(&mut settings.routes).len();
                let fingerprint = texts.fingerprint();
                self.kept.keep(held);
                Ok(Configured { settings, routes, snapshot, warnings: diagnostics, fingerprint })
            }
            _ => Err(Error::Invalid(diagnostics)),
        }
    }

    /// The fingerprint of what [`Source::load`] would read, as far as it can be read.
    #[must_use]
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        let mut texts = Texts::default();
        texts.add(&self.open_main().unwrap_or_default());
        texts.add(&self.folder(&self.routes_dir()).unwrap_or_default());
        texts.add(&self.permissions_file().and_then(|file| Document::open(&file).ok()));
        texts.fingerprint()
    }

    /// The file of bans. What is wrong elsewhere in the configuration doesn't keep anybody from banning.
    ///
    /// # Errors
    /// With what is wrong in `[bans]`, or the main file if it can't be read.
    pub(crate) fn bans(&self) -> Result<PathBuf, Error> {
        let section: BansSection = root(self.open_main()?).read_key("bans")?;
        Ok(section.file.as_path().to_path_buf())
    }

    /// The documents of the routes' folder, which need not exist.
    fn folder(&self, path: &Path) -> Result<Vec<Document>, Error> {
        let none = self.built_in.is_some() || is_absent(path);
        if none { Ok(Vec::new()) } else { Document::open_folder(path) }
    }

    /// The folder of route files, as the main file and the environment stand now.
    #[must_use]
    pub(crate) fn routes_dir(&self) -> PathBuf {
        let main = self.open_main().unwrap_or_default();
        root(main).peek("routes_dir", || Settings::default().routes_dir).as_path().to_path_buf()
    }
}

impl Configured {
    /// Opens the bans.
    ///
    /// # Errors
    /// When they can't be read: a mistake at the key that names their file.
    pub(crate) fn open_bans(&self) -> Result<Store, Error> {
        let file = &self.settings.bans.file;
        Store::open(file).map_err(|error| {
            let mut mistake = Diagnostic::error(file.origin(), in_full(&error));
            if let Some(advice) = error.advice() {
                mistake = mistake.help(advice);
            }
            mistake.into()
        })
    }
}

/// The names and texts of documents, of which only the fingerprint is kept.
#[derive(Default)]
struct Texts(Option<DefaultHasher>);

impl Texts {
    fn add<'a>(&mut self, documents: impl IntoIterator<Item = &'a Document>) {
        for document in documents {
            (document.name(), document.text()).hash(self.0.get_or_insert_default());
        }
    }

    /// `None` where there was no document.
    fn fingerprint(self) -> Option<Fingerprint> {
        self.0.map(|hasher| hasher.finish())
    }
}

/// What is read of the main file, and of the environment over it.
fn root(main: Option<Document>) -> Root {
    let mut root = Root::new(main, &["routes"]);
    root.environment("DRAWBRIDGE", std::env::vars_os());
    root
}

/// Whether there is nothing of this name: a link that leads nowhere is something.
fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn snapshot(settings: &Settings, permissions: Permissions, routes: routing::Snapshot) -> Snapshot {
    Snapshot {
        limits: settings.limits.clone(),
        access: AddressRules::from(&settings.access),
        proxies: settings.proxy_protocol.trusted.iter().collect(),
        cookies: Jar::new(&settings.cookies),
        cookie_keys: settings.cookies.keys(),
        tickets: TicketOffice::new(&settings.tickets, &settings.cookies.namespace),
        unknown_host: settings.unknown_host.action,
        permissions,
        routes,
    }
}

impl Settings {
    /// How many threads do what. With a reactor for every two cores each finds more to do whenever it is woken, and waking is what a ping
    /// costs most in.
    #[must_use]
    pub(crate) fn threads(&self) -> Threads {
        let reactors = (self.all_threads() / 2).max(1);
        Threads { reactors, keys: (self.all_threads() - reactors).max(1) }
    }

    /// How many threads the runtime has. They seldom work at the same time as those for keys.
    #[must_use]
    pub(crate) fn workers(&self) -> usize {
        self.threads().keys
    }

    fn all_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads.into(),
        }
    }
}
