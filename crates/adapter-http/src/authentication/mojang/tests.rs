use super::*;
use crate::session_server::LARGEST;
use crate::testing::{Event, PATIENCE, Reply, Server, answer};
use drawbridge_config::read_text;
use drawbridge_model::{Claim, Client, TraceContext};
use drawbridge_protocol::ProtocolVersion;
use std::net::SocketAddr;

const ID: &str = "069a79f444e94726a5befca90e38aaf5";
/// The hash for the secret and key below, which is all that the tests need of it.
const QUERY: &str = "serverId=";

fn profile_of(name: &str) -> String {
    format!(
        r#"{{"id":"{ID}","name":"{name}","properties":[{{"name":"textures","value":"e30=","signature":"c2ln"}},
           {{"name":"plain","value":"x"}}],"profileActions":["FORCED_NAME_CHANGE"]}}"#
    )
}

fn mojang(server: &Server, keys: &str) -> Mojang {
    let text = format!("url = '{}'\n{keys}", server.url);
    Mojang::new(&read_text("mojang.toml", &text).unwrap(), &Http::default())
}

async fn ask_from(adapter: &Mojang, name: &str, address: &str) -> Result<Identity, AuthenticationError> {
    let client = Client {
        address: address.parse::<SocketAddr>().unwrap(),
        version: ProtocolVersion::newest(),
        host: "play.example.com".into(),
        port: 25565,
        trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
    };
    let claim = Claim { name: name.to_owned(), id: Uuid::nil() };
    let request =
        Authentication { client: &client, claim: &claim, shared_secret: &[7; 16], public_key: b"key" };
    tokio::time::timeout(PATIENCE, adapter.authenticate(request)).await.unwrap()
}

async fn ask(adapter: &Mojang) -> Result<Identity, AuthenticationError> {
    ask_from(adapter, "Notch", "127.0.0.1:4711").await
}

