//! What a returning player carries: nobody gets in with a cookie that isn't theirs, whole and fresh.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{Account, Deviation, Edge, Jar, Outcome, Player, SessionServer, eventually, sees};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{AUTHENTICATION, COOKIES, HUB, SESSION, edge, lobby};

/// What a player whose cookie isn't believed reads.
const REFUSED: &str = "Your earlier login is no longer valid. Please join again.";

/// An edge with cookies, and a player who has been there.
struct Known {
    session: SessionServer,
    edge: Edge,
    alice: Account,
    version: i32,
    jar: Jar,
}

/// The versions between which login and configuration differ: the oldest, the one that most tests speak, and the newest.
const VERSIONS: [i32; 3] = [766, 767, 777];

impl Known {
    fn new(cookies: &str) -> Self {
        Self::of_version(cookies, 767)
    }

    fn of_version(cookies: &str, version: i32) -> Self {
        let session = SessionServer::start().unwrap();
        let edge = edge().config(format!("{cookies}{}", lobby(&session))).start();
        let alice = session.account("Alice");
        let first = Player::with_account(&alice, version).join(edge.address());
        assert_eq!(first.transferred(), HUB);
        Self { session, edge, alice, version, jar: first.jar }
    }

    fn returns(&self) -> Player {
        Player::with_account(&self.alice, self.version).sent_on(&self.jar)
    }

    /// Checks that the player is refused, and the session server wasn't asked about it either.
    #[track_caller]
    fn refuses(&self, player: &Player, why: &str) {
        let asked = self.session.asked();
        let visit = player.join(self.edge.address());
        assert_eq!(visit.kicked(), REFUSED, "{why}");
        assert!(visit.profile().is_none(), "{why}");
        assert_eq!(self.session.asked(), asked, "{why}");
    }
}

fn with(jar: &Jar, key: &str, payload: &[u8]) -> Jar {
    let mut jar = jar.clone();
    jar.insert(key.to_owned(), payload.to_vec());
    jar
}

