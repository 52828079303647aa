//! What a client knows of its connection, and what it may be told by that.

use super::routes::{Fares, Route, is_banned};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::configuration::{self, AddResourcePack, StoreCookie, Transfer};
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_protocol::packet::login::{CookieRequest, EncryptionRequest, LoginSuccess};
use drawbridge_protocol::packet::play::KeepAlive;
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::wire::Decoder;
use std::cell::RefCell;
use std::net::IpAddr;
use uuid::Uuid;

/// The edges' cookies.
const AUTHENTICATION: &str = "drawbridge:authentication";
const SESSION: &str = "drawbridge:session";
const RETURN: &str = "drawbridge:return";

/// A cookie that somebody was given.
#[derive(Debug, Clone)]
pub(super) struct Cookie {
    key: String,
    payload: Vec<u8>,
    name: String,
    address: IpAddr,
}

/// What has become of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchange {
    /// None have been agreed on.
    None,
    /// They have been.
    Sound,
    /// The client has said what can't be taken.
    Unsound,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Told<'a> {
    version: ProtocolVersion,
    /// Where the edge takes it to come from, if it takes it at all.
    address: Option<IpAddr>,
    /// The cookies of all.
    kept: &'a RefCell<Vec<Cookie>>,
    /// The state that what the client says belongs to, where it keeps to the protocol.
    pub(super) state: State,
    pub(super) due: Vec<Kind>,
    /// The keep-alives that it hasn't answered.
    pub(super) asked: Vec<i64>,
    route: Option<&'static Route>,
    returns: bool,
    name: Option<String>,
    /// Whether it has said only what is known here.
    is_orderly: bool,
    pub(super) request: Option<EncryptionRequest>,
    pub(super) exchange: Exchange,
    pub(super) cookie_asked: Option<String>,
    /// Whether the cookie that it has said in place of being asked about is its own.
    spared: Option<bool>,
    /// Those that it hasn't said its last of, and whether they are required.
    pub(super) packs: Vec<(Uuid, bool)>,
    offered: usize,
    pub(super) refused_pack: bool,
    stored: Vec<String>,
    /// Behind which nothing comes.
    pub(super) last: Option<Kind>,
}

impl<'a> Told<'a> {
    pub(super) const fn new(
        version: ProtocolVersion,
        address: Option<IpAddr>,
        kept: &'a RefCell<Vec<Cookie>>,
    ) -> Self {
        Self {
            version,
            address,
            kept,
            state: State::Handshaking,
            due: Vec::new(),
            asked: Vec::new(),
            route: None,
            returns: false,
            name: None,
            is_orderly: true,
            request: None,
            exchange: Exchange::None,
            cookie_asked: None,
            spared: None,
            packs: Vec::new(),
            offered: 0,
            refused_pack: false,
            stored: Vec::new(),
            last: None,
        }
    }

    /// The client says anything, which may be a claim, an answer or the like.
    pub(super) fn disturb(&mut self) {
        self.is_orderly &= !matches!(self.state, State::Handshaking | State::Login);
    }

    pub(super) fn shook(&mut self, route: &'static Route, intent: Intent) {
        // The first counts.
        if self.state == State::Handshaking {
            self.state = if intent == Intent::Status { State::Status } else { State::Login };
            self.route = Some(route);
            self.returns = intent == Intent::Transfer && self.version.has_transfer();
        }
    }

    pub(super) fn claimed(&mut self, name: &str) {
        self.name.get_or_insert_with(|| name.to_owned());
    }

    /// What the client says to who asks for a cookie.
    pub(super) fn cookie(&mut self, key: &str, how: u8) -> Option<Vec<u8>> {
        let kept = self.kept.borrow();
        let cookie = kept.iter().rfind(|cookie| cookie.key == key);
        let own = cookie.is_some_and(|cookie| {
            self.name.as_deref() == Some(&cookie.name) && self.address == Some(cookie.address)
        });
        let mut payload = cookie.map(|cookie| cookie.payload.clone()).filter(|_| how != 8);
        if let Some(payload) = &mut payload {
            match how {
                0..=8 => {}
                9 => payload[0] ^= 1,
                10 => payload.truncate(payload.len() / 2),
                11 => payload.push(0),
                _ => {
                    let place = usize::from(how) * 7 % payload.len();
                    payload[place] ^= 0x80;
                }
            }
        }
        if key == AUTHENTICATION {
            self.spared = Some(own && how < 8);
        }
        payload
    }

