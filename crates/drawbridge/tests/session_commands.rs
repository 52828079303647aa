//! The edge's own commands in the game, as real clients and servers see them: for those who may use them and for those who may not, in
//! worlds and in limbo, typed and half-typed.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Account, Crowd, Edge, Event, Host, Join, NodeClient, NodePlayer, NodeWorld, Served, SessionServer,
    Traffic, sees,
};
use std::time::Duration;
use support::edge;
use support::world::{assert_sound, home};

/// A release of each form that commands and completions have had.
const VERSIONS: [&str; 9] = ["1.7", "1.8", "1.12.2", "1.13", "1.16.5", "1.19.2", "1.20.1", "1.21.4", "26.1"];

/// Where a tree tells clients what commands there are.
fn has_tree(version: &str) -> bool {
    !matches!(version, "1.7" | "1.8" | "1.12.2")
}

/// Alice may do all, and everybody else what everybody may.
const STAFF: &str = "[commands.groups.staff]\nplayers = [\"Alice\"]\nallow = [\"*\"]\n";

/// How long a crowd may take, on two cores that do other things too.
const LONG: Duration = Duration::from_secs(60);

/// How many versions a process serves before it is replaced: each takes some 8 MB.
const VERSIONS_A_PROCESS: usize = 16;

/// How often packets go each way beside all else.
const OFTEN: Duration = Duration::from_millis(50);

/// Servers `a` and `b`, numbered from 1 on.
fn world(version: &str) -> NodeWorld {
    NodeWorld::numbered_from(1, vec![Served::version(version); 2], None)
}

/// A route to the servers of a world by which names count as they are claimed.
fn route(world: &NodeWorld, more: &str) -> String {
    home(&[world], &format!("session.trust_claims = true\n{more}"))
}

fn join<'a>(client: &'a NodeClient, name: &str, version: &str, edge: &Edge) -> NodePlayer<'a> {
    client.begin(&Join::new(name, version).plays_on(OFTEN), edge.address())
}

#[track_caller]
fn answers(player: &NodePlayer<'_>, typed: &str, lines: &[&str]) {
    player.says(typed);
    lines.iter().for_each(|line| drop(player.reads(line)));
}

/// The answer that begins so.
fn answers_by(player: &NodePlayer<'_>, typed: &str, begin: &str) -> String {
    player.says(typed);
    player.reads(begin).field("text").as_str().unwrap().to_owned()
}

/// What a player has said to servers, commands too.
fn said(world: &NodeWorld, name: &str) -> Vec<String> {
    let said = world.events("chat", name);
    said.iter().filter_map(|event| event.field("text").as_str().map(str::to_owned)).collect()
}

#[test]
fn who_may_finds_players_counts_them_and_sends_them_elsewhere() {
    sees!("commands.groups.*.players", "commands.groups.*.allow", "routes[].session.trust_claims");
    let client = NodeClient::start();
    VERSIONS.iter().for_each(|version| uses(&client, version));
}

/// Alice uses all commands, and Bob tries to.
fn uses(client: &NodeClient, version: &str) {
    let world = world(version);
    let edge = edge().config(format!("{STAFF}{}", route(&world, ""))).start();
    let alice = join(client, "Alice", version, &edge);
    alice.joined_world(1);
    let bob = join(client, "Bob", version, &edge);
    bob.joined_world(1);
    answers(&alice, "/find bob", &["Bob is on a."]);
    answers(&alice, "/drawbridge:find Carol", &["Carol isn't here."]);
    answers(&alice, "/glist", &["Players online: 2.", "On a: 2."]);
    answers(&alice, "/send Bob b", &["On the way to b: 1."]);
    bob.joined_world(2);
    answers(&alice, "/send Bob B", &["Bob is on b."]);
    answers(&alice, "/glist all", &["On a (1): Alice", "On b (1): Bob"]);
    answers(&alice, "/glist b", &["On b (1): Bob"]);
    answers(&alice, "/glist nowhere", &["On nowhere: 0."]);
    answers(&alice, "/send +b a", &["On the way to a: 1."]);
    bob.joined_world(1);
    answers(&alice, "/send Carol a", &["Carol isn't here."]);
    answers(&alice, "/send Bob nowhere", &["There is no server nowhere."]);
    answers(&alice, "/send Bob", &["Type it like this: /send <player|all|current|+server> <server>"]);
    answers(&alice, "/drawbridge", &["Drawbridge 0.1.0. You can use: version, status, routes, "]);
    answers(&alice, "/send current b", &["On the way to b: 2."]);
    alice.joined_world(2);
    bob.joined_world(2);
    alice.hears_from(2);
    answers(&alice, "/send all home", &["On the way to home: 2."]);
    alice.joined_world(1);
    bob.joined_world(1);
    // Bob may go elsewhere, as everybody; what he may not use is for the server.
    answers(&bob, "/server", &["You are on a. You can go to: a, b."]);
    bob.hears_from(1);
    answers(&bob, "/drawbridge:find Alice", &["There is no command /find for you."]);
    answers(&bob, "/drawbridge:drawbridge reload", &["There is no command /drawbridge for you."]);
    bob.says("/find Alice");
    let _ = world.hears("Bob", "/find Alice");
    assert_eq!(said(&world, "Bob"), ["/find Alice"], "{version}");
    assert_eq!(said(&world, "Alice"), [""; 0], "{version}");
    assert_sound(&[&alice, &bob], &[&world], version);
    drop((alice.leave(), bob.leave()));
}