/// A session cookie that says what it likes: it isn't signed.
fn hint(good_until: u64) -> Vec<u8> {
    json!({ "traceparent": null, "good_until": good_until }).to_string().into_bytes()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_changed_cookie_lets_nobody_in() {
    for version in VERSIONS {
        changed_cookies(&Known::of_version(COOKIES, version));
    }
}

fn changed_cookies(known: &Known) {
    let cookie = &known.jar[AUTHENTICATION];
    let length = cookie.len();
    for place in [0, 1, 8, 9, 30, length / 2, length - 33, length - 32, length - 1] {
        let mut changed = cookie.clone();
        changed[place] ^= 1;
        let player = known.returns().sent_on(&with(&known.jar, AUTHENTICATION, &changed));
        known.refuses(&player, &format!("byte {place} of {length} changed"));
    }
    for cut in [0, 1, 31, 32, 33, length - 1] {
        let player = known.returns().sent_on(&with(&known.jar, AUTHENTICATION, &cookie[..cut]));
        known.refuses(&player, &format!("cut to {cut} bytes"));
    }
    let longer = [cookie.as_slice(), b"x"].concat();
    known.refuses(&known.returns().sent_on(&with(&known.jar, AUTHENTICATION, &longer)), "a byte more");
    known.refuses(
        &known.returns().sent_on(&with(&known.jar, AUTHENTICATION, &[0x5a; 5120])),
        "as large as can be",
    );
    let mut jar = known.jar.clone();
    jar.remove(AUTHENTICATION);
    known.refuses(&known.returns().sent_on(&jar), "none, though the hint promises one");
    assert_eq!(known.returns().join(known.edge.address()).transferred(), HUB, "the true one still serves");
}

#[test]
fn another_players_cookie_lets_nobody_in() {
    for version in VERSIONS {
        others_cookies(&Known::of_version(COOKIES, version));
    }
}

fn others_cookies(known: &Known) {
    let bob = known.session.account("Bob");
    let robber = Player::with_account(&bob, known.version).sent_on(&known.jar);
    known.refuses(&robber, "Bob with Alice's cookie");
    known.refuses(&known.returns().claims("Bob"), "Alice with her cookie under Bob's name");
    let visit = known.returns().claims("aLICE").claims_id(bob.id()).join(known.edge.address());
    let profile = visit.profile().unwrap();
    assert_eq!(
        (profile.name.as_str(), profile.id),
        ("Alice", known.alice.id()),
        "the cookie says who she is"
    );
}

#[test]
fn an_expired_cookie_lets_nobody_in() {
    sees!("cookies.max_age");
    let known = Known::new(&format!("{COOKIES}max_age = \"2s\"\n"));
    let told: Value = serde_json::from_slice(&known.jar[SESSION]).unwrap();
    let good_until = told["good_until"].as_u64().unwrap();
    assert!((now()..=now() + 2).contains(&good_until), "{told}");
    eventually(Duration::from_secs(10), || (now() > good_until).then_some(())).unwrap();

    let asked = known.session.asked();
    let visit = known.returns().join(known.edge.address());
    assert!(visit.encryption().unwrap().should_authenticate, "the hint says that it is over");
    assert_eq!(visit.transferred(), HUB);
    assert_eq!(known.session.asked(), asked + 1);

    let pretending = with(&known.jar, SESSION, &hint(now() + 1000));
    known.refuses(&known.returns().sent_on(&pretending), "expired, whatever the hint says");
}

/// The time inside is that of the original authentication: handing a cookie on makes it no younger.
#[test]
fn a_cookie_that_is_handed_on_grows_no_younger() {
    let known = Known::new(COOKIES);
    let good_until =
        |jar: &Jar| serde_json::from_slice::<Value>(&jar[SESSION]).unwrap()["good_until"].as_u64().unwrap();
    let proved = |jar: &Jar| jar[AUTHENTICATION][1..9].to_vec();
    let first = now();
    eventually(Duration::from_secs(5), || (now() > first).then_some(())).unwrap();
    let visit = known.returns().join(known.edge.address());
    assert_eq!(visit.transferred(), HUB);
    assert_eq!(good_until(&visit.jar), good_until(&known.jar));
    assert_eq!(proved(&visit.jar), proved(&known.jar));
}

#[test]
fn a_cookie_in_plain_sight_lets_nobody_in() {
    for version in VERSIONS {
        cookies_in_plain_sight(&Known::of_version(COOKIES, version));
    }
}

fn cookies_in_plain_sight(known: &Known) {
    let asked = known.session.asked();
    let early: Jar = [(AUTHENTICATION.to_owned(), known.jar[AUTHENTICATION].clone())].into();
    for player in [known.returns(), Player::with_account(&known.alice, known.version)] {
        let player = player.but(Deviation::NoSession);
        let visit = player.but(Deviation::EarlyCookies(early.clone())).join(known.edge.address());
        assert!(!matches!(visit.outcome, Outcome::Transfer { .. }), "{visit:#?}");
        assert!(visit.profile().is_none());
    }
    // In the place of the hint, and with a hint that sends the edge to the session server.
    for plain in [known.jar[AUTHENTICATION].clone(), hint(0), Vec::new(), b"{\"good_until\":-1}".to_vec()] {
        let jar = with(&known.jar, SESSION, &plain);
        let visit = known.returns().sent_on(&jar).but(Deviation::NoSession).join(known.edge.address());
        assert!(visit.encryption().unwrap().should_authenticate, "{:?}", String::from_utf8_lossy(&plain));
        assert!(visit.kicked().starts_with("Your account couldn't be verified."), "{}", visit.kicked());
    }
    assert_eq!(known.session.asked(), asked + 4);
}

/// What nobody asked for isn't read as the answer to something else.
#[test]
fn a_cookie_that_is_sent_twice_lets_nobody_in() {
    let known = Known::new(COOKIES);
    let visit = known.returns().but(Deviation::CookiesTwice).join(known.edge.address());
    assert!(!matches!(visit.outcome, Outcome::Transfer { .. }), "{visit:#?}");
    assert!(visit.profile().is_none());
    known.edge.wait_for_refusal("malformed");
}

#[test]
fn an_ordinary_join_proves_nothing_with_cookies() {
    let known = Known::new(COOKIES);
    let asked = known.session.asked();
    let visit = Player::with_account(&known.alice, 767).but(Deviation::NoSession).join(known.edge.address());
    assert!(visit.cookies_asked().is_empty());
    assert!(visit.kicked().starts_with("Your account couldn't be verified."));
    assert_eq!(known.session.asked(), asked + 1);
}

#[test]
fn a_cookie_is_good_from_its_address_alone() {
    sees!("cookies.bind_address");
    let elsewhere = [127, 0, 0, 9];
    let known = Known::new(COOKIES);
    known.refuses(&known.returns().from(elsewhere), "from another address");
    let known = Known::new(&format!("{COOKIES}bind_address = false\n"));
    assert_eq!(known.returns().from(elsewhere).join(known.edge.address()).transferred(), HUB);
}

/// The address is what counts as one: of IPv6 the first 64 bits. A load balancer tells it, since this machine has one such
/// address only.
#[test]
fn a_cookie_is_good_in_the_whole_of_an_ipv6_network() {
    let session = SessionServer::start().unwrap();
    let trusted = "[proxy_protocol]\ntrusted = [\"127.0.0.1\"]\n";
    let edge = edge().config(format!("{trusted}{COOKIES}{}", lobby(&session))).start();
    let alice = session.account("Alice");
    let coming_from = |address: &str| {
        let header = format!("PROXY TCP6 {address} ::1 56324 25565\r\n");
        Player::with_account(&alice, 767).preamble(header.as_bytes())
    };
    let first = coming_from("2001:db8:1:2:3:4:5:6").join(edge.address());
    assert_eq!(first.transferred(), HUB);
    let asked = session.asked();
    let neighbour = coming_from("2001:db8:1:2:ffff::9").sent_on(&first.jar).join(edge.address());
    assert_eq!(neighbour.transferred(), HUB);
    let other = coming_from("2001:db8:1:3:3:4:5:6").sent_on(&first.jar).join(edge.address());
    assert_eq!(other.kicked(), REFUSED);
    assert_eq!(session.asked(), asked);
}

#[test]
fn secrets_rotate_and_edges_that_share_them_honour_each_others_cookies() {
    let known = Known::new(COOKIES);
    let route = lobby(&known.session);
    let keys = |secrets: &str| format!("[cookies]\nsecrets = [{secrets}]\n{route}");
    let other = |secrets: &str| {
        edge()
            .file("new.key", [7; 40])
            .env("OLD_KEY", "0123456789abcdef0123456789abcdef\n")
            .config(keys(secrets))
            .start()
    };
    let asked = known.session.asked();
    let rotated = other("{ file = \"new.key\" }, { env = \"OLD_KEY\" }");
    let visit = known.returns().join(rotated.address());
    assert_eq!(visit.transferred(), HUB, "the old secret verifies");
    let new = other("{ file = \"new.key\" }");
    assert_eq!(known.returns().join(new.address()).kicked(), REFUSED, "the old secret is unknown there");
    let visit = known.returns().sent_on(&visit.jar).join(new.address());
    assert_eq!(visit.transferred(), HUB, "the first secret signs");
    assert_eq!(known.session.asked(), asked);
}

#[test]
fn another_namespaces_or_session_servers_cookie_is_foreign() {
    sees!("cookies.namespace");
    for version in VERSIONS {
        foreign_cookies(&Known::of_version(COOKIES, version));
    }
}

fn foreign_cookies(known: &Known) {
    let foreign =
        edge().config(format!("{COOKIES}namespace = \"harbour\"\n{}", lobby(&known.session))).start();
    let visit = known.returns().join(foreign.address());
    assert_eq!(visit.cookies_asked(), [("harbour:session".to_owned(), false)]);
    assert!(visit.encryption().unwrap().should_authenticate);
    let renamed: Jar = [
        ("harbour:session".to_owned(), known.jar[SESSION].clone()),
        ("harbour:authentication".to_owned(), known.jar[AUTHENTICATION].clone()),
    ]
    .into();
    assert_eq!(known.returns().sent_on(&renamed).join(foreign.address()).kicked(), REFUSED);

    let laxer = SessionServer::start().unwrap();
    let elsewhere = edge().config(format!("{COOKIES}{}", lobby(&laxer))).start();
    assert_eq!(
        known.returns().join(elsewhere.address()).kicked(),
        REFUSED,
        "who vouches there is somebody else"
    );
}

#[test]
fn without_secrets_there_are_no_cookies() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(lobby(&session)).start();
    let alice = session.account("Alice");
    let visit = Player::with_account(&alice, 767).sent_on(&Jar::new()).join(edge.address());
    assert_eq!(visit.transferred(), HUB);
    assert!(visit.cookies_asked().is_empty() && visit.jar.is_empty());
    assert_eq!(session.asked(), 1);
}

