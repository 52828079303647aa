//! What can be wrong with a client's way in, and what it means to who runs the server.

use super::foreign::Foreign;
use super::report::Step;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::wire::DecodeError;
use drawbridge_rsa::RsaError;
use hickory_resolver::net::NetError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use thiserror::Error;

/// Why a step failed. The message says what happened; [`Fault::meaning`] what to make of it.
#[derive(Debug, Error)]
pub(super) enum Fault {
    /// The machine's resolver configuration can't be read.
    #[error("no DNS resolver: {0}")]
    NoResolver(#[source] NetError),
    /// NXDOMAIN.
    #[error("{0} does not exist")]
    NoSuchName(String),
    /// The name exists, but has neither A nor AAAA records.
    #[error("{0} has no A or AAAA record")]
    NoAddress(String),
    /// An SRV record whose target is the root: the service is "decidedly not available" (RFC 2782).
    #[error("the SRV record says that there is no server (its target is \".\")")]
    NoService,
    /// The DNS server failed, or can't be reached.
    #[error("DNS: {0}")]
    Dns(#[source] NetError),
    /// No address took the connection.
    #[error("{}", list(.0))]
    NoConnection(Vec<(SocketAddr, Fault)>),
    /// The system's own words for a socket's failure.
    #[error("{}", describe(.0))]
    Io(#[source] io::Error),
    /// The deadline passed.
    #[error("no answer within {:.1} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// Closed or reset before a byte came.
    #[error("the connection was closed without a word")]
    Silent,
    /// Closed or reset after something came.
    #[error("the connection was closed before the answer was whole")]
    Closed,
    /// Another protocol's bytes.
    #[error("{0}")]
    Foreign(Foreign),
    /// A frame or its compression is wrong.
    #[error("bytes that Minecraft's protocol doesn't allow: {0}")]
    Stream(#[from] StreamError),
    /// A packet's fields are wrong.
    #[error("a packet that {version} doesn't allow: {source}")]
    Packet {
        version: ProtocolVersion,
        #[source]
        source: DecodeError,
    },
    /// A packet out of turn.
    #[error("the packet {name} ({id:#04x}) where {expected} was expected")]
    Unexpected { name: &'static str, id: i32, expected: &'static str },
    /// The status isn't a JSON object.
    #[error("a status document that can't be read: {0}")]
    Document(String),
    /// Another number came back than was sent.
    #[error("the pong doesn't carry the ping's number")]
    Pong,
    /// More bytes than any sensible server sends.
    #[error("more than {} MiB came before the end", .0 >> 20)]
    TooMuch(usize),
    /// Turned away with a text.
    #[error("kicked: \"{text}\"")]
    Kicked { text: String, joined_as: ProtocolVersion, status_says: Option<ProtocolVersion> },
    /// Authentication was asked for, and there is no account to do it with.
    #[error("the server wants an authenticated player")]
    NoToken,
    /// The session server turned the join down.
    #[error("the session server answered {status}{}{message}", if .message.is_empty() { "" } else { ": " })]
    SessionServer { status: u16, message: String },
    /// The session server couldn't be asked.
    #[error("the session server can't be reached: {0}")]
    SessionUnreachable(String),
    /// The server's key is none.
    #[error("the server's public key can't be used: {0}")]
    Key(#[from] RsaError),
}

fn list(failures: &[(SocketAddr, Fault)]) -> String {
    let lines: Vec<_> = failures.iter().map(|(address, fault)| format!("{address}: {fault}")).collect();
    lines.join("; ")
}

/// The commonest failures in plain words, the same on every system.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::ConnectionReset => "connection reset".into(),
        io::ErrorKind::HostUnreachable => "the host is unreachable".into(),
        io::ErrorKind::NetworkUnreachable => "the network is unreachable".into(),
        _ => error.to_string(),
    }
}

impl Fault {
    /// What it means that `step` failed so, and how to mend it.
    pub(super) fn meaning(&self, step: Step) -> String {
        match self {
            Self::Kicked { text, joined_as, status_says } => kicked(text, *joined_as, *status_says),
            Self::NoConnection(failures) => {
                failures.first().map(|(_, fault)| fault.meaning(step)).unwrap_or_default()
            }
            Self::Io(error) => connection(error.kind()).into(),
            Self::TimedOut(_) => timed_out(step).into(),
            Self::Silent => silent(step).into(),
            Self::SessionServer { status, .. } => session_server(*status).into(),
            other => other.plain_meaning().into(),
        }
    }

    const fn plain_meaning(&self) -> &'static str {
        match self {
            Self::NoResolver(_) => {
                "This machine's DNS settings can't be read. Name a server with --nameserver."
            }
            Self::NoSuchName(_) => {
                "DNS knows no such name. Check its spelling, or add an A, AAAA or CNAME record for it; a new record can \
                 take as long to be seen as the old answer's time to live."
            }
            Self::NoAddress(_) => {
                "The name exists but leads nowhere. Add an A or AAAA record for it; a client needs one of them even \
                 where there is an SRV record, for the record's target."
            }
            Self::NoService => {
                "The domain's owner switched the service off with this record. Remove or correct it."
            }
            Self::Dns(_) => {
                "The DNS server failed or can't be reached. Try another with --nameserver, such as 9.9.9.9; if that \
                 works, mend this machine's resolver, else the domain's name servers."
            }
            Self::Closed => {
                "The server, or something between, broke the connection off. The server's log at this time tells why."
            }
            Self::Foreign(foreign) => foreign.meaning(),
            Self::Stream(_) | Self::Packet { .. } | Self::Unexpected { .. } => {
                "The server doesn't speak this version as a vanilla server does, so vanilla clients fail too. Update \
                 it, or tell the version that it speaks with --protocol."
            }
            Self::Document(_) => {
                "Clients show \"Can't connect to server\". Mend what makes the server's status."
            }
            Self::Pong => {
                "Clients show no ping for this server. Something answers for it that doesn't echo pings."
            }
            Self::TooMuch(_) => "No sensible server sends so much before a player is in the world.",
            Self::NoToken => {
                "To go further, give an account's --uuid and --token (or DRAWBRIDGE_PROBE_TOKEN)."
            }
            Self::SessionUnreachable(_) => {
                "This machine doesn't reach the session server. Check its name resolution, firewall and certificates, \
                 and --session-server."
            }
            Self::Key(_) => {
                "Clients fail with an internal error here. The server must send an RSA key in X.509 form."
            }
            _ => "",
        }
    }
}

const fn connection(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => {
            "Nothing listens on this port, or a firewall rejects it. Start the server, or check its address, port and \
             the firewall."
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "There is no way to this address from here. An IPv6 address needs IPv6 at both ends."
        }
        _ => "The connection failed before the server could answer.",
    }
}

const fn timed_out(step: Step) -> &'static str {
    match step {
        Step::Srv | Step::Dns => {
            "The DNS server doesn't answer. Try another with --nameserver, such as 9.9.9.9, or give it more time with \
             --timeout."
        }
        Step::Connect | Step::Reconnect => {
            "Nobody answers at this address. A firewall swallows the packets, the address is wrong, or the machine is \
             off; port forwarding may be missing."
        }
        Step::Status | Step::Login => {
            "The port takes connections but says nothing. It may not be a Minecraft server, it may wait for a PROXY \
             protocol header, or the server hangs."
        }
        Step::Session => "The session server is slow or a firewall swallows the packets to it.",
        Step::Success => {
            "The server heard the encryption response and didn't decide. Its own question to the session server may \
             hang: check the way out of its network."
        }
        Step::Configuration => {
            "The server holds the player in configuration. It may be looking for a target or waking one: give it more \
             time with --timeout, and look into its log."
        }
        Step::Ping | Step::Encryption | Step::Transfer => "The server stopped answering.",
    }
}

