//! Logins, to their various ends.

use super::super::report::{Outcome, Report, Step};
use super::dns::{self, Data};
use super::fixture::{run, status};
use super::server::{Client, Script, Server, script};
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::FinishConfiguration;
use drawbridge_protocol::packet::configuration::{
    AddResourcePack, Disconnect, PackResult, ResourcePackResponse, Transfer,
};
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginStart, LoginSuccess, TokenProof,
};
use drawbridge_protocol::profile::{Profile, server_hash};
use drawbridge_protocol::text::Component;
use drawbridge_rsa::KeyPair;
use drawbridge_testkit::SessionServer;
use std::sync::mpsc;
use uuid::Uuid;

fn list(protocol: i32) -> Script {
    script(move |client| {
        client.show(&status(protocol));
    })
}

/// Joins a server that says `protocol` in its status, with its part of the login.
fn join(protocol: i32, play: impl FnOnce(&mut Client) + Send + 'static, arguments: &[&str]) -> Report {
    let server = Server::start(vec![list(protocol), script(play)]);
    let address = server.address.to_string();
    let report = run(&[&[address.as_str(), "--join", "Notch"], arguments].concat());
    server.stop();
    report
}

fn welcome(client: &mut Client) {
    let profile = Profile { id: Uuid::from_u128(5), name: "Notch".into(), properties: Vec::new() };
    client.say(&LoginSuccess { profile, session_id: Uuid::nil() });
}

/// An offline server's part up to configuration.
fn to_configuration(client: &mut Client) {
    client.greeting();
    let _: LoginStart = client.hear();
    welcome(client);
    let LoginAcknowledged {} = client.hear();
    client.state = State::Configuration;
}

/// Asks for encryption, switches it on, and gives the hash that the session server has to know.
fn encrypt(client: &mut Client, should_authenticate: bool) -> String {
    client.greeting();
    let _: LoginStart = client.hear();
    let keys = KeyPair::generate().unwrap();
    let request = EncryptionRequest {
        server_id: String::new(),
        public_key: keys.public_der().to_vec(),
        verify_token: vec![1, 2, 3, 4],
        should_authenticate,
    };
    client.say(&request);
    let EncryptionResponse { shared_secret, token } = client.hear();
    let TokenProof::Encrypted(token) = token else { panic!("the probe has no key to sign with: {token:?}") };
    assert_eq!(keys.decrypt_exact::<4>(&token).bytes, [1, 2, 3, 4]);
    let secret = keys.decrypt_exact::<16>(&shared_secret).bytes;
    client.encrypt(&secret);
    server_hash("", &secret, keys.public_der())
}

#[test]
fn an_authenticated_login_tells_the_session_server_first() {
    let session = SessionServer::start().unwrap();
    let account = session.account("Notch");
    let (tell, told) = mpsc::channel();
    let play = move |client: &mut Client| {
        tell.send(encrypt(client, true)).unwrap();
        welcome(client);
        let LoginAcknowledged {} = client.hear();
        client.state = State::Configuration;
        client.say(&FinishConfiguration {});
    };
    let uuid = account.id().to_string();
    let report =
        join(775, play, &["--session-server", &session.url(), "--uuid", &uuid, "--token", account.token()]);
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(report.entry(Step::Encryption).facts["authentication"], true);
    assert_eq!(report.entry(Step::Configuration).facts["end"], "world");
    assert_eq!(report.entry(Step::Transfer).detail, "the server keeps the player itself");
    let requests = session.requests();
    let body: serde_json::Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!((requests.len(), &body["serverId"]), (1, &told.recv().unwrap().into()));
    assert!(!format!("{report:?}").contains(account.token()));
}

#[test]
fn a_token_that_the_session_server_refuses_ends_the_login() {
    let session = SessionServer::start().unwrap();
    let account = session.account("Notch");
    let play = |client: &mut Client| {
        client.greeting();
        let _: LoginStart = client.hear();
        let key = KeyPair::generate().unwrap().public_der().to_vec();
        client.say(&EncryptionRequest {
            server_id: String::new(),
            public_key: key,
            verify_token: vec![1],
            should_authenticate: true,
        });
        client.await_end();
    };
    let uuid = account.id().to_string();
    let arguments = ["--session-server", &session.url(), "--uuid", &uuid, "--token", "wrong"];
    let report = join(775, play, &arguments);
    assert_eq!(report.failed(), [Step::Session]);
    assert!(report.entry(Step::Session).detail.starts_with("the session server answered 403"));
    assert_eq!(report.entry(Step::Success).outcome, Outcome::Skipped);

    let without = join(775, play, &[]);
    assert_eq!(without.failed(), [Step::Session]);
    assert!(without.entry(Step::Session).meaning.contains("DRAWBRIDGE_PROBE_TOKEN"));

    let nobody = format!("http://127.0.0.1:{}", super::fixture::unused_port());
    let arguments = ["--session-server", &nobody, "--uuid", &uuid, "--token", "wrong"];
    let unreachable = join(775, play, &arguments);
    assert_eq!(unreachable.failed(), [Step::Session]);
    assert!(unreachable.entry(Step::Session).detail.starts_with("the session server can't be reached"));
}

