//! Players and servers made by other hands, node-minecraft-protocol, in every protocol that it has a table of: they meet through
//! the edge, say who they are, exchange packets, and part.
//!
//! `cargo xtask test` has each version come in two ways, so chosen that every pair of circumstances meets; `cargo xtask matrix`
//! has each come in all sixteen.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::profile::offline_uuid;
use drawbridge_testkit::{Edge, Event, Join, NodeClient, NodeVisit, NodeWorld, Served, SessionServer};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use support::edge;
use support::world::walks;
use uuid::Uuid;

/// How many packets go each way.
const PACKETS: u32 = 200;

/// How many players come at once: more than one, so that none waits for another's turn of the processes' single threads.
const AT_ONCE: usize = 4;

/// How many versions a process serves before it is replaced: each takes some 8 MB.
const VERSIONS_A_PROCESS: usize = 16;

/// A version of the table, and the number that its players say.
#[derive(Debug, Clone)]
struct Version {
    name: String,
    protocol: i32,
    /// Whether that is another number than the table's.
    claimed: bool,
}

/// A way to come in: four circumstances, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way(u8);

impl Way {
    const CIRCUMSTANCES: u8 = 4;
    const ALL: u8 = 1 << Self::CIRCUMSTANCES;

    /// The server encrypts and asks the session server.
    const fn online(self) -> bool {
        self.0 & 1 != 0
    }

    /// The edge always splices, instead of choosing by what flows.
    const fn splices(self) -> bool {
        self.0 & 2 != 0
    }

    /// The player comes by a Transfer packet.
    const fn transferred(self) -> bool {
        self.0 & 4 != 0
    }

    /// The server is told another host than the player typed.
    const fn other_host(self) -> bool {
        self.0 & 8 != 0
    }

    /// The way in which every circumstance is the other one.
    const fn opposite(self) -> Self {
        Self(self.0 ^ (Self::ALL - 1))
    }
}

/// A player: how they come, and in which of two kinds of it, where there are two.
#[derive(Debug, Clone)]
struct Case {
    version: Version,
    way: Way,
    second_kind: bool,
}

impl Case {
    fn name(&self) -> String {
        format!("P{}_{}", self.version.protocol, self.way.0)
    }

    /// The host of its route.
    fn host(&self) -> String {
        format!("v{}-{}.example.com", self.version.protocol, self.way.0)
    }

    /// The host that the player types: Forge's clients add a mark.
    fn typed(&self) -> String {
        let mark = if self.second_kind { "\0FML2\0" } else { "" };
        format!("{}{mark}", self.host())
    }

    /// The host that the server is told.
    fn told(&self) -> String {
        let mark = if self.second_kind { "\0FML2\0" } else { "" };
        match (self.way.other_host(), self.second_kind) {
            (false, _) => self.typed(),
            (true, false) => format!("127.0.0.1{mark}"),
            (true, true) => format!("lobby.internal{mark}"),
        }
    }

    /// The intent that the server is told.
    const fn intent(&self) -> i64 {
        if self.way.transferred() && self.second_kind { 3 } else { 2 }
    }

    fn route(&self, target: &str) -> String {
        let mode = match (self.way.splices(), self.second_kind) {
            (true, _) => "zero_copy",
            (false, false) => "passthrough",
            (false, true) => "server_only",
        };
        let host = match (self.way.other_host(), self.second_kind) {
            (false, _) => "keep",
            (true, false) => "target",
            (true, true) => "lobby.internal",
        };
        format!(
            "[[routes]]\nname = \"{0}\"\nhosts = [\"{0}\"]\nmode = \"{mode}\"\ntargets = [\"{target}\"]\n\
             relay = {{ host = \"{host}\", transfers = {1} }}\n",
            self.host(),
            self.second_kind
        )
    }
}

/// Every version that there is a table of, and two more numbers: that of 1.7.2 to 1.7.5, which speak as 1.7.10 does, and one that is newer
/// than any.
fn versions(client: &NodeClient) -> Vec<Version> {
    let known = client.versions();
    assert!(known.len() >= 61, "tables have gone: {known:?}");
    let more = [("1.7".to_owned(), 4, true), ("26.1".to_owned(), 9_001, true)];
    let known = known.into_iter().map(|(name, protocol)| (name, protocol, false));
    known.chain(more).map(|(name, protocol, claimed)| Version { name, protocol, claimed }).collect()
}

/// Two ways for the version at this place, opposite to each other: so each version sees both sides of every circumstance, and
/// eight versions have seen all ways.
fn two_ways(at: usize) -> [Way; 2] {
    let way = Way(u8::try_from(at % usize::from(Way::ALL / 2)).unwrap());
    [way, way.opposite()]
}

#[test]
fn two_ways_for_each_version_are_all_pairs_of_circumstances() {
    let bit = |way: Way, circumstance: u8| way.0 >> circumstance & 1;
    for at in 0..61 {
        let [one, other] = two_ways(at);
        assert!((0..Way::CIRCUMSTANCES).all(|bit_at| bit(one, bit_at) != bit(other, bit_at)), "{at}");
    }
    for (first, second) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        for pair in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            // The two tests that share the versions have at least this many each.
            let mut ways = (0..8).flat_map(two_ways);
            assert!(ways.any(|way| (bit(way, first), bit(way, second)) == pair), "{first} {second} {pair:?}");
        }
    }
}

/// What becomes of a case, or what is wrong with it.
struct House {
    edge: Edge,
    client: NodeClient,
    world: NodeWorld,
    session: SessionServer,
}

