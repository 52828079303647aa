//! Clients in sessions that don't keep to the protocol, at every moment of one: they are refused, and those who play on beside them notice
//! nothing.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::play::{KeepAlive, KeepAliveResponse};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::Encoder;
use drawbridge_testkit::{Edge, Host, Line, PATIENCE, Stage, eventually};
use support::stranger::{NEW, OLD, Others, Stranger, THRESHOLD};
use support::world::targets;
use support::{AT_ONCE, edge};

/// Two servers, and a limbo, behind an edge of one thread of each kind: what holds that up holds up everybody.
struct House {
    edge: Edge,
    hub: Host,
    island: Host,
}

impl House {
    fn start() -> Self {
        let [hub, island] = [1, 2].map(|number| Host::builder(number).compress(64).start().unwrap());
        let targets = targets([("hub", hub.address()), ("island", island.address())]);
        let edge = edge()
            .config(format!(
                "threads = 1\n[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n{targets}\n\
                 session.compression = {THRESHOLD}\n\
                 [[routes]]\nname = \"void\"\nhosts = [\"void\"]\nmode = \"offline\"\nsession.limbo = \"always\"\n\
                 session.compression = {THRESHOLD}\n"
            ))
            .start();
        Self { edge, hub, island }
    }

    /// Waits for the line that tells of what a client has done, and for its end.
    #[track_caller]
    fn refuses(&self, name: &str, (message, field, value): (&str, &str, &str), label: &str) {
        let theirs = |line: &Line| line.field("player").as_deref() == Some(name);
        let line = self.edge.wait_for(&format!("what {name} did: {value:?}"), |line| {
            theirs(line) && line.message() == Some(message)
        });
        assert!(line.field(field).is_some_and(|told| told.contains(value)), "{value:?} in {line}");
        let end =
            self.edge.wait_for("the end", |line| theirs(line) && line.message() == Some("session ended"));
        assert_eq!(end.field("end").as_deref(), Some(label), "{end}");
    }

    /// That a client is cut without a word since it doesn't keep to the protocol.
    #[track_caller]
    fn is_malformed(&self, mut stranger: Stranger, fault: &str) {
        assert_eq!(stranger.ends(), None, "{}: {fault}", stranger.name);
        let message = "the client doesn't keep to the protocol";
        self.refuses(&stranger.name, (message, "fault", fault), "malformed");
    }

    /// That a client is told that it sends too much.
    #[track_caller]
    fn is_too_much(&self, mut stranger: Stranger, limit: &str) {
        let told = stranger.ends();
        assert!(told.as_deref().is_some_and(|told| told.contains("too much at once")), "{told:?}");
        self.refuses(&stranger.name, ("the client sends too much", "limit", limit), "play_limit");
    }
}

/// A frame that says so of itself: a body behind how long it is when inflated.
fn claiming(length: i32, stream: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    varint::write(length, &mut body);
    body.extend_from_slice(stream);
    framed(&body)
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    Encoder::new(&mut frame).byte_array(body);
    frame
}

