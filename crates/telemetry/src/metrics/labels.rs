//! The values that labels have, but for names of routes and targets.

use drawbridge_model::{ActionError, AdapterError, AuthenticationError, Refusal};

/// A part of a connection's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Address rules, limits, a load balancer's header.
    Admission,
    /// The handshake, and finding the route.
    Greeting,
    /// The server list's answer.
    Status,
    /// Login Start.
    Login,
    /// Cookies, key exchange and the route's authentication adapter.
    Authentication,
    /// Discovery and actions.
    Placement,
    /// Resource packs, cookies, Transfer.
    Delivery,
}

impl Phase {
    /// All, in the order of the way.
    pub const ALL: [Self; 7] = [
        Self::Admission,
        Self::Greeting,
        Self::Status,
        Self::Login,
        Self::Authentication,
        Self::Placement,
        Self::Delivery,
    ];

    /// The label, and the name of its span.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Greeting => "greeting",
            Self::Status => "status",
            Self::Login => "login",
            Self::Authentication => "authentication",
            Self::Placement => "placement",
            Self::Delivery => "delivery",
        }
    }
}

/// How a relay or a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedEnd {
    /// A side has closed.
    Closed,
    /// A connection broke.
    Broken,
    /// Nothing was said for as long as a relay may be silent.
    Idle,
    /// The client took nothing of what was there for it.
    ClientStalled,
    /// The target took nothing.
    TargetStalled,
    /// The client follows a target's Transfer packet.
    SentOn,
    /// The player had to go, for this reason.
    Refused(Refusal),
}

impl CarriedEnd {
    /// The label, and the word in the log.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Idle => "idle",
            Self::ClientStalled => "client_stalled",
            Self::TargetStalled => "target_stalled",
            Self::SentOn => "sent_on",
            Self::Refused(refusal) => refusal.label(),
        }
    }
}

/// How a connection, or a part of its way, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should: answered, or handed over; of a phase: the next one began.
    Ok,
    /// The client has gone.
    Left,
    /// The client was turned away.
    Refused(Refusal),
}

impl Outcome {
    /// The label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Left => "left",
            Self::Refused(_) => "refused",
        }
    }
}

/// How a question to an adapter ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With an answer.
    Ok,
    /// With an answer that turns the player away.
    Refused,
    /// It couldn't be reached.
    Unreachable,
    /// It didn't answer in time.
    TimedOut,
    /// It wasn't asked, since it failed of late.
    BackingOff,
    /// It answered with something else than what was expected.
    Invalid,
    /// Nobody waited for the answer any more.
    Abandoned,
}

impl Answer {
    /// The label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::BackingOff => "backing_off",
            Self::Invalid => "invalid",
            Self::Abandoned => "abandoned",
        }
    }

    /// What an outcome is, where `failure` is why there is no answer if there is none.
    pub fn of<T, E>(outcome: &Result<T, E>, failure: impl FnOnce(&E) -> Option<&AdapterError>) -> Self {
        match outcome {
            Ok(_) => Self::Ok,
            Err(error) => failure(error).map_or(Self::Refused, Self::from),
        }
    }
}

impl From<&AdapterError> for Answer {
    fn from(error: &AdapterError) -> Self {
        match error {
            AdapterError::Unreachable(_) => Self::Unreachable,
            AdapterError::TimedOut(_) => Self::TimedOut,
            AdapterError::BackingOff(_) => Self::BackingOff,
            AdapterError::Answer(_) => Self::Invalid,
        }
    }
}

impl From<&ActionError> for Answer {
    fn from(error: &ActionError) -> Self {
        match error {
            ActionError::Refused(_) => Self::Refused,
            ActionError::Unavailable(error) => error.into(),
        }
    }
}

impl From<&AuthenticationError> for Answer {
    fn from(error: &AuthenticationError) -> Self {
        match error {
            AuthenticationError::Denied | AuthenticationError::Refused(_) => Self::Refused,
            AuthenticationError::Unavailable(error) => error.into(),
        }
    }
}

/// What was found of a status that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCache {
    /// A fresh one.
    Hit,
    /// None that could be shown.
    Miss,
    /// One that is being asked for anew.
    Stale,
}

impl StatusCache {
    /// All, in their order.
    pub(super) const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Stale];

    /// The label.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
        }
    }
}

/// What became of a returning player's cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// It spared the session server.
    Hit,
    /// There was none, or none that is still good.
    Miss,
    /// It wasn't what it was promised to be.
    Invalid,
}

impl Cookie {
    /// All, in their order.
    pub(super) const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Invalid];

    /// The label.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Invalid => "invalid",
        }
    }
}

/// A bound that turned somebody away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `limits.connections`
    Connections,
    /// `limits.per_address`
    PerAddress,
    /// `limits.status`
    Status,
    /// `limits.login`
    Login,
    /// `limits.transfer`
    Transfer,
    /// `limits.play`
    Play,
}

impl Limit {
    /// All, in their order.
    pub(super) const ALL: [Self; 6] =
        [Self::Connections, Self::PerAddress, Self::Status, Self::Login, Self::Transfer, Self::Play];

    /// The label.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::PerAddress => "per_address",
            Self::Status => "status",
            Self::Login => "login",
            Self::Transfer => "transfer",
            Self::Play => "play",
        }
    }
}