impl House {
    fn for_cases(cases: &[Case], client: NodeClient) -> Self {
        let session = SessionServer::start().unwrap();
        let served = cases.iter().map(|case| {
            let served = Served::version(&case.version.name);
            let served = if case.way.online() { served.online() } else { served };
            if case.version.claimed { served.claiming(case.version.protocol) } else { served }
        });
        let world = NodeWorld::start(served.collect(), Some(&session.url()));
        let mut config = String::new();
        for (case, target) in cases.iter().zip(world.addresses()) {
            writeln!(config, "{}", case.route(&target.to_string())).unwrap();
        }
        let edge = edge().config(config).start();
        Self { edge, client, world, session }
    }

    fn carries(&self, case: &Case) -> Result<(), String> {
        let (name, release) = (case.name(), &case.version.name);
        let (join, id) = if case.way.online() {
            let account = self.session.account(&name);
            (Join::with_account(&account, release), account.id())
        } else {
            (Join::new(&name, release), offline_uuid(&name))
        };
        let join = join.host(&case.typed()).plays(PACKETS);
        let join = if case.version.claimed { join.protocol(case.version.protocol) } else { join };
        let join = if case.way.transferred() { join.sent_on(&Default::default()) } else { join };
        let visit = self.client.join(&join, self.edge.address());
        let wrong =
            |what: &str| Err(format!("{case:?}: {what}: {:?}, {:?}", visit.events, self.world.errors()));
        let typed_intent = if case.way.transferred() { 3 } else { 2 };
        if (visit.protocol(), visit.intent()) != (Some(case.version.protocol.into()), Some(typed_intent)) {
            return wrong("the player's handshake");
        }
        if !played(&visit, case.way.online()) {
            return wrong("what the player got");
        }
        let (login, left) = (self.world.login(&name), self.world.left(&name));
        let uuid = login.field("uuid").as_str().and_then(|uuid| Uuid::parse_str(uuid).ok());
        if (uuid, login.field("encrypted") == case.way.online()) != (Some(id), true) {
            return wrong(&format!("who the player is: {login:?}"));
        }
        if !told(&login, case) {
            return wrong(&format!("what the server was told: {login:?}"));
        }
        let clean = left.field("troubles").as_array().is_some_and(Vec::is_empty)
            && left.field("reason") == "socketClosed";
        if !(clean && left.field("heard") == PACKETS) {
            return wrong(&format!("what the server got: {left:?}"));
        }
        Ok(())
    }

    /// All came through, and every relay has ended because both sides had closed.
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
        self.edge.wait_for_messages("relay ended", cases.len());
        for line in self.edge.log() {
            let ended = line.message() == Some("relay ended");
            assert!(!ended || line.field("end").as_deref() == Some("closed"), "{line}");
        }
        assert!(self.world.errors().is_empty(), "{:?}", self.world.errors());
        let online = cases.iter().filter(|case| case.way.online()).count();
        assert_eq!((self.session.joins(), self.session.asked()), (online, online));
    }
}

/// Whether a player was sent all packets in their order, and then left by their own will.
fn played(visit: &NodeVisit, encrypted: bool) -> bool {
    let bad = visit.events.iter().any(|event| matches!(event.name(), "error" | "trouble" | "disconnect"));
    let played = visit.event("played");
    !bad && played
        .is_some_and(|played| played.field("packets") == PACKETS && played.field("encrypted") == encrypted)
}

fn told(login: &Event, case: &Case) -> bool {
    login.field("protocol") == case.version.protocol
        && login.field("host") == &case.told()
        && login.field("intent") == case.intent()
}

/// Cases of these versions, in these ways each.
fn cases<'a>(versions: impl IntoIterator<Item = &'a Version>, ways: impl Fn(usize) -> Vec<Way>) -> Vec<Case> {
    let each = versions.into_iter().enumerate().flat_map(|(at, version)| {
        let with =
            move |(kind, way)| Case { version: version.clone(), way, second_kind: (at / 8 + kind) % 2 == 1 };
        ways(at).into_iter().enumerate().map(with)
    });
    each.collect()
}

/// The pairwise choice of the versions whose numbers `are` chosen.
fn pairwise(are: impl Fn(i32) -> bool) {
    let client = NodeClient::start();
    let versions = versions(&client);
    let cases = cases(versions.iter().filter(|version| are(version.protocol)), |at| two_ways(at).into());
    House::for_cases(&cases, client).carries_all(&cases);
}

#[test]
fn every_version_before_1_16_is_carried() {
    pairwise(|number| number < 735);
}

#[test]
fn every_version_since_1_16_is_carried() {
    pairwise(|number| number >= 735);
}

#[test]
#[ignore = "run by cargo xtask matrix"]
fn every_version_is_carried_in_every_way() {
    let versions = versions(&NodeClient::start());
    for some in versions.chunks(VERSIONS_A_PROCESS) {
        let cases = cases(some, |_| (0..Way::ALL).map(Way).collect());
        House::for_cases(&cases, NodeClient::start()).carries_all(&cases);
        let (numbers, count): (Vec<_>, _) =
            (some.iter().map(|version| version.protocol).collect(), cases.len());
        println!("{count} players of the protocols {numbers:?}");
    }
}

#[test]
fn mineflayer_walks_on_a_flying_squid_world() {
    ["1.16.5", "1.21.4"].iter().for_each(|version| walks(version, "passthrough", "relay ended"));
}