#[test]
fn encryption_without_authentication_needs_no_account() {
    let play = |client: &mut Client| {
        encrypt(client, false);
        welcome(client);
        let LoginAcknowledged {} = client.hear();
        client.state = State::Configuration;
        client.say(&Transfer { host: "192.0.2.1".into(), port: 25565 });
    };
    let report = join(766, play, &[]);
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(report.entry(Step::Session).outcome, Outcome::Skipped);
    let transfer = report.entry(Step::Transfer);
    assert_eq!((transfer.detail.as_str(), transfer.warnings.len()), ("192.0.2.1:25565", 0));
}

#[test]
fn a_key_that_is_none_is_told() {
    let play = |client: &mut Client| {
        client.greeting();
        let _: LoginStart = client.hear();
        client.say(&EncryptionRequest {
            server_id: String::new(),
            public_key: vec![0x30; 162],
            verify_token: vec![1; 4],
            should_authenticate: false,
        });
        client.await_end();
    };
    assert_eq!(join(775, play, &[]).failed(), [Step::Encryption]);
}

#[test]
fn old_versions_end_with_login_success() {
    let play = |client: &mut Client| {
        assert_eq!(client.greeting().version.number(), 47);
        assert_eq!(client.hear_fields(Kind::LoginStart), b"\x05Notch");
        client.say_fields(Kind::Success, b"\x24b50ad385-829d-3141-a216-7e7d7539ba7f\x05Notch");
    };
    let report = join(47, play, &[]);
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(report.entry(Step::Success).facts["uuid"], "b50ad385-829d-3141-a216-7e7d7539ba7f");
    assert!(report.entry(Step::Configuration).detail.starts_with("1.8–1.8.9 has none"));
}

#[test]
fn kicks_in_configuration_are_read_in_each_versions_form() {
    let report = join(
        770,
        |client| {
            to_configuration(client);
            client.say(&Disconnect { reason: Component::text("No target is free") });
        },
        &[],
    );
    assert_eq!(report.entry(Step::Configuration).detail, "kicked: \"No target is free\"");
    let report = join(
        764,
        |client| {
            to_configuration(client);
            let json = br#"{"text":"No target"}"#;
            client.say_fields(Kind::Disconnect, &[&[json.len() as u8][..], json].concat());
        },
        &[],
    );
    assert_eq!(report.failed(), [Step::Configuration]);
    assert_eq!(report.entry(Step::Configuration).detail, "kicked: \"No target\"");
}

#[test]
fn resource_packs_are_taken_unseen_and_it_says_so() {
    let play = |client: &mut Client| {
        to_configuration(client);
        client.hear_fields(Kind::CustomPayload);
        client.hear_fields(Kind::Settings);
        let id = Uuid::from_u128(9);
        let url = "https://packs.example.com/a.zip".into();
        client.say(&AddResourcePack { id, url, hash: String::new(), forced: true, prompt: None });
        for result in [PackResult::Accepted, PackResult::Downloaded, PackResult::Loaded] {
            assert_eq!(client.hear::<ResourcePackResponse>(), ResourcePackResponse { id, result });
        }
        client.say(&FinishConfiguration {});
    };
    let report = join(769, play, &[]);
    assert!(report.is_ok(), "{report:?}");
    let configuration = report.entry(Step::Configuration);
    assert!(configuration.detail.ends_with("1 resource pack"));
    assert!(configuration.warnings[0].contains("not downloaded"));
}

#[test]
fn a_wait_in_configuration_that_is_too_long_says_what_to_do() {
    let play = |client: &mut Client| {
        to_configuration(client);
        client.await_end();
    };
    let report = join(769, play, &["--timeout", "1s"]);
    assert_eq!(report.failed(), [Step::Configuration]);
    assert!(report.entry(Step::Configuration).meaning.contains("--timeout"));
}

/// Goes to a server by name and is handed over to `host:port`; gives the warnings.
fn warnings(host: &'static str, port: Option<u16>, record: Option<Data>) -> Vec<String> {
    let (tell, own_port) = mpsc::channel();
    let server = Server::start(vec![
        list(777),
        script(move |client| {
            let own = own_port.recv().unwrap();
            to_configuration(client);
            client.say(&Transfer { host: host.into(), port: port.unwrap_or(own) });
        }),
    ]);
    let own = server.address.port();
    tell.send(own).unwrap();
    let mut records = vec![("play.example.com", Data::A([127, 0, 0, 1]))];
    records.extend(record.map(|record| ("_minecraft._tcp.lobby.example.com", record)));
    let nameserver = dns::serve(records).to_string();
    let report = run(&[&format!("play.example.com:{own}"), "--join", "Notch", "--nameserver", &nameserver]);
    server.stop();
    assert!(report.is_ok(), "{report:?}");
    report.entry(Step::Transfer).warnings.clone()
}

#[test]
fn transfers_that_may_lead_back_are_warned_of() {
    assert_eq!(warnings("lobby.example.com", Some(25566), None), [""; 0]);
    for host in ["Play.Example.Com.", "127.0.0.1"] {
        assert!(warnings(host, None, None)[0].starts_with("this is the server that was probed"), "{host}");
    }
    let srv = warnings("lobby.example.com", Some(25565), Some(Data::Srv(0, 0, 25570, "play.example.com")));
    assert!(srv[0].contains("to play.example.com:25570"), "{srv:?}");
    let none = warnings("lobby.example.com", Some(25565), None);
    assert!(none[0].contains("There is none today"), "{none:?}");
    assert!(warnings("not a host", Some(1), None)[0].contains("neither a host name"));
}
