//! Logins that aren't meant well, and session servers in trouble. After each the edge still serves others within 100 ms, has
//! grown by nothing worth mentioning, and has let nobody in.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::packet::login::{EncryptionRequest, EncryptionResponse, LoginAcknowledged};
use drawbridge_testkit::{
    Account, Backend, Deviation, Edge, Mode, Outcome, Player, Request, SessionServer, eventually, sees,
};
use serde_json::json;
use std::time::Duration;
use support::attack::{house, logged_in, survives};
use support::{AT_ONCE, HUB, edge, lobby};

/// Joins with a deviation, which must end the login before anybody is anybody.
#[track_caller]
fn assert_refused(edge: &Edge, account: &Account, deviation: &Deviation) {
    let visit = Player::with_account(account, 767).but(deviation.clone()).join(edge.address());
    assert!(!matches!(visit.outcome, Outcome::Transfer { .. }), "{deviation:?}");
    assert!(visit.profile().is_none(), "{deviation:?}: {visit:#?}");
}

#[test]
fn a_shared_secret_of_another_length() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let refused = |deviation| assert_refused(&edge, &alice, &deviation);
    survives(&edge, |_| {
        for length in [0, 1, 15, 17, 32, 100] {
            refused(Deviation::SecretOf(length));
        }
    });
    assert_eq!(session.asked(), 0, "nobody is asked about who can't encrypt");
    edge.wait_for_refusal("encryption");
}

#[test]
fn a_wrong_verify_token_or_garbage_for_either() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let refused = |deviation| assert_refused(&edge, &alice, &deviation);
    survives(&edge, |_| {
        refused(Deviation::WrongToken);
        for length in [0, 1, 127, 128, 129, 512] {
            refused(Deviation::GarbledSecret(length));
            refused(Deviation::GarbledToken(length));
        }
        refused(Deviation::NoEncryption);
        refused(Deviation::EarlyAcknowledgement);
    });
    assert_eq!(session.asked(), 0);
}

/// A refusal after the Encryption Request can be read only in plain sight: the client and the edge share no secret.
#[test]
fn who_fails_to_encrypt_is_told_nothing_that_differs() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let outcomes: Vec<String> = [
        Deviation::WrongToken,
        Deviation::SecretOf(17),
        Deviation::SecretOf(15),
        Deviation::GarbledSecret(128),
        Deviation::GarbledToken(128),
    ]
    .into_iter()
    .map(|deviation| {
        let mut connection = Player::with_account(&alice, 767).knock(edge.address()).unwrap();
        let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
        let encrypted = |plain: &[u8]| drawbridge_rsa::encrypt(&request.public_key, plain).unwrap();
        let (mut secret, mut token) = (encrypted(&[1; 16]), encrypted(&request.verify_token));
        match deviation {
            Deviation::WrongToken => token = encrypted(&[9; 16]),
            Deviation::SecretOf(length) => secret = encrypted(&vec![1; length]),
            Deviation::GarbledSecret(length) => secret = vec![0x5a; length],
            _ => token = vec![0x5a; 128],
        }
        let response = EncryptionResponse { shared_secret: secret, verify_token: token };
        connection.send(&response).unwrap();
        format!("{:?}", connection.rest().unwrap())
    })
    .collect();
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:#?}");
}

#[test]
fn names_that_are_more_than_names() {
    let (edge, session) = house();
    let victim = session.account("Victim");
    victim.join([127, 0, 0, 1].into(), "1f").unwrap();
    let names = [
        "",
        "a b",
        "A&x=1",
        "A#",
        "\"A\"",
        "'A'",
        "A\0",
        "A\n",
        "\u{1b}[2J",
        "Ünal",
        "名前",
        "A/../B",
        "§cA",
        "A%00",
        "*",
    ];
    survives(&edge, |edge| {
        for name in names {
            let visit = Player::with_account(&victim, 767).claims(name).join(edge.address());
            let shown: String = name.chars().filter(|&c| !c.is_control() && c != '§').collect();
            let told = format!("The name {shown} can't be used on this server.");
            assert!(visit.kicked().starts_with(&told), "{name:?}: {}", visit.kicked());
        }
    });
    assert_eq!(session.asked(), 0, "a name is checked before anybody is asked about it");
}

/// Where a route takes other names, they still can't be more than a name to the session server.
#[test]
fn a_name_is_encoded_whatever_a_route_takes() {
    sees!("routes[].names");
    let session = SessionServer::start().unwrap();
    let route = support::route(
        "lobby",
        &format!("names = \".*\"\n[routes.authentication]\nurl = \"{}\"\n", session.url()),
    );
    let edge = edge().config(route).start();
    let victim = session.account("Victim");
    for name in ["V&serverId=1f#", "V?a=b", "V%26", "V+ \"'", "Vü§\0\n"] {
        let visit = Player::with_account(&victim, 767).claims(name).join(edge.address());
        assert!(
            visit.kicked().starts_with("Your account couldn't be verified."),
            "{name:?}: {}",
            visit.kicked()
        );
        let asked = session.requests().into_iter().rfind(Request::is_has_joined).unwrap();
        assert_eq!(asked.parameter("username"), Some(name));
        assert_eq!(asked.query.len(), 2, "{}", asked.target);
        assert_ne!(asked.parameter("serverId"), Some("1f"));
    }
}

