//! Players in sessions by the hundreds: all switch at once and over again, and all go on when the edge that carries them is replaced.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{
    Crowd, Edge, Forwarded, Host, Join, NodeClient, NodeWorld, PATIENCE, Passage, Resident, Served,
    SessionServer, Traffic,
};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};
use support::world::{assert_crowd_sound, targets};
use support::{COOKIES, edge};

/// The edge's and the targets' secret.
const SECRET: &str = "a secret of forwarding";
/// Everybody comes from one address.
const CROWDED: &str = "[limits]\nper_address = 2000\nplay.switches = 0\nlogin = { burst = 10000, per = \"1s\" }\ntransfer = { burst = 10000, per = \"1s\" }\n";
/// A version of each way to switch, and of each way to say what a session needs.
const KINDS: [i32; 8] = [47, 340, 404, 578, 758, 763, 764, 775];
/// How long a crowd may take, on two cores that do other things too.
const LONG: Duration = Duration::from_secs(240);

const SWITCHING: usize = 200;
const SWITCHES: usize = 50;
const TOURS: usize = 12;
/// By how many bytes the edge may have grown after as many switches again: a fifth of a KiB for each.
const GROWTH: u64 = 2 << 20;

fn route(mode: &str, named: &[(&str, SocketAddr)], more: &str) -> String {
    let targets = targets(named.iter().copied());
    format!("{CROWDED}[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"{mode}\"\n{targets}\n{more}\n")
}

#[test]
fn two_hundred_players_switch_fifty_times_under_chunks() {
    let traffic = Traffic { small: 10, chunks: 2 };
    let [hub, island] =
        [1, 2].map(|number| Host::builder(number).compress(256).pushes(traffic).start().unwrap());
    let edge =
        edge().config(route("offline", &[("hub", hub.address()), ("island", island.address())], "")).start();
    let crowd = Crowd::of(SWITCHING, 47).versions(&KINDS).join(edge.address()).unwrap();
    crowd.all_at(&hub, LONG);
    let tour = ["/server island", "/server hub"];
    let warm = SWITCHES / 5;
    crowd.everyone_tours(&tour, warm, 3);
    crowd.all_arrived(1 + warm, LONG);
    let before = edge.memory();
    crowd.everyone_tours(&tour, SWITCHES - warm, 3);
    crowd.all_arrived(1 + SWITCHES, LONG);
    crowd.all_at(&hub, LONG);
    let after = edge.memory();
    assert_crowd_sound(&crowd, &[&hub, &island]);
    assert_eq!(crowd.took(Passage::Switch).len(), SWITCHING * SWITCHES);
    let grown = after.rss.saturating_sub(before.rss);
    eprintln!("{SWITCHING} players in {} MiB, {} KiB more than before", after.rss >> 20, grown >> 10);
    assert!(grown < GROWTH, "it grew by {grown} bytes from {} on", before.rss);
    crowd.everyone_leaves();
}

/// Forge of 1.7 to 1.12: clients tell each new server of their mods before they are in its world, having been told to begin again; servers
/// without mods, and clients without, are among them.
#[test]
fn players_with_forge_shake_hands_at_every_switch() {
    let traffic = Traffic { small: 10, chunks: 1 };
    let host = |number| Host::builder(number).compress(256).pushes(traffic);
    let modded = |number| host(number).shakes_hands().start().unwrap();
    let hosts = [modded(1), modded(2), host(3).start().unwrap()];
    let targets = [("hub", &hosts[0]), ("island", &hosts[1]), ("plain", &hosts[2])];
    let edge =
        edge().config(route("offline", &targets.map(|(name, host)| (name, host.address())), "")).start();
    let crowd = |name, host| {
        let crowd = Crowd::of(8, 47).versions(&[47, 340]).called(name).host(host);
        crowd.join(edge.address()).unwrap()
    };
    for crowd in [crowd("forge", "localhost\0FML\0"), crowd("vanilla", "localhost")] {
        crowd.all_at(&hosts[0], LONG);
        crowd.everyone_tours(&["/server island", "/server hub", "/server plain"], TOURS, 3);
        crowd.all_arrived(1 + TOURS, LONG);
        assert_crowd_sound(&crowd, &hosts.each_ref());
        crowd.everyone_leaves();
    }
}

/// Two edges behind one address, one after the other, and what they share.
struct Network<'a> {
    session: &'a SessionServer,
    hosts: [&'a Host; 2],
    world: &'a NodeWorld,
}

