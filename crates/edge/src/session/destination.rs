//! Where a player may go: to the targets of the route that they came by, and to other routes whose players are carried by sessions, and the
//! targets of these.
//!
//! What must stay true: a player whom nobody vouched for never gets to a route that authenticates, nor one whom somebody vouched for to
//! a route that asks somebody else; what a route asks of those who come by it, it asks of those who come by a switch.

use super::Person;
use crate::rules::refuses;
use crate::shared::Shared;
use drawbridge_model::{Client, PlaceName, Refusal, Refused, Target, TargetAddress};
use drawbridge_net::InCrowd;
use drawbridge_routing::{Delivery, LimboKind, Route, Snapshot, clean_host};
use std::sync::Arc;
use std::time::Instant;

/// A place to go.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) route: Arc<Route>,
    /// The first is tried first; none where the route's players are held in limbo.
    pub(super) targets: Vec<Target>,
    /// The player's place on the route, where it is another than they came by.
    pub(super) on_route: Option<InCrowd>,
}

impl Destination {
    /// Without the targets at these addresses, each until some time.
    pub(super) fn without(mut self, shunned: &[(TargetAddress, Instant)]) -> Self {
        let now = Instant::now();
        let is_shunned = |address: &TargetAddress| {
            shunned.iter().any(|(shunned, until)| shunned == address && now < *until)
        };
        self.targets.retain(|target| !is_shunned(&target.address));
        self
    }
}

/// Why a player can't go there.
#[derive(Debug)]
pub(super) enum Barred {
    /// There is no such place for them.
    Unknown,
    /// The route says no, or nobody can say where its players go.
    Refused(Box<Refused>),
}

/// Who asks, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) shared: &'a Shared,
    pub(super) client: &'a Client,
    pub(super) person: &'a Person,
    /// The name of the route that they came by.
    pub(super) route: &'a str,
}

/// A player for whom the edge does something while they are elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) shared: Arc<Shared>,
    pub(super) person: Arc<Person>,
    pub(super) client: Client,
    /// The name of the route that they came by.
    pub(super) route: String,
}

impl Guest {
    pub(super) fn asker(&self) -> Asker<'_> {
        let Self { shared, person, client, route } = self;
        Asker { shared, client, person, route }
    }
}

