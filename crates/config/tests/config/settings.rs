//! A configuration with a key of every type, and short ways to read it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use drawbridge_config::{
    ByteSize, Diagnostics, Document, DocumentPath, Error, Fields, Json, Loaded, Located, Rate, Reader, Root,
    Schemas, Secret, Setting, Style, Value, json, keywords, parsed, section, tagged,
};
use ipnet::IpNet;
use regex::Regex;

section! {
    /// The whole configuration.
    #[defaults]
    pub struct Settings {
        /// Where to listen.
        pub bind: Vec<SocketAddr> = vec![SocketAddr::from(([0; 8], 25565))],
        /// The folder of routes.
        pub routes_dir: DocumentPath = DocumentPath::new("routes"),
        /// Threads.
        pub threads: u16 = 0,
        /// Bounds on what peers may use.
        pub limits: Limits,
        /// Who may connect.
        pub access: Access,
        /// What returning players carry.
        pub cookies: Cookies,
        /// Rules.
        pub routes: Vec<Route> = Vec::new(),
    }
}

section! {
    /// Bounds.
    #[defaults]
    #[check(Limits::check)]
    pub struct Limits {
        /// Open sockets.
        pub connections: u32 = 0,
        /// For a greeting.
        pub handshake_timeout: Duration = Duration::from_secs(5),
        /// For a login.
        pub login_timeout: Duration = Duration::from_secs(25),
        /// The largest packet.
        pub max_packet: ByteSize = ByteSize::kib(8),
        /// Status requests.
        pub status: Rate = Rate::new(30, Duration::from_secs(10)),
        /// How much is sampled.
        pub sample: f64 = 0.5,
    }
}

impl Limits {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.login_timeout < self.handshake_timeout {
            fields.error("login_timeout", "a login can't be shorter than its greeting");
        }
    }
}

section! {
    /// Networks.
    #[defaults]
    pub struct Access {
        /// Only these.
        pub allow: Vec<IpNet> = Vec::new(),
        /// Not these.
        pub deny: Vec<IpNet> = Vec::new(),
    }
}

section! {
    /// Cookies.
    #[defaults]
    pub struct Cookies {
        /// The first signs.
        pub secrets: Vec<Secret<32>> = Vec::new(),
        /// Whether they hold for one address.
        pub bind_address: bool = true,
        /// A secret of any length.
        pub key: Option<Secret>,
    }
}

keywords! {
    /// How a player gets there.
    pub enum Mode {
        /// Handed over.
        "transfer" => Transfer,
        "passthrough" => Passthrough,
    }
}

section! {
    /// A rule.
    pub struct Route {
        /// What it is called.
        pub name: Located<String>,
        /// Which hosts it takes.
        pub hosts: Vec<Host>,
        /// How players get there.
        pub mode: Mode = Mode::Transfer,
        /// Which names may join.
        pub names: Option<Regex>,
        /// Who answers the server list.
        pub status: Status,
        /// How many players.
        pub max_players: Option<i32>,
        /// Texts by locale and key.
        pub messages: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new(),
    }
}

tagged! {
    /// Who answers the server list.
    pub enum Status by "type" {
        "fixed" => Fixed(Fixed),
        "http" => Http(Http),
        /// Nobody.
        "silent" => Silent,
    } default "fixed"
}

section! {
    /// An answer that is written here.
    #[defaults]
    pub struct Fixed {
        /// The text.
        pub description: String = "A Minecraft server".to_owned(),
        /// A picture.
        pub favicon: Option<Located<DocumentPath>>,
    }
}

section! {
    /// An answer that is asked for.
    pub struct Http {
        /// Whom to ask.
        pub url: String,
        /// How often.
        pub refresh: Duration = Duration::from_secs(30),
    }
}

/// A type that is made elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Host(String);

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(' ') { Err("hosts have no spaces".to_owned()) } else { Ok(Self(text.to_owned())) }
    }
}

impl Setting for Host {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a host pattern")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string" })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.0))
    }
}

/// The main document with an environment.
pub(crate) fn load(text: &str, environment: &[(&str, &str)]) -> Result<Loaded<Settings>, Error> {
    let mut root = Root::new(Some(Document::parse("drawbridge.toml", text)), &["routes"]);
    root.environment("DRAWBRIDGE", environment.iter().copied());
    root.read()
}

/// The mistakes of the main document with an environment.
pub(crate) fn mistakes(text: &str, environment: &[(&str, &str)]) -> Diagnostics {
    match load(text, environment) {
        Ok(loaded) => loaded.diagnostics,
        Err(Error::Invalid(diagnostics)) => diagnostics,
        Err(error) => panic!("{error}"),
    }
}

/// The same as one line each: `line:column message (help)`, or the variable's name before the message.
pub(crate) fn listed(diagnostics: &Diagnostics) -> Vec<String> {
    let line = |diagnostic: &drawbridge_config::Diagnostic| {
        let place = match diagnostic.origin().position() {
            Some(position) => format!("{}:{}", position.line, position.column),
            None => diagnostic.origin().variable().unwrap_or("-").to_owned(),
        };
        let help = diagnostic.advice().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{place} {}{help}", diagnostic.message())
    };
    diagnostics.iter().map(line).collect()
}

/// The one mistake of a main document, as [`listed`] shows it.
pub(crate) fn mistake(text: &str) -> String {
    let found = listed(&mistakes(text, &[]));
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    found.into_iter().next().unwrap()
}

/// What a terminal without colours shows.
pub(crate) fn drawn(diagnostics: &Diagnostics) -> String {
    diagnostics.render(Style::Plain)
}