const fn silent(step: Step) -> &'static str {
    match step {
        Step::Success | Step::Configuration => {
            "The server broke the connection off without a reason for the player. Its log at this time tells why."
        }
        _ => {
            "The server expects a PROXY protocol header from this address, or refuses the address (deny list, rate \
             limit), or there is no backend behind a load balancer. Probe from where players are, or remove this \
             network from those trusted to send the header."
        }
    }
}

const fn session_server(status: u16) -> &'static str {
    match status {
        401 | 403 => {
            "The token isn't valid for this UUID, has expired, or the account may not play multiplayer. Get a fresh \
             token, and check --uuid."
        }
        429 => "Too many joins with this account or from this address. Wait a minute.",
        500..=599 => {
            "The session server has trouble of its own. Nobody can join authenticated servers until it is over."
        }
        _ => "The session server should answer 204 here. Check --session-server.",
    }
}

/// What a kick's text means, by words that vanilla servers and well-known others use. Texts of other servers, and other
/// languages, are left to speak for themselves.
const KICKS: &[(&[&str], &str)] = &[
    (
        &["outdated", "incompatible", "unsupported version", "can't be joined with"],
        "The server doesn't take this version.",
    ),
    (&["white-listed", "whitelist"], "The player isn't on the server's whitelist: add the name there."),
    (
        &["unverified_username", "failed to verify username", "not authenticated", "invalid session"],
        "The server asked its session server, which knows of no such join. Both must use the same session server, and \
         the server must see the player's name and, if it checks it, address.",
    ),
    (
        &["transfers_disabled", "accepts-transfers", "does not accept transfers"],
        "The server takes no transferred players: set accepts-transfers=true in its server.properties.",
    ),
    (&["banned"], "The player or this address is banned there."),
    (&["server_full", "server is full", "full!"], "The server is full."),
    (
        &["throttled", "too fast", "too many", "logging in too"],
        "The server limits how often an address may connect. Wait a moment.",
    ),
    (
        &["ip forwarding", "bungeecord", "velocity", "bungeeguard", "requires you to connect with"],
        "This is a backend that takes players from its proxy only. Probe the proxy's address instead.",
    ),
    (
        &["no route", "unknown host", "invalid host"],
        "The server doesn't know the host name that was typed: check its routes.",
    ),
];

