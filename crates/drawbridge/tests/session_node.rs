//! Players and servers made by other hands, node-minecraft-protocol, in every protocol that it has a table of, who meet through sessions: in
//! both modes, encrypted or not, with thresholds of their own on both sides, and by all forms of forwarding, which servers check by
//! their own rules.
//!
//! `cargo xtask test` has each version come in two ways, so chosen that every pair of circumstances meets; `cargo xtask matrix`
//! has each come in all.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::profile::offline_uuid;
use drawbridge_testkit::{
    Account, Edge, Event, Forwarded, Join, NodeClient, NodeWorld, Served, SessionServer, sees,
};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use support::edge;
use support::world::walks;
use uuid::Uuid;

/// How many packets go each way.
const PACKETS: u32 = 60;

/// How many players come at once: more than one, so that none waits for another's turn of the processes' single threads.
const AT_ONCE: usize = 4;

/// How many versions a process serves before it is replaced: each takes some 8 MB.
const VERSIONS_A_PROCESS: usize = 16;

/// What proxy and servers know each other by.
const SECRET: &str = "a secret of these tests";

/// The thresholds of clients and of servers: the same ones, lower, higher, none.
const CLIENTS: [i32; 4] = [256, -1, 64, 1_000];
const SERVERS: [i32; 4] = [256, 64, -1, 2_000];

/// A way to come in: seven bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way(u8);

impl Way {
    const ALL: u8 = 128;

    /// The edge authenticates, and the connection is encrypted.
    const fn authenticated(self) -> bool {
        self.0 & 1 != 0
    }

    /// Below it, packets to the client aren't compressed.
    const fn client_threshold(self) -> i32 {
        CLIENTS[(self.0 >> 1 & 3) as usize]
    }

    /// The same of the server.
    const fn server_threshold(self) -> i32 {
        SERVERS[(self.0 >> 3 & 3) as usize]
    }

    /// How the server learns who the player is.
    fn forwarded(self) -> Option<Forwarded> {
        match self.0 >> 5 & 3 {
            0 => None,
            1 => Some(Forwarded::BungeeCord),
            2 => Some(Forwarded::BungeeGuard(SECRET.to_owned())),
            _ => Some(Forwarded::velocity(SECRET)),
        }
    }

    const fn forwarding(self) -> &'static str {
        ["none", "bungeecord", "bungeeguard", "velocity"][(self.0 >> 5 & 3) as usize]
    }
}

/// Two ways for the version at this place. Sixteen versions have seen every pair of circumstances.
fn two_ways(at: usize) -> [Way; 2] {
    let (row, column) = (at / 4 % 4, at % 4);
    // A Latin square: each threshold of the one side meets each of the other, and each of both each form of forwarding.
    let way = |authenticated: usize, shift: usize| {
        let forwarding = (row + column + shift) % 4;
        let (client, server) = (row, (column + shift) % 4);
        Way(u8::try_from(authenticated | client << 1 | server << 3 | forwarding << 5).unwrap())
    };
    [way(at % 2, 0), way((at + 1) % 2, 2)]
}

#[test]
fn two_ways_for_each_version_are_all_pairs_of_circumstances() {
    let parts = |way: Way| [way.0 & 1, way.0 >> 1 & 3, way.0 >> 3 & 3, way.0 >> 5 & 3];
    let counts = [2, 4, 4, 4];
    let ways: Vec<_> = (0..16).flat_map(two_ways).map(parts).collect();
    for (one, other) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        for pair in (0..counts[one]).flat_map(|first| (0..counts[other]).map(move |second| (first, second))) {
            assert!(ways.iter().any(|way| (way[one], way[other]) == pair), "{one} {other} {pair:?}");
        }
    }
}

/// A player of a version, and how they come.
#[derive(Debug, Clone)]
struct Case {
    release: String,
    protocol: i32,
    way: Way,
}