    /// Whether what is behind this is compressed.
    pub(super) fn hear(&mut self, packet: &RawPacket<'_>) -> bool {
        // What it hears belongs to the state that it was brought to last.
        let hears = match self.due.last() {
            Some(Kind::LoginAcknowledged | Kind::ConfigurationAcknowledged) => State::Configuration,
            Some(Kind::FinishConfiguration) => State::Play,
            _ => self.state,
        };
        let kind = ids::kind(self.version, hears, Direction::Clientbound, packet.id);
        assert!(kind.is_some() || !ids::is_complete(self.version), "id {} in {hears:?}", packet.id);
        assert_eq!(self.last, None, "a word behind the last: {kind:?}");
        let address = self.address.expect("nobody answers who comes by the wrong way");
        let name = self.name.clone().unwrap_or_default();
        let is_banned = is_banned(&name, address);
        if self.exchange == Exchange::Unsound {
            assert_eq!(kind, Some(Kind::Disconnect), "after keys that can't be taken");
        }
        match kind {
            Some(Kind::Success) => {
                assert!(!is_banned || !self.is_orderly, "somebody who is banned is let in");
                self.let_in(&self.read::<LoginSuccess>(packet).profile.name);
                if self.version.has_configuration() {
                    self.due.push(Kind::LoginAcknowledged);
                } else {
                    self.state = State::Play;
                }
            }
            Some(Kind::EncryptionBegin) => {
                let request: EncryptionRequest = self.read(packet);
                let route = self.route.expect("a route");
                assert!(route.seals && route.fares != Fares::Shut, "keys aren't asked for there");
                assert!(self.request.is_none() && self.exchange == Exchange::None, "keys twice");
                if !self.returns && self.version.has_transfer() {
                    assert_eq!(request.should_authenticate, route.vouched);
                }
                self.request = Some(request);
            }
            Some(Kind::CookieRequest) => {
                assert_eq!(hears, State::Login);
                self.is_asked_for_cookie(&self.read::<CookieRequest>(packet).key);
            }
            Some(Kind::StoreCookie) => {
                let StoreCookie { key, payload } = self.read(packet);
                self.stored.push(key.clone());
                // Of others it isn't known whose they are.
                if self.is_orderly {
                    self.kept.borrow_mut().push(Cookie { key, payload, name, address });
                }
            }
            Some(Kind::AddResourcePack) => {
                let pack: AddResourcePack = self.read(packet);
                self.packs.push((pack.id, pack.forced));
                self.offered += 1;
            }
            Some(Kind::Transfer) => {
                assert_eq!(hears, State::Configuration);
                self.is_handed_over(&self.read(packet));
                self.last = kind;
            }
            Some(Kind::Disconnect | Kind::KickDisconnect) => {
                self.request = None;
                self.last = kind;
            }
            Some(Kind::StartConfiguration) => self.due.push(Kind::ConfigurationAcknowledged),
            Some(Kind::FinishConfiguration) => self.due.push(Kind::FinishConfiguration),
            Some(Kind::KeepAlive) => {
                let mut fields = Decoder::new(packet.fields);
                let asked = if hears == State::Play {
                    KeepAlive::decode(self.version, &mut fields).map(|asked| asked.id)
                } else {
                    configuration::KeepAlive::decode(self.version, &mut fields).map(|asked| asked.id)
                };
                self.asked.push(asked.expect("the edge's own"));
            }
            _ => {}
        }
        kind == Some(Kind::Compress) && hears == State::Login
    }

    fn read<P: Packet>(&self, packet: &RawPacket<'_>) -> P {
        packet.read(self.version).expect("the edge's own")
    }

    /// Login Success, to somebody of this name.
    fn let_in(&self, name: &str) {
        let route = self.route.expect("a route");
        assert!(matches!(route.fares, Fares::Stays | Fares::HandedOver), "let in by {}", route.host);
        assert_eq!(self.exchange == Exchange::Sound, route.seals, "keys");
        assert_ne!(self.spared, Some(false), "let in by a cookie that isn't theirs");
        if self.is_orderly {
            assert_eq!(Some(name), route.everybody.or(self.name.as_deref()));
        }
    }

    fn is_asked_for_cookie(&mut self, key: &str) {
        let route = self.route.expect("a route");
        assert!(self.returns, "cookies of who doesn't come back");
        assert_eq!(self.cookie_asked, None, "two cookies at once");
        let is_sealed = self.exchange == Exchange::Sound;
        match key {
            SESSION => assert!(route.seals && !is_sealed),
            AUTHENTICATION => assert!(route.vouched && is_sealed),
            RETURN => assert!(route.fares == Fares::Stays && route.seals == is_sealed),
            _ => panic!("nobody stores {key}"),
        }
        self.cookie_asked = Some(key.to_owned());
    }

    fn is_handed_over(&self, transfer: &Transfer) {
        let route = self.route.expect("a route");
        assert_eq!((route.fares, self.exchange), (Fares::HandedOver, Exchange::Sound));
        assert_eq!((transfer.host.as_str(), transfer.port), ("127.0.0.1", 1));
        let cookies: &[&str] = if route.vouched { &[AUTHENTICATION, SESSION] } else { &[] };
        assert_eq!(self.stored, cookies);
        assert_eq!((self.offered, self.packs.len(), self.refused_pack), (route.packs, 0, false), "packs");
    }
}
