//! Routes from a Kubernetes cluster's Services, whose API is `testkit`'s.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{DockerApi, Edge, KubernetesApi, Manner, Player, Request, Target, sees};
use std::time::Duration;
use support::edge;
use support::providers::{self as routes, FOUND, LOST, said, soon_says, told};

/// What no service has anything to do with.
const HARBOUR: &str = "[[routes]]\nname = \"harbour\"\nhosts = [\"*.example.com\"]\nmode = \"transfer\"\ntargets = [\"a:1\"]\n\
    [routes.status]\ndescription = \"harbour\"\n";

fn providers(api: &KubernetesApi, more: &str) -> String {
    format!("[providers.kubernetes]\nkubeconfig = \"{}\"\n{more}\n", api.kubeconfig().display())
}

fn watching(api: &KubernetesApi, more: &str) -> Edge {
    edge().config(providers(api, more) + HARBOUR).start()
}

/// Annotations of a route that says this in the server list.
fn saying<'a>(hosts: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    routes::saying(
        ["drawbridge.dev/hosts", "drawbridge.dev/status.type", "drawbridge.dev/status.description"],
        hosts,
        text,
    )
}

/// Lists and watches of services so far.
fn asked(api: &KubernetesApi) -> (usize, usize) {
    let calls = api.calls();
    let services = || calls.iter().filter(|call| call.request.path().ends_with("/services"));
    let watches = services().filter(|call| call.request.parameter("watch").is_some()).count();
    (services().count() - watches, watches)
}

#[test]
fn an_annotated_service_is_a_route_while_it_is_there() {
    sees!("providers.kubernetes.kubeconfig");
    let api = KubernetesApi::start().unwrap();
    let target = Target::start(Manner::Echoes(Vec::new())).unwrap();
    api.serve("default", "unmarked", 1, [("mc-router.itzg.me/externalServerName", "a.example.com")]);
    let edge = watching(&api, "");
    assert_eq!(said(&edge, "lobby.example.com"), "harbour");

    let mut annotations = saying("lobby.example.com\n*", "from an annotation");
    annotations.push(("drawbridge.dev/relay.proxy_protocol", "v1"));
    api.serve("default", "lobby", target.address().port(), annotations);
    soon_says(&edge, "lobby.example.com", "from an annotation");
    assert_eq!(said(&edge, "anything.else"), "from an annotation", "the default host is \"*\"");
    let _player = Player::new("Alice", 767)
        .host("lobby.example.com")
        .patience(Duration::from_secs(1))
        .knock(edge.address());
    assert!(target.wait_for(6).starts_with(b"PROXY "));

    api.serve("default", "lobby", 1, saying("lobby.example.com", "changed"));
    soon_says(&edge, "lobby.example.com", "changed");
    api.serve("default", "lobby", 1, []);
    soon_says(&edge, "lobby.example.com", "harbour");
    api.serve("default", "lobby", 1, saying("lobby.example.com", "marked again"));
    soon_says(&edge, "lobby.example.com", "marked again");
    api.withdraw("default", "lobby");
    soon_says(&edge, "lobby.example.com", "harbour");
    assert_eq!(asked(&api), (1, 1), "one list, and one watch from then on");
}

#[test]
fn an_annotation_that_is_wrong_is_shown_and_keeps_the_route_as_it_was() {
    let api = KubernetesApi::start().unwrap();
    api.serve("default", "lobby", 1, saying("lobby.example.com", "good"));
    let edge = watching(&api, "");
    assert_eq!(said(&edge, "lobby.example.com"), "good");
    let mut annotations = saying("lobby.example.com", "bad");
    annotations.push(("drawbridge.dev/max_players", "many"));
    api.serve("default", "lobby", 1, annotations);
    api.serve("default", "other", 1, saying("other.example.com", "other"));
    soon_says(&edge, "other.example.com", "other");
    let line = edge.wait_for("the annotation", |line| {
        line.field("at").is_some_and(|at| at.starts_with("kubernetes:default/lobby:"))
    });
    assert!(line.text().contains("found a string") || line.text().contains("expected"), "{line}");
    assert_eq!(said(&edge, "lobby.example.com"), "good");
    let mut annotations = saying("lobby.example.com", "no port");
    annotations.push(("drawbridge.dev/port", "none"));
    api.serve("default", "lobby", 1, annotations);
    edge.wait_for("the port", |line| {
        line.text().contains("service default/lobby") && line.text().contains("is no port")
    });
    api.serve("default", "lobby", 1, saying("lobby.example.com", "mended"));
    soon_says(&edge, "lobby.example.com", "mended");
}