fn unavailable(result: Result<Identity, AuthenticationError>) -> AdapterError {
    match result {
        Err(AuthenticationError::Unavailable(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_player_who_joined_is_who_the_server_says() {
    let server = Server::always(answer("200 OK", "", profile_of("notch")));
    let adapter = mojang(&server, "");
    let Ok(Identity::Verified(profile)) = ask(&adapter).await else { panic!("not verified") };
    assert_eq!(profile.id.simple().to_string(), ID);
    // In the server's spelling.
    assert_eq!(profile.name, "notch");
    assert_eq!(profile.properties.len(), 2);
    assert_eq!(profile.properties[0].signature.as_deref(), Some("c2ln"));
    assert_eq!(profile.properties[1].signature, None);
    let hash = server_hash("", &[7; 16], b"key");
    let line = format!("GET /session/minecraft/hasJoined?username=Notch&serverId={hash} HTTP/1.1");
    assert_eq!(server.event(), Event::Request(line));
    assert!(adapter.wants_session());
    assert_eq!(adapter.realm(), Some(server.url.as_str()));
    assert_ne!(mojang(&server, "check_address = true").realm(), adapter.realm());
}

#[tokio::test]
async fn a_player_who_did_not_is_denied() {
    let server = Server::always(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let adapter = mojang(&server, "");
    for _ in 0..5 {
        assert_eq!(ask(&adapter).await, Err(AuthenticationError::Denied));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn names_stay_inside_their_parameter() {
    let server = Server::always(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let adapter = mojang(&server, "");
    for (name, encoded) in [
        ("Victim&serverId=0#", "Victim%26serverId%3D0%23"),
        ("a b\r\nX: y", "a+b%0D%0AX%3A+y"),
        ("ü\0\"'/?%", "%C3%BC%00%22%27%2F%3F%25"),
    ] {
        ask_from(&adapter, name, "127.0.0.1:1").await.unwrap_err();
        let [line] = &server.requests()[..] else { panic!("not one request") };
        assert!(line.contains(&format!("?username={encoded}&{QUERY}")), "{line}");
        assert_eq!(line.matches(QUERY).count(), 1, "{line}");
    }
}

#[tokio::test]
async fn the_address_goes_along_when_it_is_to_be_checked() {
    let server = Server::always(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let adapter = mojang(&server, "check_address = true");
    for (address, parameter) in
        [("192.0.2.7:4711", "&ip=192.0.2.7 "), ("[2001:db8::7]:4711", "&ip=2001%3Adb8%3A%3A7 ")]
    {
        ask_from(&adapter, "Notch", address).await.unwrap_err();
        let requests = server.requests();
        assert!(requests[0].contains(parameter), "{requests:?}");
    }
    let adapter = mojang(&server, "check_address = false");
    ask(&adapter).await.unwrap_err();
    assert!(!server.requests()[0].contains("ip="));
}

#[tokio::test]
async fn a_server_that_asks_for_fewer_calls_gets_none_for_a_while() {
    let server = Server::always(answer("429 Too Many Requests", "Retry-After: 7\r\n", "slow down"));
    let adapter = mojang(&server, "");
    let AdapterError::BackingOff(first) = unavailable(ask(&adapter).await) else { panic!("it isn't") };
    assert_eq!(first, Duration::from_secs(7));
    // The same server, in the eyes of a reloaded route too.
    let AdapterError::BackingOff(then) = unavailable(ask(&adapter).await) else { panic!("it isn't") };
    assert!(then <= first && then > Duration::from_secs(1));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_keeps_failing_gets_no_calls_for_a_while() {
    let server = Server::always(answer("500 Internal Server Error", "", "x".repeat(LARGEST + 1)));
    let adapter = mojang(&server, "");
    for _ in 0..3 {
        assert!(matches!(unavailable(ask(&adapter).await), AdapterError::Unreachable(_)));
    }
    assert!(matches!(unavailable(ask(&adapter).await), AdapterError::BackingOff(_)));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn one_failure_among_answers_changes_nothing() {
    let server = Server::start(|number| match number % 3 {
        0 => Reply::Bytes(answer("200 OK", "", profile_of("Notch"))),
        _ => Reply::Bytes(answer("503 Service Unavailable", "", "")),
    });
    let adapter = mojang(&server, "");
    for number in 0..9 {
        assert_eq!(ask(&adapter).await.is_ok(), number % 3 == 0);
    }
}

#[tokio::test]
async fn garbage_lets_nobody_in() {
    let large = profile_of("Notch").replace("e30=", &"x".repeat(LARGEST));
    let property = r#"{"name":"textures","value":"e30="}"#;
    let many = format!(r#"{{"id":"{ID}","name":"Notch","properties":[{}]}}"#, [property; 17].join(","));
    for body in [
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        r#"{"id":"069a79f444e94726a5befca90e38aaf5"}"#,
        r#"{"id":"069a79f4-44e9-4726-a5be-fca90e38aaf5","name":"Notch"}"#,
        r#"{"id":"00000000000000000000000000000000","name":"Notch"}"#,
        r#"{"id":"069a79f444e94726a5befca90e38aafg","name":"Notch"}"#,
        r#"{"id":"069a79f444e94726a5befca90e38aaf5","name":"Victim"}"#,
        r#"{"id":"069a79f444e94726a5befca90e38aaf5","id":"069a79f444e94726a5befca90e38aaf5","name":"Notch"}"#,
        &many,
        &large,
    ] {
        let server = Server::always(answer("200 OK", "", body));
        let error = unavailable(ask(&mojang(&server, "")).await);
        assert!(matches!(error, AdapterError::Answer(_)), "{body:.80}: {error}");
        assert_eq!(server.requests().len(), 1, "{body:.80}");
    }
    for bytes in [&b"SSH-2.0-OpenSSH_9.9\r\n\r\n"[..], b"HTTP/1.1 abc\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let server = Server::start(|_| Reply::Last(bytes.to_vec()));
        let error = unavailable(ask(&mojang(&server, "")).await);
        assert!(matches!(error, AdapterError::Answer(_)), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "X-Padding: x\r\n".repeat(5_000));
    let server = Server::start(move |_| Reply::Last(endless.clone().into_bytes()));
    assert!(matches!(unavailable(ask(&mojang(&server, "")).await), AdapterError::Answer(_)));
}

#[tokio::test]
async fn other_statuses_let_nobody_in_and_redirects_are_not_followed() {
    for status in ["302 Found", "404 Not Found", "201 Created"] {
        let server = Server::always(answer(status, "Location: http://127.0.0.1:9/\r\n", profile_of("Notch")));
        let error = unavailable(ask(&mojang(&server, "")).await);
        assert_eq!(error, AdapterError::Answer(format!("it answers {status}")));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_silent_server_costs_the_timeout() {
    let server = Server::start(|_| Reply::Silence);
    let error = unavailable(ask(&mojang(&server, "timeout = '200ms'")).await);
    assert_eq!(error, AdapterError::TimedOut(Duration::from_millis(200)));
    assert!(matches!(server.event(), Event::Request(_)));
    // Nothing is left running.
    assert_eq!(server.event(), Event::Closed);
}

#[tokio::test]
async fn a_broken_connection_is_tried_once_more() {
    let server = Server::start(|number| match number {
        0 => Reply::Reset,
        _ => Reply::Bytes(answer("200 OK", "", profile_of("Notch"))),
    });
    ask(&mojang(&server, "")).await.unwrap();
    assert_eq!((server.requests().len(), server.connections()), (2, 2));

    let server = Server::start(|_| Reply::Reset);
    assert!(matches!(unavailable(ask(&mojang(&server, "")).await), AdapterError::Unreachable(_)));
    assert_eq!(server.requests().len(), 2);

    // An answer that ends too early is one too.
    let half = answer("200 OK", "", profile_of("Notch"));
    let half = half[..half.len() - 10].to_vec();
    let server = Server::start(move |_| Reply::Last(half.clone()));
    assert!(matches!(unavailable(ask(&mojang(&server, "")).await), AdapterError::Unreachable(_)));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!("url = 'http://{}'", listener.local_addr().unwrap());
    drop(listener);
    let adapter = Mojang::new(&read_text("mojang.toml", &text).unwrap(), &Http::default());
    let error = unavailable(ask(&adapter).await).to_string();
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn connections_are_kept_and_shared_by_url() {
    let server = Server::always(answer("200 OK", "", profile_of("Notch")));
    let http = Http::default();
    let with = |path: &str| {
        let text = format!("url = '{}{path}'", server.url);
        Mojang::new(&read_text("mojang.toml", &text).unwrap(), &http)
    };
    let (first, second) = (with(""), with("/"));
    for _ in 0..5 {
        ask(&first).await.unwrap();
        ask(&second).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    // A new snapshot is built before the old one goes.
    drop(first);
    let third = with("");
    drop(second);
    ask(&third).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn connections_that_the_server_closes_are_not_used_again() {
    let server =
        Server::start(|_| Reply::Last(answer("200 OK", "Connection: close\r\n", profile_of("Notch"))));
    let adapter = mojang(&server, "");
    for _ in 0..3 {
        ask(&adapter).await.unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 3));
    // Also when it doesn't say so beforehand.
    let server = Server::start(|_| Reply::Last(answer("200 OK", "", profile_of("Notch"))));
    let adapter = mojang(&server, "");
    for _ in 0..3 {
        ask(&adapter).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[test]
fn sections_say_what_is_wrong() {
    for (text, words) in [
        ("url = 'sessionserver.mojang.com'", "begins with http://"),
        ("timeout = '0s'", "no time"),
        ("check_adress = true", "did you mean"),
    ] {
        let error = format!("{:?}", read_text::<MojangSection>("mojang.toml", text).unwrap_err());
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_server_may_say_forbidden_of_who_has_not_joined() {
    let server = Server::always(answer("403 Forbidden", "", String::new()));
    assert_eq!(ask(&mojang(&server, "")).await, Err(AuthenticationError::Denied));
}
