//! The scripted client proves itself against a server made by other hands, before anything of ours is measured by it.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Deviation, NodeServer, Outcome, PackAnswer, Player, SessionServer, Trouble, ping};
use serde_json::json;
use std::time::Duration;

/// A release of each shape that logins and configurations have since 1.20.5.
const RELEASES: [(&str, i32); 4] = [("1.20.6", 766), ("1.21.1", 767), ("1.21.4", 769), ("26.1", 775)];

fn online(release: &str, session: &SessionServer) -> NodeServer {
    let transfer = json!({ "host": "hub.example.com", "port": 25566 });
    NodeServer::start(&json!({ "version": release, "sessionServer": session.url(), "transfer": transfer }))
}

#[test]
fn a_login_goes_through_encrypted_and_compressed_to_the_transfer() {
    let session = SessionServer::start().unwrap();
    let alice = session.account("Alice");
    for (release, number) in RELEASES {
        let server = online(release, &session);
        let player = Player::with_account(&alice, number).locale("de_de").packs(PackAnswer::Takes);
        let visit = player.join(server.address());
        assert_eq!(visit.transferred(), ("hub.example.com", 25566), "{release}");
        assert_eq!(visit.profile().unwrap().id, alice.id());
        assert_eq!(visit.jar["test:flavour"], b"vanilla");
        assert_eq!(server.event("settings").field("locale"), "de_de");
        assert_eq!(server.event("login").field("encrypted"), true);
        assert_eq!(server.event("login").field("uuid"), &json!(alice.id().to_string()));
        assert_eq!(server.event("keep_alive").field("id"), &json!([1, 2]));
    }
}

#[test]
fn without_a_session_server_it_is_who_it_claims_to_be() {
    let transfer = json!({ "host": "127.0.0.1", "port": 1 });
    let server = NodeServer::start(&json!({ "version": "1.21.1", "transfer": transfer }));
    let visit = Player::new("Notch", 767).join(server.address());
    assert!(matches!(visit.outcome, Outcome::Transfer { port: 1, .. }), "{visit:#?}");
    assert_eq!(visit.profile().unwrap().id.to_string(), "b50ad385-829d-3141-a216-7e7d7539ba7f");
    assert!(visit.encryption().is_none());
}

#[test]
fn a_kick_is_read() {
    let server = NodeServer::start(&json!({ "version": "1.21.4", "kick": "not today" }));
    let visit = Player::new("Alice", 769).join(server.address());
    assert!(matches!(&visit.outcome, Outcome::Disconnect { text, .. } if text == "not today"), "{visit:#?}");
}

#[test]
fn wrong_answers_to_the_encryption_request_are_noticed() {
    let session = SessionServer::start().unwrap();
    let alice = session.account("Alice");
    let server = online("1.21.1", &session);
    for deviation in [
        Deviation::WrongToken,
        Deviation::GarbledSecret(128),
        Deviation::GarbledToken(128),
        Deviation::NoSession,
    ] {
        let visit = Player::with_account(&alice, 767)
            .but(deviation.clone())
            .patience(Duration::from_secs(5))
            .join(server.address());
        assert!(
            matches!(visit.outcome, Outcome::Ended(_) | Outcome::Disconnect { .. }),
            "{deviation:?}: {visit:#?}"
        );
        assert!(visit.profile().is_none());
    }
}

#[test]
fn a_ping_is_answered() {
    let server = NodeServer::start(&json!({ "version": "26.1", "kick": "no" }));
    let (document, _) = ping(server.address(), ProtocolVersion::V26_1, "localhost").unwrap();
    assert_eq!(document["description"]["text"], "made by other hands");
    assert_eq!(document["version"]["protocol"], 775);
}

#[test]
fn nobody_listening_is_told() {
    let address = drawbridge_testkit::Backend::nobody().unwrap();
    assert!(matches!(Player::new("Alice", 767).join(address).outcome, Outcome::Ended(Trouble::Socket(_))));
}
