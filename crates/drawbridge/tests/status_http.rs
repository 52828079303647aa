//! The status from a URL: what is shown, when it is asked for, and what becomes of answers that are none.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Edge, Line, Reply, Web, eventually, ping, sees};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{description, edge};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21_4;
/// What is shown while there is nothing to show.
const NOTHING: &str = "The server's status can't be had right now";

/// A route that shows what is at this URL, with more about it.
fn showing(url: &str, more: &str) -> String {
    format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\ntargets = [\"hub.example.com:25570\"]\n\
         [routes.status]\ntype = \"http\"\nurl = \"{url}\"\nrefresh = \"1s\"\n{more}\n"
    )
}

/// A status as servers send it.
fn saying(text: &str) -> Vec<u8> {
    json!({
        "version": { "name": "Paper 1.21.4", "protocol": 769 },
        "players": { "max": 20, "online": 3, "sample": [] },
        "description": { "text": text },
        "enforcesSecureChat": true,
    })
    .to_string()
    .into_bytes()
}

fn shown(edge: &Edge) -> Value {
    ping(edge.address(), VERSION, "localhost").unwrap().0
}

#[track_caller]
fn comes_to_show(edge: &Edge, text: &str) {
    let seen = eventually(Duration::from_secs(15), || (description(&shown(edge)) == text).then_some(()));
    assert!(seen.is_some(), "it still shows {}, not {text:?}", shown(edge));
}

/// Waits until the page has been asked for so many times more.
#[track_caller]
fn is_asked(web: &Web, more: usize) {
    let before = web.requests();
    let asked = eventually(Duration::from_secs(15), || (web.requests() >= before + more).then_some(()));
    assert!(asked.is_some(), "it was asked for {} times only", web.requests() - before);
}

#[test]
fn what_is_at_the_url_is_shown_and_a_change_is_noticed() {
    sees!("routes[].status(http).url", "routes[].status(http).refresh");
    let web = Web::start(200, &saying("before")).unwrap();
    let edge = edge().config(showing(&format!("{}/lobby.json?key=x", web.url()), "")).start();
    comes_to_show(&edge, "before");
    let document = shown(&edge);
    assert_eq!(document["version"], json!({ "name": "Paper 1.21.4", "protocol": 769 }));
    assert_eq!(document["players"], json!({ "max": 20, "online": 3, "sample": [] }));
    assert_eq!(document["enforcesSecureChat"], true);
    assert_eq!(web.seen()[0].target, "/lobby.json?key=x");
    web.answer(200, &saying("after"));
    let start = Instant::now();
    comes_to_show(&edge, "after");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // However many look, it is asked for once a second.
    let asked = web.requests();
    let start = Instant::now();
    (0..100).for_each(|_| drop(shown(&edge)));
    let most = 2 + start.elapsed().as_secs() as usize;
    assert!(web.requests() - asked <= most, "asked for {} times", web.requests() - asked);
}

#[test]
fn a_foreign_document_is_pointed_into() {
    sees!(
        "routes[].status(http).fields.online",
        "routes[].status(http).fields.max",
        "routes[].status(http).fields.sample",
        "routes[].status(http).fields.description",
        "routes[].status(http).fields.version_name",
        "routes[].status(http).fields.protocol",
        "routes[].status(http).fields.favicon",
        "routes[].status(http).fields.enforces_secure_chat",
    );
    let icon = format!("data:image/png;base64,{}", STANDARD.encode(include_bytes!("support/icon.png")));
    let page = json!({
        "online": true,
        "lobby": {
            "players": { "now": 7, "slots": 50, "list": ["Notch", { "name": "jeb_", "id": "853c80ef-3c37-49fd-aa49-938b674adae6" }] },
            "motd": "§6Gold", "software": "Velocity", "number": 47, "icon": icon, "secure": true,
        },
    });
    let web = Web::start(200, page.to_string().as_bytes()).unwrap();
    let fields = "[routes.status.fields]\nonline = \"/lobby/players/now\"\nmax = \"/lobby/players/slots\"\n\
        sample = \"/lobby/players/list\"\ndescription = \"/lobby/motd\"\nversion_name = \"/lobby/software\"\n\
        protocol = \"/lobby/number\"\nfavicon = \"/lobby/icon\"\nenforces_secure_chat = \"/lobby/secure\"\n";
    let edge = edge().config(showing(&web.url(), fields)).start();
    comes_to_show(&edge, "Gold");
    let document = shown(&edge);
    assert_eq!(document["version"], json!({ "name": "Velocity", "protocol": 47 }));
    assert_eq!((&document["players"]["online"], &document["players"]["max"]), (&json!(7), &json!(50)));
    assert_eq!(document["players"]["sample"][0]["name"], "Notch");
    assert_eq!(document["players"]["sample"][1]["id"], "853c80ef-3c37-49fd-aa49-938b674adae6");
    assert_eq!((&document["favicon"], &document["enforcesSecureChat"]), (&json!(icon), &json!(true)));
}

