//! What clients in sessions may send: who sends more is told and disconnected, and nobody else notices.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{Edge, Host, sees};
use std::net::SocketAddr;
use support::edge;
use support::scrape::{METRICS, wait_for};
use support::stranger::{NEW, OLD, Others, Stranger, THRESHOLD};

/// What who sends too much reads.
const WORDS: &str = "slow down";

/// Bounds that are far apart, so that each is met by itself. What those who play on send is below them.
const BOUNDS: &str = "burst = \"2s\"
packets = 600
bytes = \"500KiB\"
inflated = \"600KiB\"
chat = 20
commands = 2
completions = 10
plugin_messages = 150
settings = 5
packet = \"900KiB\"
ratio = 100
";

fn house(server: SocketAddr, limits: &str) -> Edge {
    let config = format!(
        "threads = 1\n{METRICS}[limits.play]\n{limits}\n[[routes]]\nname = \"world\"\nhosts = [\"*\"]\n\
         mode = \"offline\"\ntargets = [\"{server}\"]\nsession.compression = {THRESHOLD}\n\
         localization.messages.en_us = {{ disconnect_play_limit = \"{WORDS}\" }}\n\
         [[routes]]\nname = \"void\"\nhosts = [\"void\"]\nmode = \"offline\"\nsession.limbo = \"always\"\n\
         localization.messages.en_us = {{ disconnect_play_limit = \"{WORDS}\" }}\n"
    );
    edge().config(config).start()
}

/// What a client says that is over each bound.
fn floods(stranger: &mut Stranger, limit: &str) {
    match limit {
        "packets" => stranger.says(&stranger.body(Kind::ArmAnimation, |out| out.varint(0)), 1_500),
        // It isn't compressed.
        "bytes" => stranger.says_plainly(&stranger.zeros(Kind::ArmAnimation, 60 * 1024), 20),
        "inflated" => stranger.says(&stranger.zeros(Kind::ArmAnimation, 60 * 1024), 30),
        "chat" => stranger.says(&stranger.typed("hello"), 60),
        "commands" => stranger.says(&stranger.typed("/server"), 8),
        "completions" => stranger.says(&stranger.body(Kind::TabComplete, |out| out.bytes(&[0; 8])), 40),
        "plugin_messages" => stranger.says(&stranger.plugin_message(8), 400),
        "settings" => stranger.says(&stranger.body(Kind::Settings, |out| out.bytes(&[0; 8])), 20),
        "packet" => stranger.says(&stranger.zeros(Kind::ArmAnimation, 1_000 * 1024), 1),
        "ratio" => stranger.says(&stranger.zeros(Kind::ArmAnimation, 800 * 1024), 1),
        _ => panic!("{limit} is no bound"),
    }
}

#[track_caller]
fn is_refused(edge: &Edge, mut stranger: Stranger, limit: &str, allowed: &str) {
    assert_eq!(stranger.ends().as_deref(), Some(WORDS), "{limit}");
    let name = &*stranger.name;
    let is_theirs = |line: &drawbridge_testkit::Line| {
        line.message() == Some("the client sends too much") && line.field("player").as_deref() == Some(name)
    };
    let line = edge.wait_for("who sends too much", is_theirs);
    assert_eq!(line.field("limit").as_deref(), Some(limit), "{line}");
    assert_eq!(line.field("allowed").as_deref(), Some(allowed), "{line}");
    assert_eq!(line.level(), Some("INFO"));
    let address = stranger.connection.local().unwrap().to_string();
    assert_eq!(line.field("client"), Some(address), "{line}");
    let lines = edge.log();
    assert_eq!(lines.iter().filter(|line| is_theirs(line)).count(), 1);
    edge.wait_for("the end", |line| {
        line.message() == Some("session ended")
            && line.field("player").as_deref() == Some(name)
            && line.field("end").as_deref() == Some("play_limit")
    });
}

/// Each bound as it is configured, and as the log tells it.
const ALL: [(&str, &str); 10] = [
    ("packets", "600"),
    ("bytes", "512000"),
    ("inflated", "614400"),
    ("chat", "20"),
    ("commands", "2"),
    ("completions", "10"),
    ("plugin_messages", "150"),
    ("settings", "5"),
    ("packet", "921600"),
    ("ratio", "100"),
];

#[test]
fn who_sends_too_much_is_told_and_disconnected_and_others_notice_nothing() {
    sees!(
        "limits.play.packets",
        "limits.play.bytes",
        "limits.play.inflated",
        "limits.play.chat",
        "limits.play.commands",
        "limits.play.completions",
        "limits.play.plugin_messages",
        "limits.play.settings",
        "limits.play.packet",
        "limits.play.ratio",
        "routes[].localization(fixed).messages.*.disconnect_play_limit",
    );
    let host = Host::builder(1).compress(64).start().unwrap();
    let edge = house(host.address(), BOUNDS);
    let others = Others::join(&edge, &host);
    for version in [OLD, NEW] {
        for (limit, allowed) in ALL {
            let name = format!("{limit}{version}").replace('_', "");
            let mut stranger =
                Stranger::playing(&edge, &name[name.len().saturating_sub(16)..], version, "world");
            floods(&mut stranger, limit);
            is_refused(&edge, stranger, limit, allowed);
            others.notice_nothing();
        }
    }
    let at = edge.metrics_address();
    let count = 2.0 * ALL.len() as f64;
    wait_for(at, "drawbridge_limited_total", &["limit=\"play\""], |counted| counted == count);
    wait_for(at, "drawbridge_carried_ended_total", &["end=\"play_limit\""], |counted| counted == count);
}

