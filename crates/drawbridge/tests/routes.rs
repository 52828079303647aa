//! What a route may say, each key by its effect on a player.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::packet::configuration::AddResourcePack;
use drawbridge_protocol::profile::{Property, offline_uuid};
use drawbridge_testkit::{
    Backend, Connection, Deviation, Edge, Join, NodeClient, Outcome, PackAnswer, Player, SessionServer,
    Tarpit, Trouble, Web, eventually, ping, sees,
};
use std::time::Duration;
use support::{HUB, edge, open_lobby, route, turned_away};

const OPEN: &str = "[routes.authentication]\ntype = \"disabled\"\n";

fn join(edge: &Edge, name: &str) -> drawbridge_testkit::Visit {
    Player::new(name, 767).join(edge.address())
}

#[test]
fn disabled_authentication_takes_the_claim_and_asks_nobody() {
    sees!("routes[].authentication.type", "routes[].mode");
    let edge = edge().config(open_lobby()).start();
    let visit = Player::new("Notch", 767).claims_id(uuid::Uuid::from_u128(7)).join(edge.address());
    assert_eq!(visit.transferred(), HUB);
    assert!(!visit.encryption().unwrap().should_authenticate, "the client isn't sent to the session server");
    let profile = visit.profile().unwrap();
    assert_eq!(profile.id.to_string(), "b50ad385-829d-3141-a216-7e7d7539ba7f", "vanilla's offline UUID");
    assert!(profile.properties.is_empty());
    let node = NodeClient::start().join(&Join::new("Notch", "1.21.1"), edge.address());
    assert_eq!(node.transferred(), (HUB.0, HUB.1.into()));
    assert_eq!(node.event("success").unwrap().field("uuid"), "b50ad385-829d-3141-a216-7e7d7539ba7f");
}

/// A claim that nobody vouched for is not something to prove later.
#[test]
fn a_claim_is_given_no_cookie_that_proves_it() {
    let edge = edge().config(format!("{}{}", support::COOKIES, open_lobby())).start();
    let visit = join(&edge, "Alice");
    assert_eq!(visit.transferred(), HUB);
    assert!(!visit.jar.contains_key(support::AUTHENTICATION));
    let again = Player::new("Alice", 767).sent_on(&visit.jar).join(edge.address());
    assert_eq!(again.transferred(), HUB);
}

#[test]
fn fixed_authentication_makes_everybody_the_same_player() {
    sees!(
        "routes[].authentication(fixed).profile.id",
        "routes[].authentication(fixed).profile.name",
        "routes[].authentication(fixed).profile.properties[].name",
        "routes[].authentication(fixed).profile.properties[].value",
        "routes[].authentication(fixed).profile.properties[].signature",
    );
    let profile = "[routes.authentication]\ntype = \"fixed\"\n\
        profile = { id = \"069a79f4-44e9-4726-a5be-fca90e38aaf5\", name = \"Herobrine\", \
        properties = [{ name = \"textures\", value = \"dmFsdWU=\", signature = \"c2lnbmVk\" }] }\n";
    let edge = edge().config(route("lobby", profile)).start();
    let profile = join(&edge, "Alice").profile().unwrap();
    assert_eq!(
        (profile.name.as_str(), profile.id.to_string().as_str()),
        ("Herobrine", "069a79f4-44e9-4726-a5be-fca90e38aaf5")
    );
    let textures =
        Property { name: "textures".into(), value: "dmFsdWU=".into(), signature: Some("c2lnbmVk".into()) };
    assert_eq!(profile.properties, [textures]);
}

#[test]
fn fixed_authentication_without_a_profile_refuses_everybody() {
    let edge = edge().config(route("lobby", "[routes.authentication]\ntype = \"fixed\"\n")).start();
    let visit = join(&edge, "Alice");
    assert!(visit.kicked().starts_with("Your account couldn't be verified."), "{}", visit.kicked());
    assert!(visit.profile().is_none());
}

#[test]
fn names_and_versions_and_addresses_can_be_bounded() {
    sees!("routes[].names", "routes[].versions", "routes[].access.allow", "routes[].access.deny");
    let rules = "names = \"^\\\\.?[A-Za-z]{1,12}$\"\nversions = \"1.21..=1.21.5\"\n\
        access = { allow = [\"127.0.0.0/24\"], deny = [\"127.0.0.2\"] }\n";
    let edge = edge().config(route("lobby", &format!("{rules}{OPEN}"))).start();
    assert_eq!(join(&edge, ".Alice").transferred(), HUB);
    assert!(join(&edge, "Alice_1").kicked().starts_with("The name Alice_1 can't be used"));
    for (version, joins) in [(766, false), (767, true), (770, true), (771, false), (777, false)] {
        let visit = Player::new("Alice", version).join(edge.address());
        if joins {
            assert_eq!(visit.transferred(), HUB, "{version}");
        } else {
            assert!(visit.kicked().starts_with("This server can't be joined with Minecraft"), "{version}");
        }
    }
    for from in [[127, 0, 0, 2], [127, 0, 1, 1]] {
        let visit = Player::new("Alice", 767).from(from).join(edge.address());
        assert!(visit.kicked().starts_with("You can't join from your network."), "{}", visit.kicked());
    }
    assert_eq!(Player::new("Alice", 767).from([127, 0, 0, 3]).join(edge.address()).transferred(), HUB);
}