impl Case {
    /// As long as every other: a handshake whose length begins with 0xfe, as 254 bytes do, begins as a ping of old clients does, and the servers here
    /// take it for one.
    fn name(&self) -> String {
        format!("S{:04}_{:03}", self.protocol, self.way.0)
    }

    fn host(&self) -> String {
        format!("v{:04}-{:03}.example.com", self.protocol, self.way.0)
    }

    /// Velocity's way needs a question that versions before 1.13 don't have.
    fn is_possible(&self) -> bool {
        self.protocol >= 393 || self.way.forwarding() != "velocity"
    }

    fn served(&self) -> Served {
        let served = Served::version(&self.release).compression(self.way.server_threshold());
        match self.way.forwarded() {
            Some(forwarded) => served.forwarding(&forwarded),
            None => served,
        }
    }

    fn route(&self, target: &str, session: &str) -> String {
        let (mode, authentication) = if self.way.authenticated() {
            ("client_only", format!("authentication = {{ type = \"mojang\", url = \"{session}\" }}\n"))
        } else {
            ("offline", String::new())
        };
        let secret = match self.way.forwarding() {
            "none" | "bungeecord" => "",
            _ => ", secret = { file = \"forwarding.secret\" }",
        };
        format!(
            "[[routes]]\nname = \"{0}\"\nhosts = [\"{0}\"]\nmode = \"{mode}\"\ntargets = [\"{target}\"]\n{authentication}\
             session = {{ forwarding = \"{1}\", compression = {2}{secret} }}\n",
            self.host(),
            self.way.forwarding(),
            self.way.client_threshold(),
        )
    }
}

/// The versions that clients and edge both know.
fn versions(client: &NodeClient) -> Vec<(String, i32)> {
    let known = client.versions();
    let versions: Vec<_> = known
        .into_iter()
        .filter(|(_, number)| drawbridge_protocol::ProtocolVersion(*number).is_known())
        .collect();
    assert!(versions.len() >= 47, "tables have gone: {versions:?}");
    versions
}

/// An edge between clients and servers.
struct House {
    edge: Edge,
    client: NodeClient,
    world: NodeWorld,
    session: SessionServer,
}

impl House {
    fn for_cases(cases: &[Case], client: NodeClient) -> Self {
        let session = SessionServer::start().unwrap();
        let world = NodeWorld::start(cases.iter().map(Case::served).collect(), None);
        let mut config = String::new();
        for (case, target) in cases.iter().zip(world.addresses()) {
            writeln!(config, "{}", case.route(&target.to_string(), &session.url())).unwrap();
        }
        let edge = edge().file("forwarding.secret", SECRET).config(config).start();
        Self { edge, client, world, session }
    }

    fn carries(&self, case: &Case) -> Result<(), String> {
        let (name, way) = (case.name(), case.way);
        let account = way.authenticated().then(|| self.session.account(&name));
        let join = match &account {
            Some(account) => Join::with_account(account, &case.release),
            None => Join::new(&name, &case.release),
        };
        let visit = self.client.join(&join.host(&case.host()).plays(PACKETS), self.edge.address());
        let wrong = |what: &str| {
            let troubles = self.world.troubles();
            Err(format!("{case:?}: {what}: {:?}, {:?}, {troubles:?}", visit.events, self.world.errors()))
        };
        let bad = visit.events.iter().any(|event| matches!(event.name(), "error" | "trouble" | "disconnect"));
        let played = visit.event("played").is_some_and(|played| {
            played.field("packets") == PACKETS && played.field("encrypted") == way.authenticated()
        });
        if bad || !played {
            return wrong("what the player got");
        }
        let (login, left) = (self.world.login(&name), self.world.left(&name));
        let own = account.as_ref().map_or_else(|| offline_uuid(&name), Account::id);
        let known_as = if way.forwarding() == "none" { offline_uuid(&name) } else { own };
        let uuid = |event: &Event| event.field("uuid").as_str().and_then(|uuid| Uuid::parse_str(uuid).ok());
        if (uuid(&login), login.field("encrypted") == false) != (Some(known_as), true) {
            return wrong(&format!("whom the server let in: {login:?}"));
        }
        // The client is the one whom the server knows.
        if visit.event("success").and_then(uuid) != Some(known_as) {
            return wrong("who the client is told it is");
        }
        let forwarded = login.field("forwarded");
        if way.forwarding() != "none" {
            let address = forwarded["address"].as_str();
            let id = forwarded["uuid"].as_str().and_then(|uuid| Uuid::parse_str(uuid).ok());
            if (address, id) != (Some("127.0.0.1"), Some(own)) {
                return wrong(&format!("what was forwarded: {forwarded}"));
            }
            let textures = forwarded["properties"]
                .as_array()
                .is_some_and(|properties| properties.iter().any(|property| property["name"] == "textures"));
            if textures != way.authenticated() {
                return wrong(&format!("whose properties were forwarded: {forwarded}"));
            }
        }
        let clean = left.field("troubles").as_array().is_some_and(Vec::is_empty)
            && left.field("heard").as_u64().is_some_and(|heard| heard >= PACKETS.into());
        if clean { Ok(()) } else { wrong(&format!("what the server got: {left:?}")) }
    }

