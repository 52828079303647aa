//! What is made once: an edge that clients come to themselves, one behind a load balancer, which has the same secret, whom both keep out, and a session
//! server that vouches for everybody.

use crate::house::program::settings::Source;
use drawbridge_config::Document;
use drawbridge_edge::fuzzing::LooseEdge;
use drawbridge_model::{Ban, Bans, Subject};
use drawbridge_routing::Services;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;
use tokio::sync::watch;
use uuid::Uuid;

/// What the edges go by: each mode, and targets where nobody listens.
const SETTINGS: &str = include_str!("settings.toml");

/// What the one behind the balancer goes by besides.
const TRUSTS: &str = "[proxy_protocol]\ntrusted = ['127.0.0.0/8']\n";

/// Who is kept out.
pub(super) const BANNED_NAME: &str = "Player14";
pub(super) const BANNED_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 3));

/// See the module.
pub(super) struct House {
    pub(super) edge: LooseEdge,
    pub(super) behind_balancer: LooseEdge,
    pub(super) runtime: tokio::runtime::Runtime,
}

impl House {
    pub(super) fn build() -> Self {
        let secret = std::env::temp_dir().join(format!("drawbridge-fuzz-edge-{}.key", std::process::id()));
        fs::write(&secret, [b'k'; 32]).expect("a file");
        let sessions = format!("http://{}", vouch_for_everybody());
        let settings =
            SETTINGS.replace("@SECRET@", &secret.to_string_lossy()).replace("@SESSIONS@", &sessions);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let entered = runtime.enter();
        let edge = build(&settings);
        let behind_balancer = build(&format!("{settings}\n{TRUSTS}"));
        drop(entered);
        let _ = fs::remove_file(&secret);
        for edge in [&edge, &behind_balancer] {
            assert!(runtime.block_on(edge.has_keys()), "no keys");
        }
        Self { edge, behind_balancer, runtime }
    }
}

fn build(settings: &str) -> LooseEdge {
    let source = Source::built_in(Document::parse("drawbridge.toml", settings));
    let configured = source.load(&Services::default());
    let configured = configured.unwrap_or_else(|error| panic!("the edge's settings: {error}"));
    LooseEdge::new(configured.snapshot, Arc::new(Two(watch::Sender::new(0)))).expect("threads")
}

/// One name and one address are banned.
#[derive(Debug)]
struct Two(watch::Sender<u64>);

fn ban(of: Subject) -> Arc<Ban> {
    Arc::new(Ban { of, reason: "".into(), source: "".into(), since: SystemTime::UNIX_EPOCH, until: None })
}

impl Bans for Two {
    fn address(&self, address: IpAddr) -> Option<Arc<Ban>> {
        (address == BANNED_ADDRESS).then(|| ban(Subject::Network(address.into())))
    }

    fn name(&self, name: &str) -> Option<Arc<Ban>> {
        name.eq_ignore_ascii_case(BANNED_NAME).then(|| ban(Subject::Name(BANNED_NAME.into())))
    }

    fn id(&self, _: Uuid) -> Option<Arc<Ban>> {
        None
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// Where the session server listens, which ends with the process.
fn vouch_for_everybody() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || vouch(&stream));
        }
    });
    address
}

/// Answers each request of a connection with the name that it asks for.
fn vouch(mut stream: &TcpStream) {
    let mut asked = String::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if let Some((_, query)) = line.split_once("username=") {
            asked = query.chars().take_while(char::is_ascii_alphanumeric).collect();
        }
        if line.is_empty() {
            let id = "069a79f444e94726a5befca90e38aaf5";
            let body = format!(r#"{{"id":"{id}","name":"{asked}","properties":[]}}"#);
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}