/// Frames that are wrong whatever the state, and what is said of them.
fn frames() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("an empty frame", vec![0]),
        ("a frame length of more than 21 bits", vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("a frame length of more than 21 bits", vec![0xff, 0xff, 0x80, 0x01]),
        ("an unknown packet (id 127)", framed(&[0, 0x7f, 0])),
        ("an unknown packet (id -1)", framed(&[0, 0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("packet id", framed(&[0, 0x80])),
        ("the body ends before its packet begins", framed(&[0])),
        ("the uncompressed length is -1", claiming(-1, b"x")),
        ("where 8388608 are allowed", claiming(8_388_609, b"x")),
        ("the uncompressed length is not a VarInt", framed(&[0xff; 6])),
        ("compressed packet", claiming(1_000, &[0xff; 100])),
        ("compressed packet", claiming(1_000, b"\x78\x9c")),
    ]
}

#[test]
fn frames_that_are_none_are_refused_at_every_stage() {
    let house = House::start();
    let others = Others::join(&house.edge, &house.hub);
    for (version, host) in [(OLD, "home"), (NEW, "home"), (OLD, "void"), (NEW, "void")] {
        let stages = [Stranger::welcomed, Stranger::configuring, Stranger::playing];
        // Without a configuration the first two are the same.
        let stages = if version == OLD { &stages[1..] } else { &stages };
        for (at, (fault, frame)) in frames().into_iter().enumerate() {
            for (stage, begin) in stages.iter().enumerate() {
                let mut stranger =
                    begin(&house.edge, &format!("{host}{version}at{stage}by{at}"), version, host);
                let _ = stranger.connection.raw(&frame);
                house.is_malformed(stranger, fault);
            }
        }
        others.notice_nothing();
    }
    // What isn't whole goes nowhere: the target sees the player leave, and nothing else.
    for version in [OLD, NEW] {
        let mut stranger = Stranger::playing(&house.edge, &format!("half{version}"), version, "home");
        let frame = stranger.connection.frame(&stranger.plugin_message(10_000)).unwrap();
        stranger.connection.raw(&frame[..frame.len() / 2]).unwrap();
        stranger.connection.finish().unwrap();
        assert_eq!(stranger.ends(), None);
        house.refuses(&stranger.name, ("session ended", "end", "closed"), "closed");
        let _ = house.hub.wait_for(&stranger.name, |stay| stay.stage == Stage::Over);
        assert!(!house.hub.faults().iter().any(|(name, _)| *name == stranger.name));
    }
    others.notice_nothing();
}

#[test]
fn bombs_are_refused_before_they_are_inflated() {
    let house = House::start();
    let others = Others::join(&house.edge, &house.hub);
    for (version, host) in [(OLD, "home"), (NEW, "home"), (OLD, "void"), (NEW, "void")] {
        let before = house.edge.memory().rss;
        let mut number = 0;
        let mut name = || {
            number += 1;
            format!("{host}{version}bomb{number}")
        };
        for (length, limit) in [(8 * 1024 * 1024, "packet"), (2 * 1024 * 1024, "ratio")] {
            for kind in [Kind::CustomPayload, Kind::KeepAlive, Kind::Settings] {
                let mut stranger = Stranger::playing(&house.edge, &name(), version, host);
                stranger.says(&stranger.zeros(kind, length), 3);
                house.is_too_much(stranger, limit);
                if version == NEW {
                    let mut stranger = Stranger::configuring(&house.edge, &name(), version, host);
                    stranger.says(&stranger.zeros(kind, length), 3);
                    house.is_too_much(stranger, limit);
                }
            }
        }
        if version == NEW {
            let mut stranger = Stranger::welcomed(&house.edge, &name(), version, host);
            let mut body = stranger.body(Kind::LoginAcknowledged, |_| ());
            body.resize(8 * 1024 * 1024, 0);
            stranger.says(&body, 1);
            // What it hears belongs there since Login Success.
            stranger.connection.enter(State::Configuration);
            house.is_too_much(stranger, "packet");
        }
        // Small ones, each of which may pass, until together they are too much.
        let mut stranger = Stranger::playing(&house.edge, &name(), version, host);
        stranger.says(&stranger.zeros(Kind::KeepAlive, 500 * 1024), 100);
        house.is_too_much(stranger, "inflated");
        others.notice_nothing();
        house.edge.serves_others_within(AT_ONCE);
        let grown = house.edge.memory().rss.saturating_sub(before);
        assert!(grown < 16 * 1024 * 1024, "{host} of {version}: {grown} bytes");
    }
}

/// Packets that have no place where they are said: the stage, what is said, and the fault.
type Misplaced = (&'static str, fn(&mut Stranger), &'static str);

/// What is said of an end of the configuration that isn't due.
const FINISHED: &str = "out of its place (id 3)";

/// Since 1.20.2.
fn misplaced() -> Vec<Misplaced> {
    vec![
        (
            "login",
            |it| it.says(&it.body_in(State::Login, Kind::LoginStart, |out| out.string("Eve")), 1),
            "out of its place (id 0)",
        ),
        (
            "login",
            |it| it.says(&it.body_in(State::Login, Kind::EncryptionBegin, |_| ()), 1),
            "out of its place (id 1)",
        ),
        (
            "login",
            |it| it.says(&it.body_in(State::Login, Kind::LoginPluginResponse, |out| out.varint(1)), 1),
            "out of its place (id 2)",
        ),
        (
            "login",
            |it| it.says(&it.body_in(State::Login, Kind::CookieResponse, |out| out.string("a:b")), 1),
            "out of its place (id 4)",
        ),
        (
            "login",
            |it| it.says(&it.body_in(State::Play, Kind::ArmAnimation, |out| out.varint(0)), 1),
            "an unknown packet",
        ),
        // Twice, so that it means the end of the configuration.
        (
            "configuration",
            |it| it.says(&it.body_in(State::Login, Kind::LoginAcknowledged, |_| ()), 1),
            FINISHED,
        ),
        ("configuration", |it| it.says(&it.body(Kind::FinishConfiguration, |_| ()), 1), FINISHED),
        (
            "configuration",
            |it| it.says(&it.body_in(State::Play, Kind::ConfigurationAcknowledged, |_| ()), 1),
            "an unknown packet (id 12)",
        ),
        (
            "configuration",
            |it| it.says(&it.body_in(State::Play, Kind::ArmAnimation, |out| out.varint(0)), 1),
            "an unknown packet",
        ),
        (
            "configuration",
            |it| it.says(&it.body(Kind::KeepAlive, |out| out.u8(0)), 1),
            "the packet ended inside id",
        ),
        (
            "play",
            |it| it.says(&it.body(Kind::ConfigurationAcknowledged, |_| ()), 1),
            "out of its place (id 12)",
        ),
        ("play", |it| it.says(&it.body(Kind::KeepAlive, |out| out.u8(0)), 1), "id"),
        ("play", |it| it.says(&it.body(Kind::ChatCommand, |out| out.bytes(&[2, 0xc3, 0x28])), 1), "UTF-8"),
        ("play", |it| it.says(&it.body(Kind::ChatCommand, |out| out.varint(-1)), 1), "command"),
        ("play", |it| it.says(&it.body(Kind::CookieResponse, |out| out.varint(100_000)), 1), "cookie"),
    ]
}

#[test]
fn packets_out_of_their_place_are_refused() {
    let house = House::start();
    let others = Others::join(&house.edge, &house.hub);
    for host in ["home", "void"] {
        for (at, (stage, deed, fault)) in misplaced().into_iter().enumerate() {
            // A limbo has finished by then, or hasn't.
            if host == "void" && (stage, fault) == ("configuration", FINISHED) {
                continue;
            }
            let name = format!("{host}misplaced{at}");
            let mut stranger = match stage {
                "login" => Stranger::welcomed(&house.edge, &name, NEW, host),
                "configuration" => Stranger::configuring(&house.edge, &name, NEW, host),
                _ => Stranger::playing(&house.edge, &name, NEW, host),
            };
            deed(&mut stranger);
            house.is_malformed(stranger, fault);
        }
        others.notice_nothing();
    }
}

/// What nobody asked for isn't refused, as clients may be late with it; but no target hears it.
#[test]
fn answers_that_nobody_asked_for_reach_nobody() {
    let house = House::start();
    let others = Others::join(&house.edge, &house.hub);
    for version in [OLD, NEW] {
        let name = format!("unasked{version}");
        let mut stranger = Stranger::playing(&house.edge, &name, version, "home");
        for id in [0, 1, -1, 0x4000_0000] {
            stranger.connection.send(&KeepAliveResponse { id }).unwrap();
        }
        if version == NEW {
            stranger.says(
                &stranger.body(Kind::CookieResponse, |out| {
                    out.string("a:b");
                    out.bool(false);
                }),
                3,
            );
            stranger.says(
                &stranger.body(Kind::ResourcePackReceive, |out| {
                    out.i64(0);
                    out.i64(0);
                    out.varint(3);
                }),
                3,
            );
        }
        stranger.says(&stranger.typed("still here"), 1);
        let _ = house.hub.wait_for(&name, |stay| stay.typed == ["still here"]);
        assert_eq!(house.hub.faults(), [], "{version}");
    }
    let name = "unaskedpacks";
    let mut stranger = Stranger::configuring(&house.edge, name, NEW, "home");
    stranger.hears(Kind::SelectKnownPacks);
    stranger.says(&stranger.body(Kind::SelectKnownPacks, |out| out.varint(0)), 3);
    stranger.hears(Kind::Login);
    assert_eq!(house.hub.faults(), []);
    others.notice_nothing();
}

/// Moments of a switch, and what is said at them.
#[test]
fn nothing_that_is_said_during_a_switch_harms_anybody_else() {
    let house = House::start();
    let others = Others::join(&house.edge, &house.hub);
    let begin = |name: &str| {
        let mut stranger = Stranger::playing(&house.edge, name, NEW, "home");
        stranger.says(&stranger.typed("/server island"), 1);
        stranger
    };
    let acknowledge =
        |stranger: &Stranger| stranger.body_in(State::Play, Kind::ConfigurationAcknowledged, |_| ());
    let finish =
        |stranger: &Stranger| stranger.body_in(State::Configuration, Kind::FinishConfiguration, |_| ());
    let swing = |stranger: &Stranger| stranger.body_in(State::Play, Kind::ArmAnimation, |out| out.varint(0));
    // Before it is asked to.
    let mut stranger = Stranger::playing(&house.edge, "early", NEW, "home");
    let both = [stranger.typed("/server island"), acknowledge(&stranger)];
    both.iter().for_each(|body| stranger.says(body, 1));
    house.is_malformed(stranger, "out of its place (id 12)");
    // Twice.
    let mut stranger = begin("twice");
    stranger.listens_for(Kind::StartConfiguration);
    stranger.says(&acknowledge(&stranger), 2);
    house.is_malformed(stranger, "an unknown packet (id 12)");
    // The end of the configuration before there is one.
    let mut stranger = begin("finishes");
    stranger.listens_for(Kind::StartConfiguration);
    stranger.says(&acknowledge(&stranger), 1);
    stranger.says(&finish(&stranger), 1);
    house.is_malformed(stranger, FINISHED);
    // Packets of play for the old target, up to the acknowledgement, reach neither; behind it they are none.
    let mut stranger = begin("talks");
    stranger.listens_for(Kind::StartConfiguration);
    let typed = stranger.typed("too late");
    stranger.says(&typed, 50);
    stranger.says(&acknowledge(&stranger), 1);
    stranger.connection.enter(State::Configuration);
    stranger.hears(Kind::Login);
    stranger.says(&stranger.typed("in time"), 1);
    let stay = house.island.wait_for("talks", |stay| !stay.typed.is_empty());
    assert_eq!(stay.typed, ["in time"]);
    let mut stranger = begin("goeson");
    stranger.listens_for(Kind::StartConfiguration);
    stranger.says(&acknowledge(&stranger), 1);
    stranger.says(&swing(&stranger), 1);
    house.is_malformed(stranger, "an unknown packet");
    // Commands upon commands.
    let mut stranger = begin("wavers");
    for place in ["hub", "island", "nowhere", "hub", "island"].repeat(4) {
        stranger.says(&stranger.typed(&format!("/server {place}")), 1);
    }
    stranger.hears(Kind::Login);
    // Leaves in the middle, in good order or by a reset.
    for (at, kind) in [Kind::StartConfiguration, Kind::RegistryData, Kind::FinishConfiguration, Kind::Login]
        .into_iter()
        .enumerate()
    {
        for resets in [false, true] {
            let name = format!("leaves{at}{resets}");
            let mut stranger = begin(&name);
            if kind == Kind::StartConfiguration {
                stranger.listens_for(kind);
            } else {
                stranger.hears(kind);
            }
            if resets {
                stranger.connection.reset().unwrap();
            } else {
                drop(stranger);
            }
            house.edge.wait_for("the end", |line| {
                line.message() == Some("session ended") && line.field("player").as_deref() == Some(&name)
            });
        }
    }
    others.notice_nothing();
    let connected = |host: &Host| {
        host.stays()
            .into_iter()
            .filter(|stay| stay.stage != Stage::Over && !stay.name.starts_with("other"))
            .map(|stay| stay.name)
            .collect::<Vec<_>>()
    };
    // Nobody is left behind at either target.
    let gone = || {
        [&house.hub, &house.island]
            .into_iter()
            .all(|host| connected(host).iter().all(|name| name == "talks" || name == "wavers"))
            .then_some(())
    };
    assert!(
        eventually(PATIENCE, gone).is_some(),
        "{:?} {:?}",
        connected(&house.hub),
        connected(&house.island)
    );
    let of_strangers: Vec<_> = house.island.faults();
    assert_eq!(of_strangers, []);
}

/// Before 1.20.2 nothing acknowledges a switch but the answer to a question of the edge's own.
#[test]
fn what_is_said_before_the_way_is_over_reaches_nobody_before_configurations_too() {
    let house = House::start();
    let others = Others::join(&house.edge, &house.hub);
    let mut stranger = Stranger::playing(&house.edge, "slow", OLD, "home");
    stranger.says(&stranger.typed("/server island"), 1);
    stranger.listens_for(Kind::Login);
    stranger.says(&stranger.typed("too late"), 20);
    let KeepAlive { id } = stranger.listens_for(Kind::KeepAlive).read().unwrap();
    stranger.says(&stranger.typed("too late"), 20);
    // Another's answer, then its own, and that again.
    for id in [id ^ 1, id, id] {
        stranger.connection.send(&KeepAliveResponse { id }).unwrap();
    }
    stranger.says(&stranger.typed("in time"), 1);
    let stay = house.island.wait_for("slow", |stay| !stay.typed.is_empty());
    assert_eq!(stay.typed, ["in time"]);
    assert!(house.hub.stays().iter().all(|stay| stay.typed.is_empty()));
    assert_eq!(house.island.faults(), []);
    others.notice_nothing();
}

/// A client may ask about what it has half-typed until it has left the world that it did so in.
#[test]
fn what_is_half_typed_on_the_way_into_a_limbo_stays_unanswered() {
    let host = Host::builder(1).start().unwrap();
    let targets = targets([("hub", host.address())]);
    let edge = edge()
        .config(format!(
            "[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n{targets}\n\
             session.limbo = \"when_unreachable\"\n"
        ))
        .start();
    let mut stranger = Stranger::playing(&edge, "types", NEW, "home");
    host.stop();
    stranger.listens_for(Kind::StartConfiguration);
    for begun in ["/", "/server "] {
        let half_typed = stranger.body(Kind::TabComplete, |out| {
            out.varint(7);
            out.string(begun);
        });
        stranger.says(&half_typed, 1);
    }
    stranger.says(&stranger.body(Kind::ConfigurationAcknowledged, |_| ()), 1);
    stranger.connection.enter(State::Configuration);
    // That there are no links is told once; completions have the same id in play.
    let mut links = Vec::new();
    while stranger.connection.state() == State::Configuration {
        let packet = stranger.connection.receive().unwrap();
        if packet.kind() == Some(Kind::ServerLinks) {
            links.push(packet.fields.clone());
        }
        stranger.obeys(&packet);
    }
    assert_eq!(links, [[0]]);
    stranger.hears(Kind::Login);
}
