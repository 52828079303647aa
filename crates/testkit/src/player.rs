//! A scripted client: what it is to do, and what became of it.

mod script;

use crate::PATIENCE;
use crate::connection::{Connection, Received, Trouble};
use crate::session::Account;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::{PackResult, StoreCookie};
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_protocol::packet::login::{CookieRequest, EncryptionRequest, LoginSuccess};
use drawbridge_protocol::profile::{Profile, offline_uuid};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use uuid::Uuid;

/// The cookies that a client keeps, by their identifiers.
pub type Jar = BTreeMap<String, Vec<u8>>;

/// Where a scripted client departs from what a vanilla one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deviation {
    /// Its shared secret has so many bytes instead of 16.
    SecretOf(usize),
    /// It returns another verify token than it was sent.
    WrongToken,
    /// Its shared secret isn't encrypted to the server's key: so many bytes of 0x5a.
    GarbledSecret(usize),
    /// The same of its verify token.
    GarbledToken(usize),
    /// It answers the Encryption Request with a packet of another kind.
    NoEncryption,
    /// It sends these cookies in plain sight, before anybody asks.
    EarlyCookies(Jar),
    /// It answers each cookie request twice.
    CookiesTwice,
    /// It doesn't tell the session server that it joins, though it is asked to.
    NoSession,
    /// It doesn't answer from the first packet of this kind on, and waits to be closed.
    SilentFrom(Kind),
    /// It closes the connection on the first packet of this kind.
    LeavesAt(Kind),
    /// It sends Login Acknowledged before it is logged in.
    EarlyAcknowledgement,
    /// It answers keep-alives with another id.
    WrongKeepAlive,
    /// It never sends Client Information.
    NoInformation,
}

/// What a client does with resource packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackAnswer {
    /// Accepts, downloads and uses them.
    Takes,
    /// Declines them.
    Declines,
    /// Accepts them, but their download fails.
    FailsToLoad,
    /// Says nothing.
    Ignores,
}

impl PackAnswer {
    const fn results(self) -> &'static [PackResult] {
        match self {
            Self::Takes => &[PackResult::Accepted, PackResult::Downloaded, PackResult::Loaded],
            Self::Declines => &[PackResult::Declined],
            Self::FailsToLoad => &[PackResult::Accepted, PackResult::DownloadFailed],
            Self::Ignores => &[],
        }
    }
}

/// How a join ended.
#[derive(Debug)]
pub enum Outcome {
    /// Handed over.
    Transfer {
        /// The host to go to.
        host: String,
        /// The port to go to.
        port: u16,
        /// How the server closed after that; `None` is in good order.
        close: Option<Trouble>,
    },
    /// Turned away in words.
    Disconnect {
        /// The words without their markup.
        text: String,
        /// In which state.
        state: State,
        /// How the server closed after that; `None` is in good order.
        close: Option<Trouble>,
    },
    /// The server let the player in.
    Playing,
    /// The client left of its own accord, as [`Deviation::LeavesAt`] has it.
    Left,
    /// Anything else, such as a close without a word.
    Ended(Trouble),
}

/// A join as the client saw it.
#[derive(Debug)]
pub struct Visit {
    /// How it ended.
    pub outcome: Outcome,
    /// Every packet that came, in order.
    pub heard: Vec<Received>,
    /// The cookies that the client holds at the end.
    pub jar: Jar,
    /// From the connect to the outcome.
    pub took: Duration,
    /// This side's address, where the connect succeeded.
    pub local: Option<SocketAddr>,
}

impl Visit {
    /// The host and port that the player was sent to.
    ///
    /// # Panics
    /// When the visit ended otherwise.
    #[must_use]
    pub fn transferred(&self) -> (&str, u16) {
        match &self.outcome {
            Outcome::Transfer { host, port, close: None } => (host, *port),
            other => {
                panic!("expected a transfer and a close in good order: {other:?}; heard {:?}", self.kinds())
            }
        }
    }

    /// The words that the player was turned away with.
    ///
    /// # Panics
    /// When the visit ended otherwise.
    #[must_use]
    pub fn kicked(&self) -> &str {
        match &self.outcome {
            Outcome::Disconnect { text, close: None, .. } => text,
            other => panic!("expected a kick and a close in good order: {other:?}; heard {:?}", self.kinds()),
        }
    }

    /// Whether the server closed without a word, whatever it had said before.
    #[must_use]
    pub const fn dropped(&self) -> bool {
        matches!(self.outcome, Outcome::Ended(Trouble::Closed | Trouble::Reset))
    }

