//! `[routes.session]`: how players are carried by a session that speaks the protocol.

use crate::session::Session;
use drawbridge_config::{Diagnostic, Fields, Located, Origin, Secret, keywords, section};
use drawbridge_net::proxy_protocol;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_session::Forwarding;
use std::time::Duration;
use zeroize::Zeroizing;

keywords! {
    /// How a target is told who a player is.
    pub enum ForwardingKind {
        /// Not at all: the target takes the name, and gives the player a UUID of its own.
        "none" => None,
        /// As BungeeCord does: in the handshake's host. Whoever reaches the target can say they are anybody.
        "bungeecord" => BungeeCord,
        /// As BungeeCord does, with the token that BungeeGuard wants.
        "bungeeguard" => BungeeGuard,
        /// As Velocity does ("modern"), signed.
        "velocity" => Velocity,
    }
}

keywords! {
    /// When players are held in limbo, a world of the edge's own.
    pub enum LimboKind {
        /// Never: who can't be brought to a target is disconnected.
        "never" => Never,
        /// While no target can be reached, until one can.
        "when_unreachable" => WhenUnreachable,
        /// Always: limbo is where players of the route go; those of versions without a limbo can't join.
        "always" => Always,
    }
}

keywords! {
    /// What becomes of a target's Transfer packet.
    pub enum OnTransfer {
        /// The client gets it, and goes where it says.
        "pass" => Pass,
        /// Where it leads to a target or a route that the edge brings players to, the edge does that; otherwise as `pass`.
        "switch" => Switch,
    }
}

/// The longest packet there is: a threshold above compresses nothing.
const MOST: i32 = (1 << 21) - 1;

section! {
    /// How players are carried by a session that speaks the protocol.
    #[defaults]
    #[check(SessionSection::check)]
    pub struct SessionSection {
        /// How a target is told who a player is.
        pub forwarding: Located<ForwardingKind> = Located::built_in(ForwardingKind::None),
        /// What a target knows the edge by: BungeeGuard's token, or Velocity's forwarding secret.
        pub secret: Option<Secret>,
        /// From how many bytes on packets to clients are compressed; -1: none are.
        pub compression: i32 = 256,
        /// The PROXY protocol header that a target gets first, which tells it the client's address; none without.
        pub proxy_protocol: Option<proxy_protocol::Version>,
        /// How long a target may take to accept a connection.
        pub connect: Located<Duration> = Located::built_in(Duration::from_secs(5)),
        /// How long a target may take to let a player in who has connected; then the next one is asked.
        pub answer: Located<Duration> = Located::built_in(Duration::from_secs(10)),
        /// Where players go, in this order, whose target turns them away or is lost, by the names that `/server` takes: identifiers of targets, names of routes,
        /// or `route/target`.
        pub fallback: Vec<Located<String>> = Vec::new(),
        /// When players are held in limbo, a world of the edge's own.
        pub limbo: LimboKind = LimboKind::WhenUnreachable,
        /// What becomes of a target's Transfer packet.
        pub on_transfer: OnTransfer = OnTransfer::Pass,
        /// The name of a route that relays, to whose targets clients are brought whose version the edge doesn't speak, a newer one above all; without, they
        /// are refused. Those targets have to authenticate players themselves.
        pub unknown_versions: Option<Located<String>>,
        /// Whether the groups of `[commands]` count by the names that players merely claim, which is for networks where nobody else can join: whoever comes may
        /// claim any. In the mode `offline` alone, where nobody vouches for players.
        pub trust_claims: Located<bool> = Located::built_in(false),
    }
}

impl SessionSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if !(-1..=MOST).contains(&self.compression) {
            fields.error("compression", format!("expected -1 (none) or at most {MOST} bytes"));
        }
        match (*self.forwarding, &self.secret) {
            (ForwardingKind::BungeeGuard | ForwardingKind::Velocity, None) => {
                let missing =
                    Diagnostic::error(self.forwarding.origin(), "no secret is shared with the targets");
                fields.report(missing.help("secret = { file = \"forwarding.secret\" }"));
            }
            (ForwardingKind::None | ForwardingKind::BungeeCord, Some(_)) => {
                let mistake = Diagnostic::error(fields.origin("secret"), "\"secret\" has no effect here");
                fields.report(mistake.related(self.forwarding.origin(), "nothing is sealed in this way"));
            }
            (ForwardingKind::BungeeGuard, Some(secret)) if secret.expose_text().is_none() => {
                fields.error("secret", "BungeeGuard's token is text");
            }
            _ => {}
        }
    }

    /// What is wrong where these versions are taken, as it says at `written`; there is at least one.
    pub(super) fn check_versions(
        &self,
        mut versions: impl Iterator<Item = ProtocolVersion>,
        written: &Origin,
    ) -> Option<Diagnostic> {
        let is_old = |version: ProtocolVersion| version < ProtocolVersion::V1_13;
        // The oldest comes first.
        if *self.forwarding != ForwardingKind::Velocity || !versions.next().is_some_and(is_old) {
            return None;
        }
        let origin = self.forwarding.origin();
        let mistake = if versions.all(is_old) {
            Diagnostic::error(origin, "players of none of the route's versions can be forwarded so")
        } else {
            let warning =
                Diagnostic::warning(origin, "players of some of the route's versions can't be forwarded so");
            warning.label("no target lets those in who come with an older version than 1.13")
        };
        Some(
            mistake
                .related(written, "the versions")
                .help("\"velocity\" is there since 1.13; \"bungeeguard\" knows every version"),
        )
    }

    pub(crate) fn build(&self) -> Session {
        let secret = || {
            self.secret.as_ref().map(|secret| Zeroizing::new(secret.expose().to_vec())).unwrap_or_default()
        };
        Session {
            forwarding: match *self.forwarding {
                ForwardingKind::None => Forwarding::None,
                ForwardingKind::BungeeCord => Forwarding::BungeeCord,
                ForwardingKind::BungeeGuard => Forwarding::BungeeGuard(secret()),
                ForwardingKind::Velocity => Forwarding::Velocity(secret()),
            },
            compression: usize::try_from(self.compression).ok(),
            proxy_protocol: self.proxy_protocol,
            connect: *self.connect,
            answer: *self.answer,
            fallback: self.fallback.iter().map(|place| place.to_string()).collect(),
            limbo: self.limbo,
            on_transfer: self.on_transfer,
            unknown_versions: self.unknown_versions.as_deref().cloned(),
            trusts_claims: *self.trust_claims,
        }
    }
}