/// What is offered, in order.
fn offered(player: &NodePlayer<'_>, text: &str) -> Vec<String> {
    let mut offered = player.completes(text);
    offered.sort();
    offered
}

#[test]
fn half_typed_commands_are_completed_by_whoever_has_them() {
    let client = NodeClient::start();
    VERSIONS.iter().for_each(|version| completes(&client, version, has_tree(version)));
}

/// Both have commands completed that they have begun.
fn completes(client: &NodeClient, version: &str, has_tree: bool) {
    let world = world(version);
    let edge = edge().config(format!("{STAFF}{}", route(&world, ""))).start();
    let (alice, bob) = (join(client, "Alice", version, &edge), join(client, "Bob", version, &edge));
    for player in [&alice, &bob] {
        player.joined_world(1);
        player.hears_from(1);
    }
    for (text, expected) in [
        ("/server ", &["a", "b"][..]),
        ("/send B", &["Bob"]),
        ("/send Bob ", &["a", "b"]),
        ("/send ", &["+a", "Alice", "Bob", "all", "current"]),
        ("/find ", &["Alice", "Bob"]),
        ("/glist a", &["a", "all"]),
        ("/drawbridge re", &["reload"]),
        ("/drawbridge targets ", &["home"]),
        ("/drawbridge maintenance home o", &["off", "on"]),
        ("/drawbridge:server B", &["b"]),
        ("/server a b", &[]),
    ] {
        assert_eq!(offered(&alice, text), expected, "{version}: {text}");
    }
    assert!(world.events("tab_complete", "Alice").is_empty(), "{version}: they are the edge's");
    // The server says what it always does.
    assert_eq!(offered(&alice, "/seed "), ["world_1"], "{version}");
    assert_eq!(offered(&bob, "/find "), ["world_1"], "{version}");
    assert_eq!(offered(&bob, "/server B"), ["b"], "{version}");
    assert_eq!(offered(&bob, "/drawbridge:find "), [""; 0], "{version}");
    if has_tree {
        assert_eq!(offered(&alice, "/se"), ["world_1"], "{version}: clients know names by themselves");
    } else {
        assert_eq!(offered(&alice, "/se"), ["/send", "/server", "world_1"], "{version}");
        assert_eq!(offered(&bob, "/se"), ["/server", "world_1"], "{version}");
        assert_eq!(offered(&alice, "/")[..3], ["/drawbridge", "/find", "/glist"], "{version}");
        assert_eq!(offered(&bob, "/drawbridge:"), ["/drawbridge:server", "world_1"], "{version}");
        assert_eq!(offered(&alice, "hello"), ["world_1"], "{version}");
    }
    assert_sound(&[&alice, &bob], &[&world], version);
    drop((alice.leave(), bob.leave()));
}