#[test]
fn a_page_that_has_not_changed_is_not_sent_again() {
    let web = Web::start(200, &[]).unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let etag = Arc::new(Mutex::new("\"one\""));
    let (sending, current) = (Arc::clone(&sent), Arc::clone(&etag));
    let date = "Sat, 21 Nov 2026 12:00:00 GMT";
    web.answer_by(move |request| {
        let etag = *current.lock().unwrap();
        if request.header("if-none-match") == Some(etag) && request.header("if-modified-since") == Some(date)
        {
            return Reply::new(304, []);
        }
        sending.fetch_add(1, Ordering::SeqCst);
        Reply::new(200, saying(etag)).with("ETag", etag).with("Last-Modified", date)
    });
    let edge = edge().config(showing(&web.url(), "")).start();
    comes_to_show(&edge, "\"one\"");
    is_asked(&web, 2);
    assert_eq!(sent.load(Ordering::SeqCst), 1);
    assert_eq!(description(&shown(&edge)), "\"one\"");
    *etag.lock().unwrap() = "\"two\"";
    comes_to_show(&edge, "\"two\"");
    assert_eq!(sent.load(Ordering::SeqCst), 2);
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_compressed_page_is_inflated_as_far_as_it_may_be_long() {
    let web = Web::start(200, &[]).unwrap();
    let page = |body: Vec<u8>| move |_: &_| Reply::new(200, &body).with("Content-Encoding", "gzip");
    web.answer_by(page(gzipped(&saying("small"))));
    let edge = edge().config(showing(&web.url(), "")).start();
    comes_to_show(&edge, "small");
    assert!(web.seen()[0].header("accept-encoding").unwrap().contains("gzip"));
    let memory = edge.memory();
    // 64 MiB of spaces, a thousandth of that on the wire.
    web.answer_by(page(gzipped(&vec![b' '; 64 << 20])));
    let line = edge.wait_for_message("the status can't be had");
    assert_eq!(line.field("error").as_deref(), Some("the answer has more than 65536 bytes"));
    is_asked(&web, 1);
    assert_eq!(description(&shown(&edge)), "small");
    let grown = edge.memory().rss.saturating_sub(memory.rss);
    assert!(grown < 16 << 20, "it grew by {grown} bytes");
}

#[test]
fn while_it_fails_the_last_answer_is_shown_or_the_text_of_the_state() {
    sees!(
        "routes[].status(http).on_error",
        "routes[].status(http).states.unreachable.name",
        "routes[].status(http).states.unreachable.description",
    );
    let web = Web::start(500, b"").unwrap();
    let states =
        "on_error = \"states\"\nstates.unreachable = { name = \"away\", description = \"Back soon\" }\n";
    let stale = edge().config(showing(&web.url(), "")).start();
    let states = edge().config(showing(&web.url(), states)).start();
    for edge in [&stale, &states] {
        let line = edge.wait_for_message("the status can't be had");
        assert_eq!(line.level(), Some("WARN"));
        let error = line.field("error").unwrap();
        assert!(error.contains("500"), "{error}");
    }
    assert_eq!(description(&shown(&stale)), NOTHING);
    assert_eq!(description(&shown(&states)), "Back soon");
    assert_eq!(shown(&states)["version"], json!({ "name": "away", "protocol": -1 }));
    web.answer(200, &saying("there"));
    comes_to_show(&stale, "there");
    comes_to_show(&states, "there");
    web.answer(200, br#"{"players":{"online":"many","max":20}}"#);
    comes_to_show(&states, "Back soon");
    is_asked(&web, 2);
    assert_eq!(description(&shown(&stale)), "there");
    let words = "online at /players/online: expected a whole number from 0 to 2147483647, found \"many\"";
    stale.wait_for("the mistake", |line| line.field("error").is_some_and(|error| error.contains(words)));
    web.answer(200, &saying("again"));
    comes_to_show(&states, "again");
    comes_to_show(&stale, "again");
}

#[test]
fn a_server_that_wants_to_be_left_alone_is() {
    let web = Web::start(200, &[]).unwrap();
    web.answer_by(|_| Reply::new(503, []).with("Retry-After", "7"));
    let edge = edge().config(showing(&web.url(), "")).start();
    let line = edge.wait_for_message("the status can't be had");
    assert_eq!(line.field("again_in").as_deref(), Some("7s"));
}

#[test]
fn a_favicon_that_clients_would_not_take_is_told_once() {
    let page = br#"{"description":"there","favicon":"https://example.com/icon.png"}"#;
    let web = Web::start(200, page).unwrap();
    let edge = edge().config(showing(&web.url(), "")).start();
    comes_to_show(&edge, "there");
    assert_eq!(shown(&edge)["favicon"], Value::Null);
    is_asked(&web, 2);
    let told = |line: &Line| line.message() == Some("the status is shown without its favicon");
    assert_eq!(edge.log().iter().filter(|line| told(line)).count(), 1);
}

#[test]
fn a_page_that_never_comes_is_not_waited_for() {
    sees!("routes[].status(http).timeout");
    let web = Web::start(200, &[]).unwrap();
    web.answer_by(|_| Reply::silence());
    let edge = edge().config(showing(&web.url(), "timeout = \"300ms\"\n")).start();
    let line = edge.wait_for_message("the status can't be had");
    assert_eq!(line.field("error").as_deref(), Some("no answer within 300ms"));
    let start = Instant::now();
    assert_eq!(description(&shown(&edge)), NOTHING);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    web.answer(200, &saying("there"));
    comes_to_show(&edge, "there");
}

#[test]
fn headers_are_sent_along_and_secrets_stay_secret() {
    sees!("routes[].status(http).headers.*");
    let web = Web::start(200, &saying("there")).unwrap();
    let headers = "headers = { Accept = \"application/json\", X-Api-Key = { file = \"key.txt\" }, X-Other = { env = \"OTHER\" } }\n";
    let url = format!("{}/?token=tiptoe", web.url());
    let edge =
        edge().config(showing(&url, headers)).file("key.txt", "hush-hush\n").env("OTHER", "mum").start();
    comes_to_show(&edge, "there");
    let seen = web.seen();
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert_eq!(seen[0].header("x-api-key"), Some("hush-hush"));
    assert_eq!(seen[0].header("x-other"), Some("mum"));
    web.answer(500, b"");
    edge.wait_for_message("the status can't be had");
    let told: String = edge.log().iter().map(|line| line.text().to_owned()).collect();
    assert!(!told.contains("hush-hush") && !told.contains("tiptoe"), "{told}");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Web::start(200, &saying("elsewhere")).unwrap();
    let web = Web::start(200, &[]).unwrap();
    let to = elsewhere.url();
    web.answer_by(move |_| Reply::new(302, []).with("Location", &to));
    let edge = edge().config(showing(&web.url(), "")).start();
    let line = edge.wait_for_message("the status can't be had");
    assert!(line.field("error").unwrap().contains("redirects aren't followed"), "{line}");
    assert_eq!((elsewhere.requests(), description(&shown(&edge)).as_str()), (0, NOTHING));
}

#[test]
fn a_reload_keeps_what_was_there() {
    let web = Web::start(200, &saying("before")).unwrap();
    let edge = edge().config(showing(&web.url(), "")).start();
    comes_to_show(&edge, "before");
    web.answer(500, b"");
    edge.wait_for_message("the status can't be had");
    edge.rewrite(format!("{}\n[limits]\nmax_packet = \"4KiB\"\n", showing(&web.url(), "")));
    edge.wait_for_message("configuration reloaded");
    assert_eq!(description(&shown(&edge)), "before");
    // Nobody asks for what no route wants any more.
    edge.rewrite(showing("http://127.0.0.1:9/", ""));
    edge.wait_for_messages("configuration reloaded", 2);
    comes_to_show(&edge, NOTHING);
    let asked = web.requests();
    edge.wait_for("that the other is asked", |line| {
        line.message() == Some("the status still can't be had")
            && line.field("failures").as_deref() == Some("2")
    });
    assert_eq!(web.requests(), asked);
}

#[test]
fn the_environments_proxy_is_used() {
    let proxy = Web::start(200, &saying("by the proxy")).unwrap();
    let direct = Web::start(200, &saying("direct")).unwrap();
    let edge_of = |url: &str| {
        let edge = edge().config(showing(url, "")).env("HTTP_PROXY", &proxy.url());
        edge.env("HTTPS_PROXY", &proxy.url()).env("NO_PROXY", "127.0.0.1").start()
    };
    // A name that only a proxy can know.
    comes_to_show(&edge_of("http://status.example.invalid/lobby.json"), "by the proxy");
    assert_eq!(proxy.seen()[0].target, "http://status.example.invalid/lobby.json");
    comes_to_show(&edge_of(&direct.url()), "direct");
    let asked = proxy.requests();
    let encrypted = edge_of("https://status.example.invalid/lobby.json");
    encrypted.wait_for_message("the status can't be had");
    let request = proxy.seen().swap_remove(asked);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("CONNECT", "status.example.invalid:443"));
}

#[test]
fn what_cannot_be_asked_is_said_where_it_is_written() {
    for (more, words) in [
        ("timeout = \"0s\"\n", "nobody answers in no time"),
        ("headers = { Host = \"x\" }\n", "said by the edge itself"),
        ("fields.online = \"players\"\n", "a JSON pointer is empty or begins with /"),
        ("favicon = \"icon.png\"\n", "unknown key"),
    ] {
        let finished = edge().config(showing("http://127.0.0.1:1/", more)).argument("check").finish();
        assert!(!finished.status.success() && finished.stderr.contains(words), "{more}: {}", finished.stderr);
    }
    let finished = edge().config(showing("ftp://127.0.0.1/", "")).argument("check").finish();
    assert!(finished.stderr.contains("expected a URL that begins with http://"), "{}", finished.stderr);
}