/// A second packet while the edge waits for the session server: a client has nothing to say then.
#[test]
fn who_talks_out_of_turn_is_dropped() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    session.mode(Mode::Held);
    survives(&edge, |edge| {
        let mut connection = Player::with_account(&alice, 767).knock(edge.address()).unwrap();
        let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
        let encrypted = |plain: &[u8]| drawbridge_rsa::encrypt(&request.public_key, plain).unwrap();
        let response = EncryptionResponse {
            shared_secret: encrypted(&[1; 16]),
            verify_token: encrypted(&request.verify_token),
        };
        connection.send(&response).unwrap();
        connection.encrypt(&[1; 16]);
        connection.send(&LoginAcknowledged {}).unwrap();
        connection.within(Duration::from_secs(3)).closed().unwrap();
    });
    session.release();
}

#[test]
fn floods_in_configuration() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let pack = "resource_packs = [{ url = \"http://127.0.0.1:1/p.zip\", sha1 = \"0000000000000000000000000000000000000000\" }]";
    edge.rewrite(lobby(&session) + "[routes.transfer]\n" + pack);
    edge.wait_for_message("configuration reloaded");
    survives(&edge, |edge| {
        let mut connection = logged_in(edge, &alice);
        // Refused long before all of it is sent.
        for _ in 0..2000 {
            if connection.send_id(0x02, |out| out.string("minecraft:brand")).is_err() {
                break;
            }
        }
        connection.within(Duration::from_secs(5)).closed().unwrap();
    });
}

#[test]
fn a_session_server_that_says_no() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    session.mode(Mode::Denies);
    survives(&edge, |edge| {
        let visit = Player::with_account(&alice, 767).join(edge.address());
        assert!(visit.kicked().starts_with("Your account couldn't be verified."), "{}", visit.kicked());
        assert!(visit.profile().is_none());
    });
    edge.wait_for_refusal("authentication");
}

/// What a player reads while nobody can be asked.
const UNAVAILABLE: &str = "The authentication servers can't be reached right now.";

#[test]
fn a_session_server_in_trouble_lets_nobody_in() {
    sees!("routes[].authentication(mojang).timeout");
    let someone_else =
        json!({ "id": "00000000000000000000000000000001", "name": "Mallory", "properties": [] });
    let modes = [
        Mode::Busy(None),
        Mode::Busy(Some(3600)),
        Mode::Fails(500),
        Mode::Fails(503),
        Mode::Fails(302),
        Mode::Fails(404),
        Mode::Garbage,
        Mode::Says(b"not JSON".to_vec()),
        Mode::Says(b"{}".to_vec()),
        Mode::Says(b"null".to_vec()),
        Mode::Says(vec![b'['; 4096]),
        Mode::Says(vec![b' '; 1 << 20]),
        Mode::Vouches(someone_else),
        Mode::Closes(1000),
        Mode::Silent,
    ];
    for mode in modes {
        let session = SessionServer::start().unwrap();
        let edge = edge().config(lobby(&session) + "timeout = \"1s\"\n").start();
        let alice = session.account("Alice");
        session.mode(mode.clone());
        for _ in 0..3 {
            let visit = Player::with_account(&alice, 767).join(edge.address());
            assert!(visit.kicked().starts_with(UNAVAILABLE), "{mode:?}: {}", visit.kicked());
            assert!(visit.profile().is_none(), "{mode:?}");
            assert!(visit.took < Duration::from_secs(4), "{mode:?} took {:?}", visit.took);
        }
        edge.serves_others_within(AT_ONCE);
        edge.wait_for_refusal("authentication_unavailable");
    }
}

#[test]
fn a_session_server_that_is_not_there_lets_nobody_in() {
    let nobody = Backend::nobody().unwrap();
    let route = support::route("lobby", &format!("[routes.authentication]\nurl = \"http://{nobody}\"\n"));
    let edge = edge().config(route).start();
    let visit = Player::new("Alice", 767).join(edge.address());
    assert!(visit.kicked().starts_with(UNAVAILABLE), "{}", visit.kicked());
    assert!(visit.profile().is_none());
}

#[test]
fn a_session_server_that_recovers_is_asked_again() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    session.mode(Mode::Closes(1));
    let visit = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(visit.transferred(), HUB, "one retry on a connection error");
    assert_eq!(session.asked(), 2);

    session.mode(Mode::Fails(500));
    assert!(Player::with_account(&alice, 767).join(edge.address()).kicked().starts_with(UNAVAILABLE));
    assert_eq!(session.asked(), 3, "no retry on an answer");
    session.mode(Mode::Honest);
    let recovered = eventually(Duration::from_secs(40), || {
        let visit = Player::with_account(&alice, 767).join(edge.address());
        matches!(visit.outcome, Outcome::Transfer { .. }).then_some(())
    });
    assert!(recovered.is_some());
}

/// Half a login each, at every step, from many at once: none of them may stay.
#[test]
fn clients_that_leave_at_every_step() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    survives(&edge, |edge| {
        for kind in [Kind::EncryptionBegin, Kind::Success, Kind::Transfer] {
            let visit = Player::with_account(&alice, 767).but(Deviation::LeavesAt(kind)).join(edge.address());
            assert!(matches!(visit.outcome, Outcome::Left), "{kind:?}: {visit:#?}");
        }
    });
    let before = edge.descriptors();
    assert!(before < 60, "{before} descriptors");
}
