use super::*;
use drawbridge_model::RouteDocument;
use serde_json::{Value, json};

/// A container of a network of its own.
fn container(change: impl FnOnce(&mut Value)) -> Container {
    let mut value = json!({
        "Id": "0f",
        "Name": "/lobby",
        "State": { "Status": "running", "Running": true, "Paused": false },
        "Config": {
            "Labels": { "drawbridge.hosts": "play.example.com" },
            "ExposedPorts": { "25565/tcp": {}, "25565/udp": {} },
        },
        "HostConfig": { "NetworkMode": "net_default" },
        "NetworkSettings": { "Networks": { "net_default": { "IPAddress": "172.18.0.5", "GlobalIPv6Address": "" } } },
    });
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

fn target(change: impl FnOnce(&mut Value), usual: Option<&str>) -> Result<(String, Option<String>), String> {
    let container = container(change);
    let labels = container.labels().unwrap();
    let found = container.target(labels, usual);
    found
        .map(|(address, doubt)| (address.to_string(), doubt.map(|doubt| doubt.message)))
        .map_err(|trouble| format!("{}; {}", trouble.message, trouble.help))
}

fn sure(address: &str) -> Result<(String, Option<String>), String> {
    Ok((address.to_owned(), None))
}

#[test]
fn the_port_is_the_label_s_or_the_one_exposed() {
    let exposes = |ports: Value| target(|container| container["Config"]["ExposedPorts"] = ports, None);
    assert_eq!(exposes(json!({ "25566/tcp": {} })), sure("172.18.0.5:25566"));
    assert_eq!(exposes(json!({ "25575/tcp": {}, "25565/tcp": {}, "1/tcp": {} })), sure("172.18.0.5:25565"));
    for (ports, words) in [
        (json!(null), "no port is exposed"),
        (json!({ "19132/udp": {} }), "no port is exposed"),
        (json!({ "1/tcp": {}, "2/tcp": {} }), "2 ports are exposed, and none is 25565"),
    ] {
        let error = exposes(ports).unwrap_err();
        assert!(error.contains(words) && error.contains("drawbridge.port"), "{error}");
    }
    let labelled =
        |port: &str| target(|container| container["Config"]["Labels"]["drawbridge.port"] = port.into(), None);
    assert_eq!(labelled(" 1234 "), sure("172.18.0.5:1234"));
    for port in ["0", "65536", "-1", "", "x", "25565/tcp"] {
        assert!(labelled(port).unwrap_err().contains("is no port"), "{port}");
    }
}

#[test]
fn the_address_is_that_of_the_network_that_is_named() {
    let two = |container: &mut Value| {
        container["NetworkSettings"]["Networks"] = json!({
            "front": { "IPAddress": "10.1.0.2" },
            "back": { "IPAddress": "10.2.0.2" },
            "left": { "IPAddress": "", "GlobalIPv6Address": "fd00::2" },
            "gone": null,
        });
    };
    assert_eq!(target(two, Some("front")), sure("10.1.0.2:25565"));
    assert_eq!(target(two, Some("left")), sure("[fd00::2]:25565"));
    let labelled = |container: &mut Value| {
        two(container);
        container["Config"]["Labels"]["drawbridge.network"] = "back".into();
    };
    assert_eq!(
        target(labelled, Some("front")),
        sure("10.2.0.2:25565"),
        "the label counts before the default"
    );
    let (address, doubt) = target(two, None).unwrap();
    assert_eq!(address, "10.2.0.2:25565");
    assert!(
        doubt.unwrap().contains("in several networks (back, front, left): its address in \"back\" is taken")
    );
    let error = target(two, Some("gone")).unwrap_err();
    assert!(
        error.contains("no address in the network \"gone\"") && error.contains("back, front, left"),
        "{error}"
    );
}

#[test]
fn who_is_in_no_network_of_its_own_has_an_address_or_a_reason() {
    let mode = |mode: &str| {
        let mode = mode.to_owned();
        target(
            move |container| {
                container["HostConfig"]["NetworkMode"] = mode.into();
                container["NetworkSettings"]["Networks"] = json!({ "x": { "IPAddress": "" } });
            },
            None,
        )
    };
    assert_eq!(mode("host"), sure("127.0.0.1:25565"));
    assert!(mode("none").unwrap_err().contains("it is in no network"));
    assert!(mode("container:abc").unwrap_err().contains("label that container instead"));
    assert!(mode("bridge").unwrap_err().contains("no address in any network"));
}

#[test]
fn players_go_to_what_runs_and_is_well() {
    let state = |state: Value| container(|container| container["State"] = state).state();
    let healthy = |health: &str| state(json!({ "Status": "running", "Health": { "Status": health } }));
    assert_eq!(state(json!({ "Status": "running" })), State::Ready);
    assert_eq!((healthy("healthy"), healthy("none")), (State::Ready, State::Ready));
    assert_eq!((healthy("starting"), healthy("unhealthy")), (State::Starting, State::Unhealthy));
    assert_eq!(healthy("something else"), State::Unhealthy);
    assert_eq!(state(json!({ "Status": "paused" })), State::Paused);
    for status in ["created", "restarting", "removing", "exited", "dead", ""] {
        assert_eq!(state(json!({ "Status": status })), State::Absent, "{status}");
    }
}

#[test]
fn what_routes_dont_go_by_is_not_kept() {
    let bare = container(|_| {}).bytes();
    let fat = |container: &mut Value| {
        container["Config"]["Labels"]["com.example.more"] = "x".repeat(1 << 20).into();
        container["Config"]["Env"] = json!(["x".repeat(1 << 20)]);
        container["State"]["Health"] =
            json!({ "Status": "healthy", "Log": [{ "Output": "x".repeat(1 << 20) }] });
    };
    assert_eq!(container(fat).bytes(), bare);
    let long = "x".repeat(10_000);
    let labelled =
        container(|container| container["Config"]["Labels"]["drawbridge.name"] = long.clone().into());
    assert!((10_000..11_000).contains(&(labelled.bytes() - bare)), "{} {bare}", labelled.bytes());
}

#[test]
fn containers_of_the_same_labels_are_one_route() {
    let named = |name: &str, host: &str, address: &str, status: &str| {
        container(|container| {
            container["Name"] = format!("/{name}").into();
            container["State"]["Status"] = status.into();
            container["Config"]["Labels"] = json!({ "drawbridge.hosts": host, "drawbridge.name": "lobby" });
            container["NetworkSettings"]["Networks"]["net_default"]["IPAddress"] = address.into();
        })
    };
    let containers = || {
        vec![
            named("lobby-2", "a", "10.0.0.2", "running"),
            named("lobby-1", "a", "10.0.0.1", "running"),
            named("lobby-3", "a", "10.0.0.3", "paused"),
            named("lobby-4", "a", "10.0.0.4", "exited"),
            named("other", "b", "10.0.0.5", "running"),
        ]
    };
    let documents = super::super::routes::documents(&containers(), None);
    let names = |documents: &[RouteDocument]| -> Vec<String> {
        documents.iter().map(|document| document.name.clone()).collect()
    };
    assert_eq!(names(&documents), ["docker:lobby-1", "docker:other"]);
    let targets = documents[0].text.lines().find(|line| line.starts_with("discovery.targets")).unwrap();
    assert_eq!(
        targets,
        r#"discovery.targets = [{ address = "10.0.0.1:25565", identifier = "lobby-1" }, { address = "10.0.0.2:25565", identifier = "lobby-2" }]"#
    );
    let mut others = containers();
    others.reverse();
    let mut others = super::super::routes::documents(&others, None);
    assert_eq!(names(&others), ["docker:other", "docker:lobby-1"], "in the order in which they came");
    others.reverse();
    assert_eq!(others, documents, "and else the same");
}