#[test]
fn services_of_the_namespaces_that_are_named_are_watched() {
    sees!("providers.kubernetes.namespaces", "providers.kubernetes.context");
    let api = KubernetesApi::start().unwrap();
    for (namespace, host) in
        [("default", "d.example.com"), ("games", "g.example.com"), ("more", "m.example.com")]
    {
        // Of the same name, which no two routes have.
        api.serve(namespace, "lobby", 1, saying(host, namespace));
    }
    let shown = |edge: &Edge| ["d", "g", "m"].map(|host| said(edge, &format!("{host}.example.com")));
    assert_eq!(shown(&watching(&api, "")), ["default", "harbour", "harbour"], "the context's own");
    assert_eq!(shown(&watching(&api, "namespaces = [\"games\", \"more\"]")), ["harbour", "games", "more"]);
    assert_eq!(shown(&watching(&api, "namespaces = [\"*\"]")), ["default", "games", "more"]);
    // A namespace that may not be seen keeps no other waiting.
    api.forbid("games");
    let edge = watching(&api, "namespaces = [\"games\", \"more\"]");
    assert_eq!(shown(&edge), ["harbour", "harbour", "more"]);
    let line = edge.wait_for_message(LOST);
    assert_eq!(line.field("namespace").as_deref(), Some("games"));
    assert!(line.text().contains("needs the verbs list and watch"), "{line}");
    // Whoever the context says that we are isn't let in.
    let edge = watching(&api, "context = \"stranger\"");
    assert_eq!(shown(&edge), ["harbour"; 3]);
    edge.wait_for("why", |line| line.text().contains("401 Unauthorized"));
}

#[test]
fn while_the_api_is_away_its_routes_stay() {
    let api = KubernetesApi::start().unwrap();
    api.serve("default", "lobby", 1, saying("lobby.example.com", "before"));
    let edge = watching(&api, "");
    assert_eq!(said(&edge, "lobby.example.com"), "before");
    // A stream that breaks is taken up where it was, though changes came meanwhile.
    api.break_streams();
    api.serve("default", "lobby", 1, saying("lobby.example.com", "meanwhile"));
    soon_says(&edge, "lobby.example.com", "meanwhile");
    assert_eq!((asked(&api).0, told(&edge, LOST)), (1, 0));

    api.down(Some(503));
    api.break_streams();
    edge.wait_for_message(LOST);
    api.serve("default", "lobby", 1, saying("lobby.example.com", "after"));
    assert_eq!(said(&edge, "lobby.example.com"), "meanwhile");
    api.down(None);
    soon_says(&edge, "lobby.example.com", "after");
    edge.wait_for_message(FOUND);
    assert_eq!((told(&edge, LOST), told(&edge, FOUND)), (1, 1));
    // What the API has forgotten is listed anew.
    let lists = asked(&api).0;
    api.withdraw("default", "lobby");
    api.forget();
    api.serve("default", "new", 1, saying("new.example.com", "new"));
    soon_says(&edge, "new.example.com", "new");
    assert_eq!(said(&edge, "lobby.example.com"), "harbour");
    assert!(asked(&api).0 > lists);
}

/// In pages of which each is read, which hold the fewer objects the longer these are.
#[test]
fn a_list_that_is_too_long_comes_in_smaller_pages() {
    let limits = |api: &KubernetesApi| -> Vec<(String, bool)> {
        let lists = api.calls().into_iter().filter(|call| call.request.parameter("limit").is_some());
        let limit = |name: &str, request: &Request| request.parameter(name).map(str::to_owned);
        lists
            .map(|call| (limit("limit", &call.request).unwrap(), limit("continue", &call.request).is_some()))
            .collect()
    };
    let api = KubernetesApi::start().unwrap();
    for number in 0..300 {
        api.serve("default", &format!("foreign{number:03}"), 1, [("example.com/hosts", "a.example.com")]);
    }
    api.serve("default", "lobby", 1, saying("lobby.example.com", "lobby"));
    // 301 are 19 MiB.
    api.weigh(64 << 10);
    let edge = watching(&api, "");
    soon_says(&edge, "lobby.example.com", "lobby");
    let asked = limits(&api);
    let asked: Vec<_> = asked.iter().map(|(limit, goes_on)| (limit.as_str(), *goes_on)).collect();
    assert_eq!(asked, [("500", false), ("250", false), ("250", true)]);
    assert_eq!(told(&edge, LOST), 0);
    drop(edge);

    // What is too long by itself is told, and asked for again later.
    let api = KubernetesApi::start().unwrap();
    api.serve("default", "lobby", 1, saying("lobby.example.com", "lobby"));
    api.weigh(17 << 20);
    let edge = watching(&api, "");
    let line = edge.wait_for_message(LOST);
    assert!(line.text().contains("longer than 16777216 bytes"), "{line}");
    let asked = limits(&api);
    let asked: Vec<_> = asked.iter().map(|(limit, _)| limit.as_str()).take(9).collect();
    assert_eq!(asked, ["500", "250", "125", "62", "31", "15", "7", "3", "1"]);
    api.weigh(0);
    soon_says(&edge, "lobby.example.com", "lobby");
}

