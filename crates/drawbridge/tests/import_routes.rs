//! What is imported starts, and routes as the program did: the examples of `import.rs`, with targets of this machine's in the
//! place of theirs.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{
    Account, Backend, Edge, Forwarded, Join, NodeClient, NodeWorld, PATIENCE, Player, Served, SessionServer,
    eventually, workspace,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::edge;
use tempfile::TempDir;
use uuid::Uuid;

/// What Velocity and its servers know each other by.
const SECRET: &str = "a secret of these tests";

/// In place of what authenticates players: who carries them has to ask nobody, so that they come without an account.
const CLAIMED: [(&str, &str); 5] = [
    ("online-mode = true", "online-mode = false"),
    ("online_mode: true", "online_mode: false"),
    ("remote_ping_cache: 2000", "online_mode: false"),
    ("onlineMode: true", "onlineMode: false"),
    ("\"client_only\"", "\"offline\""),
];

/// An example: its targets as they stand in it, and where hosts lead. What a program's own documentation says of which target is
/// tried first, is the one named.
struct Example {
    name: &'static str,
    targets: &'static [&'static str],
    hosts: &'static [(&'static str, &'static str)],
}

/// Everything that carries players.
const CARRIED: [Example; 13] = [
    Example {
        name: "infrarust",
        targets: &[
            "10.0.1.10:25565",
            "\"10.0.1.11\"",
            "10.0.2.1:25565",
            "10.0.2.2:25565",
            "10.0.2.3:25565",
            "10.0.3.1:25565",
        ],
        hosts: &[
            ("survival.example.com", "10.0.1.10:25565"),
            ("eu.survival.example.com", "10.0.1.10:25565"),
            ("games.example.com", "10.0.3.1:25565"),
            ("lobby.example.com", "10.0.2."),
        ],
    },
    Example {
        name: "mc-router",
        targets: &["lobby:25565", "vanilla:25565", "\"forge\"", "unix:/run/server.sock"],
        hosts: &[
            ("vanilla.example.com", "vanilla:25565"),
            ("forge.example.com", "\"forge\""),
            ("ftb.example.com", "\"forge\""),
            ("whatever.example.net", "lobby:25565"),
        ],
    },
    Example {
        name: "mc-router-compose",
        targets: &["vanilla:25565", "forge:25566", "lobby:25565"],
        hosts: &[
            ("vanilla.example.com", "vanilla:25565"),
            ("FORGE.example.com", "forge:25566"),
            ("127.0.0.1", "lobby:25565"),
        ],
    },
    Example {
        name: "mc-router-command",
        targets: &["10.0.0.1:25565", "10.0.0.2:25565", "10.0.0.3"],
        hosts: &[
            ("vanilla.example.com", "10.0.0.1:25565"),
            ("forge.example.com\0FML3\0", "10.0.0.2:25565"),
            ("sky.example.com", "10.0.0.3"),
        ],
    },
    Example {
        name: "gate-lite",
        targets: &["10.0.0.10:25565", "10.0.0.3:25565", " 10.0.0.4", "backend.example.com:25566"],
        hosts: &[
            ("other.example.com", "10.0.0.10:25565"),
            ("localhost", "backend.example.com:25566"),
            ("example.com", "backend.example.com:25566"),
            ("elsewhere.example.org", "10.0.0.10:25565"),
        ],
    },
    Example {
        name: "gate",
        targets: &["10.0.0.1:25566", "10.0.0.2:25567", "10.0.0.3:25568"],
        hosts: &[
            ("survival.example.com", "10.0.0.2:25567"),
            ("missing.example.com", "10.0.0.2:25567"),
            ("play.example.com", "10.0.0.1:25566"),
        ],
    },
    Example {
        name: "velocity",
        targets: &["127.0.0.1:30066", "127.0.0.1:30067", "127.0.0.1:30068"],
        hosts: &[
            ("lobby.example.com", "127.0.0.1:30066"),
            ("factions.example.com", "127.0.0.1:30067"),
            ("minigames.example.com", "127.0.0.1:30066"),
        ],
    },
    Example {
        name: "velocity-1",
        targets: &["127.0.0.1:30066", "127.0.0.1:30067"],
        hosts: &[
            ("f.example.com", "127.0.0.1:30067"),
            ("factions.example.com", "127.0.0.1:30067"),
            ("play.example.com", "127.0.0.1:30066"),
        ],
    },
    Example {
        name: "infrarust-sessions",
        targets: &["10.0.1.1:25565", "10.0.1.2:25565", "10.0.2.1:25565", "10.0.4.1:25565"],
        hosts: &[
            ("play.example.com", "10.0.1."),
            ("arena.example.com", "10.0.2.1:25565"),
            ("mines.invalid", "10.0.4.1:25565"),
        ],
    },
    Example {
        name: "bungeecord",
        targets: &["localhost:25566", "localhost:25567", "localhost:25568"],
        hosts: &[("PvP.example.com", "localhost:25567"), ("play.example.com", "localhost:25566")],
    },
    Example {
        name: "bungeecord-passing",
        targets: &[" 10.0.0.1"],
        hosts: &[("play.example.com", " 10.0.0.1")],
    },
    Example { name: "infrared-1", targets: &[":8080"], hosts: &[("creative.example.com", ":8080")] },
    Example {
        name: "infrared",
        targets: &["10.0.0.1:25565", "10.0.0.2:25565", "[10.0.0.9]"],
        hosts: &[
            ("survival.example.com", "10.0.0.1:25565"),
            ("eu-1.example.com", "10.0.0.1:25565"),
            ("us-1.example.com", "[10.0.0.9]"),
        ],
    },
];

