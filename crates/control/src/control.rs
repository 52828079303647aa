//! The facade.

use crate::answer::{
    Answer, Banned, Connection, Failure, Kept, Maintained, Reloaded, RouteState, Status, TargetHealth,
    Unknown, exactly, rfc3339,
};
use crate::error::ControlError;
use crate::orders::{Order, Orders};
use crate::request::Request;
use drawbridge_edge::{EdgeHandle, Whom};
use drawbridge_model::ban::{LONGEST_REASON, is_readable};
use drawbridge_model::{Ban, MaintenanceOrder, Subject};
use drawbridge_routing::Route;
use drawbridge_store::{Database, Store, StoreError};
use drawbridge_telemetry::health;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};
use tokio::sync::{mpsc, oneshot};

/// What an operator can do to a running edge. Every clone is the same.
#[derive(Debug, Clone)]
pub struct Control(pub(crate) Arc<Desk>);

/// What is behind it.
#[derive(Debug)]
pub(crate) struct Desk {
    edge: EdgeHandle,
    bans: Arc<Store>,
    bans_file: PathBuf,
    orders: mpsc::Sender<Order>,
    draining: AtomicBool,
    started: (SystemTime, Instant),
}

impl Control {
    /// For a running edge with these bans, which are in `bans_file`; and the orders that the program has to carry out.
    #[must_use]
    pub fn new(edge: EdgeHandle, bans: Arc<Store>, bans_file: &Path) -> (Self, Orders) {
        let (sender, orders) = Orders::new();
        let desk = Desk {
            edge,
            bans,
            // Whoever asks may be in another folder.
            bans_file: std::path::absolute(bans_file).unwrap_or_else(|_| bans_file.to_path_buf()),
            orders: sender,
            draining: AtomicBool::new(false),
            started: (SystemTime::now(), Instant::now()),
        };
        (Self(Arc::new(desk)), orders)
    }

    /// Does what is asked.
    pub async fn answer(&self, request: Request) -> Answer {
        self.carry_out(request).await.unwrap_or_else(|error| Answer::Failed(Failure::from(&error)))
    }

    async fn carry_out(&self, request: Request) -> Result<Answer, ControlError> {
        Ok(match request {
            Request::Status {} => Answer::Status(self.status()),
            Request::Reload {} => Answer::Reloaded(self.reload().await?),
            Request::Drain { now } => Answer::Draining { already: self.drain(now).await? },
            Request::Connections { route } => {
                Answer::Connections { connections: self.connections(route.as_deref())? }
            }
            Request::Kick { whom, reason } => Answer::Kicked { kicked: self.kick(&whom, &reason)? },
            Request::Switch { whom, to } => Answer::Switching { switching: self.switch(&whom, &to).await? },
            Request::Routes {} => Answer::Routes { routes: self.routes() },
            Request::Targets { route } => self.targets(route.as_deref()).await?,
            Request::Maintenance { route, switch } => Answer::Maintenance(self.maintain(&route, switch)?),
            Request::Ban { whom, reason, by, until } => {
                let ban = Ban {
                    of: whom.parse::<Subject>()?,
                    reason: reason.into(),
                    source: by.into(),
                    since: SystemTime::now(),
                    until: until.as_deref().map(end).transpose()?,
                };
                Answer::Banned(self.ban(ban).await?)
            }
            Request::Unban { whom, by } => {
                Answer::Unbanned { of: self.unban(whom.parse::<Subject>()?, &by).await? }
            }
            Request::Bans {} => Answer::Bans { bans: self.bans().await? },
        })
    }

    /// How the edge is.
    #[must_use]
    pub fn status(&self) -> Status {
        let Desk { edge, bans_file, started, .. } = &*self.0;
        let players = edge.players();
        let carried = players.iter().filter(|player| player.at.is_some()).count();
        Status {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            readiness: health::readiness().label().to_owned(),
            started: rfc3339(started.0),
            uptime_seconds: started.1.elapsed().as_secs(),
            addresses: edge.addresses().iter().map(ToString::to_string).collect(),
            connections: edge.connections(),
            logins: players.len() - carried,
            carried,
            routes: edge.routes().len(),
            bans_file: bans_file.to_string_lossy().into_owned(),
        }
    }

