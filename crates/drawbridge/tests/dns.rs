//! Discovery by DNS: who is sent where, when DNS is asked, and what becomes of players while it fails.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Edge, Mood, NameServer, Record, eventually, sees};
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};
use support::scrape::{METRICS, Scrape};
use support::{edge, sent};

const SRV: &str = "_minecraft._tcp.lobby.example.com";

/// A name server that knows where `*.example.com` of the tests is.
fn name_server() -> NameServer {
    let dns = NameServer::start().unwrap();
    for host in ["a", "b", "c", "d"] {
        dns.set(&format!("{host}.example.com"), 60, [Record::A([10, 0, 0, 1].into())]);
    }
    dns
}

/// An SRV record of `<host>.example.com:25570`.
fn srv(priority: u16, weight: u16, host: &str) -> Record {
    Record::srv(priority, weight, 25570, &format!("{host}.example.com"))
}

/// A route whose players go where these name servers say.
fn asking(servers: &[&NameServer], more: &str) -> String {
    let servers: Vec<_> = servers.iter().map(|server| server.address().to_string()).collect();
    format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\nauthentication.type = \"disabled\"\n\
         [routes.discovery]\ntype = \"dns\"\ndomain = \"lobby.example.com\"\nnameservers = {servers:?}\n{more}\n"
    )
}

fn house(dns: &NameServer, more: &str) -> Edge {
    edge().config(format!("{METRICS}{}", asking(&[dns], more))).start()
}

#[track_caller]
fn comes_to_send(edge: &Edge, to: &str) {
    let sent_there = eventually(Duration::from_secs(15), || (sent(edge) == to).then_some(()));
    assert!(sent_there.is_some(), "players are still sent to {}, not {to}", sent(edge));
}

const NO_TARGET: &str = "No server is configured or available";

#[test]
fn players_are_shared_out_by_priority_and_weight() {
    sees!("routes[].discovery(dns).domain", "routes[].discovery(dns).nameservers");
    let dns = name_server();
    dns.set(SRV, 60, [srv(20, 1, "c"), srv(10, 60, "a"), srv(10, 20, "b"), srv(30, 65535, "d")]);
    let edge = house(&dns, "");
    let logins = 100;
    let first = (0..logins).filter(|_| match sent(&edge).as_str() {
        "a.example.com:25570" => true,
        "b.example.com:25570" => false,
        other => panic!("sent to {other}"),
    });
    // Three of four, give or take five standard deviations.
    let first = first.count();
    assert!((53..=96).contains(&first), "{first} of {logins} were sent to the heavier one");
    assert_eq!(dns.asked(SRV), 1, "one answer serves them all");
}

#[test]
fn a_name_of_its_own_is_asked_for_as_it_is() {
    let dns = name_server();
    dns.set("_lobby._tcp.example.com", 60, [srv(0, 0, "a")]);
    let config = asking(&[&dns], "").replace("\"lobby.example.com\"", "\"_lobby._tcp.example.com\"");
    assert_eq!(sent(&edge().config(config).start()), "a.example.com:25570");
}

#[test]
fn name_servers_may_be_reached_by_ipv6() {
    let dns = NameServer::start_at(Ipv6Addr::LOCALHOST.into()).unwrap();
    dns.set(SRV, 60, [srv(0, 0, "a")]);
    dns.set("a.example.com", 60, [Record::Aaaa("2001:db8::1".parse().unwrap())]);
    assert_eq!(sent(&house(&dns, "")), "a.example.com:25570");
}

/// The system's name servers are asked, and its own words for this machine taken, which leads nowhere else.
#[test]
fn without_name_servers_the_systems_are_asked() {
    let dns = name_server();
    let config = asking(&[&dns], "record = \"a\"\n").replace("\"lobby.example.com\"", "\"localhost.\"");
    let (named, rest) = config.split_once("nameservers = ").unwrap();
    let system = format!("{named}{}", rest.split_once('\n').unwrap().1);
    assert_eq!(sent(&edge().config(system).start()), "127.0.0.1:25565");
}