    /// The names of the packets that came.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        self.heard.iter().map(|packet| packet.kind().map_or("unknown", Kind::name)).collect()
    }

    fn all(&self, state: State, kind: Kind) -> impl Iterator<Item = &Received> {
        self.heard.iter().filter(move |packet| packet.state == state && packet.kind() == Some(kind))
    }

    /// The Encryption Request, if one came.
    #[must_use]
    pub fn encryption(&self) -> Option<EncryptionRequest> {
        self.all(State::Login, Kind::EncryptionBegin).find_map(|packet| packet.read().ok())
    }

    /// Who the server says that the player is.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        let success: LoginSuccess =
            self.all(State::Login, Kind::Success).find_map(|packet| packet.read().ok())?;
        Some(success.profile)
    }

    /// The cookies that were asked for in login, and whether encrypted.
    #[must_use]
    pub fn cookies_asked(&self) -> Vec<(String, bool)> {
        let asked = self.all(State::Login, Kind::CookieRequest);
        asked
            .filter_map(|packet| Some((packet.read::<CookieRequest>().ok()?.key, packet.encrypted)))
            .collect()
    }

    /// The cookies that were stored, and whether encrypted.
    #[must_use]
    pub fn cookies_stored(&self) -> Vec<(String, bool)> {
        let stored = self.all(State::Configuration, Kind::StoreCookie);
        stored.filter_map(|packet| Some((packet.read::<StoreCookie>().ok()?.key, packet.encrypted))).collect()
    }
}

/// A client that will join as it is told here.
#[derive(Debug, Clone)]
pub struct Player {
    name: String,
    id: Uuid,
    version: ProtocolVersion,
    host: String,
    intent: Intent,
    from: IpAddr,
    preamble: Vec<u8>,
    account: Option<Account>,
    jar: Jar,
    locale: String,
    packs: PackAnswer,
    deviations: Vec<Deviation>,
    patience: Duration,
}

impl Player {
    /// Somebody with this name and without an account, who speaks this protocol number.
    #[must_use]
    pub fn new(name: &str, version: impl Into<ProtocolVersion>) -> Self {
        Self {
            name: name.to_owned(),
            id: offline_uuid(name),
            version: version.into(),
            host: "localhost".to_owned(),
            intent: Intent::Login,
            from: Ipv4Addr::LOCALHOST.into(),
            preamble: Vec::new(),
            account: None,
            jar: Jar::new(),
            locale: "en_us".to_owned(),
            packs: PackAnswer::Takes,
            deviations: Vec::new(),
            patience: PATIENCE,
        }
    }

    /// Somebody with an account at a session server.
    #[must_use]
    pub fn with_account(account: &Account, version: impl Into<ProtocolVersion>) -> Self {
        let player = Self::new(account.name(), version);
        Self { id: account.id(), account: Some(account.clone()), ..player }
    }

    /// The name to claim, whoever the account belongs to.
    #[must_use]
    pub fn claims(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// The UUID to claim.
    #[must_use]
    pub fn claims_id(self, id: Uuid) -> Self {
        Self { id, ..self }
    }

    /// The host to say in the handshake; `localhost` otherwise.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// The address to call from; 127.0.0.1 otherwise.
    #[must_use]
    pub fn from(self, address: impl Into<IpAddr>) -> Self {
        Self { from: address.into(), ..self }
    }

    /// Bytes to send before anything else, such as a PROXY header.
    #[must_use]
    pub fn preamble(self, bytes: &[u8]) -> Self {
        Self { preamble: bytes.to_vec(), ..self }
    }

    /// Comes by way of a Transfer packet (intent 3), with the cookies that it held then.
    #[must_use]
    pub fn sent_on(self, jar: &Jar) -> Self {
        Self { intent: Intent::Transfer, jar: jar.clone(), ..self }
    }

    /// The language to ask for; `en_us` otherwise.
    #[must_use]
    pub fn locale(self, locale: &str) -> Self {
        Self { locale: locale.to_owned(), ..self }
    }

    /// What to do with resource packs; they are taken otherwise.
    #[must_use]
    pub fn packs(self, answer: PackAnswer) -> Self {
        Self { packs: answer, ..self }
    }

    /// How long to wait for each packet; [`PATIENCE`] otherwise.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Departs from what a vanilla client does; may be said several times.
    #[must_use]
    pub fn but(mut self, deviation: Deviation) -> Self {
        self.deviations.push(deviation);
        self
    }

    /// Joins.
    #[must_use]
    pub fn join(&self, to: SocketAddr) -> Visit {
        script::join(self, to)
    }

    /// Connects and sends what begins a join, then leaves the rest to the caller.
    ///
    /// # Errors
    /// When the other side doesn't take it.
    pub fn knock(&self, to: SocketAddr) -> Result<Connection, Trouble> {
        script::knock(self, to)
    }
}
