//! What targets of sessions don't get to see, and the log doesn't tell: the edge's own cookies, and the secrets of forwarding.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::login::CookieRequest;
use drawbridge_protocol::wire::{Decoder, Encoder};
use drawbridge_testkit::{Edge, Host, Order};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use support::edge;
use support::liar::Liar;
use support::stranger::{NEW, OLD, Stranger};

const SECRET: &str = "a secret of forwarding";
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// What a target stores with a client.
const CRUMBS: &str = "crumbs of a shop";

/// The keys of a target's own.
const OTHERS: [&str; 2] = ["shop:cart", "drawbridges:session"];

/// The secrets of cookies.
const SECRETS: &str = "secrets = [{ file = \"cookie.key\" }]";

fn carrying(target: SocketAddr, namespace: &str, forwarding: &str) -> Edge {
    carrying_with(SECRETS, target, namespace, forwarding)
}

fn carrying_with(secrets: &str, target: SocketAddr, namespace: &str, forwarding: &str) -> Edge {
    let ticket = SigningKey::from_bytes(&[7; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
    let config = format!(
        "[cookies]\n{secrets}\nnamespace = \"{namespace}\"\n[tickets]\nkey = {{ file = \"ticket.key\" }}\n\
         [telemetry]\nformat = \"json\"\nlog = \"trace\"\n\
         [[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"offline\"\ntargets = [\"{target}\"]\n\
         session = {{ forwarding = \"{forwarding}\", secret = {{ file = \"forwarding.secret\" }}, compression = -1 }}\n"
    );
    edge().file("forwarding.secret", SECRET).file("ticket.key", ticket.as_bytes()).config(config).start()
}

/// The edge's own keys, in each form that clients take them in.
fn reserved(namespace: &str) -> Vec<String> {
    let own = ["authentication", "session", "return", "ticket"];
    let mut keys: Vec<_> = own.iter().map(|path| format!("{namespace}:{path}")).collect();
    if namespace == "minecraft" {
        keys.extend(own.iter().flat_map(|path| [(*path).to_owned(), format!(":{path}")]));
    }
    keys
}

/// Neither secrets nor what is in cookies, in whatever form.
#[track_caller]
fn tells_no_secret(edge: &Edge) {
    let lines = edge.log();
    assert!(lines.iter().any(|line| line.message() == Some("session began")));
    for secret in [SECRET, KEY, CRUMBS] {
        let told = lines.iter().find(|line| {
            let text = line.text().to_lowercase();
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            let list = format!("{:?}", secret.as_bytes());
            [secret, &hex, list.trim_matches(['[', ']'])].iter().any(|form| text.contains(*form))
        });
        assert!(told.is_none(), "{}", told.unwrap());
    }
}

/// Has the target ask and store, and the client answer; the keys that the client has heard of.
#[track_caller]
fn asks_and_stores(host: &Host, stranger: &mut Stranger, keys: &[String]) -> Vec<(Kind, String)> {
    let answered = host.stay(&stranger.name).unwrap().cookies.len();
    for key in keys {
        assert!(host.order(&stranger.name, Order::StoreCookie { key: key.clone(), payload: CRUMBS.into() }));
        assert!(host.order(&stranger.name, Order::AskCookie(key.clone())));
    }
    let mut heard = Vec::new();
    while heard.len() < 2 * OTHERS.len() {
        let packet = stranger.connection.receive().unwrap();
        match packet.kind() {
            Some(Kind::StoreCookie) => {
                let key = Decoder::new(&packet.fields).string("key", 100).unwrap().to_owned();
                heard.push((Kind::StoreCookie, key));
            }
            Some(Kind::CookieRequest) => {
                let key = Decoder::new(&packet.fields).string("key", 100).unwrap().to_owned();
                let answer = stranger.body(Kind::CookieResponse, |out| {
                    out.string(&key);
                    out.option(Some(CRUMBS.as_bytes()), Encoder::byte_array);
                });
                stranger.says(&answer, 1);
                heard.push((Kind::CookieRequest, key));
            }
            _ => {}
        }
    }
    let stay = host.wait_for(&stranger.name, |stay| stay.cookies.len() == answered + keys.len());
    for (key, crumbs) in &stay.cookies[answered..] {
        let is_theirs = OTHERS.contains(&&**key);
        assert_eq!(crumbs.as_deref(), is_theirs.then_some(CRUMBS.as_bytes()), "{key}");
    }
    heard
}

#[test]
fn targets_neither_see_nor_change_the_edges_own_cookies() {
    // Players may bring what other edges have given them.
    for (namespace, secrets) in [("drawbridge", SECRETS), ("minecraft", SECRETS), ("drawbridge", "")] {
        let host = Host::builder(1).velocity(SECRET.as_bytes()).start().unwrap();
        let edge = carrying_with(secrets, host.address(), namespace, "velocity");
        let keys: Vec<_> = reserved(namespace).into_iter().chain(OTHERS.map(str::to_owned)).collect();
        let expected: Vec<_> = OTHERS
            .iter()
            .flat_map(|key| [Kind::StoreCookie, Kind::CookieRequest].map(|kind| (kind, (*key).to_owned())))
            .collect();
        let mut stranger = Stranger::configuring(&edge, "guest", NEW, "world");
        let asked = stranger.listens_for(Kind::SelectKnownPacks);
        assert_eq!(asks_and_stores(&host, &mut stranger, &keys), expected, "{namespace} in configuration");
        stranger.obeys(&asked);
        stranger.hears(Kind::Login);
        assert_eq!(asks_and_stores(&host, &mut stranger, &keys), expected, "{namespace} in play");
        assert_eq!(host.faults(), []);
        tells_no_secret(&edge);
    }
}

#[test]
fn in_a_login_too() {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let book = Arc::clone(&answers);
    let liar = Liar::start(move |it| {
        for key in reserved("minecraft").into_iter().chain(OTHERS.map(str::to_owned)) {
            it.says(&CookieRequest { key })?;
            let answer = it.waits_for(State::Login, Kind::CookieResponse)?;
            book.lock().unwrap().push(answer);
        }
        it.plays()
    });
    let edge = carrying(liar.address, "minecraft", "bungeeguard");
    let mut stranger = Stranger::knocks(&edge, "guest", NEW, "world");
    for key in OTHERS {
        let CookieRequest { key: asked } = stranger.connection.receive().unwrap().read().unwrap();
        assert_eq!(asked, key);
        let answer = stranger.body(Kind::CookieResponse, |out| {
            out.string(&asked);
            out.option(Some(CRUMBS.as_bytes()), Encoder::byte_array);
        });
        stranger.says(&answer, 1);
    }
    assert_eq!(stranger.connection.receive().unwrap().kind(), Some(Kind::Success));
    let answers = answers.lock().unwrap().clone();
    let (own, others) = answers.split_at(answers.len() - OTHERS.len());
    // No more than the key, and that there is nothing.
    assert_eq!(own.len(), reserved("minecraft").len());
    assert!(own.iter().all(|answer| answer.ends_with(&[0])), "{own:?}");
    assert!(others.iter().all(|answer| answer.ends_with(CRUMBS.as_bytes())), "{others:?}");
    edge.wait_for_message("session began");
    tells_no_secret(&edge);
}

/// BungeeGuard's token is told to the target, in the handshake, and to nobody else.
#[test]
fn the_log_tells_no_token() {
    let (liar, heard) = {
        let heard = Arc::new(Mutex::new(String::new()));
        let book = Arc::clone(&heard);
        let liar = Liar::start(move |it| {
            book.lock().unwrap().push_str(&it.host);
            it.plays()
        });
        (liar, heard)
    };
    for version in [OLD, NEW] {
        let edge = carrying(liar.address, "drawbridge", "bungeeguard");
        let _stranger = Stranger::configuring(&edge, "guest", version, "world");
        assert!(std::mem::take(&mut *heard.lock().unwrap()).contains(SECRET));
        edge.wait_for_message("session began");
        tells_no_secret(&edge);
    }
}