impl Asker<'_> {
    /// The place of this name.
    pub(super) async fn find(&self, name: &str) -> Result<Destination, Barred> {
        let snapshot = self.shared.snapshot.load_full();
        let (home, routes) = (self.home_route(&snapshot.routes)?, snapshot.routes.routes());
        let at_home = home.shared_targets(self.client).await.unwrap_or_default();
        let name = PlaceName(name);
        // Of the route that they came by all are theirs to go to: its actions say where they go first.
        if let Some(target) = at_home.into_iter().find(|target| name.is(&target.identifier)) {
            return Ok(Destination { route: Arc::clone(home), targets: vec![target], on_route: None });
        }
        let whole = routes.iter().find(|route| name.is(&route.name));
        let whole = whole.map(|route| (route, None));
        let one = || routes.iter().find_map(|route| Some((route, Some(name.at(&route.name)?))));
        let place = whole.or_else(one).filter(|(route, _)| self.may_enter(route));
        let (route, target_name) = place.ok_or(Barred::Unknown)?;
        let is_meant = |target: &Target| target_name.is_none_or(|name| name.is(&target.identifier));
        // Where discovery finds each player a target of their own, it isn't bothered for one that exists.
        if target_name.is_some()
            && !route.shared_targets(self.client).await.unwrap_or_default().iter().any(is_meant)
        {
            return Err(Barred::Unknown);
        }
        let on_route = self.enter(home, route)?;
        let targets = match target_name {
            Some(_) => self.some_targets(route, is_meant).await?,
            None => self.targets(route).await?,
        };
        Ok(Destination { route: Arc::clone(route), targets, on_route })
    }

    /// The place that a Transfer packet with this address leads to: a target that is known without asking anybody else, by its own address,
    /// or a route, by one of its hosts. The default route has none.
    pub(super) async fn find_at(&self, host: &str, port: u16) -> Result<Destination, Barred> {
        let snapshot = self.shared.snapshot.load_full();
        let (home, routes) = (self.home_route(&snapshot.routes)?, snapshot.routes.routes());
        let others = routes.iter().filter(|route| route.name != home.name && self.may_enter(route));
        for route in std::iter::once(home).chain(others) {
            let targets = route.shared_targets(self.client).await.unwrap_or_default();
            let is_meant = |target: &Target| {
                target.address.port == port && target.address.host.eq_ignore_ascii_case(host)
            };
            let Some(target) = targets.into_iter().find(is_meant) else { continue };
            let on_route = self.enter(home, route)?;
            let targets = match route.name == home.name {
                true => Ok(vec![target]),
                false => self.some_targets(route, is_meant).await,
            };
            match targets {
                Ok(targets) => return Ok(Destination { route: Arc::clone(route), targets, on_route }),
                Err(Barred::Unknown) => {}
                Err(refused) => return Err(refused),
            }
        }
        let route = snapshot.routes.lookup_named(&clean_host(host));
        let route = route.filter(|route| self.may_enter(route)).ok_or(Barred::Unknown)?;
        let on_route = self.enter(home, route)?;
        Ok(Destination { route: Arc::clone(route), targets: self.targets(route).await?, on_route })
    }

    /// Where the route that they came by has them go.
    pub(super) async fn home(&self) -> Result<Destination, Barred> {
        let snapshot = self.shared.snapshot.load_full();
        let home = self.home_route(&snapshot.routes)?;
        Ok(Destination { route: Arc::clone(home), targets: self.targets(home).await?, on_route: None })
    }

    async fn targets(&self, route: &Route) -> Result<Vec<Target>, Barred> {
        if route.session.limbo == LimboKind::Always {
            return Ok(Vec::new());
        }
        route.place(self.client, &self.person.identity).await.map_err(barred)
    }

    /// Those of them that are meant, of what the route's actions leave this player.
    async fn some_targets(
        &self,
        route: &Route,
        is_meant: impl Fn(&Target) -> bool,
    ) -> Result<Vec<Target>, Barred> {
        let mut targets = self.targets(route).await?;
        targets.retain(is_meant);
        if targets.is_empty() { Err(Barred::Unknown) } else { Ok(targets) }
    }

    /// The names of all places that are known without asking anybody else.
    pub(super) async fn names(&self) -> Vec<String> {
        let snapshot = self.shared.snapshot.load_full();
        let Ok(home) = self.home_route(&snapshot.routes) else { return Vec::new() };
        let at_home = home.shared_targets(self.client).await.unwrap_or_default();
        let mut names: Vec<_> = at_home.into_iter().map(|target| target.identifier).collect();
        if names.is_empty() {
            names.push(home.name.clone());
        }
        for route in snapshot.routes.routes() {
            if route.name == home.name || !self.may_enter(route) {
                continue;
            }
            // A target of this name goes before the route.
            if !names.iter().any(|name| PlaceName(name).is(&route.name)) {
                names.push(route.name.clone());
            }
        }
        names
    }

    /// The route that they came by, or that their host leads to since that is gone.
    fn home_route<'r>(&self, routes: &'r Snapshot) -> Result<&'r Arc<Route>, Barred> {
        let home = home_of(routes, self.route, self.client);
        home.filter(|route| self.may_enter(route)).ok_or(Barred::Unknown)
    }

    /// Whether the player may be on a route at all.
    fn may_enter(&self, route: &Route) -> bool {
        let trusted = match route.mode.delivery() {
            Delivery::Session { authenticates: false } => true,
            Delivery::Session { authenticates: true } => self.person.is_vouched_for(route, self.route),
            _ => false,
        };
        trusted && route.takes_version(self.client.version)
    }

    /// Asks what the route asks of everybody.
    fn enter(&self, home: &Route, route: &Arc<Route>) -> Result<Option<InCrowd>, Barred> {
        let name = || (!route.takes_name(self.person.identity.name())).then_some(Refusal::Name);
        if let Some(refusal) = refuses(route, self.client, self.shared).or_else(name) {
            return Err(barred(refusal.into()));
        }
        if home.name == route.name {
            return Ok(None);
        }
        let place = self.shared.crowds.enter(route.name.as_str(), route.max_players);
        place.map(Some).ok_or_else(|| barred(Refusal::RouteFull.into()))
    }
}

/// The route of this name, or where that is gone the one that the client's host leads to, if its players are carried by sessions.
pub(super) fn home_of<'r>(routes: &'r Snapshot, name: &str, client: &Client) -> Option<&'r Arc<Route>> {
    let named = routes.named(name).filter(|route| route.is_session());
    named.or_else(|| routes.lookup(&client.host).filter(|route| route.is_session()))
}

fn barred(refused: Refused) -> Barred {
    Barred::Refused(Box::new(refused))
}