    fn carries_all(&self, cases: &[Case]) {
        let (next, troubles) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                        troubles.lock().unwrap().extend(self.carries(case).err());
                    }
                });
            }
        });
        let troubles = troubles.into_inner().unwrap();
        assert!(troubles.is_empty(), "{} of {}: {troubles:#?}", troubles.len(), cases.len());
        self.edge.wait_for_messages("session ended", cases.len());
        for line in self.edge.log() {
            let ended = line.message() == Some("session ended");
            assert!(!ended || line.field("end").as_deref() == Some("closed"), "{line}");
        }
        assert!(self.world.errors().is_empty(), "{:?}", self.world.errors());
        let authenticated = cases.iter().filter(|case| case.way.authenticated()).count();
        assert_eq!(self.session.joins(), authenticated);
    }
}

fn cases(versions: &[(String, i32)], ways: impl Fn(usize) -> Vec<Way>) -> Vec<Case> {
    let each = versions.iter().enumerate().flat_map(|(at, (release, protocol))| {
        ways(at).into_iter().map(|way| Case { release: release.clone(), protocol: *protocol, way })
    });
    each.filter(Case::is_possible).collect()
}

/// The pairwise choice of the versions whose numbers `are` chosen.
fn pairwise(are: impl Fn(i32) -> bool) {
    sees!("routes[].session.forwarding", "routes[].session.secret", "routes[].session.compression");
    let client = NodeClient::start();
    let versions: Vec<_> = versions(&client).into_iter().filter(|(_, number)| are(*number)).collect();
    let cases = cases(&versions, |at| two_ways(at).into());
    House::for_cases(&cases, client).carries_all(&cases);
}

#[test]
fn every_version_before_1_16_is_in_session() {
    pairwise(|number| number < 735);
}

#[test]
fn every_version_since_1_16_is_in_session() {
    pairwise(|number| number >= 735);
}

#[test]
fn mineflayer_walks_in_session_on_a_flying_squid_world() {
    ["1.8.9", "1.12.2", "1.16.5", "1.21.4"]
        .iter()
        .for_each(|version| walks(version, "offline", "session ended"));
}

#[test]
#[ignore = "run by cargo xtask matrix"]
fn every_version_is_carried_in_every_way_by_sessions() {
    let versions = versions(&NodeClient::start());
    for some in versions.chunks(VERSIONS_A_PROCESS) {
        let cases = cases(some, |_| (0..Way::ALL).map(Way).collect());
        House::for_cases(&cases, NodeClient::start()).carries_all(&cases);
        let numbers: Vec<_> = some.iter().map(|(_, number)| number).collect();
        println!("{} players of the protocols {numbers:?}", cases.len());
    }
}