fn kicked(text: &str, joined_as: ProtocolVersion, status_says: Option<ProtocolVersion>) -> String {
    let lower = text.to_lowercase();
    let known = KICKS.iter().find(|(words, _)| words.iter().any(|word| lower.contains(word)));
    let mut meaning =
        known.map_or("The server turned the player away; its text says why.", |(_, text)| text).to_owned();
    if let Some(says) = status_says.filter(|&says| says != joined_as) {
        meaning += &format!(
            " The status says {says}, and the login was made as {joined_as}: try --protocol {}.",
            says.number()
        );
    }
    meaning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kick_for_the_version_names_the_one_to_try() {
        let fault = Fault::Kicked {
            text: "Outdated client! Please use 1.21.4".into(),
            joined_as: ProtocolVersion(777),
            status_says: Some(ProtocolVersion(769)),
        };
        assert_eq!(
            fault.meaning(Step::Login),
            "The server doesn't take this version. The status says 1.21.4, and the login was made as 26.3: try --protocol \
             769."
        );
    }

    #[test]
    fn every_word_finds_its_own_meaning() {
        for (words, meaning) in KICKS {
            for word in *words {
                assert_eq!(
                    kicked(&format!("§c{}.", word.to_uppercase()), ProtocolVersion(777), None),
                    *meaning
                );
            }
        }
        assert!(kicked("Bis später", ProtocolVersion(777), None).ends_with("its text says why."));
    }

    #[test]
    fn addresses_that_failed_are_all_named() {
        let refused = || Fault::Io(io::ErrorKind::ConnectionRefused.into());
        let fault = Fault::NoConnection(vec![
            ("192.0.2.1:25565".parse().unwrap(), refused()),
            ("[2001:db8::1]:25565".parse().unwrap(), Fault::TimedOut(Duration::from_secs(5))),
        ]);
        assert_eq!(
            fault.to_string(),
            "192.0.2.1:25565: connection refused; [2001:db8::1]:25565: no answer within 5.0 s"
        );
        assert!(fault.meaning(Step::Connect).starts_with("Nothing listens"));
    }
}