    /// Reads the configuration anew, and says what came of it.
    ///
    /// # Errors
    /// While the edge stops.
    pub async fn reload(&self) -> Result<Reloaded, ControlError> {
        let (reply, outcome) = oneshot::channel();
        self.order(Order::Reload(Some(reply))).await?;
        // Whoever stops answers no more.
        outcome.await.map_err(|_| ControlError::Stopping)
    }

    /// Reads the configuration anew; what came of it is in the log.
    ///
    /// # Errors
    /// When the edge has stopped.
    pub async fn order_reload(&self) -> Result<(), ControlError> {
        self.order(Order::Reload(None)).await
    }

    /// Stops the edge, `now` without waiting for anybody. Whether it was stopping already.
    ///
    /// # Errors
    /// When it has stopped.
    pub async fn drain(&self, now: bool) -> Result<bool, ControlError> {
        let already = self.0.draining.swap(true, Ordering::Relaxed);
        if !already || now {
            self.order(Order::Drain { by: "control", now }).await?;
        }
        Ok(already)
    }

    /// A signal to stop, of which a further one means more than the first.
    ///
    /// # Errors
    /// When the edge has stopped.
    pub async fn stop(&self, signal: &'static str) -> Result<(), ControlError> {
        self.0.draining.store(true, Ordering::Relaxed);
        self.order(Order::Drain { by: signal, now: false }).await
    }

    async fn order(&self, order: Order) -> Result<(), ControlError> {
        self.0.orders.send(order).await.map_err(|_| ControlError::Stopping)
    }

    /// Who is there, on one route or all of them.
    ///
    /// # Errors
    /// When there is no such route, and nobody is there who came when there was one.
    pub fn connections(&self, route: Option<&str>) -> Result<Vec<Connection>, ControlError> {
        let mut players = self.0.edge.players();
        if let Some(name) = route {
            players.retain(|player| player.route == name);
            if players.is_empty() {
                self.route(name)?;
            }
        }
        Ok(players.iter().map(Connection::from).collect())
    }

    /// Ends the connections of whoever is meant: logins are told the reason, who is carried is cut off.
    ///
    /// # Errors
    /// When nobody can be meant by that, or the reason can't be shown.
    pub fn kick(&self, whom: &str, reason: &str) -> Result<Vec<Connection>, ControlError> {
        let whom = whom.parse::<Whom>()?;
        if !is_readable(reason, LONGEST_REASON) {
            return Err(ControlError::Reason(LONGEST_REASON));
        }
        let kicked: Vec<_> = self.0.edge.kick(&whom, reason).iter().map(Connection::from).collect();
        if !kicked.is_empty() {
            tracing::info!(%whom, reason, players = kicked.len(), "kicked");
        }
        Ok(kicked)
    }