/// What isn't there, can't be gone to or can't be looked up doesn't spoil the rest.
#[test]
fn a_dead_host_does_not_spoil_the_rest() {
    let dns = name_server();
    dns.mood_about("failing.example.com", Mood::Failing);
    dns.mood_about("silent.example.com", Mood::Silent);
    dns.set(
        SRV,
        60,
        [
            srv(0, 100, "gone"),
            srv(1, 100, "failing"),
            srv(2, 100, "silent"),
            Record::srv(3, 0, 0, "a.example.com"),
            Record::srv(4, 0, 25570, "."),
            Record::srv(5, 0, 25570, "b b.example.com"),
            srv(6, 0, "b"),
            srv(6, 0, "b"),
        ],
    );
    let start = Instant::now();
    let edge = house(&dns, "timeout = \"2s\"\n");
    assert_eq!(sent(&edge), "b.example.com:25570");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let line = edge.wait_for_message("hosts without an address are left out");
    assert_eq!(line.field("count").as_deref(), Some("3"));
}

#[test]
fn addresses_are_given_a_port() {
    sees!("routes[].discovery(dns).record", "routes[].discovery(dns).port");
    let dns = name_server();
    dns.set("lobby.example.com", 60, [Record::Cname("real.example.com".to_owned())]);
    dns.set(
        "real.example.com",
        60,
        [
            Record::Aaaa("2001:db8::1".parse().unwrap()),
            Record::A([10, 0, 0, 1].into()),
            Record::A([10, 0, 0, 2].into()),
        ],
    );
    let edge = house(&dns, "record = \"a\"\nport = 25599\n");
    // Players who came by IPv4 go by IPv4.
    let mut seen: Vec<_> = (0..40).map(|_| sent(&edge)).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["10.0.0.1:25599", "10.0.0.2:25599"]);
    let usual = house(&dns, "record = \"a\"\n");
    assert!(sent(&usual).ends_with(":25565"));
}

#[test]
fn an_answer_is_used_for_as_long_as_it_is_good_and_no_longer_than_refresh() {
    sees!("routes[].discovery(dns).refresh");
    let dns = name_server();
    dns.set(SRV, 1, [srv(0, 0, "a")]);
    let short_lived = house(&dns, "");
    assert_eq!(sent(&short_lived), "a.example.com:25570");
    dns.set(SRV, 3600, [srv(0, 0, "b")]);
    comes_to_send(&short_lived, "b.example.com:25570");
    let refreshing = house(&dns, "refresh = \"1s\"\n");
    assert_eq!(sent(&refreshing), "b.example.com:25570");
    dns.set(SRV, 0, [srv(0, 0, "c")]);
    comes_to_send(&refreshing, "c.example.com:25570");
    // It said that it is good for an hour.
    assert_eq!(sent(&short_lived), "b.example.com:25570");
    // However short an answer is good for, it is asked for once a second.
    let (asked, start) = (dns.asked(SRV), Instant::now());
    (0..50).for_each(|_| drop(sent(&refreshing)));
    let most = 2 + start.elapsed().as_secs() as usize;
    assert!(dns.asked(SRV) - asked <= most, "asked {} times", dns.asked(SRV) - asked);
}

#[test]
fn that_there_is_nothing_is_an_answer() {
    let dns = name_server();
    let edge = house(&dns, "refresh = \"1s\"\n");
    assert!(sent(&edge).starts_with(NO_TARGET), "{}", sent(&edge));
    edge.wait_for_refusal("no_target");
    dns.set(SRV, 60, [srv(0, 0, "a")]);
    comes_to_send(&edge, "a.example.com:25570");
    dns.set(SRV, 60, []);
    let empty = eventually(Duration::from_secs(15), || sent(&edge).starts_with(NO_TARGET).then_some(()));
    assert!(empty.is_some(), "players are still sent to {}", sent(&edge));
}

