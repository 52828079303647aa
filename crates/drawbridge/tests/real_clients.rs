//! Players from the first byte to the Transfer packet: real clients by node-minecraft-protocol, and the testkit's own where
//! there is no real one.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::packet::login::EncryptionRequest;
use drawbridge_testkit::{Jar, Join, NodeClient, Outcome, Player, SessionServer, sees};
use support::{AUTHENTICATION, COOKIES, HUB, SESSION, edge, lobby};

/// Releases that can be transferred, and their protocol numbers.
const RELEASES: [(&str, i64); 5] =
    [("1.20.6", 766), ("1.21.1", 767), ("1.21.4", 769), ("1.21.11", 774), ("26.1", 775)];

/// Releases that can't, and what the edge calls them.
const OLD_RELEASES: [(&str, i64, &str); 5] = [
    ("1.8.9", 47, "1.8–1.8.9"),
    ("1.12.2", 340, "1.12.2"),
    ("1.16.5", 754, "1.16.4–1.16.5"),
    ("1.19.4", 762, "1.19.4"),
    ("1.20.4", 765, "1.20.3–1.20.4"),
];

#[test]
fn real_clients_are_handed_over_and_come_back_without_the_session_server() {
    sees!("routes[].targets", "routes[].authentication(mojang).url", "cookies.secrets");
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{COOKIES}{}", lobby(&session))).start();
    let node = NodeClient::start();
    for (release, number) in RELEASES {
        let alice = session.account(&format!("Alice_{number}"));
        let first = node.join(&Join::with_account(&alice, release), edge.address());
        assert_eq!((first.protocol(), first.intent()), (Some(number), Some(2)), "{release}");
        assert_eq!(first.transferred(), (HUB.0, HUB.1.into()), "{release}");
        assert_eq!(first.event("encryption").unwrap().field("shouldAuthenticate"), true);
        assert_eq!(first.event("success").unwrap().field("uuid"), &alice.id().to_string());
        assert_eq!(first.event("success").unwrap().field("properties")[0]["name"], "textures");
        assert_eq!(first.event("store_cookie").unwrap().field("encrypted"), true);
        assert!(first.cookies_asked().is_empty(), "an ordinary join has nothing to show");

        let asked = session.asked();
        let second = node.join(&Join::with_account(&alice, release).sent_on(first.jar()), edge.address());
        assert_eq!((second.protocol(), second.intent()), (Some(number), Some(3)), "{release}");
        assert_eq!(second.transferred(), (HUB.0, HUB.1.into()), "{release}");
        assert_eq!(second.event("encryption").unwrap().field("shouldAuthenticate"), false);
        assert_eq!(second.cookies_asked(), [(SESSION, false), (AUTHENTICATION, true)]);
        assert_eq!(second.event("success").unwrap().field("uuid"), &alice.id().to_string());
        assert_eq!(second.event("success").unwrap().field("properties")[0]["name"], "textures");
        assert_eq!(session.asked(), asked, "{release}: the cookie spares the session server");

        let third = node.join(&Join::with_account(&alice, release).sent_on(second.jar()), edge.address());
        assert_eq!(
            third.transferred(),
            (HUB.0, HUB.1.into()),
            "{release}: the cookies it was given anew serve too"
        );
        assert_eq!(session.asked(), asked);
    }
}

/// A real client that carries a cookie which isn't what it was given.
#[test]
fn a_real_client_with_a_changed_cookie_is_not_let_in() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{COOKIES}{}", lobby(&session))).start();
    let node = NodeClient::start();
    for (release, number) in RELEASES {
        let alice = session.account(&format!("Alice_{number}"));
        let first = node.join(&Join::with_account(&alice, release), edge.address());
        let asked = session.asked();
        let mut jar = first.jar().clone();
        jar.get_mut(AUTHENTICATION).unwrap()[20] ^= 1;
        let visit = node.join(&Join::with_account(&alice, release).sent_on(&jar), edge.address());
        assert_eq!(visit.kicked(), "Your earlier login is no longer valid. Please join again.", "{release}");
        assert!(visit.event("success").is_none() && visit.event("transfer").is_none(), "{release}");
        assert_eq!(session.asked(), asked, "{release}");
    }
}