/// The names of a tree.
fn names(event: &Event) -> Vec<String> {
    let names = event.field("names").as_array().into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

#[test]
fn trees_show_what_a_player_may_use_beside_the_servers_own() {
    let client = NodeClient::start();
    VERSIONS.iter().filter(|version| has_tree(version)).for_each(|version| sees_trees(&client, version));
}

/// Both see trees of a server's with what they may use.
fn sees_trees(client: &NodeClient, version: &str) {
    let world = world(version);
    let edge = edge().config(format!("{STAFF}{}", route(&world, ""))).start();
    let (alice, bob) = (join(client, "Alice", version, &edge), join(client, "Bob", version, &edge));
    for (player, name, own) in [
        (&alice, "Alice", &["drawbridge:server", "drawbridge:send", "find", "glist", "drawbridge"][..]),
        (&bob, "Bob", &["drawbridge:server"]),
    ] {
        player.joined_world(1);
        player.hears_from(1);
        world.declare(name, &["seed", "server", "send"]);
        let expected = [&["seed", "server", "send"], own].concat();
        assert_eq!(names(&player.next("commands")), expected, "{version}");
    }
    // They are the server's there, and the edge's by their full names.
    alice.says("/server b");
    let _ = world.hears("Alice", "/server b");
    answers(&alice, "/drawbridge:send Bob b", &["On the way to b: 1."]);
    bob.joined_world(2);
    bob.hears_from(2);
    world.declare("Bob", &["seed"]);
    assert_eq!(names(&bob.next("commands")), ["seed", "server"], "{version}");
    answers(&bob, "/server a", &[]);
    bob.joined_world(1);
    assert_eq!(said(&world, "Alice"), ["/server b"], "{version}");
    assert_sound(&[&alice, &bob], &[&world], version);
    drop((alice.leave(), bob.leave()));
}

#[test]
fn in_limbo_there_are_the_edges_commands_alone_and_changes_show_at_once() {
    sees!("commands.permissions_file", "commands.default");
    let client = NodeClient::start();
    VERSIONS.iter().for_each(|version| is_in_limbo(&client, version, has_tree(version)));
}

/// Two limbos, and a file of permissions.
const LIMBO: &str = "[commands]\ndefault = [\"find\"]\npermissions_file = \"permissions.toml\"\n\
        [[routes]]\nname = \"void\"\nhosts = [\"*\"]\nmode = \"offline\"\ntargets = []\n\
        session = { limbo = \"always\", trust_claims = true }\n\
        [[routes]]\nname = \"island\"\nhosts = [\"island\"]\nmode = \"offline\"\ntargets = []\nsession.limbo = \"always\"\n";

/// Alice uses commands where no server is, and may use others from one moment to the next.
fn is_in_limbo(client: &NodeClient, version: &str, has_tree: bool) {
    let edge = edge().file("permissions.toml", "").config(LIMBO).start();
    let alice = join(client, "Alice", version, &edge);
    alice.next("joined");
    if has_tree {
        assert_eq!(names(&alice.next("commands")), ["find"], "{version}");
    } else {
        assert_eq!(offered(&alice, "/"), ["/find"], "{version}");
    }
    answers(&alice, "/find alice", &["Alice is on void."]);
    answers(&alice, "/server", &["There is no command /server for you."]);
    answers(&alice, "/dance now", &["There is no command /dance for you."]);
    assert_eq!(offered(&alice, "/dance "), [""; 0], "{version}");
    assert_eq!(offered(&alice, "/find A"), ["Alice"], "{version}");
    let file = "groups.all = { players = [\"alice\"], allow = [\"server\", \"glist\"] }";
    edge.rewrite_file("permissions.toml", file);
    edge.wait_for_message("configuration reloaded");
    if has_tree {
        assert_eq!(names(&alice.next("commands")), ["server", "find", "glist"], "{version}");
    }
    answers(&alice, "/glist all", &["On void (1): Alice"]);
    answers(&alice, "/server", &["You are on void. You can go to: void, island."]);
    alice.says("/server island");
    alice.next("joined");
    answers(&alice, "/find alice", &["Alice is on island."]);
    edge.rewrite_file("permissions.toml", "");
    edge.wait_for_messages("configuration reloaded", 2);
    answers(&alice, "/glist", &["There is no command /glist for you."]);
    assert!(alice.leave().event("disconnect").is_none(), "{version}");
}

#[test]
#[ignore = "run by cargo xtask matrix"]
fn players_of_every_version_use_commands() {
    let known = NodeClient::start().versions();
    let known: Vec<_> = known.into_iter().filter(|(_, number)| ProtocolVersion(*number).is_known()).collect();
    for some in known.chunks(VERSIONS_A_PROCESS) {
        let client = NodeClient::start();
        for (version, number) in some {
            let has_tree = *number >= ProtocolVersion::V1_13.0;
            uses(&client, version);
            completes(&client, version, has_tree);
            if has_tree {
                sees_trees(&client, version);
            }
            is_in_limbo(&client, version, has_tree);
        }
        println!("{some:?}");
    }
}

/// How many players are moved by one command.
const CROWD: usize = 100;

#[test]
fn a_command_moves_a_crowd_and_each_of_it_is_answered() {
    let traffic = Traffic { small: 5, chunks: 0 };
    let [hub, island] =
        [1, 2].map(|number| Host::builder(number).compress(256).pushes(traffic).start().unwrap());
    let config = format!(
        "commands.default = [\"*\"]\n[limits]\nper_address = 2000\nlogin = {{ burst = 10000, per = \"1s\" }}\n\
         [[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n\
         discovery.targets = [{{ identifier = \"hub\", address = \"{}\" }}, {{ identifier = \"island\", address = \"{}\" }}]\n",
        hub.address(),
        island.address()
    );
    let edge = edge().config(config).start();
    let crowd =
        Crowd::of(CROWD, 47).versions(&[47, 340, 404, 758, 763, 764, 775]).join(edge.address()).unwrap();
    crowd.all_at(&hub, LONG);
    crowd.types(0, "/send all island");
    crowd.all_at(&island, LONG);
    crowd.types(0, "/send p0 home");
    crowd.until("has p0 back", LONG, |resident| resident.name != "p0" || resident.is_at(1));
    crowd.types(1, "/send +island home");
    crowd.all_at(&hub, LONG);
    // Those who are there stay: who came anew would be thrown out by their own return.
    crowd.types(2, "/send all home");
    let told = "You are on home already.";
    crowd.until("are told so", LONG, |resident| resident.texts.iter().any(|text| text == told));
    crowd.everyone_types("/glist");
    let counted = format!("On hub: {CROWD}.");
    crowd.until("have counted", LONG, |resident| resident.texts.contains(&counted));
    assert_eq!((crowd.faults(), crowd.gone()), (vec![], vec![]));
    for host in [&hub, &island] {
        assert_eq!(host.faults(), []);
        assert!(host.stays().iter().all(|stay| stay.typed.is_empty()), "they are the edge's");
    }
    assert_eq!(hub.stays().len() + island.stays().len(), 3 * CROWD);
    crowd.everyone_leaves();
}

/// A player whom a session server vouches for.
fn verified<'a>(client: &'a NodeClient, account: &Account, host: &str, edge: &Edge) -> NodePlayer<'a> {
    client.begin(&Join::with_account(account, "1.21.4").host(host).plays_on(OFTEN), edge.address())
}