/// Nobody has it kept up to its end.
#[test]
fn a_packet_over_its_bound_is_refused_by_its_head() {
    let host = Host::builder(1).start().unwrap();
    let edge = house(host.address(), BOUNDS);
    for to in ["world", "void"] {
        let mut stranger = Stranger::playing(&edge, &format!("head{to}"), NEW, to);
        // 1,000,000 bytes are to come.
        stranger.connection.raw(&[0xc0, 0x84, 0x3d]).unwrap();
        is_refused(&edge, stranger, "packet", "921600");
    }
}

#[test]
fn bounds_hold_in_configuration_and_in_limbo_where_no_target_hears_anything() {
    let host = Host::builder(1).start().unwrap();
    let edge = house(host.address(), BOUNDS);
    let others = Others::join(&edge, &host);
    // Before it has said that it is in configuration there is nothing else to be said.
    for (at, limit) in ["packets", "bytes", "inflated", "plugin_messages", "settings", "packet", "ratio"]
        .into_iter()
        .enumerate()
    {
        let mut stranger = Stranger::configuring(&edge, &format!("configuring{at}"), NEW, "world");
        match limit {
            "packets" => stranger.says(&stranger.body(Kind::Pong, |out| out.i32(0)), 1_500),
            "bytes" => stranger.says_plainly(&stranger.zeros(Kind::Pong, 60 * 1024), 20),
            "inflated" => stranger.says(&stranger.zeros(Kind::Pong, 60 * 1024), 30),
            "packet" => stranger.says(&stranger.zeros(Kind::Pong, 1_000 * 1024), 1),
            "ratio" => stranger.says(&stranger.zeros(Kind::Pong, 800 * 1024), 1),
            limit => floods(&mut stranger, limit),
        }
        let allowed = ALL.iter().find(|(bound, _)| *bound == limit).unwrap().1;
        is_refused(&edge, stranger, limit, allowed);
    }
    for version in [OLD, NEW] {
        for (at, (limit, allowed)) in ALL.into_iter().enumerate() {
            let mut stranger = Stranger::playing(&edge, &format!("limbo{at}of{version}"), version, "void");
            floods(&mut stranger, limit);
            is_refused(&edge, stranger, limit, allowed);
        }
    }
    others.notice_nothing();
    assert!(host.stay("limbo0of340").is_none());
}

#[test]
fn who_stays_within_the_bounds_is_heard() {
    sees!("limits.play.burst");
    let host = Host::builder(1).compress(64).start().unwrap();
    let edge = house(host.address(), BOUNDS);
    // A burst is worth two seconds.
    for version in [OLD, NEW] {
        let mut stranger = Stranger::playing(&edge, &format!("modest{version}"), version, "world");
        stranger.says(&stranger.typed("hello"), 40);
        stranger.says(&stranger.typed("/server"), 4);
        stranger.says(&stranger.plugin_message(8), 290);
        stranger.says_plainly(&stranger.plugin_message(30 * 1024), 8);
        let stay = host.wait_for(&stranger.name, |stay| stay.typed.len() == 40);
        assert!(stay.typed.iter().all(|text| text == "hello"), "{stay:?}");
        stranger.hears(Kind::KeepAlive);
    }
    assert!(!edge.log().iter().any(|line| line.message() == Some("the client sends too much")));
    // One of one second isn't.
    let shorter = house(host.address(), &BOUNDS.replace("2s", "1s"));
    let mut stranger = Stranger::playing(&shorter, "hasty", NEW, "world");
    stranger.says(&stranger.typed("hello"), 40);
    is_refused(&shorter, stranger, "chat", "20");
}

#[test]
fn without_bounds_anything_goes() {
    let none: String = ALL.iter().map(|(limit, _)| format!("{limit} = 0\n")).collect();
    let host = Host::builder(1).compress(64).start().unwrap();
    let edge = house(host.address(), &none);
    let mut stranger = Stranger::playing(&edge, "anybody", NEW, "world");
    for (limit, _) in ALL {
        // What a target would not take.
        if !["bytes", "inflated", "packet", "ratio", "settings", "completions"].contains(&limit) {
            floods(&mut stranger, limit);
        }
    }
    stranger.says(&stranger.plugin_message(2 * 1024 * 1024), 1);
    stranger.says(&stranger.typed("over"), 1);
    assert_eq!(host.wait_for("anybody", |stay| stay.typed.len() == 61).typed[60], "over");
}