#[test]
fn while_dns_fails_the_last_targets_serve() {
    for mood in [Mood::Failing, Mood::Refusing, Mood::Silent, Mood::Garbage, Mood::Broken] {
        let dns = name_server();
        dns.set(SRV, 1, [srv(0, 0, "a")]);
        let edge = house(&dns, "timeout = \"500ms\"\n");
        assert_eq!(sent(&edge), "a.example.com:25570");
        dns.mood(mood);
        let line = edge.wait_for_message("DNS fails");
        assert_eq!((line.level(), line.field("stale").as_deref()), (Some("WARN"), Some("true")), "{mood:?}");
        edge.wait_for_message("DNS still fails");
        let stale =
            || Scrape::of(edge.metrics_address()).sum("drawbridge_discovery_stale_total", &["kind=\"dns\""]);
        assert_eq!(stale(), 0.0, "{mood:?}");
        let start = Instant::now();
        assert_eq!(sent(&edge), "a.example.com:25570", "{mood:?}");
        assert!(start.elapsed() < Duration::from_secs(1), "{mood:?}: {:?}", start.elapsed());
        assert_eq!(stale(), 1.0, "{mood:?}");
        dns.set(SRV, 1, [srv(0, 0, "b")]);
        dns.mood(Mood::Well);
        edge.wait_for_message("DNS answers again");
        assert_eq!(sent(&edge), "b.example.com:25570", "{mood:?}");
        assert_eq!(stale(), 1.0, "{mood:?}: a fresh answer is none");
    }
}

#[test]
fn a_route_may_refuse_or_go_on_while_dns_fails() {
    sees!("routes[].discovery(dns).on_error", "routes[].actions[](fixed).targets[].address");
    let dns = name_server();
    dns.set(SRV, 1, [srv(0, 0, "a")]);
    let refuse = house(&dns, "on_error = \"refuse\"\n");
    let fallback = "on_error = \"next\"\n[[routes.actions]]\ntype = \"fixed\"\n\
        targets = [{ address = \"fallback.example.com:25570\" }]\n";
    let next = house(&dns, fallback);
    for edge in [&refuse, &next] {
        assert_eq!(sent(edge), "a.example.com:25570");
    }
    dns.mood(Mood::Failing);
    refuse.wait_for_message("DNS still fails");
    assert!(!sent(&refuse).contains(":25570"));
    refuse.wait_for_refusal("discovery");
    next.wait_for_message("DNS still fails");
    assert_eq!(sent(&next), "fallback.example.com:25570");
    dns.mood(Mood::Well);
    comes_to_send(&refuse, "a.example.com:25570");
    comes_to_send(&next, "a.example.com:25570");
}

#[test]
fn the_first_answer_is_waited_for() {
    sees!("routes[].discovery(dns).timeout");
    let dns = name_server();
    dns.set(SRV, 60, [srv(0, 0, "a")]);
    dns.mood(Mood::Silent);
    let edge = house(&dns, "timeout = \"700ms\"\n");
    let start = Instant::now();
    assert!(!sent(&edge).contains(":25570"));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    edge.wait_for_refusal("discovery");
    let line = edge.wait_for_message("DNS fails");
    assert_eq!(line.field("stale").as_deref(), Some("false"));
    dns.mood(Mood::Well);
    comes_to_send(&edge, "a.example.com:25570");
}

#[test]
fn the_next_name_server_is_asked_when_one_fails() {
    for mood in [Mood::Failing, Mood::Refusing, Mood::Silent] {
        let (first, second) = (name_server(), name_server());
        first.mood(mood);
        second.set(SRV, 60, [srv(0, 0, "b")]);
        let edge = edge().config(asking(&[&first, &second], "")).start();
        assert_eq!(sent(&edge), "b.example.com:25570", "{mood:?}");
        assert!(first.asked(SRV) > 0);
    }
    // What the first decidedly doesn't know is nobody else's business.
    let (first, second) = (name_server(), name_server());
    second.set(SRV, 60, [srv(0, 0, "b")]);
    let edge = edge().config(asking(&[&first, &second], "")).start();
    assert!(sent(&edge).starts_with(NO_TARGET));
    assert_eq!(second.asked(SRV), 0);
}

