//! Admission tickets, as a target reads them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Join, NodeClient, Player, SessionServer, Visit, sees};
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signature, SigningKey};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};
use support::{HUB, edge, lobby};

const COOKIE: &str = "drawbridge:ticket";

/// The verifier of docs/tickets.md, which a test below compares with it.
#[rustfmt::skip]
fn ticket<'a>(public_key: &[u8; 32], cookie: &'a [u8]) -> Option<&'a [u8]> {
    let (1, rest) = cookie.split_first().map(|(format, rest)| (*format, rest))? else { return None };
    let (signature, json) = rest.split_first_chunk::<64>()?;
    let signed = [b"drawbridge ticket 1\n", json].concat();
    let key = ed25519_dalek::VerifyingKey::from_bytes(public_key).ok()?;
    key.verify_strict(&signed, &signature.into()).ok().map(|()| json)
}

#[test]
fn the_manuals_verifier_is_the_one_that_is_tested() {
    let manual = include_str!("../../../docs/tickets.md");
    let code = manual.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(include_str!("tickets.rs").contains(code), "{code}");
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_target_can_tell_who_came_through_the_edge() {
    sees!("tickets.key", "tickets.lifetime", "routes[].transfer.ticket");
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_bytes();
    let session = SessionServer::start().unwrap();
    let house = |settings: &str, route: &str| {
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let config =
            format!("[tickets]\nkey = {{ file = \"ticket.key\" }}\n{settings}\n{}{route}", lobby(&session));
        edge().file("ticket.key", pem.as_bytes()).config(config).start()
    };
    let alice = session.account("Alice");
    let with = house("lifetime = \"20s\"", "[routes.transfer]\nticket = true\n");
    let read = |visit: &Visit| -> Value {
        serde_json::from_slice(ticket(&public, &visit.jar[COOKIE]).unwrap()).unwrap()
    };
    let before = seconds();
    for version in [766, 767, 775, 777] {
        let visit = Player::with_account(&alice, version).join(with.address());
        assert_eq!(visit.transferred(), HUB);
        assert!(visit.cookies_stored().contains(&(COOKIE.to_owned(), true)), "it travels encrypted");
        let json = read(&visit);
        assert_eq!(json["player"]["id"], alice.id().to_string());
        assert_eq!(json["player"]["name"], "Alice");
        assert_eq!(json["player"]["verified"], true);
        assert_eq!(json["address"], "127.0.0.1");
        assert_eq!(json["target"]["identifier"], format!("{}:{}", HUB.0, HUB.1));
        assert_eq!(json["target"]["address"], format!("{}:{}", HUB.0, HUB.1));
        let issued = json["issued"].as_u64().unwrap();
        assert!((before..=seconds()).contains(&issued));
        assert_eq!(json["expires"], issued + 20);
    }
    let (one, other) = [(); 2].map(|()| Player::with_account(&alice, 767).join(with.address())).into();
    assert_ne!(read(&one)["id"], read(&other)["id"]);
    // Any change of a byte makes it worthless.
    let good = &one.jar[COOKIE];
    for place in 0..good.len() {
        let mut changed = good.clone();
        changed[place] ^= 1;
        assert_eq!(ticket(&public, &changed), None, "byte {place}");
    }
    // A real client carries it too.
    let visit =
        NodeClient::start().join(&Join::with_account(&session.account("Bob"), "1.21.4"), with.address());
    let json: Value = serde_json::from_slice(ticket(&public, &visit.jar()[COOKIE]).unwrap()).unwrap();
    assert_eq!(json["player"]["name"], "Bob");

    let without = house("", "");
    let visit = Player::with_account(&alice, 767).join(without.address());
    assert_eq!(visit.transferred(), HUB);
    assert!(!visit.jar.contains_key(COOKIE));
}

#[test]
fn a_claim_is_called_one() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let config = format!(
        "[tickets]\nkey = {{ file = \"ticket.key\" }}\n[cookies]\nnamespace = \"castle\"\n{}[routes.transfer]\nticket = true\n",
        support::open_lobby()
    );
    let edge = edge().file("ticket.key", pem.as_bytes()).config(config).start();
    let visit = Player::new("Alice", 767).join(edge.address());
    let json = ticket(&key.verifying_key().to_bytes(), &visit.jar["castle:ticket"]).unwrap();
    let json: Value = serde_json::from_slice(json).unwrap();
    assert_eq!(json["player"]["verified"], false);
}

#[test]
fn mistakes_are_found_before_the_start() {
    let finished = |settings: &str| {
        let config = format!("{settings}{}[routes.transfer]\nticket = true\n", support::open_lobby());
        edge().file("ticket.key", "no key").config(config).finish()
    };
    for (settings, words) in [
        ("", "no key signs this route's tickets"),
        ("[tickets]\nkey = { file = \"ticket.key\" }\n", "expected an Ed25519 key in PEM"),
        ("[tickets]\nlifetime = \"0s\"\n", "a player needs a second at least"),
    ] {
        let shown = finished(settings).stderr;
        assert!(shown.contains(words), "{settings}: {shown}");
    }
}

#[test]
fn a_signature_of_something_else_is_no_ticket() {
    use ed25519_dalek::Signer as _;
    let key = SigningKey::from_bytes(&[7; 32]);
    let signature: Signature = key.sign(b"{}");
    let cookie = [&[1][..], &signature.to_bytes(), b"{}"].concat();
    assert_eq!(ticket(&key.verifying_key().to_bytes(), &cookie), None);
}