#[test]
fn a_name_that_is_merely_claimed_is_nobodys_where_the_route_doesnt_trust_it() {
    let client = NodeClient::start();
    let (world, session) = (world("1.21.4"), SessionServer::start().unwrap());
    let account = session.account("Carol");
    let [a, b] = world.addresses() else { panic!("two servers") };
    let route = |name: &str, mode: &str, target, more: &str| {
        format!(
            "[[routes]]\nname = \"{name}\"\nhosts = [\"{name}\"]\nmode = \"{mode}\"\ntargets = [\"{target}\"]\n{more}\n"
        )
    };
    let authentication = format!("authentication = {{ type = \"mojang\", url = \"{}\" }}", session.url());
    let config = [
        format!("{STAFF}[commands.groups.more]\nplayers = [\"{}\"]\nallow = [\"glist\"]\n", account.id()),
        route("open", "offline", a, ""),
        route("secure", "client_only", b, &authentication),
    ];
    let edge = edge().config(config.concat()).start();
    let alice = client.begin(&Join::new("Alice", "1.21.4").host("open").plays_on(OFTEN), edge.address());
    alice.joined_world(1);
    alice.says("/glist");
    let _ = world.hears("Alice", "/glist");
    answers(&alice, "/drawbridge:drawbridge drain", &["There is no command /drawbridge for you."]);
    let carol = verified(&client, &account, "secure", &edge);
    carol.joined_world(2);
    answers(&carol, "/glist", &["Players online: 2."]);
    answers(&carol, "/drawbridge:find Alice", &["There is no command /find for you."]);
    // Who she is she is everywhere.
    carol.says("/server open");
    carol.joined_world(1);
    answers(&carol, "/glist", &["Players online: 2.", ": 2."]);
    assert_sound(&[&alice, &carol], &[&world], "1.21.4");
    drop((alice.leave(), carol.leave()));
}