/// The files of a configuration that was imported.
struct Imported {
    files: BTreeMap<String, String>,
    /// Holds what they name by its path, which secrets are.
    _folder: TempDir,
}

/// A copy of an example with other words in it, imported.
fn imported(example: &str, words: &[(String, String)]) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    copy(&workspace().join("crates/drawbridge/tests/import").join(example).join("source"), &source, words);
    taken_over(folder)
}

/// What the folder `source` of a folder comes to.
fn taken_over(folder: TempDir) -> Imported {
    let source = folder.path().join("source");
    let output = folder.path().join("edge");
    let command = source.join("mc-router.txt");
    let done = Command::new(env!("CARGO_BIN_EXE_drawbridge"))
        .arg("import")
        .arg(if command.exists() { &command } else { &source })
        .arg("--output")
        .arg(&output)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut files = BTreeMap::new();
    files.insert("drawbridge.toml".to_owned(), fs::read_to_string(output.join("drawbridge.toml")).unwrap());
    for entry in fs::read_dir(output.join("routes")).unwrap() {
        let entry = entry.unwrap();
        let name = format!("routes/{}", entry.file_name().to_string_lossy());
        files.insert(name, fs::read_to_string(entry.path()).unwrap());
    }
    Imported { files, _folder: folder }
}

fn copy(from: &Path, to: &Path, words: &[(String, String)]) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to, words);
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            let text = words.iter().fold(text, |text, (from, to)| text.replace(from, to));
            fs::write(to, text).unwrap();
        }
    }
}

/// An edge with these files. Of the main one everything stays but where it listens and whom it lets in, which a test has to choose,
/// and rates, which it would meet.
fn started(Imported { files, .. }: &Imported) -> Edge {
    let chosen = [
        "bind = ",
        "trusted = ",
        "allow = ",
        "deny = ",
        "login = ",
        "status = {",
        "transfer = {",
        "log = ",
        "otlp = ",
    ];
    let stays = |line: &&str| !chosen.iter().any(|key| line.starts_with(key));
    let main = &files["drawbridge.toml"];
    let main: String = main.lines().filter(stays).map(|line| format!("{line}\n")).collect();
    let main = main.replace("[telemetry]", "[telemetry]\nlog = \"debug\"\nformat = \"json\"");
    let routes = files.iter().filter(|(name, _)| *name != "drawbridge.toml");
    let from_here = |text: &str| text.replace("allow = [\"198.51.100.0/24\"]", "allow = [\"127.0.0.0/8\"]");
    routes.fold(edge().config(main), |edge, (name, text)| edge.file(name, from_here(text))).start()
}