/// Sessions carry versions too that have no cookies: these are asked for none, whatever they say of how they came.
#[test]
fn clients_too_old_for_cookies_are_asked_for_none() {
    let session = SessionServer::start().unwrap();
    let route = "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"client_only\"\ntargets = [\"127.0.0.1:1\"]\n";
    let authentication = format!("[routes.authentication]\nurl = \"{}\"\n", session.url());
    let limits = "[limits]\nlogin = { burst = 5, per = \"1h\" }\n";
    let edge = edge().config(format!("{limits}{COOKIES}{route}{authentication}")).start();
    let asked_first = |version: i32| {
        let player = Player::new("Alice", version).sent_on(&Jar::new());
        player.knock(edge.address()).unwrap().receive().unwrap().kind()
    };
    for version in [5, 47, 340, 763, 765] {
        assert_eq!(asked_first(version), Some(Kind::EncryptionBegin), "{version}");
    }
    assert_eq!(asked_first(765), Some(Kind::Disconnect), "each counts as a login");
    assert_eq!(asked_first(766), Some(Kind::CookieRequest));
}

#[test]
fn the_trace_goes_along() {
    let known = Known::new(COOKIES);
    let trace = |jar: &Jar| serde_json::from_slice::<Value>(&jar[SESSION]).unwrap()["traceparent"].clone();
    let visit = known.returns().join(known.edge.address());
    let (first, second) = (trace(&known.jar), trace(&visit.jar));
    let id = |trace: &Value| trace.as_str().unwrap().split('-').nth(1).unwrap().to_owned();
    assert_eq!(id(&first), id(&second));
    assert_ne!(first, second, "each connection is a span of its own");
}
