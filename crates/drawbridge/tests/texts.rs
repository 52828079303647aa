//! Every text that a player can read can be replaced, and is read where it belongs.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::packet::login::{EncryptionRequest, EncryptionResponse, TokenProof};
use drawbridge_testkit::{
    Account, Backend, Deviation, Edge, Jar, Mode, PackAnswer, Player, SessionServer, Tarpit, eventually, sees,
};
use std::time::Duration;
use support::{AUTHENTICATION, COOKIES, HUB, edge};

/// Texts that are their own keys.
fn texts(keys: &[&str]) -> String {
    let texts: Vec<String> = keys.iter().map(|key| format!("{key} = \"<gold>{key}\"")).collect();
    format!("[routes.localization]\nmessages = {{ en_us = {{ {} }} }}\n", texts.join(", "))
}

/// An edge with these texts that authenticates, and a player.
fn house(keys: &[&str], before: &str, more: &str) -> (Edge, SessionServer, Account) {
    let session = SessionServer::start().unwrap();
    let route = support::route(
        "lobby",
        &format!("{more}\n[routes.authentication]\nurl = \"{}\"\n{}", session.url(), texts(keys)),
    );
    let edge = edge().config(format!("{before}{route}")).start();
    let alice = session.account("Alice");
    (edge, session, alice)
}

#[test]
fn of_names_addresses_and_rates() {
    sees!(
        "routes[].localization(fixed).messages.*.disconnect_name",
        "routes[].localization(fixed).messages.*.disconnect_access",
        "routes[].localization(fixed).messages.*.disconnect_rate",
    );
    let keys = ["disconnect_name", "disconnect_access", "disconnect_rate"];
    let limits = "[limits]\nlogin = { burst = 1, per = \"1h\" }\n";
    let (edge, ..) = house(&keys, limits, "access = { deny = [\"127.0.0.2\"] }");
    let join = |name: &str, host: u8| Player::new(name, 767).from([127, 0, 0, host]).join(edge.address());
    assert_eq!(join("a b", 1).kicked(), "disconnect_name");
    assert_eq!(join("Alice", 2).kicked(), "disconnect_access");
    assert_eq!(join("Alice", 1).kicked(), "disconnect_rate");
}

#[test]
fn of_authentication() {
    sees!(
        "routes[].localization(fixed).messages.*.disconnect_authentication",
        "routes[].localization(fixed).messages.*.disconnect_authentication_unavailable",
        "routes[].localization(fixed).messages.*.disconnect_cookie",
        "routes[].localization(fixed).messages.*.disconnect_encryption",
    );
    let keys = [
        "disconnect_authentication",
        "disconnect_authentication_unavailable",
        "disconnect_cookie",
        "disconnect_encryption",
    ];
    let (edge, session, alice) = house(&keys, COOKIES, "");
    let first = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(first.transferred(), HUB);
    let mut jar: Jar = first.jar;
    jar.insert(AUTHENTICATION.to_owned(), vec![0; 80]);
    assert_eq!(Player::with_account(&alice, 767).sent_on(&jar).join(edge.address()).kicked(), keys[2]);
    let stranger = Player::with_account(&alice, 767).but(Deviation::NoSession).claims("Bob");
    assert_eq!(stranger.join(edge.address()).kicked(), keys[0]);
    session.mode(Mode::Fails(500));
    assert_eq!(Player::with_account(&alice, 767).join(edge.address()).kicked(), keys[1]);

    let mut connection = Player::with_account(&alice, 767).knock(edge.address()).unwrap();
    let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
    let encrypted = |plain: &[u8]| drawbridge_rsa::encrypt(&request.public_key, plain).unwrap();
    let response = EncryptionResponse {
        shared_secret: encrypted(&[1; 16]),
        token: TokenProof::Encrypted(encrypted(b"another")),
    };
    connection.send(&response).unwrap();
    let told = connection.rest().unwrap();
    assert!(String::from_utf8_lossy(&told).contains(keys[3]), "in plain sight: there is no shared secret");
}

#[test]
fn of_the_time_it_takes() {
    sees!("routes[].localization(fixed).messages.*.disconnect_timeout");
    let limits = "[limits]\nlogin_timeout = \"4s\"\n";
    let (edge, session, alice) = house(&["disconnect_timeout"], limits, "");
    session.mode(Mode::Silent);
    assert_eq!(Player::with_account(&alice, 767).join(edge.address()).kicked(), "disconnect_timeout");
}

#[test]
fn of_targets() {
    sees!(
        "routes[].localization(fixed).messages.*.disconnect_unreachable",
        "routes[].localization(fixed).messages.*.disconnect_placement_timeout",
    );
    let (nobody, slow) = (Backend::nobody().unwrap(), Tarpit::start().unwrap());
    let keys = ["disconnect_unreachable", "disconnect_placement_timeout"];
    for (target, key) in [(nobody, keys[0]), (slow.address().unwrap(), keys[1])] {
        let route = format!(
            "[limits]\nplacement_timeout = \"1s\"\n[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\n\
             targets = [\"{target}\"]\n[routes.authentication]\ntype = \"disabled\"\n\
             [routes.transfer]\nprobe = true\n{}",
            texts(&keys)
        );
        let edge = edge().config(route).start();
        assert_eq!(Player::new("Alice", 767).join(edge.address()).kicked(), key);
    }
}

#[test]
fn of_resource_packs() {
    sees!("routes[].localization(fixed).messages.*.disconnect_resource_pack");
    let pack = "[routes.transfer]\nresource_packs = [{ url = \"http://127.0.0.1:1/a.zip\", \
        sha1 = \"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12\" }]\n";
    let (edge, _session, alice) = house(&["disconnect_resource_pack"], "", pack);
    let visit = Player::with_account(&alice, 767).packs(PackAnswer::Declines).join(edge.address());
    assert_eq!(visit.kicked(), "disconnect_resource_pack");
}

#[test]
fn of_shutting_down() {
    sees!("routes[].localization(fixed).messages.*.disconnect_shutdown");
    let (edge, session, alice) = house(&["disconnect_shutdown"], "[shutdown]\ngrace = \"1s\"\n", "");
    session.mode(Mode::Held);
    let address = edge.address();
    let login = std::thread::spawn(move || Player::with_account(&alice, 767).join(address));
    eventually(Duration::from_secs(10), || (session.asked() > 0).then_some(())).unwrap();
    edge.terminate();
    assert_eq!(login.join().unwrap().kicked(), "disconnect_shutdown");
    session.release();
}