/// Whom a route keeps out learns nothing of it, however old the client.
#[test]
fn addresses_are_bounded_for_the_server_list_and_legacy_clients_too() {
    sees!("routes[].access.deny");
    let edge =
        edge().config(route("lobby", &format!("access = {{ deny = [\"127.0.0.2\"] }}\n{OPEN}"))).start();
    let version = ProtocolVersion::V1_21;
    let open = |from: [u8; 4]| Connection::open_from(from.into(), edge.address(), version).unwrap();
    let (permitted, denied) = ([127, 0, 0, 1], [127, 0, 0, 2]);
    open(permitted).status("localhost").unwrap();
    assert!(turned_away(open(denied).status("localhost")));

    let answer = |from: [u8; 4], bytes: &[u8]| {
        let mut connection = open(from);
        connection.raw(bytes).unwrap();
        connection.rest().unwrap()
    };
    let legacy_ping = [0xfe, 0x01];
    assert_eq!(answer(permitted, &legacy_ping)[0], 0xff);
    assert!(answer(denied, &legacy_ping).is_empty());

    let legacy_login = [&[2][..], &[0, 5], b"\0A\0l\0i\0c\0e"].concat();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\0', "");
    let told = text(answer(permitted, &legacy_login));
    assert!(told.contains("This server can't be joined with"), "{told}");
    let told = text(answer(denied, &legacy_login));
    assert!(told.contains("You can't join from your network."), "{told}");
}

#[test]
fn the_first_target_by_priority_and_then_as_written() {
    sees!(
        "routes[].name",
        "routes[].discovery.type",
        "routes[].discovery(fixed).targets[].identifier",
        "routes[].discovery(fixed).targets[].address",
        "routes[].discovery(fixed).targets[].priority",
        "routes[].discovery(fixed).targets[].meta.*",
        "routes[].transfer.address.meta",
    );
    let route = format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\n{OPEN}\
        [routes.discovery]\ntype = \"fixed\"\ntargets = [\n\
        {{ identifier = \"later\", address = \"10.0.0.1:1\", priority = 5, meta = {{ public = \"later.example.com:1\" }} }},\n\
        {{ identifier = \"first\", address = \"10.0.0.2:2\", priority = 1, meta = {{ public = \"first.example.com:2\" }} }},\n\
        {{ identifier = \"second\", address = \"10.0.0.3:3\", priority = 1, meta = {{ public = \"second.example.com:3\" }} }},\n]\n"
    );
    let plain = edge().config(&route).start();
    assert_eq!(join(&plain, "Alice").transferred(), ("10.0.0.2", 2));
    let line = plain.wait_for_message("handed over");
    assert_eq!(line.field("target").as_deref(), Some("first"));
    assert_eq!(line.field("route").as_deref(), Some("lobby"));
    let public =
        edge().config(format!("{route}[routes.transfer]\naddress = {{ meta = \"public\" }}\n")).start();
    assert_eq!(join(&public, "Alice").transferred(), ("first.example.com", 2));
}

#[test]
fn a_probed_target_has_to_accept_a_connection() {
    sees!("routes[].transfer.probe");
    let (backend, nobody, slow) =
        (Backend::start().unwrap(), Backend::nobody().unwrap(), Tarpit::start().unwrap());
    let probing = |targets: &[std::net::SocketAddr]| {
        let targets: Vec<String> = targets.iter().map(|target| format!("\"{target}\"")).collect();
        format!(
            "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\ntargets = [{}]\n{OPEN}\
             [routes.transfer]\nprobe = true\n",
            targets.join(", ")
        )
    };
    let second = edge().config(probing(&[nobody, slow.address().unwrap(), backend.address()])).start();
    assert_eq!(join(&second, "Alice").transferred(), ("127.0.0.1", backend.address().port()));
    eventually(Duration::from_secs(5), || (backend.arrived() == 1).then_some(())).expect("it was probed");
    let again = join(&second, "Bob");
    assert_eq!(again.transferred(), ("127.0.0.1", backend.address().port()));
    assert!(again.took < Duration::from_secs(2), "it waited again for what had failed: {:?}", again.took);
    let none = edge().config(probing(&[nobody])).start();
    let text = join(&none, "Alice");
    assert!(
        text.kicked().starts_with("The server that you were on your way to can't be reached"),
        "{}",
        text.kicked()
    );
    let unasked = edge().config(probing(&[nobody]).replace("probe = true", "probe = false")).start();
    assert_eq!(join(&unasked, "Alice").transferred(), ("127.0.0.1", nobody.port()));
}