#[test]
fn players_get_where_the_program_sent_them() {
    for example in CARRIED {
        let backends: Vec<_> =
            example.targets.iter().map(|target| (*target, Backend::start().unwrap())).collect();
        let in_place = |target: &str, backend: &Backend| {
            let address = backend.address().to_string();
            // Quotes and brackets around a target without port keep others alone that begin like it.
            match target.chars().next() {
                Some('"') => format!("\"{address}\""),
                Some('[') => format!("[\"{address}\"]"),
                Some(' ') => format!(" {address}"),
                _ => address,
            }
        };
        let words: Vec<_> = backends
            .iter()
            .map(|(target, backend)| ((*target).to_owned(), in_place(target, backend)))
            .collect();
        let claimed = CLAIMED.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        let imported = imported(example.name, &words.into_iter().chain(claimed).collect::<Vec<_>>());
        let edge = started(&imported);
        for (host, expected) in example.hosts {
            let arrived = || backends.iter().map(|(_, backend)| backend.arrived()).collect::<Vec<_>>();
            let before = arrived();
            let connection = Player::new("Alice", 767).host(host).knock(edge.address()).unwrap();
            let after = eventually(PATIENCE, || Some(arrived()).filter(|after| *after != before));
            let after = after.unwrap_or_else(|| panic!("{}: {host:?} led nowhere", example.name));
            let place = after.iter().zip(&before).position(|(after, before)| after != before).unwrap();
            assert!(
                backends[place].0.starts_with(expected),
                "{}: {host:?} led to {}",
                example.name,
                backends[place].0
            );
            drop(connection);
        }
    }
}

/// A host of which the target couldn't be taken over is nobody else's: its players don't reach the default route's.
#[test]
fn a_host_without_target_leads_nowhere() {
    let lobby = Backend::start().unwrap();
    let words = [("lobby:25565".to_owned(), lobby.address().to_string())];
    let edge = started(&imported("mc-router", &words));
    let visit = Player::new("Alice", 767).host("broken.example.com").join(edge.address());
    assert!(!visit.kicked().is_empty());
    assert_eq!(lobby.arrived(), 0);
}

/// Of the long example the services are left out that would have to be asked: the session server and an action.
#[test]
fn a_route_of_passage_chooses_players_and_targets_as_before() {
    let words = [
        ("type: mojang\n      server_id: \"\"", "type: disabled"),
        (
            "        - type: grpc\n          name: \"queue\"\n          address: \"queue.internal:50051\"\n",
            "",
        ),
        // Of the others nobody joins; a cluster isn't there.
        ("type: agones_discovery", "type: fixed_discovery\n      targets: []\n      was:"),
    ];
    let words: Vec<_> = words.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let edge = started(&imported("passage", &words));
    let join = |name: &str, host: &str| Player::new(name, 769).host(host).join(edge.address());
    assert_eq!(join("Alice", "play.example.com").transferred(), ("10.0.1.10", 25565), "the one in Europe");
    for (name, words) in [("Griefer", "can't join"), ("Bot_7", "can't join")] {
        let told = join(name, "play.example.com").kicked().to_owned();
        assert!(told.contains(words), "{name}: {told}");
    }
    let other = join("Alice", "elsewhere.example.org");
    assert!(!other.kicked().is_empty(), "the last route has the others, and its discovery isn't there");
}

#[test]
fn players_of_passage_are_handed_over_as_before() {
    let words =
        [("[routes.discovery]", "[routes.authentication]\ntype = \"disabled\"\n\n[routes.discovery]")];
    let words: Vec<_> = words.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let edge = started(&imported("passage-toml", &words));
    for host in ["play.example.com", "127.0.0.1"] {
        let visit =
            Player::new("Alice", 767).host(host).patience(Duration::from_secs(10)).join(edge.address());
        assert_eq!(visit.transferred(), ("hub.internal", 25565), "{host}");
    }
}