/// 477 MiB of annotations, which whoever may annotate services may write.
#[test]
fn a_list_takes_no_more_memory_than_is_kept_of_it() {
    let api = KubernetesApi::start().unwrap();
    for number in 0..2_000 {
        let host = format!("s{number:04}.example.com");
        api.serve("default", &format!("s{number:04}"), 1, saying(&host, "long"));
    }
    api.swell(250_000);
    let edge = watching(&api, "");
    let line = edge.wait_for("the bound", |line| {
        line.message()
            .is_some_and(|message| message.starts_with("there are more than 67108864 bytes of annot"))
    });
    assert_eq!(line.field("first").as_deref(), Some("kubernetes:default/s0267"), "{line}");
    // They are read too, and too long for a description.
    edge.wait_for("the last one", |line| {
        line.field("document").as_deref() == Some("kubernetes:default/s0266")
    });
    // What was read and isn't kept is given back a second later.
    let peak = edge.memory().peak;
    assert!(peak < 576 << 20, "{peak} bytes");
}

#[test]
fn more_services_than_are_looked_at_are_told_of_once() {
    const TOO_MANY: &str =
        "there are more than 10000 services: those that come last in their list aren't looked at";
    let api = KubernetesApi::start().unwrap();
    for number in 0..10_000 {
        api.serve("default", &format!("foreign{number:05}"), 1, []);
    }
    api.serve("default", "lobby", 1, saying("lobby.example.com", "lobby"));
    let edge = watching(&api, "");
    edge.wait_for_message(TOO_MANY);
    // Another list says nothing new.
    let lists = asked(&api).0;
    api.forget();
    let another = || asked(&api).0 == lists * 2 && asked(&api).1 == 2;
    api.wait_for("another list", |_| another().then_some(()));
    assert_eq!((told(&edge, TOO_MANY), said(&edge, "lobby.example.com")), (1, "harbour".into()));
    // Where one goes, whoever comes behind them is looked at.
    api.withdraw("default", "foreign00007");
    soon_says(&edge, "lobby.example.com", "lobby");
    edge.wait_for_message("there are no more than 10000 services any more");
}

/// Files, Docker, Kubernetes: in this order.
#[test]
fn a_container_keeps_its_host_from_a_service() {
    let (docker, api) = (DockerApi::start().unwrap(), KubernetesApi::start().unwrap());
    let hosts = "both.example.com, k.example.com, play.harbour";
    api.serve("default", "lobby", 1, saying(hosts, "service"));
    let label = |text| {
        routes::saying(
            ["drawbridge.hosts", "drawbridge.status.type", "drawbridge.status.description"],
            "both.example.com",
            text,
        )
    };
    docker.run("lobby", label("container"));
    let harbour = HARBOUR.replace("\"*.example.com\"", "\"play.harbour\"");
    let of_docker = format!("[providers.docker]\nendpoint = \"{}\"", docker.endpoint());
    let edge = edge().config(providers(&api, &of_docker) + &harbour).start();
    let shown = ["both.example.com", "k.example.com", "play.harbour"].map(|host| said(&edge, host));
    assert_eq!(shown, ["container", "service", "harbour"]);
    let words = ["of docker:lobby", "of kubernetes:default/lobby", "both have the host"];
    edge.wait_for("both", |line| words.iter().all(|word| line.text().contains(word)));
    docker.remove("lobby");
    soon_says(&edge, "both.example.com", "service");
    docker.run("lobby", label("again"));
    soon_says(&edge, "both.example.com", "again");
    // Without Docker, Kubernetes goes on as it was.
    edge.rewrite(providers(&api, "") + &harbour);
    soon_says(&edge, "both.example.com", "service");
    assert_eq!(asked(&api), (1, 1));
}

#[test]
fn what_is_wrong_with_the_table_is_shown_at_its_keys() {
    for (text, words) in [
        ("namespaces = [\"Games\"]", "is no namespace"),
        ("namespaces = [\"*\", \"games\"]", "no other is named beside it"),
        ("namespaces = [\"a\", \"b\", \"a\"]", "a namespace is named twice"),
        ("kubeconfig = \"/nowhere/kubeconfig\"", "there is no such file"),
    ] {
        let finished =
            edge().config(format!("[providers.kubernetes]\n{text}\n{HARBOUR}")).argument("check").finish();
        assert!(finished.stderr.contains(words), "{text}: {}", finished.stderr);
    }
}