impl Network<'_> {
    /// An edge that is passed the address by whoever keeps it.
    fn edge(&self, kept: &TcpListener) -> Edge {
        let [hub, island] = self.hosts.map(Host::address);
        let carried = format!(
            "[routes.session]\nforwarding = \"velocity\"\nsecret = {{ file = \"forwarding.secret\" }}\n\
             [routes.authentication]\nurl = \"{}\"\n",
            self.session.url()
        );
        let [a, b] = [1, 2].map(|number| self.world.address(number));
        let node = format!(
            "[[routes]]\nname = \"node\"\nhosts = [\"node.test\"]\nmode = \"client_only\"\n\
             discovery.targets = [{{ identifier = \"a\", address = \"{a}\" }}, {{ identifier = \"b\", address = \"{b}\" }}]\n{carried}"
        );
        let home = route("client_only", &[("hub", hub), ("island", island)], &carried);
        edge()
            .file("forwarding.secret", SECRET)
            .config(format!("{COOKIES}{home}{node}"))
            .socket(kept.try_clone().unwrap())
            .start()
    }
}

/// How often packets go each way beside all else.
const OFTEN: Duration = Duration::from_millis(100);
const RESTARTED: usize = 500;
const NODE: usize = 20;
/// How soon everybody is back.
const SOON: Duration = Duration::from_secs(5);

/// A client of another make that joins, says that it is there, and follows where it is sent; how long it takes to be back.
fn goes_on(client: &NodeClient, join: &Join, edge: &Edge, number: usize, is_there: &Sender<()>) -> Duration {
    let player = client.begin(join, edge.address());
    player.joined_world(1);
    if number == 2 {
        player.says("/server b");
        player.joined_world(2);
    }
    player.hears_from(number);
    is_there.send(()).unwrap();
    let first = player.ended();
    let since = Instant::now();
    assert_eq!(first.transferred(), ("node.test", u64::from(edge.address().port())), "{first:#?}");
    let player = client.begin(&join.clone().sent_on(first.jar()), edge.address());
    player.joined_world(number);
    let took = since.elapsed();
    player.hears_from(number);
    assert!(player.troubles().is_empty(), "{:#?}", player.troubles());
    let last = player.leave();
    assert!(last.event("disconnect").is_none(), "{last:#?}");
    took
}

#[test]
fn a_rolling_restart_loses_nobody() {
    let session = SessionServer::start().unwrap();
    let traffic = Traffic { small: 5, chunks: 0 };
    let host = |number| {
        let host = Host::builder(number).compress(256).velocity(SECRET.as_bytes()).pushes(traffic);
        host.start().unwrap()
    };
    let hosts = [host(1), host(2)];
    let served = Served::version("1.21.4").forwarding(&Forwarded::velocity(SECRET));
    let world = NodeWorld::numbered_from(1, vec![served; 2], None);
    let network = Network { session: &session, hosts: hosts.each_ref(), world: &world };
    let kept = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut old, client) = (network.edge(&kept), NodeClient::start());
    let crowd = Crowd::of(RESTARTED, 766).versions(&[766, 767, 769, 775]).online(&session);
    let crowd = crowd.join(old.address()).unwrap();
    crowd.all_at(&hosts[0], LONG);
    (0..RESTARTED).step_by(2).for_each(|index| crowd.types(index, "/server island"));
    let at_home = |resident: &Resident| {
        let index: usize = resident.name.trim_start_matches('p').parse().unwrap();
        resident.is_at(if index.is_multiple_of(2) { 2 } else { 1 }) && resident.heard_here > 0
    };
    crowd.until("are where they belong", LONG, at_home);
    let (is_there, are_there) = mpsc::channel();
    let joins: Vec<_> = (0..NODE).map(|index| session.account(&format!("node{index}"))).collect();
    let joins: Vec<_> = joins
        .iter()
        .map(|account| Join::with_account(account, "1.21.4").host("node.test").plays_on(OFTEN))
        .collect();
    thread::scope(|scope| {
        let (client, edge) = (&client, &old);
        let players: Vec<_> = (0..)
            .zip(&joins)
            .map(|(index, join)| {
                let is_there = is_there.clone();
                scope.spawn(move || goes_on(client, join, edge, 1 + index % 2, &is_there))
            })
            .collect();
        (0..NODE).for_each(|_| are_there.recv_timeout(LONG).unwrap());
        let asked = session.asked();
        assert_eq!(asked, RESTARTED + NODE);
        let new = network.edge(&kept);
        let since = Instant::now();
        old.terminate();
        crowd.until("are back", SOON, |resident| resident.connections == 2 && at_home(resident));
        eprintln!("{RESTARTED} players were back after {:?}", since.elapsed());
        let took: Vec<_> = players.into_iter().map(|player| player.join().unwrap()).collect();
        eprintln!("{NODE} others after {:?} at most", took.iter().max());
        assert!(took.iter().all(|took| *took < SOON), "{took:?}");
        assert_eq!(session.asked(), asked, "cookies say who they are");
        assert_crowd_sound(&crowd, &hosts.each_ref());
        drop(new);
    });
    assert!(world.troubles().is_empty() && world.errors().is_empty(), "{:#?}", world.troubles());
    assert!(old.exit(PATIENCE).success());
}