/// Who plays on a network of Velocity's goes on to: as whom the servers know them, what `/server` says, and where they fall back.
#[test]
fn a_network_of_velocitys_goes_on_as_it_was() {
    let served = Served::version("1.21.4").forwarding(&Forwarded::velocity(SECRET));
    let world = NodeWorld::numbered_from(1, vec![served; 3], None);
    let [lobby, factions, games] = [1, 2, 3].map(|number| world.address(number));
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("forwarding.secret"), format!("{SECRET}\n")).unwrap();
    let config = format!(
        "config-version = \"2.7\"\nbind = \"0.0.0.0:25577\"\nonline-mode = true\nplayer-info-forwarding-mode = \"modern\"\n\
         forwarding-secret-file = \"forwarding.secret\"\n[servers]\nlobby = \"{lobby}\"\nfactions = \"{factions}\"\n\
         games = \"{games}\"\ntry = [\"lobby\"]\n[forced-hosts]\n\"factions.example.com\" = [\"factions\"]\n\
         [advanced]\ncompression-threshold = 64\n"
    );
    fs::write(source.join("velocity.toml"), config).unwrap();
    let mut imported = taken_over(folder);
    // Mojang isn't asked by tests.
    let session = SessionServer::start().unwrap();
    let asked = format!("[routes.authentication]\nurl = \"{}\"\n\n[routes.session]", session.url());
    for text in imported.files.values_mut() {
        *text = text.replace("[routes.session]", &asked);
    }
    let edge = started(&imported);
    let client = NodeClient::start();
    let join = |account: &Account, host: &str| {
        let join = Join::with_account(account, "1.21.4").host(host).plays_on(Duration::from_millis(20));
        client.begin(&join, edge.address())
    };

    let account = session.account("Alice");
    let alice = join(&account, "play.example.com");
    alice.joined_world(1);
    alice.says("/server");
    alice.reads("You are on lobby. You can go to: lobby, factions, games.");
    alice.says("/server factions");
    alice.joined_world(2);
    alice.says("/server games");
    alice.joined_world(3);
    alice.hears_from(3);
    let logins = world.logins("Alice", 3);
    assert_eq!(logins.len(), 3);
    for login in logins {
        let forwarded = login.field("forwarded");
        assert_eq!(forwarded["address"], "127.0.0.1", "{login:?}");
        assert_eq!(Uuid::parse_str(forwarded["uuid"].as_str().unwrap()), Ok(account.id()), "{login:?}");
        let properties = forwarded["properties"].as_array().unwrap();
        assert!(properties.iter().any(|property| property["name"] == "textures"), "{login:?}");
    }
    world.kick("Alice", "too loud");
    alice.joined_world(1);
    alice.reads("too loud");

    // The route of a host is named as its server, and shows once.
    let account = session.account("Bob");
    let bob = join(&account, "factions.example.com");
    bob.joined_world(2);
    bob.says("/server");
    bob.reads("You are on factions. You can go to: factions, games, lobby.");
    for player in [alice, bob] {
        assert!(player.troubles().is_empty(), "{:#?}", player.troubles());
        drop(player.leave());
    }
    assert!(world.errors().is_empty() && world.troubles().is_empty(), "{:#?}", world.troubles());
    assert_eq!(session.joins(), 2, "the edge authenticates, once for each");
}

/// A server that nobody joined by a host isn't joined while those are down to which hosts lead: it is there for `/server` alone.
#[test]
fn who_joins_is_brought_nowhere_else() {
    let (lobby, other) = (Backend::nobody().unwrap(), Backend::start().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    let config = format!(
        "config-version = \"2.7\"\nonline-mode = false\n[servers]\nlobby = \"{lobby}\"\nother = \"{}\"\ntry = [\"lobby\"]\n",
        other.address()
    );
    fs::write(source.join("velocity.toml"), config).unwrap();
    let edge = started(&taken_over(folder));
    let _waits = Player::new("Alice", 767).knock(edge.address()).unwrap();
    edge.wait_for_messages("session began", 1);
    let began = edge.log().into_iter().find(|line| line.message() == Some("session began")).unwrap();
    assert_eq!(began.field("address").as_deref(), Some("limbo"), "{began}");
    assert_eq!(other.arrived(), 0);
}
