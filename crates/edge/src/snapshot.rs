//! What a connection goes by: settings and routes, immutable, replaced whole by a reload.

use crate::cookie::{CookieKeys, Jar};
use crate::rights::Permissions;
use crate::ticket::TicketOffice;
use drawbridge_config::{Data, Json, Reader, Schemas, Setting, Value, json, keywords, section};
use drawbridge_net::{Access, AddressRules, Limits, Networks};
use drawbridge_routing as routing;
use std::time::Duration;

section! {
    /// How the edge stops.
    #[defaults]
    pub struct Shutdown {
        /// Not ready but still accepting: load balancers notice.
        pub delay: Duration = Duration::ZERO,
        /// How long logins under way may take to finish; who doesn't is told.
        pub grace: Duration = Duration::from_secs(30),
        /// How long players who are relayed may go on; `"forever"`: until they leave.
        pub relays: Patience = Patience(Some(Duration::from_secs(600))),
    }
}

/// A time, or no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Option<Duration>);

impl Patience {
    const FOREVER: &str = "forever";
}

impl Setting for Patience {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        match value.data() {
            Data::String(text) if text == Self::FOREVER => Some(Self(None)),
            _ => Duration::read(value, reader).map(|time| Self(Some(time))),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "anyOf": [Duration::schema(schemas), { "const": Self::FOREVER }] })
    }

    fn write(&self) -> Option<Json> {
        self.0.map_or_else(|| Some(json!(Self::FOREVER)), |time| time.write())
    }
}

keywords! {
    /// What a ping for a host without a route is answered.
    pub enum UnknownHostAction {
        /// A status that says no more than that something is there.
        "default_status" => DefaultStatus,
        /// Nothing: the connection is closed.
        "drop" => Drop,
    }
}

section! {
    /// What happens where no route takes the host. A login is told that there is no server, either way.
    #[defaults]
    pub struct UnknownHost {
        /// The answer to a ping.
        pub action: UnknownHostAction = UnknownHostAction::DefaultStatus,
    }
}

/// Settings and routes.
#[derive(Debug)]
pub struct Snapshot {
    /// Bounds on what peers may use.
    pub limits: Limits,
    /// Who may come at all.
    pub access: AddressRules,
    /// Load balancers, which name the client that they speak for.
    pub proxies: Networks,
    /// Cookies, where there are secrets.
    pub cookies: Option<Jar>,
    /// The keys of the cookies that edges of this namespace give to players, this one or others.
    pub cookie_keys: CookieKeys,
    /// Tickets for targets, where there is a key.
    pub tickets: Option<TicketOffice>,
    /// What happens to hosts without a route.
    pub unknown_host: UnknownHostAction,
    /// Who may use which of the edge's commands.
    pub permissions: Permissions,
    /// The routes.
    pub routes: routing::Snapshot,
}

impl Snapshot {
    /// The keys of the cookies that no target of a session may see or change. A ticket is for the server that it names.
    pub(crate) fn reserved_cookies(&self) -> Vec<String> {
        let ticket = self.tickets.as_ref().map(TicketOffice::cookie_key);
        self.cookie_keys.all().cloned().chain(ticket).collect()
    }

    /// That of an edge which serves nobody any more.
    pub(crate) fn empty() -> Self {
        Self {
            limits: Limits::default(),
            access: AddressRules::from(&Access::default()),
            proxies: Networks::default(),
            cookies: None,
            cookie_keys: CookieKeys::default(),
            tickets: None,
            unknown_host: UnknownHostAction::Drop,
            permissions: Permissions::default(),
            routes: routing::Snapshot::without_routes(),
        }
    }
}
