use super::*;
use crate::fixtures::{Whole, read, root};
use drawbridge_config::{Error, Style};
use drawbridge_net::relay::Method;

fn mistakes(text: &str) -> String {
    match root(text).read::<Whole>() {
        Err(Error::Invalid(diagnostics)) => diagnostics.render(Style::Plain),
        other => panic!("{other:?}"),
    }
}

/// A route with further keys.
fn with(keys: &str) -> String {
    let authentication =
        if keys.contains("authentication") { "" } else { "authentication.type = 'disabled'\n" };
    bare(&format!("{authentication}{keys}"))
}

fn bare(keys: &str) -> String {
    format!("[[routes]]\nname = 'lobby'\nhosts = ['play.example.com']\nmode = 'transfer'\n{keys}")
}

#[cfg(feature = "http")]
#[test]
fn defaults_are_those_of_the_example() {
    let (whole, diagnostics) = read(&bare(""));
    let route = &whole.routes[0];
    let shown = diagnostics.render(Style::Plain);
    assert_eq!((diagnostics.errors(), diagnostics.warnings()), (0, 1), "{shown}");
    assert!(shown.contains("the route has no target"), "{shown}");
    assert!(route.versions.is_none() && route.targets.is_none() && route.discovery.is_none());
    assert!(route.names.is_match("Notch_16_letters") && !route.names.is_match("seventeen_letters"));
    assert!(!route.names.is_match("a-b") && !route.names.is_match("") && !route.names.is_match("a\n"));
    assert!(route.transfer.resource_packs.is_empty() && !route.transfer.probe);
    let AuthenticationSection::Mojang(mojang) = &route.authentication else { panic!("another default") };
    assert_eq!(mojang.url.to_string(), "https://sessionserver.mojang.com");
}

#[test]
fn a_route_without_targets_is_told_of_unless_that_is_written() {
    let told = |keys: &str| read(&with(keys)).1.render(Style::Plain).contains("the route has no target");
    assert!(told("") && told("discovery.type = 'fixed'"));
    assert!(!told("targets = []") && !told("targets = ['a:1']"));
}

#[test]
fn both_forms_of_targets_mean_the_same() {
    let found = |keys: &str| {
        let (whole, _) = read(&with(keys));
        let DiscoverySection::Fixed(fixed) = whole.routes[0].discovery().into_owned() else {
            panic!("another discovery")
        };
        fixed.targets.iter().map(|target| target.target()).collect::<Vec<_>>()
    };
    let short = found("targets = ['10.0.1.10:25565', 'hub.internal:25565']");
    assert_eq!(short[1].identifier, "hub.internal:25565");
    let long =
        found("discovery.targets = [{ address = '10.0.1.10:25565' }, { address = 'hub.internal:25565' }]");
    assert_eq!(short, long);
}