#[test]
fn trust_where_somebody_vouches_and_rights_that_nobody_has_are_mistakes() {
    let finished = |config: &str| {
        edge().file("broken.toml", "[groups]\nstaff = 7\n").config(config).argument("check").finish()
    };
    let route =
        "[[routes]]\nname = \"a\"\nhosts = [\"*\"]\nmode = \"client_only\"\ntargets = [\"127.0.0.1:1\"]\n";
    for (config, words) in [
        (
            &*format!("{route}session.trust_claims = true\n"),
            "nobody merely claims to be somebody in this mode",
        ),
        ("commands.default = [\"servr\"]", "did you mean \"server\"?"),
        ("commands.groups.staff.players = [\"10.0.0.1\"]", "an address isn't a player"),
        ("commands.permissions_file = \"nowhere.toml\"", "nowhere.toml"),
        ("commands.permissions_file = \"broken.toml\"", "broken.toml:2:9"),
    ] {
        let finished = finished(config);
        assert!(
            !finished.status.success() && finished.stderr.contains(words),
            "{config}: {}",
            finished.stderr
        );
    }
}

/// Texts that begin with their keys, for each that commands are answered with.
fn texts(keys: &[(&str, &[&str])]) -> String {
    let text = |(key, placeholders): &(&str, &[&str])| {
        let shown = placeholders.iter().map(|name| format!("{name}={{{name}}}"));
        format!("notice_{key} = \"<gold>{key}!{}\"", shown.collect::<Vec<_>>().join("|"))
    };
    let texts: Vec<_> = keys.iter().map(text).collect();
    format!("localization.messages.en_us = {{ {} }}", texts.join(", "))
}