#[test]
fn the_testkits_client_goes_the_same_way_in_every_version() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{COOKIES}{}", lobby(&session))).start();
    for number in 766..=777 {
        let alice = session.account(&format!("Alice_{number}"));
        let asked = session.asked();
        let first = Player::with_account(&alice, number).join(edge.address());
        assert_eq!(first.transferred(), HUB, "{number}");
        assert_eq!(session.asked(), asked + 1, "{number}");
        let profile = first.profile().unwrap();
        assert_eq!((profile.id, profile.name.as_str()), (alice.id(), alice.name()));
        assert_eq!(profile.properties, SessionServer::properties());
        assert_eq!(first.cookies_stored(), [(AUTHENTICATION.to_owned(), true), (SESSION.to_owned(), true)]);

        let second = Player::with_account(&alice, number).sent_on(&first.jar).join(edge.address());
        assert_eq!(second.transferred(), HUB, "{number}");
        assert!(!second.encryption().unwrap().should_authenticate);
        assert_eq!(second.cookies_asked(), [(SESSION.to_owned(), false), (AUTHENTICATION.to_owned(), true)]);
        assert_eq!(second.profile().unwrap(), profile);
        assert_eq!(session.asked(), asked + 1, "{number}: the cookie spares the session server");

        let line = edge.wait_for("the version on the wire", |line| {
            line.message() == Some("handed over") && line.field("player").as_deref() == Some(alice.name())
        });
        assert_eq!(line.field("version"), Some(number.to_string()));
    }
}

#[test]
fn clients_too_old_to_be_transferred_are_told_so() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{COOKIES}{}", lobby(&session))).start();
    let node = NodeClient::start();
    for (release, number, name) in OLD_RELEASES {
        let join = Join::new("Alice", release);
        for (join, intent) in [(join.clone(), 2), (join.sent_on(&Jar::new()), 3)] {
            let visit = node.join(&join, edge.address());
            assert_eq!((visit.protocol(), visit.intent()), (Some(number), Some(intent)), "{release}");
            let text = visit.kicked();
            let told = format!("This server can't be joined with Minecraft {name}. Please join with ");
            assert!(text.starts_with(&told) && text.contains("1.20.5"), "{release}: {text}");
            assert!(visit.event("cookie_request").is_none() && visit.event("encryption").is_none());
        }
    }
    assert_eq!(session.asked(), 0);
}

#[test]
fn every_old_version_is_kicked_with_text() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{COOKIES}{}", lobby(&session))).start();
    let versions = [
        4, 5, 47, 107, 108, 109, 110, 210, 315, 316, 335, 338, 340, 393, 401, 404, 477, 480, 485, 490, 498,
        573, 575, 578, 735, 736, 751, 753, 754, 755, 756, 757, 758, 759, 760, 761, 762, 763, 764, 765,
    ];
    for number in versions {
        let player = Player::new("Alice", number);
        for player in [player.clone(), player.sent_on(&Jar::new())] {
            let visit = player.join(edge.address());
            assert!(visit.kicked().starts_with("This server can't be joined with Minecraft 1."), "{number}");
            assert_eq!(visit.kinds(), ["disconnect"], "{number}: and no cookie request");
        }
    }
    for number in [0x4000_0000 | 200, 778, 100_000, -1, 0, i32::MIN] {
        let visit = Player::new("Alice", number).join(edge.address());
        assert!(
            matches!(visit.outcome, Outcome::Disconnect { .. }),
            "{number} can't be known to work, and is told so: {visit:#?}"
        );
    }
}

#[test]
fn a_player_reads_a_refusal_in_their_own_language() {
    let session = SessionServer::start().unwrap();
    let nowhere = format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\n[routes.authentication]\nurl = \"{}\"\n",
        session.url()
    );
    let edge = edge().config(nowhere).start();
    let node = NodeClient::start();
    for (release, locale, text) in [
        ("1.20.6", "en_us", "No server is configured or available"),
        ("1.21.4", "de_at", "Gerade ist kein Server"),
        ("26.1", "tlh_aa", "No server is configured or available"),
    ] {
        let alice = session.account(&format!("Alice_{locale}"));
        // The first join of a release loads its tables, for longer than the edge waits for a language.
        drop(node.join(&Join::with_account(&alice, release), edge.address()));
        let visit = node.join(&Join::with_account(&alice, release).locale(locale), edge.address());
        assert!(visit.kicked().starts_with(text), "{release} {locale}: {}", visit.kicked());
        assert_eq!(visit.event("disconnect").unwrap().field("state"), "configuration");
    }
}

#[test]
fn without_a_route_the_built_in_one_answers_and_authenticates() {
    let edge = edge().config("").start();
    let node = NodeClient::start();
    let document = node.ping("1.21.4", edge.address());
    assert_eq!(document["version"]["protocol"], 769);
    // No further: the built-in route's session server is Mojang's, which no test asks.
    let mut connection = Player::new("Alice", 767).knock(edge.address()).unwrap();
    let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
    assert!(request.should_authenticate, "the built-in route authenticates");
}