#[test]
fn what_does_not_fit_is_asked_for_over_tcp() {
    let dns = name_server();
    let many = (0..200).map(|number| Record::srv(1, 0, 1000 + number, "a.example.com"));
    dns.set(SRV, 60, many.chain([srv(0, 0, "b")]));
    let edge = house(&dns, "");
    assert_eq!(sent(&edge), "b.example.com:25570");
    assert_eq!(dns.asked_over_tcp(), 1);
    let line = edge.wait_for_message("DNS names other targets");
    assert_eq!(line.field("targets").as_deref(), Some("201"));
    // As many as a message can hold.
    let most = (0..1800).map(|number| Record::srv(0, 1, 1000 + number, "a.example.com"));
    dns.set(SRV, 60, most);
    let edge = house(&dns, "");
    assert!(sent(&edge).starts_with("a.example.com:"), "{}", sent(&edge));
    let line = edge.wait_for_message("DNS names other targets");
    assert_eq!(line.field("targets").as_deref(), Some("1024"));
}

#[test]
fn a_reload_keeps_the_answers() {
    let dns = name_server();
    dns.set(SRV, 60, [srv(0, 0, "a")]);
    let edge = house(&dns, "");
    assert_eq!(sent(&edge), "a.example.com:25570");
    dns.mood(Mood::Silent);
    edge.rewrite(format!("{METRICS}[limits]\nmax_packet = \"4KiB\"\n{}", asking(&[&dns], "")));
    edge.wait_for_message("configuration reloaded");
    assert_eq!(sent(&edge), "a.example.com:25570");
    assert_eq!(dns.asked(SRV), 1);
}

/// As an action it adds its targets behind those that are there.
#[test]
fn dns_is_an_action_too() {
    sees!(
        "routes[].actions[](dns).domain",
        "routes[].actions[](dns).record",
        "routes[].actions[](dns).port",
        "routes[].actions[](dns).refresh",
        "routes[].actions[](dns).timeout",
        "routes[].actions[](dns).nameservers",
        "routes[].actions[](dns).on_error",
        "routes[].actions[](dns).name",
        "routes[].actions[].type",
    );
    let dns = name_server();
    dns.set("hub.example.com", 1, [Record::A([10, 0, 0, 9].into())]);
    let config = format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\nauthentication.type = \"disabled\"\n\
         [[routes.actions]]\ntype = \"dns\"\nname = \"hub by name\"\ndomain = \"hub.example.com\"\nrecord = \"a\"\nport = 25571\n\
         refresh = \"1s\"\ntimeout = \"300ms\"\nnameservers = [\"{}\"]\non_error = \"refuse\"\n",
        dns.address()
    );
    let edge = edge().config(&config).start();
    assert_eq!(sent(&edge), "10.0.0.9:25571");
    dns.mood(Mood::Silent);
    let line = edge.wait_for_message("DNS fails");
    let error = line.field("error").unwrap();
    assert!(error.contains("300ms") || error.contains("timed out"), "{error}");
    edge.wait_for_message("DNS still fails");
    assert!(!sent(&edge).contains(":25571"));
    let line = edge.wait_for_message("an action failed");
    assert_eq!(line.field("action").as_deref(), Some("hub by name"));
    let next = config.replace("\"refuse\"", "\"next\"");
    edge.rewrite(next);
    edge.wait_for_message("configuration reloaded");
    assert!(sent(&edge).starts_with(NO_TARGET));
}

#[test]
fn mistakes_are_said_where_they_are_written() {
    for (more, words) in [
        ("port = 25565\n", "an SRV record names its port itself"),
        ("record = \"a\"\nport = 0\n", "nobody listens at port 0"),
        ("refresh = \"10ms\"\n", "once a second at most"),
        ("timeout = \"0s\"\n", "nobody answers in no time"),
    ] {
        let dns = NameServer::start().unwrap();
        let finished = edge().config(asking(&[&dns], more)).argument("check").finish();
        assert!(!finished.status.success() && finished.stderr.contains(words), "{more}: {}", finished.stderr);
        assert_eq!(dns.asked(SRV), 0, "a check asks nobody");
    }
    let dns = NameServer::start().unwrap();
    for (domain, words) in
        [("10.0.0.1", "needs no DNS"), ("a:1", "a name alone"), ("a..b", "a name has labels")]
    {
        let config = asking(&[&dns], "").replace("lobby.example.com", domain);
        let finished = edge().config(config).argument("check").finish();
        assert!(finished.stderr.contains(words), "{domain}: {}", finished.stderr);
    }
}