const PACKS: &str = "[routes.transfer]\nresource_packs = [\n\
    { url = \"http://127.0.0.1:1/a.zip\", sha1 = \"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12\", prompt = \"<red>Take it\" },\n\
    { url = \"http://127.0.0.1:1/b.zip\", sha1 = \"de9f2c7fd25e1b3afad3e85a0bd17d9b100db4b3\", required = false },\n]\n";

#[test]
fn resource_packs_are_offered_before_the_hand_over() {
    sees!(
        "routes[].transfer.resource_packs[].url",
        "routes[].transfer.resource_packs[].sha1",
        "routes[].transfer.resource_packs[].required",
        "routes[].transfer.resource_packs[].prompt",
    );
    let edge = edge().config(route("lobby", &format!("{OPEN}{PACKS}"))).start();
    for version in 766..=775 {
        let visit = Player::new("Alice", version).join(edge.address());
        assert_eq!(visit.transferred(), HUB);
        let offered: Vec<AddResourcePack> = visit
            .heard
            .iter()
            .filter(|packet| packet.kind() == Some(Kind::AddResourcePack))
            .map(|packet| packet.read().unwrap())
            .collect();
        let [first, second] = &offered[..] else { panic!("{offered:#?}") };
        assert_eq!(first.url, "http://127.0.0.1:1/a.zip");
        assert_eq!(first.hash, "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
        assert_eq!(first.prompt.as_ref().unwrap().to_plain(), "Take it");
        assert!(first.forced && !second.forced && second.prompt.is_none());
    }
    let node = NodeClient::start();
    let takes = node.join(&Join::new("Bob", "1.21.4").packs(&[3, 4, 0]), edge.address());
    assert_eq!(takes.transferred(), (HUB.0, HUB.1.into()));
    assert_eq!(takes.event("resource_pack").unwrap().field("url"), "http://127.0.0.1:1/b.zip");
    let declines = node.join(&Join::new("Bob", "1.21.4").packs(&[1]), edge.address());
    assert!(declines.kicked().starts_with("This server needs its resource pack."), "{}", declines.kicked());
}

/// Of the newest version the packet isn't known. Who would have to take a pack is told so before anything else happens.
#[test]
fn a_version_that_cannot_be_offered_a_pack_joins_where_none_is_required() {
    let required = edge().config(route("lobby", &format!("{OPEN}{PACKS}"))).start();
    let optional = PACKS.replace("prompt = \"<red>Take it\"", "required = false");
    let optional = edge().config(route("lobby", &format!("{OPEN}{optional}"))).start();
    let visit = Player::new("Alice", 777).join(required.address());
    let told = "This server can't be joined with Minecraft 26.3. Please join with 1.20.5–26.2";
    assert!(visit.kicked().starts_with(told), "{}", visit.kicked());
    assert_eq!(visit.kinds(), ["disconnect"], "not even encryption is asked for");
    let visit = Player::new("Alice", 777).join(optional.address());
    assert_eq!(visit.transferred(), HUB);
    assert!(!visit.kinds().contains(&Kind::AddResourcePack.name()));
    for edge in [&required, &optional] {
        let visit = Player::new("Alice", 776).join(edge.address());
        assert_eq!(visit.transferred(), HUB);
        assert!(visit.kinds().contains(&Kind::AddResourcePack.name()));
    }
}

#[test]
fn who_declines_a_required_pack_stays_outside() {
    let edge = edge().config(route("lobby", &format!("{OPEN}{PACKS}"))).start();
    for answer in [PackAnswer::Declines, PackAnswer::FailsToLoad] {
        let visit = Player::new("Alice", 770).packs(answer).join(edge.address());
        assert!(visit.kicked().starts_with("This server needs its resource pack."), "{answer:?}");
    }
    let silent = Player::new("Alice", 770).packs(PackAnswer::Ignores).patience(Duration::from_secs(1));
    let visit = silent.join(edge.address());
    assert!(
        matches!(visit.outcome, Outcome::Ended(Trouble::Silence(_))),
        "an answer is waited for: {visit:#?}"
    );
    let optional = PACKS.replace("prompt = \"<red>Take it\"", "required = false");
    let lax = support::edge().config(route("lobby", &format!("{OPEN}{optional}"))).start();
    let visit = Player::new("Alice", 770).packs(PackAnswer::Declines).join(lax.address());
    assert_eq!(visit.transferred(), HUB);
}

#[test]
fn texts_can_be_replaced_and_other_locales_be_the_default() {
    sees!(
        "routes[].localization.type",
        "routes[].localization(fixed).default_locale",
        "routes[].localization(fixed).messages.*.disconnect_version",
        "routes[].localization(fixed).messages.*.disconnect_no_target",
    );
    let texts = "[routes.localization]\ntype = \"fixed\"\ndefault_locale = \"de_de\"\n\
        messages = { de_de = { disconnect_version = \"<red>Zu alt: {version}\" }, \
        fr_fr = { disconnect_no_target = \"Rien pour {name}\" } }\n";
    let nowhere =
        route("lobby", &format!("{OPEN}{texts}")).replace("targets = [\"hub.example.com:25570\"]\n", "");
    let edge = edge().config(nowhere).start();
    assert_eq!(Player::new("Alice", 47).join(edge.address()).kicked(), "Zu alt: 1.8–1.8.9");
    for (locale, text) in [
        ("fr_fr", "Rien pour Alice"),
        ("FR_CA", "Rien pour Alice"),
        ("de_de", "Gerade ist kein Server"),
        ("xx_xx", "Gerade ist kein Server"),
        ("es_mx", "Ahora mismo no hay ningún servidor"),
        ("", "Gerade ist kein Server"),
        ("../../etc", "Gerade ist kein Server"),
    ] {
        let visit = Player::new("Alice", 767).locale(locale).join(edge.address());
        assert!(visit.kicked().starts_with(text), "{locale:?}: {}", visit.kicked());
    }
}

/// Who never says a language is waited for a moment, and then told in the default one.
#[test]
fn who_says_no_language_reads_the_default_one() {
    let texts = "[routes.localization]\ndefault_locale = \"de_de\"\n";
    let nowhere =
        route("lobby", &format!("{OPEN}{texts}")).replace("targets = [\"hub.example.com:25570\"]\n", "");
    let edge = edge().config(nowhere).start();
    let visit = Player::new("Alice", 767).but(Deviation::NoInformation).join(edge.address());
    assert!(visit.kicked().starts_with("Gerade ist kein Server"), "{}", visit.kicked());
    assert!(visit.took > Duration::from_millis(1900), "nobody waited: {:?}", visit.took);
    assert!(visit.took < Duration::from_secs(5), "{:?}", visit.took);
}

/// A name is shown as text, whatever it looks like.
#[test]
fn what_a_player_says_is_never_markup() {
    let texts = "[routes.localization]\nmessages = { en_us = { disconnect_name = \"No {name}!\" } }\n";
    let edge = edge().config(route("lobby", &format!("{OPEN}{texts}"))).start();
    for name in ["<red>a</red>", "{host}", "\"},{\"", "\\u00a7c"] {
        let visit = Player::new(name, 767).join(edge.address());
        assert_eq!(visit.kicked(), format!("No {name}!"));
    }
}

#[test]
fn the_favicon_comes_from_a_url_too_and_is_asked_for_until_it_comes() {
    sees!("routes[].status(fixed).favicon", "routes[].status.type");
    let web = Web::start(404, b"").unwrap();
    let status = format!("{OPEN}[routes.status]\ntype = \"fixed\"\nfavicon = \"{}/icon.png\"\n", web.url());
    let edge = edge().config(route("lobby", &status)).start();
    let favicon = || ping(edge.address(), 769.into(), "localhost").unwrap().0.get("favicon").cloned();
    eventually(Duration::from_secs(10), || (web.requests() > 0).then_some(())).expect("it isn't asked for");
    assert_eq!(favicon(), None, "the status is shown without it");
    web.answer(200, include_bytes!("support/icon.png"));
    let shown = eventually(Duration::from_secs(30), favicon).expect("it never comes");
    assert!(shown.as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
}

/// Everybody at once: connections to the session server are used again, and nobody is mixed up with anybody else.
#[test]
fn many_players_at_once_are_all_themselves() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(support::lobby(&session)).start();
    let accounts: Vec<_> = (0..60).map(|index| session.account(&format!("Player{index}"))).collect();
    std::thread::scope(|scope| {
        for chunk in accounts.chunks(10) {
            let address = edge.address();
            scope.spawn(move || {
                for account in chunk {
                    let visit = Player::with_account(account, 767).join(address);
                    assert_eq!(visit.transferred(), HUB);
                    assert_eq!(visit.profile().unwrap().id, account.id());
                    assert_ne!(account.id(), offline_uuid(account.name()));
                }
            });
        }
    });
    assert_eq!(session.asked(), 60);
    assert!(session.connections() <= 12, "{} connections for 60 calls, 6 at once", session.connections());
}