#[test]
fn operators_see_and_tell_the_edge_what_ctl_does_in_words_of_the_routes() {
    sees!(
        "routes[].localization(fixed).messages.*.notice_unknown_command",
        "routes[].localization(fixed).messages.*.notice_usage",
        "routes[].localization(fixed).messages.*.notice_nobody",
        "routes[].localization(fixed).messages.*.notice_sent",
        "routes[].localization(fixed).messages.*.notice_found",
        "routes[].localization(fixed).messages.*.notice_online",
        "routes[].localization(fixed).messages.*.notice_online_at",
        "routes[].localization(fixed).messages.*.notice_online_names",
        "routes[].localization(fixed).messages.*.notice_more",
        "routes[].localization(fixed).messages.*.notice_drawbridge",
        "routes[].localization(fixed).messages.*.notice_status",
        "routes[].localization(fixed).messages.*.notice_route",
        "routes[].localization(fixed).messages.*.notice_route_maintained",
        "routes[].localization(fixed).messages.*.notice_target",
        "routes[].localization(fixed).messages.*.notice_player",
        "routes[].localization(fixed).messages.*.notice_kicked",
        "routes[].localization(fixed).messages.*.notice_reloaded",
        "routes[].localization(fixed).messages.*.notice_not_taken_over",
        "routes[].localization(fixed).messages.*.notice_not_reloaded",
        "routes[].localization(fixed).messages.*.notice_draining",
        "routes[].localization(fixed).messages.*.notice_maintained",
        "routes[].localization(fixed).messages.*.notice_not_maintained",
        "routes[].localization(fixed).messages.*.notice_failed",
    );
    let texts = texts(&[
        ("unknown_command", &["command"]),
        ("usage", &["usage"]),
        ("nobody", &["player"]),
        ("sent", &["count", "server"]),
        ("found", &["player", "server"]),
        ("online", &["count"]),
        ("online_at", &["server", "count"]),
        ("online_names", &["server", "count", "players"]),
        ("more", &["count"]),
        ("drawbridge", &["version", "commands"]),
        ("status", &["readiness", "players", "logins", "routes"]),
        ("route", &["route", "mode", "players"]),
        ("route_maintained", &["route", "mode", "players"]),
        ("target", &["target", "route", "health", "players"]),
        ("player", &["player", "route", "version", "server"]),
        ("kicked", &["players"]),
        ("reloaded", &["routes"]),
        ("not_taken_over", &["what"]),
        ("not_reloaded", &["reason"]),
        ("draining", &[]),
        ("maintained", &["route"]),
        ("not_maintained", &["route"]),
        ("failed", &["reason"]),
    ]);
    let client = NodeClient::start();
    let world = world("1.21.4");
    let home = route(&world, &texts);
    let file = "groups.staff = { players = [\"Alice\"], allow = [\"*\"] }\n";
    let config = format!("commands.permissions_file = \"permissions.toml\"\n{home}");
    let mut edge = edge().file("permissions.toml", file).config(&config).start();
    let alice = join(&client, "Alice", "1.21.4", &edge);
    alice.joined_world(1);
    let bob = join(&client, "Bob", "1.21.4", &edge);
    bob.joined_world(1);
    // Whose name that is the edge doesn't know: it is the server's.
    alice.says("/drawbridge:dance");
    let _ = world.hears("Alice", "/drawbridge:dance");
    for (typed, lines) in [
        ("/drawbridge dance", &["unknown_command!command=drawbridge dance"][..]),
        ("/drawbridge maintenance home perhaps", &["usage!usage=/drawbridge maintenance <route> "]),
        ("/find Carol", &["nobody!player=Carol"]),
        ("/find Bob", &["found!player=Bob|server=a"]),
        ("/send Bob b", &["sent!count=1|server=b"]),
        ("/drawbridge version", &["drawbridge!version=0.1.0|commands=version, status, "]),
        ("/drawbridge status", &["status!readiness=ready|players=2|logins=0|routes=1"]),
        ("/drawbridge routes", &["route!route=home|mode=offline|players=2"]),
        ("/drawbridge targets nowhere", &["failed!reason=no route is named \"nowhere\""]),
        ("/drawbridge maintenance home on", &["maintained!route=home"]),
        ("/drawbridge routes", &["route_maintained!route=home|mode=offline|players=2"]),
        ("/drawbridge maintenance home configured", &["not_maintained!route=home"]),
        ("/drawbridge kick Carol", &["nobody!player=Carol"]),
    ] {
        answers(&alice, typed, lines);
    }
    bob.joined_world(2);
    for (typed, lines) in [
        ("/glist", &["online!count=2", "online_at!server=a|count=1", "online_at!server=b|count=1"][..]),
        ("/glist b", &["online_names!server=b|count=1|players=Bob"]),
        (
            "/drawbridge targets home",
            &[
                "target!target=a|route=home|health=unknown|players=1",
                "target!target=b|route=home|health=unknown|players=1",
            ],
        ),
        (
            "/drawbridge players",
            &[
                "player!player=Alice|route=home|version=1.21.4|server=a",
                "player!player=Bob|route=home|version=1.21.4|server=b",
            ],
        ),
        ("/drawbridge kick Bob too loud", &["kicked!players=Bob"]),
    ] {
        answers(&alice, typed, lines);
    }
    assert!(bob.ended().kicked().contains("too loud"));
    reloads(&edge, &alice, &config, file);
    assert_sound(&[&alice], &[&world], "1.21.4");
    assert_eq!(said(&world, "Alice"), ["/drawbridge:dance"]);
    alice.says("/drawbridge drain");
    edge.wait_for_message("stopping");
    let visit = alice.ended();
    let read = |event: &Event| event.field("text").as_str() == Some("draining!");
    assert!(visit.events.iter().any(read), "{:#?}", visit.events);
    assert_eq!(visit.transferred().0, "127.0.0.1", "they come back by themselves");
    assert!(edge.exit(Duration::from_secs(10)).success());
}

/// Has the edge read what changes, what is mistaken, and much.
fn reloads(edge: &Edge, alice: &NodePlayer<'_>, config: &str, file: &str) {
    answers(alice, "/drawbridge reload", &["reloaded!routes=1"]);
    edge.rewrite_file("permissions.toml", "groups.staff = 7\n");
    let told = answers_by(alice, "/drawbridge reload", "not_reloaded!reason=");
    assert!(told.contains("permissions.toml:1: expected a table"), "{told}");
    edge.rewrite_file("permissions.toml", file);
    let routes: String = (0..30)
        .map(|number| {
            format!("[[routes]]\nname = \"r{number}\"\nhosts = [\"r{number}\"]\nmode = \"offline\"\ntargets = [\"127.0.0.1:1\"]\n")
        })
        .collect();
    edge.rewrite(format!("threads = 1\n{config}{routes}"));
    answers(alice, "/drawbridge reload", &["reloaded!routes=31", "not_taken_over!what=threads"]);
    answers(alice, "/drawbridge routes", &["route!route=home", "more!count=11"]);
}
