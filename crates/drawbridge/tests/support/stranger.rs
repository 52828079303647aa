//! Clients in sessions that say anything at all, and the others beside them, who are to notice nothing.

use super::body;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::configuration::{
    ClientInformation, Disconnect, KeepAlive, KeepAliveResponse,
};
use drawbridge_protocol::packet::login::{LoginAcknowledged, LoginDisconnect, LoginSuccess, SetCompression};
use drawbridge_protocol::packet::play::{self, KickDisconnect};
use drawbridge_protocol::text::Component;
use drawbridge_protocol::wire::Encoder;
use drawbridge_testkit::{Connection, Edge, PATIENCE, Player, Received, Trouble};
use drawbridge_testkit::{Crowd, Host, Traffic};
use std::time::Instant;

/// 1.12.2: a login ends in play. 1.21.1: it ends in configuration.
pub(crate) const OLD: i32 = 340;
pub(crate) const NEW: i32 = 767;

/// From how many bytes on packets to and from clients are compressed.
pub(crate) const THRESHOLD: usize = 256;

/// What those who play on are told all the while.
const MARKED: Traffic = Traffic { small: 100, chunks: 4 };

/// How many marked packets those who play on have to hear, and say, after each attack.
const MARKS: u32 = 10;

/// A client that is told step by step what to say.
pub(crate) struct Stranger {
    pub(crate) connection: Connection,
    pub(crate) name: String,
    version: ProtocolVersion,
}

impl Stranger {
    /// Says that it joins at a host.
    #[track_caller]
    pub(crate) fn knocks(edge: &Edge, name: &str, version: i32, host: &str) -> Self {
        let connection = Player::new(name, version).host(host).knock(edge.address()).unwrap();
        Self { connection, name: name.to_owned(), version: ProtocolVersion(version) }
    }

    /// Joins, up to Login Success.
    #[track_caller]
    pub(crate) fn welcomed(edge: &Edge, name: &str, version: i32, host: &str) -> Self {
        let mut stranger = Self::knocks(edge, name, version, host);
        let connection = &mut stranger.connection;
        loop {
            let packet = connection.receive().unwrap();
            match packet.kind() {
                Some(Kind::Compress) => {
                    let SetCompression { threshold } = packet.read().unwrap();
                    connection.compress(usize::try_from(threshold).unwrap());
                }
                Some(Kind::Success) => {
                    packet.read::<LoginSuccess>().unwrap();
                    break;
                }
                _ => panic!("{:?} in a login: {:?}", packet.kind(), words(&packet)),
            }
        }
        if !stranger.version.has_configuration() {
            connection.enter(State::Play);
        }
        stranger
    }

    /// Goes on into configuration, if the version has it.
    #[track_caller]
    pub(crate) fn configuring(edge: &Edge, name: &str, version: i32, host: &str) -> Self {
        let mut stranger = Self::welcomed(edge, name, version, host);
        if stranger.version.has_configuration() {
            stranger.connection.send(&LoginAcknowledged {}).unwrap();
            stranger.connection.enter(State::Configuration);
            stranger.connection.send(&ClientInformation { locale: "en_us".into() }).unwrap();
        }
        stranger
    }

    /// Goes on into play, until it is in a world.
    #[track_caller]
    pub(crate) fn playing(edge: &Edge, name: &str, version: i32, host: &str) -> Self {
        let mut stranger = Self::configuring(edge, name, version, host);
        stranger.hears(Kind::Login);
        if !stranger.version.has_configuration() {
            let settings = stranger.body(Kind::Settings, |out| {
                out.string("en_us");
                out.bytes(&[12, 0, 1, 0x7f, 1]);
            });
            stranger.says(&settings, 1);
        }
        stranger
    }

    /// The next packet of this kind. On the way it does what a client has to.
    #[track_caller]
    pub(crate) fn hears(&mut self, kind: Kind) -> Received {
        loop {
            let packet = self.connection.receive().unwrap();
            self.obeys(&packet);
            if packet.kind() == Some(kind) {
                return packet;
            }
            assert!(words(&packet).is_none(), "{:?} instead of {}", words(&packet), kind.name());
        }
    }

    /// Reads up to a packet of this kind, and answers nothing.
    #[track_caller]
    pub(crate) fn listens_for(&mut self, kind: Kind) -> Received {
        loop {
            let packet = self.connection.receive().unwrap();
            if packet.kind() == Some(kind) {
                return packet;
            }
        }
    }

    /// Answers as a client does.
    pub(crate) fn obeys(&mut self, packet: &Received) {
        let connection = &mut self.connection;
        // Who is being disconnected may not be heard any more.
        let _ = match (packet.state, packet.kind()) {
            (State::Login, Some(Kind::LoginPluginRequest)) => {
                connection.send_kind(Kind::LoginPluginResponse, |out| {
                    out.varint(1);
                    out.bool(false);
                })
            }
            (State::Configuration, Some(Kind::KeepAlive)) => {
                let KeepAlive { id } = packet.read().unwrap();
                connection.send(&KeepAliveResponse { id })
            }
            (State::Play, Some(Kind::KeepAlive)) => {
                let play::KeepAlive { id } = packet.read().unwrap();
                connection.send(&play::KeepAliveResponse { id })
            }
            (State::Configuration, Some(Kind::SelectKnownPacks)) => {
                connection.send_kind(Kind::SelectKnownPacks, |out| out.varint(0))
            }
            (State::Configuration, Some(Kind::FinishConfiguration)) => {
                let said = connection.send_kind(Kind::FinishConfiguration, |_| ());
                connection.enter(State::Play);
                said
            }
            (State::Play, Some(Kind::StartConfiguration)) => {
                let said = connection.send_kind(Kind::ConfigurationAcknowledged, |_| ());
                connection.enter(State::Configuration);
                said
            }
            _ => Ok(()),
        };
    }