    /// Has whoever is meant, and is carried by a session, go elsewhere.
    ///
    /// # Errors
    /// When nobody can be meant by that, or there is no such place.
    pub async fn switch(&self, whom: &str, to: &str) -> Result<Vec<Connection>, ControlError> {
        let whom = whom.parse::<Whom>()?;
        let sent =
            self.0.edge.send_to(&whom, to).await.ok_or_else(|| ControlError::NoPlace(to.to_owned()))?;
        let switching: Vec<_> = sent.iter().map(Connection::from).collect();
        if !switching.is_empty() {
            tracing::info!(%whom, to, players = switching.len(), "sent elsewhere");
        }
        Ok(switching)
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteState> {
        let edge = &self.0.edge;
        let state = |route: &Arc<Route>| {
            let (maintenance, switched) = edge.maintenance(route);
            RouteState {
                name: route.name.clone(),
                hosts: route.hosts.clone(),
                mode: route.mode.to_string(),
                players: edge.carried(&route.name),
                max_players: route.max_players,
                maintenance,
                switched,
            }
        };
        edge.routes().iter().map(state).collect()
    }

    /// The targets of a route, or of all, as far as they are anybody's: what discovery finds for each player alone shows once it carries one.
    ///
    /// # Errors
    /// When there is no such route.
    pub async fn targets(&self, route: Option<&str>) -> Result<Answer, ControlError> {
        let routes = match route {
            Some(name) => vec![self.route(name)?],
            None => self.0.edge.routes(),
        };
        let (mut targets, mut unknown) = (Vec::new(), Vec::new());
        for route in &routes {
            let (found, error) = self.0.edge.targets(route).await;
            targets.extend(found.into_iter().map(|target| TargetHealth {
                route: route.name.clone(),
                identifier: target.at.identifier().to_owned(),
                address: target.at.to_string(),
                players: target.players,
                health: target.condition.label().to_owned(),
            }));
            unknown
                .extend(error.map(|error| Unknown { route: route.name.clone(), message: error.to_string() }));
        }
        Ok(Answer::Targets { targets, unknown })
    }

    /// Puts a route under maintenance or out of it. Who is carried stays.
    ///
    /// # Errors
    /// When there is no such route. What was switched of one that is gone can be taken back.
    pub fn maintain(&self, name: &str, to: MaintenanceOrder) -> Result<Maintained, ControlError> {
        let edge = &self.0.edge;
        let route = match self.route(name) {
            Err(_) if to == MaintenanceOrder::Configured && edge.is_switched(name) => None,
            found => Some(found?),
        };
        edge.maintain(name, to);
        let (maintenance, switched) = route.map(|route| edge.maintenance(&route)).unwrap_or_default();
        tracing::info!(route = name, maintenance, switched, "maintenance");
        Ok(Maintained { route: name.to_owned(), maintenance, switched, players: edge.carried(name) })
    }

    fn route(&self, name: &str) -> Result<Arc<Route>, ControlError> {
        let routes = self.0.edge.routes();
        let found = routes.iter().find(|route| route.name == name);
        found.cloned().ok_or_else(|| {
            let names = routes.iter().map(|route| &*route.name);
            let nearest = drawbridge_config::nearest(name, names).map(str::to_owned);
            ControlError::NoRoute { name: name.to_owned(), nearest }
        })
    }

    /// Bans somebody, and ends their connections.
    ///
    /// # Errors
    /// When it can't be written: then nothing has changed.
    pub async fn ban(&self, ban: Ban) -> Result<Banned, ControlError> {
        let Desk { edge, bans, .. } = &*self.0;
        // Relays look for themselves as soon as the ban counts: afterwards it can't be told any more who was there.
        let disconnected = edge.concerned(&ban.of).len();
        let again = bans.ban(ban.clone()).await?.is_some();
        edge.banish(&ban);
        tracing::info!(of = %ban.of, by = &*ban.source, disconnected, "banned");
        let until = ban.until.map(exactly);
        Ok(Banned { of: ban.of.to_string(), until, again, disconnected })
    }

    /// Lifts a ban; gives whom it was of.
    ///
    /// # Errors
    /// When there is none, or it can't be written: then nothing has changed.
    pub async fn unban(&self, of: Subject, by: &str) -> Result<String, ControlError> {
        let lifted = self.0.bans.unban(of, by).await?;
        tracing::info!(of = %lifted.of, by, "unbanned");
        Ok(lifted.of.to_string())
    }

    /// Who is banned now.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn bans(&self) -> Result<Vec<Kept>, ControlError> {
        let path = self.0.bans_file.clone();
        let read = tokio::task::spawn_blocking(move || {
            let bans: Vec<Ban> = Database::open(&path)?.map_or_else(|| Ok(Vec::new()), |file| file.bans())?;
            let now = SystemTime::now();
            Ok::<_, StoreError>(bans.iter().filter(|ban| ban.holds(now)).map(Kept::from).collect())
        });
        Ok(read.await.map_err(|_| ControlError::Stopping)??)
    }
}

/// The end of a ban, which has to be yet to come.
fn end(text: &str) -> Result<SystemTime, ControlError> {
    let time = text.parse::<Timestamp>().ok().map(SystemTime::from);
    time.filter(|time| *time > SystemTime::now()).ok_or_else(|| ControlError::Until(text.to_owned()))
}