#[test]
fn mistakes_stand_at_their_keys() {
    for (keys, words) in [
        ("mode = 'passthru'", "did you mean \"passthrough\""),
        ("mode = 'passthrough'", "the target authenticates"),
        ("versions = '<766'", "none of these versions can be transferred"),
        (
            "versions = '>=26.3'\ntransfer.resource_packs = [{ url = 'http://x', sha1 = '0000000000000000000000000000000000000000' }]",
            "none of these versions can be offered a resource pack",
        ),
        ("versions = 'new'", "is not a range of versions"),
        ("names = '('", "is not a regular expression"),
        ("targets = ['hub']", "expected host:port"),
        ("targets = ['a:1', 'a:1']", "a second target"),
        ("targets = ['a:1']\ndiscovery.type = 'fixed'", "given twice"),
        ("discovery.type = 'dsn'", "unknown type"),
        ("status.type = 'htpp'", "unknown type"),
        ("localization.type = 'grcp'", "unknown type"),
        ("authentication.type = 'mojng'", "did you mean \"mojang\""),
        ("authentication = { type = 'disabled', url = 'x' }", "unknown key"),
        ("max_player = 5", "unknown key"),
        ("max_players = 5", "no effect in this mode"),
        ("access.alow = []", "did you mean \"allow\""),
        ("targets = ['a:1']\ntransfer.address = { meta = 'public' }", "no \"public\" in its meta"),
        ("transfer.resource_packs = [{ url = 'ftp://x', sha1 = '' }]", "expected an http(s) URL"),
        ("transfer.resource_packs = [{ url = 'http://x', sha1 = 'abc' }]", "40 hexadecimal digits"),
    ] {
        let keys =
            if keys.starts_with("mode") { with("").replace("mode = 'transfer'", keys) } else { with(keys) };
        let shown = mistakes(&keys);
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(
        mistakes("[[routes]]\nname = ''\nhosts = []\nmode = 'transfer'\nauthentication.type = 'disabled'")
            .contains("no host belongs")
    );
    assert!(
        mistakes(
            "[[routes]]\nname = 'a'\nhosts = ['ü.de']\nmode = 'transfer'\nauthentication.type = 'disabled'"
        )
        .contains("xn--")
    );
    let missing = mistakes("[[routes]]\nversions = '>=766'");
    for key in ["name", "hosts", "mode"] {
        assert!(missing.contains(&format!("missing key \"{key}\"")), "{missing}");
    }
}

#[cfg(not(feature = "agones"))]
#[test]
fn without_agones_there_is_no_cluster() {
    for keys in
        ["discovery.type = 'agones'", "discovery.type = 'agones_watch'", "actions = [{ type = 'agones' }]"]
    {
        let shown = mistakes(&with(keys));
        assert!(
            shown.contains("can't ask a Kubernetes cluster") && shown.contains("without the feature"),
            "{shown}"
        );
    }
}

#[cfg(not(feature = "http"))]
#[test]
fn without_http_there_is_no_session_server() {
    for keys in ["", "authentication.type = 'mojang'", "authentication.url = 'https://example.com'"] {
        let shown = mistakes(&bare(&format!("{keys}\n# authentication")));
        assert!(
            shown.contains("can't ask a session server") && shown.contains("without the feature"),
            "{shown}"
        );
    }
    assert!(crate::Snapshot::build(&[], &crate::Services::default(), &mut Diagnostics::default()).is_some());
}

#[test]
fn versions_that_are_taken_in_vain_are_a_warning() {
    let (_, diagnostics) = read(&with("versions = '>=47'\ntargets = ['a.example.com:1']"));
    assert_eq!(diagnostics.warnings(), 1);
    assert!(diagnostics.render(Style::Plain).contains("told disconnect_version all the same"));
}

/// A route with targets whose players are carried by sessions.
fn session(keys: &str) -> String {
    format!("[[routes]]\nname = 'lobby'\nhosts = ['*']\nmode = 'offline'\n{keys}")
}

#[test]
fn versions_that_nobody_knows_are_for_relays() {
    let shown = mistakes(&session("targets = ['a:1']\nversions = '>=9000'"));
    assert!(
        shown.contains("the edge knows none of these versions") && shown.contains("1.7.2–26.3"),
        "{shown}"
    );
    let shown = mistakes(&with("targets = ['a:1']\nversions = '>=9000'"));
    assert!(shown.contains("can be transferred since 1.20.5"), "{shown}");
    for mode in ["passthrough", "zero_copy", "server_only", "auto"] {
        let text = session("targets = ['a:1']\nversions = '>=9000'").replace("offline", mode);
        let text = if mode == "auto" { format!("{text}\nauthentication.type = 'disabled'") } else { text };
        let (_, diagnostics) = read(&text);
        assert_eq!(diagnostics.warnings(), 0, "{mode}: {}", diagnostics.render(Style::Plain));
    }
}

#[test]
fn who_cannot_be_forwarded_is_told_of() {
    let keys = |versions: &str, forwarding: &str| {
        session(&format!(
            "targets = ['a:1']\n{versions}\nsession = {{ forwarding = '{forwarding}', secret = {{ env = 'SECRET' }} }}"
        ))
    };
    let shown = mistakes(&keys("versions = '<393'", "velocity"));
    assert!(
        shown.contains("none of the route's versions can be forwarded") && shown.contains("the versions"),
        "{shown}"
    );
    for (versions, forwarding, warnings) in [
        ("versions = '>=340'", "velocity", 1),
        ("versions = '47, 767'", "velocity", 1),
        ("versions = '>=393'", "velocity", 0),
        ("", "velocity", 0),
        ("versions = '<393'", "bungeeguard", 0),
    ] {
        let (_, diagnostics) = read(&keys(versions, forwarding));
        let shown = diagnostics.render(Style::Plain);
        assert_eq!(diagnostics.warnings(), warnings, "{versions} {forwarding}: {shown}");
        assert_eq!(shown.contains("can't be forwarded so"), warnings > 0, "{shown}");
    }
}

/// A target may be found by actions as well.
#[test]
fn where_nobody_has_a_target_the_list_shows_what_is_fixed() {
    for (keys, is_fixed) in [
        ("session.limbo = 'always'", true),
        ("session.limbo = 'always'\ntargets = []", true),
        ("session.limbo = 'always'\ntargets = ['a:1']", false),
        ("session.limbo = 'always'\nactions = [{ type = 'fixed', targets = [{ address = 'a:1' }] }]", false),
        ("session.limbo = 'always'\nstatus.type = 'relay'", false),
        ("session.limbo = 'when_unreachable'\ntargets = []", false),
        ("targets = ['a:1']", false),
    ] {
        let (whole, _) = read(&session(keys));
        let status = whole.routes[0].status().into_owned();
        assert_eq!(matches!(status, StatusSection::Fixed(_)), is_fixed, "{keys}");
    }
}

#[test]
fn the_schema_has_every_key() {
    let keys = drawbridge_config::schema_keys(&drawbridge_config::schema::<Whole>());
    for key in ["routes[].hosts", "routes[].access.allow", "routes[].transfer.probe"] {
        assert!(keys.iter().any(|found| found == key), "{key}: {keys:#?}");
    }
}

#[test]
fn modes_move_bytes_as_they_are_named() {
    let relays = [Mode::Passthrough, Mode::ServerOnly, Mode::ZeroCopy].map(Mode::delivery);
    assert_eq!(relays, [Method::Adaptive, Method::Adaptive, Method::Splice].map(Delivery::Relay));
}