    /// A packet's body: the id of this kind in the present state, and its fields.
    pub(crate) fn body(&self, kind: Kind, fields: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
        self.body_in(self.connection.state(), kind, fields)
    }

    /// The same in another state.
    pub(crate) fn body_in(&self, state: State, kind: Kind, fields: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
        body((self.version, state, Direction::Serverbound), kind, fields)
    }

    /// A packet of this kind that is so long, with nothing but zeros in it.
    pub(crate) fn zeros(&self, kind: Kind, length: usize) -> Vec<u8> {
        let mut body = self.body(kind, |_| ());
        body.resize(length, 0);
        body
    }

    /// A plugin message on a channel.
    pub(crate) fn plugin_message(&self, data: usize) -> Vec<u8> {
        self.body(Kind::CustomPayload, |out| {
            out.string("some:mod");
            out.bytes(&vec![0; data]);
        })
    }

    /// A text or, with its `/`, a command, as typed.
    pub(crate) fn typed(&self, text: &str) -> Vec<u8> {
        if self.version < ProtocolVersion::V1_19 {
            return self.body(Kind::Chat, |out| out.string(text));
        }
        match text.strip_prefix('/') {
            Some(command) => self.body(Kind::ChatCommand, |out| out.string(command)),
            None => self.body(Kind::ChatMessage, |out| {
                out.string(text);
                out.i64(0); // time
                out.i64(0); // salt
                out.bool(false); // signature
                out.varint(0); // messages seen
                out.bytes(&[0; 3]);
            }),
        }
    }

    /// Says packets in one go. The edge may have closed before it has heard all.
    pub(crate) fn says(&mut self, body: &[u8], times: usize) {
        let frame = self.connection.frame(body).unwrap();
        let _ = self.connection.raw(&frame.repeat(times));
    }

    /// Says a packet without compressing it, as it may.
    pub(crate) fn says_plainly(&mut self, body: &[u8], times: usize) {
        let mut frame = Vec::new();
        Encoder::new(&mut frame).byte_array(&[&[0], body].concat());
        let _ = self.connection.raw(&frame.repeat(times));
    }

    /// The words that it is disconnected with; none where the connection ends without.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut told = None;
        loop {
            assert!(Instant::now() < deadline, "{} is still there", self.name);
            match self.connection.receive() {
                Ok(packet) => match words(&packet) {
                    Some(words) => told = Some(words),
                    None => self.obeys(&packet),
                },
                Err(Trouble::Closed | Trouble::Reset) => return told,
                Err(trouble) => panic!("{}: {trouble}", self.name),
            }
        }
    }
}

/// The words of a packet that disconnects.
pub(crate) fn words(packet: &Received) -> Option<String> {
    match (packet.state, packet.kind()?) {
        (State::Login, Kind::Disconnect) => {
            let LoginDisconnect { reason } = packet.read().unwrap();
            Some(Component::from_json_lenient(&reason).unwrap().to_plain())
        }
        (State::Configuration, Kind::Disconnect) => {
            Some(packet.read::<Disconnect>().unwrap().reason.to_plain())
        }
        (State::Play, Kind::KickDisconnect) => {
            Some(packet.read::<KickDisconnect>().unwrap().reason.to_plain())
        }
        _ => None,
    }
}

/// Those who play on, one of each of both versions.
pub(crate) struct Others<'a> {
    crowd: Crowd,
    host: &'a Host,
}

impl<'a> Others<'a> {
    /// Has them join.
    pub(crate) fn join(edge: &Edge, host: &'a Host) -> Self {
        host.push(MARKED);
        let crowd = Crowd::of(2, OLD).versions(&[OLD, NEW]).called("other").join(edge.address()).unwrap();
        crowd.all_at(host, PATIENCE);
        Self { crowd, host }
    }

    /// Whether both have heard more since, and been heard, and neither they nor their server have noticed anything.
    #[track_caller]
    pub(crate) fn notice_nothing(&self) {
        let heard: Vec<_> = self.crowd.residents().iter().map(|other| other.heard_here).collect();
        let said = |name: &str| self.host.stay(name).map(|stay| stay.heard).unwrap_or_default();
        let before: Vec<_> = self.crowd.residents().iter().map(|other| said(&other.name)).collect();
        let at = |name: &str| usize::from(name == "other1");
        self.crowd.until("hear on", PATIENCE, |other| {
            let at = at(&other.name);
            other.heard_here >= heard[at] + MARKS && said(&other.name) >= before[at] + u64::from(MARKS)
        });
        assert_eq!(self.crowd.faults(), []);
        let of_others = |(name, _): &(String, _)| name.starts_with("other");
        assert_eq!(self.host.faults().into_iter().filter(of_others).collect::<Vec<_>>(), []);
    }
}
